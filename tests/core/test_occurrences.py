"""Occurrences across clock changes; the instants in the tables were worked out by hand."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.occurrences import occurrences, occurrences_between
from bot.core.recurrence import CalendarRule
from bot.core.schedules import parse_calendar_rule

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Africa/Casablanca",
    "America/Nuuk",
)
RULES = st.sampled_from(
    (
        "daily 00:00",
        "daily 00:30",
        "daily 01:30",
        "daily 02:15",
        "daily 02:30",
        "daily 23:30",
        "weekdays 20:00",
        "fri 18:00",
        "sun 02:30",
        "mon, thu 09:00",
    )
).map(parse_calendar_rule)
INSTANTS = st.datetimes(datetime(2005, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


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


@settings(max_examples=300)
@given(RULES, st.sampled_from(ZONES).map(ZoneInfo), INSTANTS)
def test_occurrences_only_increase(rule: CalendarRule, zone: ZoneInfo, after: datetime) -> None:
    """Occurrences are later than the start, each later than the one before, with a key of its own."""
    found = list(islice(occurrences(rule, zone, after=after), 20))
    assert all(earlier.due < later.due for earlier, later in pairwise(found))
    assert found[0].due > after
    assert len({one.key for one in found}) == 20
    assert all(one.due == one.local.astimezone(UTC) for one in found)


@settings(max_examples=300)
@given(RULES, st.sampled_from(ZONES).map(ZoneInfo), INSTANTS, st.integers(0, 60 * 24 * 14))
def test_occurrences_do_not_depend_on_the_start(
    rule: CalendarRule, zone: ZoneInfo, after: datetime, minutes: int
) -> None:
    """Whoever starts later finds the same occurrences, without those that are past."""

    later, end = after + timedelta(minutes=minutes), after + timedelta(days=21)
    everything = occurrences_between(rule, zone, after=after, until=end)
    assert occurrences_between(rule, zone, after=later, until=end) == tuple(
        one for one in everything if one.due > later
    )


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
