"""Quiet hours."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.quiet import DEFAULT_QUIET, QuietHours, after_quiet, is_quiet, parse_quiet
from bot.errors import ScheduleError


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("21:29", False), ("21:30", True), ("00:00", True), ("07:29", True), ("07:30", False), ("12:00", False)],
)
def test_the_default_is_the_night(clock: str, quiet: bool) -> None:
    """From 21:30 to 07:30, the last minute not included."""
    assert DEFAULT_QUIET.covers(time.fromisoformat(clock)) is quiet


def test_hours_within_a_day() -> None:
    """They need not go across midnight."""
    noon = parse_quiet("12:00 to 14:00")
    assert noon is not None
    assert [noon.covers(time(hour)) for hour in (11, 12, 13, 14)] == [False, True, True, False]


def test_local_time_counts() -> None:
    """The same instant is night in one zone and day in another; without quiet hours nothing is quiet."""
    at = datetime(2026, 11, 23, 22, tzinfo=UTC)
    assert is_quiet(DEFAULT_QUIET, at, ZoneInfo("Europe/Berlin"))
    assert not is_quiet(DEFAULT_QUIET, at, ZoneInfo("America/New_York"))
    assert not is_quiet(parse_quiet("None"), at, ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize("text", ["", "21:30", "24:00-07:00", "21:60-07:00", "8-9", "08:00-08:00", "21:30-07:30 mon"])
def test_what_is_no_span_is_refused(text: str) -> None:
    """The message shows how it is written; a span of no length would be all day or never."""
    with pytest.raises(ScheduleError, match="21:30-07:30"):
        parse_quiet(text)


@given(st.times(), st.times())
def test_the_text_reads_back(starts: time, ends: time) -> None:
    """What is stored is read back to the same hours."""
    starts, ends = starts.replace(second=0, microsecond=0), ends.replace(second=0, microsecond=0)
    if starts != ends:
        hours = QuietHours(starts=starts, ends=ends)
        assert parse_quiet(hours.text) == hours


@pytest.mark.parametrize(
    ("at", "after"),
    [
        ("2026-11-23 21:29", "2026-11-23 21:29"),
        ("2026-11-23 21:30", "2026-11-24 07:30"),
        ("2026-11-24 07:29", "2026-11-24 07:30"),
        ("2026-11-24 07:30", "2026-11-24 07:30"),
    ],
)
def test_what_is_quiet_waits_for_the_morning(at: str, after: str) -> None:
    """An instant within the quiet hours becomes their end, any other stays."""
    berlin = ZoneInfo("Europe/Berlin")
    begins, ends = (datetime.fromisoformat(text).replace(tzinfo=berlin) for text in (at, after))
    assert after_quiet(DEFAULT_QUIET, begins, berlin) == ends
    assert after_quiet(None, begins, berlin) == begins
