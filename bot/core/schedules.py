"""Schedule rules as people write them: "daily 20:00", "weekdays 20:00", "mon, thu 09:00"."""

import re
from dataclasses import dataclass
from datetime import time
from typing import Final

from bot.errors import ScheduleError

WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXAMPLE: Final = 'Write for example "daily 20:00", "weekdays 20:00", "fri 18:00" or "mon, thu 09:00".'

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = {"tues": "tue", "weds": "wed", "thur": "thu", "thurs": "thu"}
_DAYS = {
    **_SHORT,
    **{spelling: day for day, name in zip(WEEK, _NAMES, strict=True) for spelling in (day, name, f"{name}s")},
}
_GROUPS = {"daily": WEEK, "every day": WEEK, "weekdays": WEEK[:5], "weekends": WEEK[5:]}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_BETWEEN_DAYS = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+|\s+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One wall time on named days of the week."""

    days: tuple[str, ...]  # of WEEK, in its order, each once, at least one
    clock: time  # wall time without a zone: the pair's zone applies

    @property
    def text(self) -> str:
        """The rule as it is stored and shown; `parse_rule` reads it back to the same rule."""
        named = {days: name for name, days in _GROUPS.items() if name in ("daily", "weekdays")}
        return f"{named.get(self.days, ', '.join(self.days))} {self.clock:%H:%M}"

    @property
    def weekly(self) -> bool:
        """Whether it comes on three days a week or fewer, so that a late prompt is still worth its longer grace."""
        return len(self.days) <= 3


def parse_rule(text: str) -> Rule:
    """Read a rule.

    Raises ScheduleError, naming what was wrong and an example (DESIGN 8: weekdays are named, never numbered).
    """
    words = " ".join(text.lower().split())
    days, _, clock = words.rpartition(" ")
    days = days.removesuffix(" at")
    if not days:
        raise ScheduleError(f'"{text}" needs days and a time. {EXAMPLE}')
    return Rule(days=_parse_days(days), clock=_parse_clock(clock))


def _parse_clock(text: str) -> time:
    written = _CLOCK.fullmatch(text)
    if written is None:
        raise ScheduleError(f'"{text}" is not a time of day from 00:00 to 23:59. {EXAMPLE}')
    hour, minute = int(written[1]), int(written[2])
    if hour > 23 or minute > 59:
        raise ScheduleError(f'"{text}" is not a time of day from 00:00 to 23:59. {EXAMPLE}')
    return time(hour, minute)


def _parse_days(text: str) -> tuple[str, ...]:
    if text in _GROUPS:
        return _GROUPS[text]
    named = {_parse_day(word) for word in _BETWEEN_DAYS.split(text)}
    return tuple(day for day in WEEK if day in named)


def _parse_day(word: str) -> str:
    if word in _DAYS:
        return _DAYS[word]
    if any(letter.isdigit() for letter in word):
        raise ScheduleError(
            f'"{word}": days are named, never numbered, because weeks start on different days. {EXAMPLE}'
        )
    raise ScheduleError(f'"{word}" is not a day of the week. {EXAMPLE}')
