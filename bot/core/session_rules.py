"""Rules that hang on the therapy sessions: "session -1 day 18:00", "session +24 h"."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.core.durations import parse_duration
from bot.core.occurrences import instant
from bot.core.rule_words import parse_clock
from bot.errors import ScheduleError

EXAMPLE: Final = 'Write for example "session -1 day 18:00", "session +24 h" or "session -2 h".'
FARTHEST: Final = timedelta(days=31)

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_CLOCK = r"(?: (?:at )?(?P<clock>\S+))?"
_SIGNED = re.compile(rf"(?:session )?(?P<sign>[+-]) ?(?P<length>\d{{1,5}} ?[a-z]+){_CLOCK}")
_WORDED = re.compile(
    rf"(?P<length>(?:\d{{1,5}} ?)?[a-z]+) (?P<sign>before|after) (?:the |each |every )?sessions?{_CLOCK}"
)
_SAME_DAY = re.compile(r"(?:session day|(?:session )?[+-] ?0 ?days?) (?:at )?(?P<clock>\S+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionRule:
    """So long before or after each session, or on a day near it."""

    days: int = 0  # on the calendar: minus is before the session
    clock: time | None = None  # on that day; None: at the session's own wall time
    length: timedelta = timedelta()  # instead of days: time that passes from the session's start

    @property
    def text(self) -> str:
        """The rule as it is stored and shown; `parse_rule` reads it back to the same rule."""
        sign = "-" if self.days < 0 or self.length < timedelta() else "+"
        if self.length:
            minutes = abs(self.length) // _MINUTE
            return f"session {sign}{minutes} min" if minutes % 60 else f"session {sign}{minutes // 60} h"
        days = f"session {sign}{abs(self.days)} day{'s' * (abs(self.days) != 1)}"
        return days if self.clock is None else f"{days} {self.clock:%H:%M}"

    @property
    def weekly(self) -> bool:
        """Whether a late prompt is worth its longer grace: where the session is a day or more away."""
        return abs(self.days) >= 1 or abs(self.length) >= _DAY

    @property
    def wall_time(self) -> bool:
        """Whether a person chose the wall time: quiet hours do not bind it."""
        return self.clock is not None

    def due(self, starts: datetime, zone: ZoneInfo) -> datetime:
        """When it comes for a session that starts at an instant."""
        if self.length:
            return starts + self.length
        local = starts.astimezone(zone)
        clock = local.time() if self.clock is None else self.clock
        return instant(datetime.combine(local.date() + self.days * _DAY, clock), zone)


def is_session_rule(text: str) -> bool:
    """Whether a text means to be a rule around sessions."""
    return "session" in text or text.startswith(("+", "-"))


def read_session_rule(text: str) -> SessionRule:
    """Read a rule around sessions, in lower case and single-spaced. Raises ScheduleError."""
    if same := _SAME_DAY.fullmatch(text):
        return SessionRule(clock=parse_clock(same["clock"]))
    written = _SIGNED.fullmatch(text) or _WORDED.fullmatch(text)
    if written is None:
        raise ScheduleError(f'"{text}" does not say how long before or after a session. {EXAMPLE}')
    length = written["length"] if written["length"][0].isdigit() else f"1 {written['length']}"
    offset = parse_duration(length) * (-1 if written["sign"] in ("-", "before") else 1)
    if abs(offset) > FARTHEST:
        raise ScheduleError(f"{length} is too far from a session: at most {FARTHEST.days} days. {EXAMPLE}")
    if re.search(r"[dw]", length):
        clock = parse_clock(written["clock"]) if written["clock"] else None
        return SessionRule(days=offset // _DAY, clock=clock)
    if written["clock"]:
        raise ScheduleError(f"A time of day goes with days, not with {length}. {EXAMPLE}")
    return SessionRule(length=offset)
