"""A pair's therapy sessions, and what hangs on them; the instants in the tables were worked out by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.schedules import parse_rule
from bot.core.session_rules import FARTHEST, SessionRule
from bot.core.sessions import (
    SessionPlan,
    SessionSeries,
    cancel_session,
    move_session,
    parse_near_day,
    parse_session,
    parse_session_time,
    session_occurrences,
    sessions,
)
from bot.errors import ScheduleError
from tests.core.example_rules import INSTANTS, ZONES
from tests.core.oracle import instant_of

SATURDAY = datetime(2026, 11, 28, 12, 0)  # noqa: DTZ001 - the wall time at which the plans below are written
BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    """Read "2026-03-29 01:30" as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(text: str) -> datetime:
    """Read a wall time."""
    return datetime.fromisoformat(text)


def series(plan: str, zone: str = "Europe/Berlin", *, local: datetime = SATURDAY) -> SessionSeries:
    """A series as somebody wrote it."""
    return SessionSeries(series_id="s", plan=parse_session(plan, local=local), zone=zone)


def rule(text: str) -> SessionRule:
    """Read a rule around sessions."""
    read = parse_rule(text)
    assert isinstance(read, SessionRule)
    return read


def keys_and_dues(
    text: str, *known: SessionSeries, after: str = "2026-11-28 00:00", count: int = 3, zone: ZoneInfo = BERLIN
) -> list[tuple[str, str]]:
    """What comes next."""
    found = islice(session_occurrences(rule(text), known, zone, after=utc(after)), count)
    return [(one.key, f"{one.due:%m-%d %H:%M}") for one in found]


@pytest.mark.parametrize(
    ("written", "plan"),
    [
        ("tue 10:00 weekly", "2026-12-01 10:00 weekly"),
        ("weekly tue 10:00", "2026-12-01 10:00 weekly"),
        ("Tuesdays at 10:00", "2026-12-01 10:00 weekly"),
        ("every tue 10:00", "2026-12-01 10:00 weekly"),
        ("every week on tue at 10:00", "2026-12-01 10:00 weekly"),
        ("thu 14:00 every 2 weeks", "2026-12-03 14:00 every 2 weeks"),
        ("every other week thu 14:00", "2026-12-03 14:00 every 2 weeks"),
        ("2026-12-03 14:00 every 2 weeks", "2026-12-03 14:00 every 2 weeks"),
        ("2026-11-03 14:00, every 3 weeks", "2026-11-03 14:00 every 3 weeks"),
        ("2026-12-01 10:00", "2026-12-01 10:00"),
        ("tue 10:00", "2026-12-01 10:00"),
        ("TUE 10:00", "2026-12-01 10:00"),
        ("sat 12:01", "2026-11-28 12:01"),
        ("sat 12:00", "2026-12-05 12:00"),
        ("today 15:00", "2026-11-28 15:00"),
        ("tomorrow 9:00", "2026-11-29 09:00"),
    ],
)
def test_plans_are_read(written: str, plan: str) -> None:
    """A day of the week is the next one; the text reads back to the same plan."""
    read = parse_session(written, local=SATURDAY)
    assert read.text == plan
    assert parse_session(read.text, local=SATURDAY) == read


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "needs a day and a time"),
        ("10:00", "needs a day and a time"),
        ("tue", "needs a day and a time"),
        ("tue 10", '"10" is not a time of day'),
        ("2 10:00", '"2" is not a date'),
        ("2026-13-01 10:00", '"2026-13-01" is not a date'),
        ("someday 10:00", '"someday" is not a day of the week'),
        ("2026-11-27 10:00", "2026-11-27 10:00 is past"),
        ("today 12:00", "2026-11-28 12:00 is past"),
        ("tue 10:00 every 0 weeks", "1 to 12 weeks apart, not 0"),
        ("tue 10:00 every 13 weeks", "1 to 12 weeks apart, not 13"),
    ],
)
def test_other_plans_are_refused(written: str, says: str) -> None:
    """The sentence names what is wrong."""
    with pytest.raises(ScheduleError) as refused:
        parse_session(written, local=SATURDAY)
    assert says in str(refused.value)


@given(st.text(max_size=40))
def test_any_plan_is_read_or_refused(text: str) -> None:
    """No text ends in any other error."""
    try:
        plan = parse_session(text, local=SATURDAY)
    except ScheduleError:
        return
    assert parse_session(plan.text, local=SATURDAY) == plan


def test_near_days_and_times_are_read_alone() -> None:
    """Moving and cancelling name a day, or a day and a time."""
    assert parse_session_time("wed 11:00", local=SATURDAY) == wall("2026-12-02 11:00")
    assert parse_near_day("sat", local=SATURDAY) == date(2026, 11, 28)
    assert parse_near_day("Monday", local=SATURDAY) == date(2026, 11, 30)
    assert parse_near_day("2026-12-08", local=SATURDAY) == date(2026, 12, 8)


@pytest.mark.parametrize(
    ("zone", "plan", "first", "second", "third"),
    [
        ("Europe/Berlin", "2026-03-22 10:00 weekly", "03-22 09:00", "03-29 08:00", "04-05 08:00"),
        ("Europe/Berlin", "2026-03-22 02:30 weekly", "03-22 01:30", "03-29 01:30", "04-05 00:30"),
        ("America/New_York", "2026-10-25 01:30 weekly", "10-25 05:30", "11-01 05:30", "11-08 06:30"),
        ("Australia/Lord_Howe", "2026-09-20 02:15 every 2 weeks", "09-19 15:45", "10-03 15:45", "10-17 15:15"),
        ("Africa/Cairo", "2026-04-17 00:30 weekly", "04-16 22:30", "04-23 22:30", "04-30 21:30"),
        ("Pacific/Apia", "2011-12-23 10:00 weekly", "12-23 20:00", "12-30 20:00", "01-05 20:00"),
    ],
)
def test_sessions_keep_their_wall_time(zone: str, plan: str, first: str, second: str, third: str) -> None:
    """Ten stays ten where the clocks change; gaps and doubled hours are as for every wall time."""
    known = series(plan, zone, local=wall("2011-01-01 00:00"))
    found = islice(sessions([known], after=utc("2011-01-01 00:00")), 3)
    assert [f"{one.starts:%m-%d %H:%M}" for one in found] == [first, second, third]


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("session -1 day 18:00", "11-30 17:00"),
        ("session -1 day", "11-30 09:00"),
        ("session +24 h", "12-02 09:00"),
        ("session -2 h", "12-01 07:00"),
        ("session +1 day 09:00", "12-02 08:00"),
        ("session +0 days 08:00", "12-01 07:00"),
        ("session -7 days 09:00", "12-01 08:00"),
        ("session -90 min", "12-01 07:30"),
    ],
)
def test_offsets_are_from_the_session(text: str, due: str) -> None:
    """Days are counted on the calendar, hours and minutes as time that passes."""
    key = "s:2026-12-08" if "-7" in text else "s:2026-12-01"
    assert keys_and_dues(text, series("tue 10:00 weekly"), after="2026-11-30 00:00", count=1) == [(key, due)]


def test_days_and_hours_differ_where_the_clocks_change() -> None:
    """The same time the day before is 23 hours before, on the Sunday in spring; a day's wall time is the client's."""
    known = series("2026-03-29 10:00", local=wall("2026-03-01 00:00"))
    found = {
        text: keys_and_dues(text, known, after="2026-03-01 00:00")[0][1]
        for text in ("session -1 day", "session -24 h", "session -1 day 18:00")
    }
    assert found == {
        "session -1 day": "03-28 09:00",
        "session -24 h": "03-28 08:00",
        "session -1 day 18:00": "03-28 17:00",
    }
    lisbon = keys_and_dues("session -1 day 18:00", known, after="2026-03-01 00:00", zone=ZoneInfo("Europe/Lisbon"))
    assert lisbon[0][1] == "03-28 18:00"


def test_what_hangs_on_a_session_moves_with_it() -> None:
    """A moved session keeps its key, so that what was sent for it is not sent again; the others stay."""
    weekly = series("tue 10:00 weekly")
    moved = move_session(weekly, date(2026, 12, 8), wall("2026-12-10 16:00"))
    assert keys_and_dues("session -1 day 18:00", weekly) == [
        ("s:2026-12-01", "11-30 17:00"), ("s:2026-12-08", "12-07 17:00"), ("s:2026-12-15", "12-14 17:00"),
    ]  # fmt: skip
    assert keys_and_dues("session -1 day 18:00", moved) == [
        ("s:2026-12-01", "11-30 17:00"), ("s:2026-12-08", "12-09 17:00"), ("s:2026-12-15", "12-14 17:00"),
    ]  # fmt: skip
    again = move_session(moved, date(2026, 12, 8), wall("2026-12-08 10:00"))
    assert keys_and_dues("session -1 day 18:00", again) == keys_and_dues("session -1 day 18:00", weekly)


def test_a_session_may_move_past_others() -> None:
    """The order is that of the instants."""
    moved = move_session(series("tue 10:00 weekly"), date(2026, 12, 1), wall("2026-12-17 10:00"))
    assert [key for key, _ in keys_and_dues("session -2 h", moved)] == ["s:2026-12-08", "s:2026-12-15", "s:2026-12-01"]


def test_a_cancelled_session_cancels_what_hangs_on_it() -> None:
    """The next one stays, and moving the cancelled one brings it back."""
    cancelled = cancel_session(series("tue 10:00 weekly"), date(2026, 12, 1))
    assert [key for key, _ in keys_and_dues("session -2 h", cancelled, count=2)] == ["s:2026-12-08", "s:2026-12-15"]
    back = move_session(cancelled, date(2026, 12, 1), wall("2026-12-02 10:00"))
    assert keys_and_dues("session -2 h", back, count=1) == [("s:2026-12-01", "12-02 07:00")]
    gone = cancel_session(back, date(2026, 12, 1))
    assert keys_and_dues("session -2 h", gone, count=1) == [("s:2026-12-08", "12-08 07:00")]


@pytest.mark.parametrize("planned", [date(2026, 11, 24), date(2026, 12, 2), date(2027, 1, 12)])
def test_only_planned_sessions_can_be_changed(planned: date) -> None:
    """A date before the first, between two or after the last is refused."""
    known = replace(series("tue 10:00 weekly"), until=date(2027, 1, 5))
    with pytest.raises(ScheduleError, match=f"There is no session planned on {planned}"):
        move_session(known, planned, wall("2026-12-03 10:00"))
    with pytest.raises(ScheduleError, match=f"There is no session planned on {planned}"):
        cancel_session(known, planned)


def test_a_series_ends() -> None:
    """The last planned date is included, and a later one is gone, moved or not."""
    known = move_session(series("tue 10:00 weekly"), date(2026, 12, 15), wall("2026-12-16 10:00"))
    ended = replace(known, until=date(2026, 12, 8))
    assert [key for key, _ in keys_and_dues("session -2 h", ended)] == ["s:2026-12-01", "s:2026-12-08"]
    single = series("2026-12-01 10:00")
    assert keys_and_dues("session +24 h", single) == [("s:2026-12-01", "12-02 09:00")]


def test_two_sessions_on_one_day_bring_one_prompt() -> None:
    """At one instant the one planned last counts: the other was moved there, and may have had its prompt before."""
    moved = move_session(series("tue 10:00 weekly"), date(2026, 12, 1), wall("2026-12-08 09:00"))
    assert keys_and_dues("session -1 day 18:00", moved, count=2) == [
        ("s:2026-12-08", "12-07 17:00"), ("s:2026-12-15", "12-14 17:00"),
    ]  # fmt: skip
    extra = replace(series("2026-12-01 16:00"), series_id="extra")
    both = keys_and_dues("session -2 h", series("tue 10:00 weekly"), extra)
    assert [key for key, _ in both] == ["s:2026-12-01", "extra:2026-12-01", "s:2026-12-08"]


RULES = st.one_of(
    st.builds(
        SessionRule,
        days=st.integers(-FARTHEST.days, FARTHEST.days),
        clock=st.none() | st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
    ).filter(lambda rule: rule.days != 0 or rule.clock is not None),
    st.builds(
        SessionRule,
        length=st.integers(-31 * 1440, 31 * 1440).filter(bool).map(lambda minutes: timedelta(minutes=minutes)),
    ),
)


@st.composite
def several(draw: st.DrawFn) -> tuple[tuple[SessionSeries, ...], datetime]:
    """One or two series, some of whose sessions were moved or cancelled, and an instant near them."""
    at = draw(INSTANTS).replace(second=0, microsecond=0)
    known = []
    for name in draw(st.sampled_from(["a", "ab"])):
        first = (at + timedelta(days=draw(st.integers(-400, 30)))).replace(
            tzinfo=None, hour=draw(st.integers(0, 23)), minute=draw(st.sampled_from([0, 15, 30]))
        )
        weeks = draw(st.sampled_from([None, 1, 1, 2, 3]))
        one = SessionSeries(
            series_id=name,
            plan=SessionPlan(first=first, weeks=weeks),
            zone=draw(st.sampled_from(ZONES)),
            until=draw(st.none() | st.just(first.date() + timedelta(days=420))),
        )
        for step in draw(st.lists(st.integers(0, 60), max_size=4)) if weeks else [0]:
            planned = first.date() + step * timedelta(weeks=weeks or 0)
            if one.until is None or planned <= one.until:
                to = datetime.combine(planned, time(9)) + timedelta(minutes=draw(st.integers(-20_000, 20_000)))
                one = move_session(one, planned, to) if draw(st.booleans()) else cancel_session(one, planned)
        known.append(one)
    return tuple(known), at


def by_hand(
    rule: SessionRule, known: tuple[SessionSeries, ...], zone: ZoneInfo, after: datetime, until: datetime
) -> list[tuple[str, datetime]]:
    """Every planned date from the first on, one by one, with plain zoneinfo arithmetic."""
    found: dict[datetime, tuple[date, str]] = {}
    for one in known:
        planned = one.plan.first.date()
        while planned <= until.date() + timedelta(days=80) and (one.until is None or planned <= one.until):
            starts = instant_of(
                dict(one.moved).get(planned, datetime.combine(planned, one.plan.first.time())), ZoneInfo(one.zone)
            )
            local = starts.astimezone(zone).replace(tzinfo=None)
            clock = local.time() if rule.clock is None else rule.clock
            due = starts + rule.length
            if not rule.length:
                due = instant_of(datetime.combine(local.date() + timedelta(days=rule.days), clock), zone)
            if planned not in one.cancelled and after < due <= until:
                entry = (planned, f"{one.series_id}:{planned}")
                found[due] = max(entry, found.get(due, entry))
            if one.plan.weeks is None:
                break
            planned += timedelta(weeks=one.plan.weeks)
    return [(key, due) for due, (_, key) in sorted(found.items())]


@settings(max_examples=150, deadline=None)
@given(several(), RULES, st.sampled_from(ZONES).map(ZoneInfo))
def test_an_independent_calculation_agrees(
    around: tuple[tuple[SessionSeries, ...], datetime], rule: SessionRule, zone: ZoneInfo
) -> None:
    """Keys and instants are the same, whatever was moved or cancelled."""
    known, after = around
    until = after + timedelta(days=60)
    found = []
    for one in session_occurrences(rule, known, zone, after=after):
        if one.due > until:
            break
        found.append((one.key, one.due))
    assert found == by_hand(rule, known, zone, after, until)


@settings(max_examples=150, deadline=None)
@given(several(), RULES, st.sampled_from(ZONES).map(ZoneInfo), st.integers(0, 30_000))
def test_occurrences_increase_and_do_not_depend_on_the_start(
    around: tuple[tuple[SessionSeries, ...], datetime], rule: SessionRule, zone: ZoneInfo, minutes: int
) -> None:
    """Each is later than the one before with a key of its own; whoever starts later finds the same."""
    known, after = around
    later, end = after + timedelta(minutes=minutes), after + timedelta(days=60)
    found = [one for one in islice(session_occurrences(rule, known, zone, after=after), 70) if one.due <= end]
    assert all(first.due < second.due for first, second in pairwise(found))
    assert len({one.key for one in found}) == len(found)
    again = [one for one in islice(session_occurrences(rule, known, zone, after=later), 70) if one.due <= end]
    assert again == [one for one in found if one.due > later]


@given(RULES)
def test_text_reads_back(rule: SessionRule) -> None:
    """A rule's text reads back to the rule."""
    assert parse_rule(rule.text) == rule
