"""Lengths of time as people write them: "2h", "90 min", "3 d"."""

import re
from datetime import timedelta

from bot.errors import ScheduleError

LONGEST = timedelta(days=366)

_WRITTEN = re.compile(r"(\d{1,6})\s*([a-z]+)", re.ASCII)
_UNITS = {
    unit: length
    for words, length in (
        ("m min mins minute minutes", timedelta(minutes=1)),
        ("h hr hrs hour hours", timedelta(hours=1)),
        ("d day days", timedelta(days=1)),
        ("w week weeks", timedelta(weeks=1)),
    )
    for unit in words.split()
}


def parse_duration(text: str) -> timedelta:
    """Read a whole number and a unit of minutes, hours, days or weeks.

    Raises ScheduleError for anything else, for zero and for more than 366 days.
    """
    written = _WRITTEN.fullmatch(text.strip().lower())
    unit = _UNITS.get(written[2]) if written else None
    if written is None or unit is None:
        raise ScheduleError(
            f'"{text}" is not a length of time. Write a number and a unit, for example "2h" or "90 min".'
        )
    length = int(written[1]) * unit
    if not timedelta() < length <= LONGEST:
        raise ScheduleError(f'"{text}" must be more than nothing and at most 366 days, for example "2h".')
    return length
