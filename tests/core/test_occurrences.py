"""Occurrences across clock changes; the instants in the tables were worked out by hand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import recurrence
from bot.core.occurrences import occurrences, occurrences_between
from bot.core.recurrence import CalendarRule
from bot.core.schedules import parse_calendar_rule
from tests.core.example_rules import INSTANTS, ZONES, calendar_rules
from tests.core.oracle import expected, instant_of, named_walls


def utc(text: str) -> datetime:
    """Read "2026-03-29 01:30" as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "rule", "after", "expected"),
    [
        pytest.param(
            "Europe/Berlin",
            "daily 02:30",
            "2026-03-27 12:00",
            [
                ("2026-03-28T02:30", "2026-03-28 01:30", "02:30"),
                ("2026-03-29T02:30", "2026-03-29 01:30", "03:30"),
                ("2026-03-30T02:30", "2026-03-30 00:30", "02:30"),
            ],
            id="Berlin, an hour that does not exist moves forward by the gap",
        ),
        pytest.param(
            "Europe/Berlin",
            "daily 00:15",
            "2026-03-28 12:00",
            [
                ("2026-03-29T00:15", "2026-03-28 23:15", "00:15"),
                ("2026-03-30T00:15", "2026-03-29 22:15", "00:15"),
            ],
            id="Berlin, the first hour of the day after is not lost",
        ),
        pytest.param(
            "Europe/Berlin",
            "daily 02:30",
            "2026-10-23 12:00",
            [
                ("2026-10-24T02:30", "2026-10-24 00:30", "02:30"),
                ("2026-10-25T02:30", "2026-10-25 00:30", "02:30"),
                ("2026-10-26T02:30", "2026-10-26 01:30", "02:30"),
            ],
            id="Berlin, an hour that comes twice counts once, the first time",
        ),
        pytest.param(
            "Europe/Berlin",
            "daily 09:00",
            "2026-10-24 00:00",
            [
                ("2026-10-24T09:00", "2026-10-24 07:00", "09:00"),
                ("2026-10-25T09:00", "2026-10-25 08:00", "09:00"),
            ],
            id="Berlin, nine stays nine",
        ),
        pytest.param(
            "America/New_York",
            "daily 02:30",
            "2026-03-06 12:00",
            [
                ("2026-03-07T02:30", "2026-03-07 07:30", "02:30"),
                ("2026-03-08T02:30", "2026-03-08 07:30", "03:30"),
                ("2026-03-09T02:30", "2026-03-09 06:30", "02:30"),
            ],
            id="New York, spring",
        ),
        pytest.param(
            "America/New_York",
            "daily 01:30",
            "2026-10-30 12:00",
            [
                ("2026-10-31T01:30", "2026-10-31 05:30", "01:30"),
                ("2026-11-01T01:30", "2026-11-01 05:30", "01:30"),
                ("2026-11-02T01:30", "2026-11-02 06:30", "01:30"),
            ],
            id="New York, autumn",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "daily 02:15",
            "2026-10-02 20:00",
            [
                ("2026-10-04T02:15", "2026-10-03 15:45", "02:45"),
                ("2026-10-05T02:15", "2026-10-04 15:15", "02:15"),
            ],
            id="Lord Howe, a gap of half an hour",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "daily 01:45",
            "2026-04-04 00:00",
            [
                ("2026-04-05T01:45", "2026-04-04 14:45", "01:45"),
                ("2026-04-06T01:45", "2026-04-05 15:15", "01:45"),
            ],
            id="Lord Howe, half an hour that comes twice",
        ),
        pytest.param(
            "Africa/Cairo",
            "daily 00:30",
            "2026-04-22 12:00",
            [
                ("2026-04-23T00:30", "2026-04-22 22:30", "00:30"),
                ("2026-04-24T00:30", "2026-04-23 22:30", "01:30"),
                ("2026-04-25T00:30", "2026-04-24 21:30", "00:30"),
            ],
            id="Cairo, midnight does not exist",
        ),
        pytest.param(
            "Africa/Cairo",
            "daily 23:30",
            "2026-10-28 12:00",
            [
                ("2026-10-28T23:30", "2026-10-28 20:30", "23:30"),
                ("2026-10-29T23:30", "2026-10-29 20:30", "23:30"),
                ("2026-10-30T23:30", "2026-10-30 21:30", "23:30"),
            ],
            id="Cairo, the last hour of a day comes twice",
        ),
        pytest.param(
            "Pacific/Apia",
            "daily 20:00",
            "2011-12-29 12:00",
            [
                ("2011-12-29T20:00", "2011-12-30 06:00", "20:00"),
                ("2011-12-31T20:00", "2011-12-31 06:00", "20:00"),
                ("2012-01-01T20:00", "2012-01-01 06:00", "20:00"),
            ],
            id="Apia, a date that was left out brings no second prompt",
        ),
        pytest.param(
            "Pacific/Apia",
            "fri 18:00",
            "2011-12-23 12:00",
            [
                ("2011-12-23T18:00", "2011-12-24 04:00", "18:00"),
                ("2011-12-30T18:00", "2011-12-31 04:00", "18:00"),
                ("2012-01-06T18:00", "2012-01-06 04:00", "18:00"),
            ],
            id="Apia, a Friday that was left out moves to the Saturday",
        ),
        pytest.param(
            "Europe/Berlin",
            "daily 02:30, 03:15",
            "2026-03-28 12:00",
            [
                ("2026-03-29T03:15", "2026-03-29 01:15", "03:15"),
                ("2026-03-29T02:30", "2026-03-29 01:30", "03:30"),
                ("2026-03-30T02:30", "2026-03-30 00:30", "02:30"),
                ("2026-03-30T03:15", "2026-03-30 01:15", "03:15"),
            ],
            id="Berlin, two times change their order in the night of the gap",
        ),
        pytest.param(
            "Europe/Berlin",
            "every 2 weeks fri 18:00 from 2026-10-16",
            "2026-10-16 12:00",
            [
                ("2026-10-16T18:00", "2026-10-16 16:00", "18:00"),
                ("2026-10-30T18:00", "2026-10-30 17:00", "18:00"),
                ("2026-11-13T18:00", "2026-11-13 17:00", "18:00"),
            ],
            id="Berlin, every other Friday stays at six",
        ),
        pytest.param(
            "America/New_York",
            "monthly last sun 01:30",
            "2026-09-30 00:00",
            [
                ("2026-10-25T01:30", "2026-10-25 05:30", "01:30"),
                ("2026-11-29T01:30", "2026-11-29 06:30", "01:30"),
            ],
            id="New York, the last Sunday of a month",
        ),
        pytest.param(
            "America/New_York",
            "monthly first sun 01:30",
            "2026-10-30 00:00",
            [
                ("2026-11-01T01:30", "2026-11-01 05:30", "01:30"),
                ("2026-12-06T01:30", "2026-12-06 06:30", "01:30"),
            ],
            id="New York, the first Sunday of November is the night of the change",
        ),
        pytest.param(
            "Africa/Cairo",
            "monthly last fri 00:00",
            "2026-03-31 12:00",
            [
                ("2026-04-24T00:00", "2026-04-23 22:00", "01:00"),
                ("2026-05-29T00:00", "2026-05-28 21:00", "00:00"),
            ],
            id="Cairo, the last Friday of April begins at one",
        ),
        pytest.param(
            "Pacific/Apia",
            "RRULE:FREQ=MONTHLY;BYMONTHDAY=30,-1;BYHOUR=9;BYMINUTE=0",
            "2011-12-01 12:00",
            [
                ("2011-12-31T09:00", "2011-12-30 19:00", "09:00"),
                ("2012-01-30T09:00", "2012-01-29 19:00", "09:00"),
                ("2012-01-31T09:00", "2012-01-30 19:00", "09:00"),
            ],
            id="Apia, the 30th that was left out is one with the 31st",
        ),
        pytest.param(
            "UTC",
            "monthly 31 10:00",
            "2026-11-01 00:00",
            [
                ("2026-12-31T10:00", "2026-12-31 10:00", "10:00"),
                ("2027-01-31T10:00", "2027-01-31 10:00", "10:00"),
                ("2027-03-31T10:00", "2027-03-31 10:00", "10:00"),
            ],
            id="UTC, months without a 31st are left out",
        ),
        pytest.param(
            "UTC",
            "RRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;BYHOUR=9",
            "2026-01-01 00:00",
            [
                ("2026-02-13T09:00", "2026-02-13 09:00", "09:00"),
                ("2026-03-13T09:00", "2026-03-13 09:00", "09:00"),
                ("2026-11-13T09:00", "2026-11-13 09:00", "09:00"),
            ],
            id="UTC, Friday the 13th",
        ),
        pytest.param(
            "UTC",
            "weekdays 20:00",
            "2026-11-20 20:00",
            [
                ("2026-11-23T20:00", "2026-11-23 20:00", "20:00"),
                ("2026-11-24T20:00", "2026-11-24 20:00", "20:00"),
            ],
            id="UTC, strictly later than the Friday it starts from",
        ),
    ],
)
def test_wall_times_become_instants(zone: str, rule: str, after: str, expected: list[tuple[str, str, str]]) -> None:
    """Each occurrence has the key of its rule's wall time, its instant, and what the clock there shows."""
    found = islice(occurrences(parse_calendar_rule(rule), ZoneInfo(zone), after=utc(after)), len(expected))
    assert [(one.key, one.due, f"{one.local:%H:%M}") for one in found] == [
        (key, utc(due), shown) for key, due, shown in expected
    ]


@settings(max_examples=250, deadline=None)
@given(calendar_rules(), st.sampled_from(ZONES).map(ZoneInfo), INSTANTS, st.integers(-60, 900))
def test_an_independent_calculation_agrees(rule: CalendarRule, zone: ZoneInfo, after: datetime, days: int) -> None:
    """Day by day and with plain zoneinfo arithmetic the keys and instants are the same."""
    if rule.start is not None and (rule.count or rule.until or days % 2):  # else it would often be over
        after = rule.start.replace(tzinfo=UTC) + timedelta(days=days)
    until = after + timedelta(days=75)
    found = occurrences_between(rule, zone, after=after, until=until)
    assert [(one.key, one.due) for one in found] == expected(rule, zone, after=after, until=until)


@settings(max_examples=300, deadline=None)
@given(calendar_rules(), st.sampled_from(ZONES).map(ZoneInfo), INSTANTS)
def test_occurrences_only_increase(rule: CalendarRule, zone: ZoneInfo, after: datetime) -> None:
    """Occurrences are later than the start, each later than the one before, with a key of its own."""
    found = list(islice(occurrences(rule, zone, after=after), 20))
    assert all(earlier.due < later.due for earlier, later in pairwise(found))
    assert not found or found[0].due > after
    assert len({one.key for one in found}) == len(found)
    assert all(one.due == one.local.astimezone(UTC) for one in found)


@settings(max_examples=300, deadline=None)
@given(calendar_rules(), st.sampled_from(ZONES).map(ZoneInfo), INSTANTS)
def test_each_wall_time_comes_exactly_once(rule: CalendarRule, zone: ZoneInfo, after: datetime) -> None:
    """Every wall time that the rule names is the key of one occurrence, unless another one falls on its instant."""
    rule = replace(rule, count=None, until=None)
    first, last = after.date() + timedelta(days=3), after.date() + timedelta(days=40)
    keys = [one.key for one in occurrences_between(rule, zone, after=after, until=after + timedelta(days=44))]
    walls = {f"{wall:%Y-%m-%dT%H:%M}": instant_of(wall, zone) for wall in named_walls(rule, first, last)}
    inside = [key for key in keys if f"{first}" <= key[:10] <= f"{last}"]
    assert len(inside) == len(set(inside))
    assert set(inside) <= set(walls)
    for key in set(walls) - set(inside):
        assert any(instant_of(datetime.fromisoformat(other), zone) == walls[key] for other in keys)


@settings(max_examples=300, deadline=None)
@given(calendar_rules(), st.sampled_from(ZONES).map(ZoneInfo), INSTANTS, st.integers(0, 60 * 24 * 14))
def test_occurrences_do_not_depend_on_the_start(
    rule: CalendarRule, zone: ZoneInfo, after: datetime, minutes: int
) -> None:
    """Whoever starts later finds the same occurrences, without those that are past."""

    later, end = after + timedelta(minutes=minutes), after + timedelta(days=21)
    everything = occurrences_between(rule, zone, after=after, until=end)
    assert occurrences_between(rule, zone, after=later, until=end) == tuple(
        one for one in everything if one.due > later
    )


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("every 3 days 09:00 from 1970-01-01", "2026-11-24T09:00"),
        ("every 2 weeks fri 18:00 from 1970-01-02", "2026-12-04T18:00"),
        ("every 5 months last day 18:00 from 1970-01-31", "2027-02-28T18:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU 09:00 from 1970-01-04", "2026-12-06T09:00"),
    ],
)
def test_an_old_start_is_not_walked_from(rule: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a century after the start a handful of dates is looked at, and they are still in step with it."""
    read, looked = parse_calendar_rule(rule), 0

    class Counting(rrule):
        def __iter__(self) -> Iterator[datetime]:
            nonlocal looked
            for each in super().__iter__():
                looked += 1
                yield each

    monkeypatch.setattr(recurrence, "rrule", Counting)
    assert next(occurrences(read, ZoneInfo("UTC"), after=utc("2026-11-23 12:00"))).key == found
    assert looked <= 6


def test_a_number_of_times_counts_what_comes() -> None:
    """Where two wall times fall on one instant, that is one time of the three."""
    rule = parse_calendar_rule("daily 02:30, 03:30 from 2026-03-28 5 times")
    found = occurrences(rule, ZoneInfo("Europe/Berlin"), after=utc("2026-03-01 00:00"))
    assert [one.key[5:] for one in found] == [
        "03-28T02:30", "03-28T03:30", "03-29T03:30", "03-30T02:30", "03-30T03:30",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ends", "last"),
    [
        ("until 2026-11-25", "2026-11-25T20:00"),
        ("until 2026-11-25 20:00", "2026-11-25T20:00"),
        ("until 2026-11-25 19:59", "2026-11-24T20:00"),
        ("until 2026-11-25 19:00Z", "2026-11-25T20:00"),
        ("until 2026-11-25 18:59Z", "2026-11-24T20:00"),
        ("3 times", "2026-11-25T20:00"),
    ],
)
def test_a_rule_ends(ends: str, last: str) -> None:
    """A date as the end includes its day, a time of day is the last minute, with Z in UTC."""
    rule = parse_calendar_rule(f"daily 20:00 from 2026-11-23 {ends}")
    found = list(occurrences(rule, ZoneInfo("Europe/Berlin"), after=utc("2026-11-01 00:00")))
    assert (found[0].key, found[-1].key) == ("2026-11-23T20:00", last)


def test_between_includes_its_end() -> None:
    """An occurrence at the very end counts, one at the start does not."""
    start, end = utc("2026-11-23 20:00"), utc("2026-11-24 20:00")
    found = occurrences_between(parse_calendar_rule("daily 20:00"), ZoneInfo("UTC"), after=start, until=end)
    assert [one.due for one in found] == [end]


def test_the_end_of_the_calendar_ends_the_occurrences() -> None:
    """The last years end without an error."""
    assert (
        len(
            list(
                occurrences(parse_calendar_rule("daily 20:00"), ZoneInfo("Pacific/Apia"), after=utc("9998-12-01 00:00"))
            )
        )
        < 40
    )
