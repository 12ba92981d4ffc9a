"""The words that rules are made of: days of the week, times of day, dates, ordinals."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final

from bot.errors import ScheduleError

WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXAMPLE: Final = (
    'Write for example "daily 20:00", "weekdays 20:00", "mon, thu 09:00", "every 2 weeks fri 18:00" '
    'or "monthly last fri 16:00".'
)
LONGEST: Final = 300  # characters of a text that is read
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2999  # so that no arithmetic gets near the end of the calendar

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = {"tues": "tue", "weds": "wed", "thur": "thu", "thurs": "thu"}
_DAYS = {
    **_SHORT,
    **{spelling: day for day, name in zip(WEEK, _NAMES, strict=True) for spelling in (day, name, f"{name}s")},
}
_GROUPS = {"daily": WEEK, "every day": WEEK, "weekdays": WEEK[:5], "weekends": WEEK[5:]}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_BETWEEN_DAYS = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+|\s+")
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_NTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?", re.ASCII)


def parse_clock(text: str) -> time:
    """Read a time of day such as 20:00. Raises ScheduleError."""
    written = _CLOCK.fullmatch(text)
    if written is None or int(written[1]) > 23 or int(written[2]) > 59:
        raise ScheduleError(f'"{text}" is not a time of day from 00:00 to 23:59. {EXAMPLE}')
    return time(int(written[1]), int(written[2]))


def write_clocks(clocks: Sequence[time]) -> str:
    """Return times of day as `parse_clock` reads each: "09:00, 21:00"."""
    return ", ".join(f"{clock:%H:%M}" for clock in clocks)


def parse_date(text: str) -> date:
    """Read a date such as 2026-12-01. Raises ScheduleError."""
    written = _DATE.fullmatch(text)
    try:
        day = date(*map(int, written.groups())) if written else None
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ScheduleError(f'"{text}" is not a date. Write year, month and day, for example 2026-12-01.')
    return day


def parse_days(text: str) -> tuple[str, ...]:
    """Read days of the week: "weekdays", "mon, thu", "Mondays and Thursdays".

    Raises ScheduleError (DESIGN 8: weekdays are named, never numbered).
    """
    if text in _GROUPS:
        return _GROUPS[text]
    named = {parse_day(word) for word in _BETWEEN_DAYS.split(text)}
    return tuple(day for day in WEEK if day in named)


def parse_day(word: str) -> str:
    """Read one day of the week. Raises ScheduleError."""
    if word in _DAYS:
        return _DAYS[word]
    if any(letter.isdigit() for letter in word):
        raise ScheduleError(
            f'"{word}": days are named, never numbered, because weeks start on different days. {EXAMPLE}'
        )
    raise ScheduleError(f'"{word}" is not a day of the week. {EXAMPLE}')


def write_days(days: Sequence[str]) -> str:
    """Return days of the week as `parse_days` reads them."""
    named = {group: name for name, group in _GROUPS.items() if name in ("daily", "weekdays")}
    return named.get(tuple(days), ", ".join(days))


def is_day(word: str) -> bool:
    """Whether a word names a day of the week."""
    return word in _DAYS


def parse_nth(word: str) -> int | None:
    """Read an ordinal or a number such as "2nd", "second", "2"; None when it is none."""
    written = _NTH.fullmatch(word)
    return int(written[1]) if written else _ORDINALS.get(word)


def write_nth(nth: int) -> str:
    """Return an ordinal as people write it: 1st, 22nd, last, 2nd last."""
    if nth == -1:
        return "last"
    count = abs(nth)
    ending = "th" if count in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}" if nth > 0 else f"{count}{ending} last"


def write_moment(moment: datetime, *, whole_day: time) -> str:
    """Return a wall time as people write it; the date alone when its time is `whole_day`."""
    return f"{moment:%Y-%m-%d}" if moment.time() == whole_day else f"{moment:%Y-%m-%d %H:%M}"
