"""Times, days and lengths of time as people write them in a command: `8.30 pm`, `monday`, `1 Dec`, `a week`.

Weekdays and months are named. Of dates in digits, `1.12.` is a day and a month wherever people write dots; 1/12 is two
different days and therefore none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.core.durations import parse_duration
from bot.errors import ScheduleError

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_CLOCK = re.compile(r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2}))?\s*(?P<half>[ap]\.?m\.?)?", re.ASCII)
_DAY_MONTH = re.compile(r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?P<month>[a-z]+)", re.ASCII)
_MONTH_DAY = re.compile(r"(?P<month>[a-z]+)\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?", re.ASCII)
_DOTTED = re.compile(r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.?(?:\s?(?P<year>\d{4}))?", re.ASCII)
_WEEKLY = re.compile(r"weekly|every (?:(?P<many>\d{1,2}|two|other|second) )?weeks?", re.ASCII)
MOST_WEEKS = 12  # between two sessions


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """A day that somebody named; which date it is depends on today. Exactly one field is set."""

    on: date | None = None
    weekday: int | None = None  # Monday is 0
    month_day: tuple[int, int] | None = None
    ahead: int | None = None  # days from today

    def date(self, today: date) -> date | None:
        """Return the first such day from today on (a weekday: after today); None for a 29 February far away."""
        if self.on is not None:
            return self.on
        if self.ahead is not None:
            return today + timedelta(days=self.ahead)
        if self.weekday is not None:
            return today + timedelta(days=(self.weekday - today.weekday() - 1) % 7 + 1)
        for year in (today.year, today.year + 1):
            found = _date(year, *(self.month_day or (0, 0)))
            if found is not None and found >= today:
                return found
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A day and a wall time, for a session: once, or every so many weeks."""

    day: Day
    clock: time
    every_weeks: int | None = None


def in_english(text: str, words: Mapping[str, str]) -> str:
    """Return a lower-case text with the words of another language replaced (`montag` -> `mon`), longest first."""
    tokens, longest = text.split(), max((len(word.split()) for word in words), default=0)
    found: list[str] = []
    while tokens:
        for length in range(min(longest, len(tokens)), 0, -1):
            phrase = " ".join(tokens[:length])
            bare = phrase.rstrip(",")
            if bare in words:
                found.append(words[bare] + phrase[len(bare) :])
                del tokens[:length]
                break
        else:
            found.append(tokens.pop(0))
    return " ".join(found)


def read_clock(text: str) -> time | None:
    """Read `20:00`, `8.30 pm`, `8pm` or `noon`; a number alone is no time."""
    if text in {"noon", "midday"}:
        return time(12)
    written = _CLOCK.fullmatch(text.removesuffix(" o'clock"))
    if written is None or (written["minute"] is None and written["half"] is None and not text.endswith(" o'clock")):
        return None
    hour, minute = int(written["hour"]), int(written["minute"] or 0)
    if written["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if written["half"].startswith("p") else 0)
    return time(hour, minute) if hour <= 23 and minute <= 59 else None


def with_clocks(text: str) -> str:
    """Return a text in which every time of day is written as rules are: `weekdays 8 pm` -> `weekdays 20:00`."""
    tokens, found = text.split(), list[str]()
    while tokens:
        for length in (2, 1):  # `8 pm` is two words
            bare = " ".join(tokens[:length]).rstrip(",")
            clock = read_clock(bare) if len(tokens) >= length else None
            if clock is not None:
                found.append(f"{clock:%H:%M}" + "," * tokens[length - 1].endswith(","))
                del tokens[:length]
                break
        else:
            found.append(tokens.pop(0))
    return " ".join(found)


def read_day(text: str) -> Day | None:
    """Read `monday`, `tomorrow`, `2026-12-01`, `1 Dec` or `December 1st`."""
    text = text.removeprefix("next ").removeprefix("on ")
    if text in {"today", "tomorrow"}:
        return Day(ahead=int(text == "tomorrow"))
    for number, name in enumerate(_WEEKDAYS):
        if text in {name, name[:3], "tues", "thurs", "thur", "weds"} and name.startswith(text.rstrip(".")):
            return Day(weekday=number)
    try:
        return Day(on=date.fromisoformat(text)) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) else _named(text)
    except ValueError:
        return None


def read_length(text: str, numbers: Mapping[str, int]) -> timedelta | None:
    """Read `30 min`, `a week`, `two hours` or `half an hour`."""
    if text == "half an hour":
        return timedelta(minutes=30)
    first, _, rest = text.partition(" ")
    number = 1 if first in {"a", "an", "one"} else numbers.get(first)
    try:
        return parse_duration(f"{number} {rest}" if number is not None and rest else text)
    except ScheduleError:
        return None


def read_moment(text: str, *, repeating: bool) -> Moment | None:
    """Read `tue 10:00`, `2026-12-01 10:00` or, where it may repeat, `tue 10:00 weekly`."""
    weeks = None
    if (rhythm := _WEEKLY.search(text)) is not None:
        many = rhythm["many"] or "1"
        weeks = int(many) if many.isdecimal() else 2
        text = f"{text[: rhythm.start()].rstrip(' ,')} {text[rhythm.end() :].lstrip(' ,')}".strip()
        if not repeating or not 1 <= weeks <= MOST_WEEKS:
            return None
    tokens = text.split()
    for length in (1, 2):  # `10 am` is two words
        day = read_day(" ".join(tokens[:-length]).removesuffix(" at").rstrip(","))
        clock = read_clock(" ".join(tokens[-length:]))
        if day is not None and clock is not None:
            return Moment(day=day, clock=clock, every_weeks=weeks)
    return None


def moment_after(moment: Moment, now: datetime) -> datetime | None:
    """Return the wall time that a moment means for somebody whose local time is `now`, without a zone.

    A weekday is the next one with that time still ahead, today included; None when the day has passed.
    """
    today = now.date()
    if moment.day.weekday == today.weekday() and moment.clock > now.time():
        return datetime.combine(today, moment.clock)
    day = moment.day.date(today)
    wall = datetime.combine(day, moment.clock) if day else None
    return wall if wall is not None and wall > now.replace(tzinfo=None) else None


def moment_near(moment: Moment, session: datetime, now: datetime) -> datetime | None:
    """Return the wall time to which a session is moved: a weekday is the one of its week, if that is still ahead.

    `session` and `now` are on the same person's wall clock; None when the day has passed.
    """
    if moment.day.weekday is not None:
        day = session.date() + timedelta(days=moment.day.weekday - session.weekday())
        wall = datetime.combine(day, moment.clock)
        if wall > now.replace(tzinfo=None):
            return wall
    return moment_after(moment, now)


def _named(text: str) -> Day | None:
    if dotted := _DOTTED.fullmatch(text):
        day, month = int(dotted["day"]), int(dotted["month"])
        if dotted["year"]:
            return Day(on=date(int(dotted["year"]), month, day))
        return Day(month_day=(month, day)) if _date(2024, month, day) else None
    written = _DAY_MONTH.fullmatch(text) or _MONTH_DAY.fullmatch(text)
    if written is None:
        return None
    named = (
        number
        for number, name in enumerate(_MONTHS, 1)
        if written["month"] in {name, name[:3], "sept"} and name.startswith(written["month"])
    )
    found, day = next(named, None), int(written["day"])
    return Day(month_day=(found, day)) if found and _date(2024, found, day) else None  # a leap year


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
