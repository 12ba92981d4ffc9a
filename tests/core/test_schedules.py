"""Rules as people write them, and lengths of time."""

from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.durations import parse_duration
from bot.core.recurrence import CalendarRule, Every
from bot.core.schedules import WEEK, parse_rule
from bot.errors import ScheduleError


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("daily 20:00", "daily 20:00"),
        ("Daily at 9:05", "daily 09:05"),
        ("every day 07:00", "daily 07:00"),
        ("fri 18:00", "fri 18:00"),
        ("friday 18:00", "fri 18:00"),
        ("fridays 18:00", "fri 18:00"),
        ("  FRIDAYS   18:00 ", "fri 18:00"),
        ("mon, thu 09:00", "mon, thu 09:00"),
        ("thu,mon 09:00", "mon, thu 09:00"),
        ("Mondays and Thursdays at 09:00", "mon, thu 09:00"),
        ("mon, wed, and fri 09:00", "mon, wed, fri 09:00"),
        ("mon mon 09:00", "mon 09:00"),
        ("weekdays 20:00", "weekdays 20:00"),
        ("mon tue wed thu fri 20:00", "weekdays 20:00"),
        ("weekends 10:00", "sat, sun 10:00"),
        ("daily 00:00", "daily 00:00"),
    ],
)
def test_spellings_have_one_canonical_form(written: str, canonical: str) -> None:
    """Every spelling of a rule reads as the same rule, whose text is one."""
    assert parse_rule(written).text == canonical


@given(
    st.sets(st.sampled_from(WEEK), min_size=1).map(lambda days: tuple(day for day in WEEK if day in days)),
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
)
def test_text_reads_back(days: tuple[str, ...], clock: time) -> None:
    """A rule's text reads back to the rule."""
    rule = CalendarRule(every=Every.WEEK, days=tuple((0, day) for day in days), clocks=(clock,))
    assert parse_rule(rule.text) == rule


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "needs days and a time"),
        ("20:00", "needs days and a time"),
        ("daily", "needs days and a time"),
        ("daily 8pm", '"8pm" is not a time of day'),
        ("daily 24:00", '"24:00" is not a time of day'),
        ("daily 20:60", '"20:60" is not a time of day'),
        ("daily 20:00:00", '"20:00:00" is not a time of day'),
        ("daily ٢٠:٠٠", "is not a time of day"),
        ("1 09:00", '"1": days are named, never numbered'),
        ("1-5 09:00", '"1-5": days are named, never numbered'),
        ("mon, 3 09:00", '"3": days are named, never numbered'),
        ("fryday 18:00", '"fryday" is not a day of the week'),
        ("daily, fri 18:00", '"daily" is not a day of the week'),
        (", 18:00", "needs days and a time"),
    ],
)
def test_refusals_name_what_was_wrong(written: str, says: str) -> None:
    """What cannot be read is refused with the wrong part and an example."""
    with pytest.raises(ScheduleError) as refused:
        parse_rule(written)
    assert says in str(refused.value)
    assert "daily 20:00" in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text ends in any other error."""
    try:
        rule = parse_rule(text)
    except ScheduleError:
        return
    assert parse_rule(rule.text) == rule


def test_three_days_a_week_or_fewer_are_weekly() -> None:
    """Daily and weekday prompts get the short grace, rarer ones the long one."""
    assert [parse_rule(f"{days} 09:00").weekly for days in ("daily", "weekdays", "mon tue wed thu")] == [False] * 3
    assert [parse_rule(f"{days} 09:00").weekly for days in ("mon wed fri", "weekends", "fri")] == [True] * 3


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("2h", timedelta(hours=2)),
        ("12 hours", timedelta(hours=12)),
        ("90 min", timedelta(minutes=90)),
        ("3 d", timedelta(days=3)),
        (" 1 Week ", timedelta(days=7)),
        ("45m", timedelta(minutes=45)),
    ],
)
def test_durations_are_a_number_and_a_unit(written: str, length: timedelta) -> None:
    """Minutes, hours, days and weeks read in short and in long."""
    assert parse_duration(written) == length


@pytest.mark.parametrize("written", ["", "2", "h", "-2h", "1.5 h", "2 months", "2h 30min", "0h", "367 d", "999999 w"])
def test_other_durations_are_refused(written: str) -> None:
    """Nothing, less than nothing, more than a year and unknown units are refused with an example."""
    with pytest.raises(ScheduleError, match="for example"):
        parse_duration(written)
