"""Random times within a window."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.rule_words import WEEK
from bot.core.schedules import parse_rule
from bot.core.windows import MOST, WindowRule, draw, fitting, window_occurrences
from tests.core.example_rules import ZONES

DAY = date(2026, 11, 23)
QUIET = (time(21, 30), time(7, 30))
MINUTE = timedelta(minutes=1)


@st.composite
def windows(draw_: st.DrawFn) -> WindowRule:
    """A window in which its times fit, often only just."""
    opens, closes = sorted(draw_(st.lists(st.integers(0, 1439), min_size=2, max_size=2, unique=True)))
    times = draw_(st.integers(1, MOST).filter(lambda times: times - 1 <= closes - opens))
    widest = (closes - opens) // (times - 1) if times > 1 else 1
    days = draw_(st.sets(st.sampled_from(WEEK), min_size=1))
    return WindowRule(
        times=times,
        opens=time(opens // 60, opens % 60),
        closes=time(closes // 60, closes % 60),
        apart=draw_(st.one_of(st.just(widest), st.integers(1, widest))) * MINUTE,
        days=tuple(day for day in WEEK if day in days),
        until=draw_(st.none() | st.just(date(2030, 1, 1))),
    )


def window(text: str) -> WindowRule:
    """Read a window rule."""
    rule = parse_rule(text)
    assert isinstance(rule, WindowRule)
    return rule


def on_wall(day: date, clocks: tuple[time, ...]) -> list[datetime]:
    """Wall times of a date."""
    return [datetime.combine(day, clock) for clock in clocks]


@given(windows())
def test_text_reads_back(rule: WindowRule) -> None:
    """A window's text reads back to the same window."""
    assert parse_rule(rule.text) == rule


@settings(deadline=None)
@given(windows(), st.dates(date(2020, 1, 1), date(2029, 12, 31)), st.text(max_size=8))
def test_draws_are_inside_and_apart(rule: WindowRule, day: date, seed: str) -> None:
    """On its days all times are drawn, to the minute, within the window and far enough apart; on others none is."""
    drawn = draw(rule, day, seed)
    assert len(drawn) == (rule.times if WEEK[day.weekday()] in rule.days else 0)
    assert all(rule.opens <= clock <= rule.closes and not clock.second for clock in drawn)
    assert all(later - earlier >= rule.apart for earlier, later in pairwise(on_wall(day, drawn)))
    assert draw(rule, day, seed) == drawn


@settings(deadline=None)
@given(windows(), st.sampled_from(ZONES), st.dates(date(2020, 1, 1), date(2029, 12, 31)))
def test_occurrences_are_the_draws(rule: WindowRule, zone: str, day: date) -> None:
    """Where the clocks do not change, the instants are those of the wall times drawn, with the date and a number."""
    midnight = datetime.combine(day, time(), tzinfo=ZoneInfo(zone))
    if midnight.utcoffset() != (midnight + timedelta(days=1)).utcoffset():
        return
    found = window_occurrences(rule, ZoneInfo(zone), day, "seed")
    assert [one.local.replace(tzinfo=None) for one in found] == on_wall(day, draw(rule, day, "seed"))
    assert [one.key for one in found] == [f"{day}#{number}" for number in range(1, len(found) + 1)]
    assert all(one.due == one.local.astimezone(UTC) for one in found)


def test_each_placement_is_as_likely() -> None:
    """Of ten thousand days each possible placement gets its share."""
    rule = window("3 times between 10:00 and 10:09, 3 min apart")
    possible = [minutes for minutes in combinations(range(10), 3) if all(b - a >= 3 for a, b in pairwise(minutes))]
    drawn = Counter(tuple(clock.minute for clock in draw(rule, DAY, str(seed))) for seed in range(10_000))
    assert set(drawn) == set(possible)
    share = 10_000 / len(possible)
    assert sum((count - share) ** 2 / share for count in drawn.values()) < 2.2 * len(possible)  # chi square


def test_seeds_and_dates_draw_differently() -> None:
    """Two schedules, and two days of one, are independent."""
    rule = window("3 times between 10:00 and 20:00, 90 min apart")
    days = [DAY + timedelta(days=ahead) for ahead in range(30)]
    assert len({draw(rule, day, seed) for day in days for seed in "ab"}) > 50


def test_a_draw_never_changes() -> None:
    """What was drawn once is drawn by every version, or a restart would ask twice."""
    rule = window("3 times between 10:00 and 20:00, 90 min apart")
    assert draw(rule, DAY, "a") == (time(11, 15), time(14, 38), time(17, 6))


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("3 times between 10:00 and 13:00, 90 min apart", (time(10), time(11, 30), time(13))),
        ("2 times between 23:58 and 23:59, 1 min apart", (time(23, 58), time(23, 59))),
    ],
)
def test_both_ends_belong_to_the_window(text: str, only: tuple[time, ...]) -> None:
    """What fits in exactly one way is drawn in that way."""
    assert draw(window(text), DAY, "any") == only


@settings(deadline=None)
@given(windows(), st.tuples(st.times(), st.times()), st.text(max_size=8))
def test_nothing_is_drawn_in_quiet_hours(rule: WindowRule, quiet: tuple[time, time], seed: str) -> None:
    """Quiet hours, over midnight or not, stay empty; as many times as fit are drawn outside them."""
    begins, ends = quiet = (quiet[0].replace(second=0, microsecond=0), quiet[1].replace(second=0, microsecond=0))
    day = next(day for ahead in range(7) if rule.on(day := DAY + timedelta(days=ahead)))
    drawn = draw(rule, day, seed, quiet=quiet)
    for clock in drawn:
        assert not (begins <= clock < ends if begins < ends else begins != ends and (clock >= begins or clock < ends))
    assert len(drawn) == fitting(rule, quiet) <= rule.times
    assert all(later - earlier >= rule.apart for earlier, later in pairwise(on_wall(day, drawn)))


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("3 times between 10:00 and 20:00, 90 min apart", 3),
        ("3 times between 08:00 and 23:00, 90 min apart", 3),
        ("3 times between 20:00 and 23:00, 90 min apart", 1),
        ("2 times between 20:00 and 23:00, 90 min apart", 1),
        ("2 times between 20:00 and 23:00, 89 min apart", 2),
        ("2 times between 22:00 and 23:00", 0),
        ("2 times between 06:30 and 07:30", 1),
    ],
)
def test_how_many_fit_outside_quiet_hours(text: str, fit: int) -> None:
    """A window that quiet hours narrow is known beforehand; their last minute is the one before they end."""
    assert fitting(window(text), QUIET) == fit


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 3),
        ("Europe/Berlin", date(2026, 10, 25), 5),
        ("America/New_York", date(2026, 3, 8), 3),
        ("America/New_York", date(2026, 11, 1), 5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 3.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), 4.5),
        ("Africa/Cairo", date(2026, 4, 24), 3),
        ("UTC", date(2026, 3, 29), 4),
    ],
)
def test_a_window_over_a_change_is_as_long_as_it_lasts(zone: str, day: date, hours: float) -> None:
    """In the night of a change the distance is time that passes, and nothing falls out of the window."""
    rule = window("3 times between 00:00 and 04:00, 90 min apart")
    opens = datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    latest = opens
    for seed in range(200):
        dues = [one.due for one in window_occurrences(rule, ZoneInfo(zone), day, str(seed))]
        assert len(dues) == 3
        assert all(later - earlier >= rule.apart for earlier, later in pairwise(dues))
        assert opens <= dues[0]
        latest = max(latest, dues[-1])
    assert opens + timedelta(hours=hours, minutes=-20) <= latest <= opens + timedelta(hours=hours)


def test_a_window_that_a_change_makes_too_short_draws_fewer() -> None:
    """Three times in four hours that only last three are two."""
    rule = window("3 times between 00:00 and 04:00, 2 h apart")
    night, other = date(2026, 3, 29), date(2026, 3, 30)
    berlin = ZoneInfo("Europe/Berlin")
    assert [len(window_occurrences(rule, berlin, day, "seed")) for day in (night, other)] == [2, 3]


def test_a_date_that_was_left_out_has_no_draws() -> None:
    """Apia went from the 29th to the 31st: nobody is asked twice as often then."""
    rule = window("3 times between 10:00 and 20:00, 90 min apart")
    days = [date(2011, 12, day) for day in (29, 30, 31)]
    assert [len(window_occurrences(rule, ZoneInfo("Pacific/Apia"), day, "seed")) for day in days] == [3, 0, 3]


def test_dates_outside_have_no_draws() -> None:
    """The first and the last date are included."""
    rule = window("2 times between 10:00 and 20:00, 30 min apart from 2026-11-23 until 2026-11-24")
    assert [len(draw(rule, date(2026, 11, day), "seed")) for day in (22, 23, 24, 25)] == [0, 2, 2, 0]
