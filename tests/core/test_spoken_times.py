"""Times, days and lengths of time as people write them in a command."""

from datetime import date, datetime, time, timedelta

import pytest

from bot.core.spoken_times import (
    Day,
    Moment,
    in_english,
    moment_after,
    moment_near,
    read_clock,
    read_day,
    read_length,
    read_moment,
)

MONDAY = date(2026, 11, 30)


def at(hour: int, minute: int = 0, day: int = 30) -> datetime:
    """A wall time in November 2026; the 30th is a Monday."""
    return datetime(2026, 11, day, hour, minute)  # noqa: DTZ001 - a wall time


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("20:00", time(20)),
        ("9:05", time(9, 5)),
        ("8.30", time(8, 30)),
        ("8pm", time(20)),
        ("8 pm", time(20)),
        ("8.30 p.m.", time(20, 30)),
        ("12am", time(0)),
        ("12 pm", time(12)),
        ("noon", time(12)),
        ("7 o'clock", time(7)),
        ("20", None),
        ("25:00", None),
        ("13 pm", None),
        ("0 am", None),
        ("7:60", None),
        ("soon", None),
    ],
)
def test_a_time_of_day(text: str, clock: time | None) -> None:
    """With minutes or with am and pm; a number alone is no time."""
    assert read_clock(text) == clock


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", MONDAY),
        ("tomorrow", date(2026, 12, 1)),
        ("monday", date(2026, 12, 7)),  # never today: people say today
        ("tue", date(2026, 12, 1)),
        ("thurs", date(2026, 12, 3)),
        ("next sunday", date(2026, 12, 6)),
        ("2026-12-24", date(2026, 12, 24)),
        ("24 Dec", date(2026, 12, 24)),
        ("december 24th", date(2026, 12, 24)),
        ("1st of January", date(2027, 1, 1)),
        ("24.12.", date(2026, 12, 24)),
        ("1.2.2027", date(2027, 2, 1)),
        ("30 nov", MONDAY),
        ("29 feb", None),
        ("31 april", None),
        ("1/12", None),
        ("2026-13-01", None),
        ("someday", None),
    ],
)
def test_a_day(text: str, day: date | None) -> None:
    """Weekdays and months are named, dots mean day and month, and a slash means nothing."""
    found = read_day(text.lower())
    assert (found.date(MONDAY) if found else None) == day


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30 min", timedelta(minutes=30)),
        ("a week", timedelta(weeks=1)),
        ("an hour", timedelta(hours=1)),
        ("half an hour", timedelta(minutes=30)),
        ("two hours", timedelta(hours=2)),
        ("3 days", timedelta(days=3)),
        ("a second", None),
        ("a while", None),
        ("0 min", None),
    ],
)
def test_a_length_of_time(text: str, length: timedelta | None) -> None:
    """A number or its word, and a unit."""
    assert read_length(text, {"two": 2}) == length


def test_words_of_another_language_are_replaced_first() -> None:
    """The longest phrase counts, commas stay, and what is not known stays as it is."""
    words = {"jeden tag": "daily", "tag": "day", "mo": "mon", "do": "thu"}
    assert in_english("jeden tag 20:00", words) == "daily 20:00"
    assert in_english("mo, do 09:00", words) == "mon, thu 09:00"
    assert in_english("tag und nacht", words) == "day und nacht"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("tue 10:00", Moment(day=Day(weekday=1), clock=time(10))),
        ("tue 10 am weekly", Moment(day=Day(weekday=1), clock=time(10), every_weeks=1)),
        ("every 2 weeks, fri at 18:00", Moment(day=Day(weekday=4), clock=time(18), every_weeks=2)),
        ("2026-12-01 10:00", Moment(day=Day(on=date(2026, 12, 1)), clock=time(10))),
        ("3 december 9.15", Moment(day=Day(month_day=(12, 3)), clock=time(9, 15))),
        ("tue 10:00 every 20 weeks", None),
        ("tuesday", None),
        ("10:00", None),
    ],
)
def test_a_moment(text: str, moment: Moment | None) -> None:
    """A day and a time, and how often a session comes."""
    assert read_moment(text, repeating=True) == moment


def test_only_a_session_repeats() -> None:
    """One session is moved to one moment."""
    assert read_moment("thu 11:00 weekly", repeating=False) is None
    assert read_moment("thu 11:00", repeating=False) == Moment(day=Day(weekday=3), clock=time(11))


def test_a_weekday_is_the_next_one_that_is_still_ahead() -> None:
    """Today if the time is still to come, else a week later; what has passed is nothing."""
    monday = Moment(day=Day(weekday=0), clock=time(10))
    assert moment_after(monday, at(9)) == at(10)
    assert moment_after(monday, at(10)) == datetime(2026, 12, 7, 10)  # noqa: DTZ001 - a wall time
    assert moment_after(Moment(day=Day(ahead=0), clock=time(8)), at(9)) is None
    assert moment_after(Moment(day=Day(on=MONDAY), clock=time(8)), at(9)) is None


def test_a_session_is_moved_within_its_week() -> None:
    """`thu` is the Thursday of the session's week, if that is still ahead."""
    thursday = Moment(day=Day(weekday=3), clock=time(11))
    session = datetime(2026, 12, 8, 10)  # noqa: DTZ001 - a wall time; a Tuesday
    assert moment_near(thursday, session, at(9)) == datetime(2026, 12, 10, 11)  # noqa: DTZ001 - a wall time
    monday = Moment(day=Day(weekday=0), clock=time(9))
    late = datetime(2026, 12, 7, 12)  # noqa: DTZ001 - a wall time
    assert moment_near(monday, session, late) == datetime(2026, 12, 14, 9)  # noqa: DTZ001 - a wall time
