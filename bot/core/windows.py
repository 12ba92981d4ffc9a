"""Random times within a window: "3 times between 10:00 and 20:00, 90 min apart".

The times of a date are drawn from its seed: whoever draws again draws the same. Each placement of so many minutes in
the window with at least the distance between them is as likely as any other.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from zoneinfo import ZoneInfo

from bot.core.durations import parse_duration
from bot.core.occurrences import Occurrence, instant
from bot.core.rule_words import WEEK, parse_clock, parse_days, write_days
from bot.errors import ScheduleError

EXAMPLE = 'Write for example "3 times between 10:00 and 20:00, 90 min apart".'
MOST = 12  # times a day
USUAL_DISTANCE = timedelta(minutes=30)  # where none is named

_MINUTE = timedelta(minutes=1)
_TIMES = {"once": 1, "twice": 2, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_WRITTEN = re.compile(
    r"(?:(?P<days>.*?)[\s,]+)?(?P<times>once|twice|\S+ times?) (?:a day )?"
    r"between (?P<opens>\S+) and (?P<closes>[^\s,]+)"
    r"(?:[,\s]+(?:at least )?(?P<apart>.+) apart)?"
)

Quiet = tuple[time, time]  # from, until: wall times; over midnight when the second is the smaller


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowRule:
    """So many random times on each of its days."""

    times: int
    opens: time  # the first minute that may be drawn
    closes: time  # the last one
    apart: timedelta  # at least; whole minutes
    days: tuple[str, ...] = WEEK
    start: date | None = None  # included
    until: date | None = None  # included

    @property
    def text(self) -> str:
        """The rule as it is stored and shown; `parse_rule` reads it back to the same rule."""
        days = "" if self.days == WEEK else write_days(self.days) + " "
        text = f"{days}{self.times} times between {self.opens:%H:%M} and {self.closes:%H:%M}"
        if self.times == 1:
            text = f"{days}once between {self.opens:%H:%M} and {self.closes:%H:%M}"
        else:
            text += f", {self.apart // _MINUTE} min apart"
        text += f" from {self.start}" if self.start else ""
        return text + (f" until {self.until}" if self.until else "")

    @property
    def weekly(self) -> bool:
        """Whether it comes on three days a week or fewer, once each: a late prompt is then worth a longer grace."""
        return self.times == 1 and len(self.days) <= 3

    @property
    def wall_time(self) -> bool:
        """Whether a person chose the wall time: here the bot does, within quiet hours' bounds."""
        return False

    def on(self, day: date) -> bool:
        """Whether times are drawn for a date."""
        started = self.start is None or self.start <= day
        return started and (self.until is None or day <= self.until) and WEEK[day.weekday()] in self.days


def is_window_rule(text: str) -> bool:
    """Whether a text means to be a window rule."""
    return " between " in f" {text} "


def read_window_rule(text: str, *, start: date | None, until: date | None) -> WindowRule:
    """Read a window rule, in lower case and single-spaced. Raises ScheduleError, with the sum where it cannot fit."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise ScheduleError(f'"{text}" is not a number of times between two times of day. {EXAMPLE}')
    times = _read_times(written["times"])
    opens, closes = parse_clock(written["opens"]), parse_clock(written["closes"])
    if closes <= opens:
        raise ScheduleError(f"A window lies within one day: {closes:%H:%M} is not later than {opens:%H:%M}. {EXAMPLE}")
    apart = parse_duration(written["apart"]) if written["apart"] else USUAL_DISTANCE
    room = datetime.combine(date.min, closes) - datetime.combine(date.min, opens)
    if apart * (times - 1) > room:
        need, have = apart * (times - 1) // _MINUTE, room // _MINUTE
        raise ScheduleError(
            f"{times} times with {apart // _MINUTE} minutes between them need {need} minutes ({times - 1} × "
            f"{apart // _MINUTE}), and from {opens:%H:%M} to {closes:%H:%M} there are {have}. "
            "Ask less often, closer together, or in a longer window."
        )
    if start is not None and until is not None and until < start:
        raise ScheduleError(f"The rule would end ({until}) before it starts ({start}). Choose a later end.")
    return WindowRule(
        times=times,
        opens=opens,
        closes=closes,
        apart=apart if times > 1 else _MINUTE,
        days=parse_days(written["days"]) if written["days"] else WEEK,
        start=start,
        until=until,
    )


def draw(rule: WindowRule, day: date, seed: str, *, quiet: Quiet | None = None) -> tuple[time, ...]:
    """The wall times of a date whose clocks do not change, in order; none on a date that is not the rule's.

    Times in quiet hours are not drawn; where fewer fit then, there are fewer.
    """
    opening = datetime.combine(day, rule.opens)
    return tuple((opening + offset * _MINUTE).time() for offset in _drawn(rule, day, seed, quiet, ZoneInfo("UTC")))


def window_occurrences(
    rule: WindowRule, zone: ZoneInfo, day: date, seed: str, *, quiet: Quiet | None = None
) -> tuple[Occurrence, ...]:
    """The occurrences of a date, with keys `2026-11-23#1`, `#2`, ...: `draw`, but also right where the clocks change.

    The window is then as long as it really lasts that day, and the distance is time that passes.
    """
    opening = instant(datetime.combine(day, rule.opens), zone)
    dues = [opening + offset * _MINUTE for offset in _drawn(rule, day, seed, quiet, zone)]
    return tuple(
        Occurrence(key=f"{day}#{index}", due=due, local=due.astimezone(zone)) for index, due in enumerate(dues, start=1)
    )


def fitting(rule: WindowRule, quiet: Quiet) -> int:
    """How many times a day are possible outside quiet hours; fewer than `rule.times` is worth saying."""
    spans = _spans(rule, date(2024, 1, 1), quiet, ZoneInfo("UTC"))
    return next(times for times in range(rule.times, -1, -1) if _ways(spans, times, rule.apart // _MINUTE)[times][0])


def _read_times(text: str) -> int:
    word = text.split(maxsplit=1)[0]
    times = _TIMES.get(word) or (int(word) if word.isascii() and word.isdecimal() and len(word) < 6 else 0)
    if not 1 <= times <= MOST:
        raise ScheduleError(f'"{text}": a window has 1 to {MOST} times a day. {EXAMPLE}')
    return times


def _drawn(rule: WindowRule, day: date, seed: str, quiet: Quiet | None, zone: ZoneInfo) -> Iterator[int]:
    """Minutes after the window's opening."""
    # A date that a zone left out would come on the next one, which has its own.
    if not rule.on(day) or instant(datetime.combine(day, time(12)), zone).astimezone(zone).date() != day:
        return
    spans, apart = _spans(rule, day, quiet, zone), rule.apart // _MINUTE
    times = next(times for times in range(rule.times, -1, -1) if _ways(spans, times, apart)[times][0])
    ways, minutes = _ways(spans, times, apart), _minutes(spans)
    # 256 bits against at most 1440^12 placements: no placement is noticeably favoured.
    rank = int.from_bytes(hashlib.sha256(f"{seed} {day}".encode()).digest(), "big") % ways[times][0]
    index = 0
    for left in range(times - 1, -1, -1):
        while rank >= (taken := ways[left][bisect_left(minutes, minutes[index] + apart)]):
            rank -= taken
            index += 1
        yield minutes[index]
        index = bisect_left(minutes, minutes[index] + apart)


@lru_cache(maxsize=32)
def _ways(spans: tuple[range, ...], times: int, apart: int) -> tuple[tuple[int, ...], ...]:
    """How many placements of 0 to `times` minutes there are from each minute of the spans on."""
    minutes = _minutes(spans)
    following = [bisect_left(minutes, minute + apart) for minute in minutes]
    ways = [[1] * (len(minutes) + 1)]
    for _ in range(times):
        fewer, here = ways[-1], [0] * (len(minutes) + 1)
        for index in range(len(minutes) - 1, -1, -1):
            here[index] = here[index + 1] + fewer[following[index]]
        ways.append(here)
    return tuple(map(tuple, ways))


def _minutes(spans: Sequence[range]) -> Sequence[int]:
    return tuple(chain.from_iterable(spans))


def _spans(rule: WindowRule, day: date, quiet: Quiet | None, zone: ZoneInfo) -> tuple[range, ...]:
    """The minutes of the window, counted from its opening, without quiet hours; ascending."""
    opening = instant(datetime.combine(day, rule.opens), zone)

    def offset(wall: datetime) -> int:
        return (instant(wall, zone) - opening) // _MINUTE

    spans = [range(offset(datetime.combine(day, rule.closes)) + 1)]
    for begins, ends in _quiet_on(day, quiet):
        first, after = offset(begins), offset(ends)
        spans = [
            part
            for span in spans
            for part in (range(span.start, min(span.stop, first)), range(max(span.start, after), span.stop))
            if part
        ]
    return tuple(spans)


def _quiet_on(day: date, quiet: Quiet | None) -> Iterator[tuple[datetime, datetime]]:
    if quiet is None or quiet[0] == quiet[1]:
        return
    midnight, begins, ends = (datetime.combine(day, clock) for clock in (time(), *quiet))
    if begins < ends:
        yield begins, ends
    else:
        yield midnight, ends
        yield begins, midnight + timedelta(days=1)
