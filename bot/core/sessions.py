"""A pair's therapy sessions, as far as prompts hang on them. The appointments themselves are between the two people.

A session is known by its series and the date that it was first planned for. Both stay when it is moved, and with them
the key of what hangs on it: moving a session moves its prompts, and none comes twice.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from heapq import heappop, heappush, merge
from typing import Final
from zoneinfo import ZoneInfo

from bot.core.occurrences import Occurrence, instant
from bot.core.rule_words import LAST_YEAR, LONGEST, WEEK, is_day, parse_clock, parse_date, parse_day
from bot.core.session_rules import SessionRule
from bot.core.spelling import unified
from bot.errors import ScheduleError

EXAMPLE: Final = 'Write for example "tue 10:00 weekly", "thu 14:00 every 2 weeks" or "2026-12-01 10:00".'
WEEKS: Final = 12  # between two sessions of a series, at most

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionPlan:
    """When sessions are, as somebody wrote it."""

    first: datetime  # wall time
    weeks: int | None  # from one to the next; None: it is a single one

    @property
    def text(self) -> str:
        """The plan as it is shown; `parse_session` reads it back to the same plan."""
        weekly = "" if self.weeks is None else " weekly" if self.weeks == 1 else f" every {self.weeks} weeks"
        return f"{self.first:%Y-%m-%d %H:%M}{weekly}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionSeries:
    """Sessions at one wall time every so many weeks, or a single one."""

    series_id: str
    plan: SessionPlan
    zone: str  # IANA: where the session's wall time is meant
    until: date | None = None  # the last planned date, included
    moved: tuple[tuple[date, datetime], ...] = ()  # planned date, the wall time instead
    cancelled: frozenset[date] = frozenset()  # planned dates


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """One session that takes place."""

    series_id: str
    planned: date  # stays when it is moved
    starts: datetime  # UTC
    local: datetime  # in the series' zone

    @property
    def key(self) -> str:
        """What stays the same however often it is moved."""
        return f"{self.series_id}:{self.planned}"


def sessions(known: Iterable[SessionSeries], *, after: datetime) -> Iterator[Session]:
    """The sessions that start strictly later than `after`, in order, without end where a series has none."""
    return merge(*(_of_series(series, after) for series in known), key=lambda session: (session.starts, session.key))


def session_occurrences(
    rule: SessionRule, known: Sequence[SessionSeries], zone: ZoneInfo, *, after: datetime
) -> Iterator[Occurrence]:
    """What hangs on the sessions and is due strictly later than `after`, in order; `zone` is that of the rule's clock.

    The key is the session's. Of several at one instant (two sessions on one day) the one planned last remains: another
    that was moved there may have had its prompt before.
    """
    waiting: list[tuple[datetime, date, str]] = []
    # A wall time may be up to a day away from where counting days would put it.
    for session in sessions(known, after=after - rule.length - (rule.days + 2) * _DAY):
        due = rule.due(session.starts, zone)
        yield from _ready(waiting, due - _DAY, zone, after)
        heappush(waiting, (due, session.planned, session.key))
    yield from _ready(waiting, None, zone, after)


def move_session(series: SessionSeries, planned: date, to: datetime) -> SessionSeries:
    """Return the series with one session at another wall time; moving it again moves it from where it is."""
    _check_planned(series, planned)
    others = tuple(pair for pair in series.moved if pair[0] != planned)
    return replace(series, moved=tuple(sorted((*others, (planned, to)))), cancelled=series.cancelled - {planned})


def cancel_session(series: SessionSeries, planned: date) -> SessionSeries:
    """Return the series without one session."""
    _check_planned(series, planned)
    return replace(series, cancelled=series.cancelled | {planned})


def parse_session(text: str, *, local: datetime) -> SessionPlan:
    """Read "tue 10:00 weekly", "thu 14:00 every 2 weeks", "2026-12-01 10:00", "tue 10:00"; at `local` in its zone.

    A day of the week is the next one, today if the time is still to come. Raises ScheduleError, also for a single
    session in the past.
    """
    words, weeks = _take_rhythm(_plain(text))
    first = parse_session_time(words, local=local)
    if weeks is None and first <= local.replace(tzinfo=None):
        raise ScheduleError(f"{first:%Y-%m-%d %H:%M} is past. {EXAMPLE}")
    return SessionPlan(first=first, weeks=weeks)


def parse_session_time(text: str, *, local: datetime) -> datetime:
    """Read one wall time: "tue 10:00", "2026-12-01 10:00", "tomorrow 10:00". Raises ScheduleError."""
    words = re.sub(r"\b(?:on|at) |,", "", _plain(text))
    day, _, clock = words.rpartition(" ")
    if not day:
        raise ScheduleError(f'"{text}" needs a day and a time. {EXAMPLE}')
    at = parse_clock(clock)
    first = local if local.time() < at else local + _DAY  # the first day on which the time is still to come
    return datetime.combine(parse_near_day(day, local=local if day in ("today", "tomorrow") else first), at)


def parse_near_day(text: str, *, local: datetime) -> date:
    """Read "today", "tomorrow", "2026-12-01" or a day of the week.

    That is the next one from `local` on, which may be today. Raises ScheduleError.
    """
    word = _plain(text)
    if word in ("today", "tomorrow"):
        return local.date() + _DAY * (word == "tomorrow")
    if not is_day(word) and word[:1].isdigit():
        return parse_date(word)
    ahead = (WEEK.index(parse_day(word)) - local.weekday()) % 7
    return local.date() + ahead * _DAY


def _plain(text: str) -> str:
    if len(text) > LONGEST:
        raise ScheduleError(f"That is longer than {LONGEST} characters. {EXAMPLE}")
    return " ".join(unified(text).lower().split())


def _take_rhythm(words: str) -> tuple[str, int | None]:
    """Take "weekly" or "every 2 weeks" off, which may stand at either end."""
    rhythm = r"weekly|every (?:(?P<many>\d{1,5}|other|second) )?weeks?"
    found = re.fullmatch(rf"(?:{rhythm}) (?P<rest>.+)", words) or re.fullmatch(rf"(?P<rest>.+?),? (?:{rhythm})", words)
    if found is None:
        every = words.removeprefix("every ")
        plural = every != words or re.match(r"[a-z]+days\b", words)
        return every, 1 if plural else None
    many = found["many"] or "1"
    weeks = int(many) if many.isdecimal() else 2
    if not 1 <= weeks <= WEEKS:
        raise ScheduleError(f"Sessions are 1 to {WEEKS} weeks apart, not {weeks}. {EXAMPLE}")
    return found["rest"], weeks


def _check_planned(series: SessionSeries, planned: date) -> None:
    if planned != next(_planned(series, planned), None):
        raise ScheduleError(f"There is no session planned on {planned}.")


def _planned(series: SessionSeries, since: date) -> Iterator[date]:
    """The dates of the plan from `since` on, those of moved and cancelled sessions included."""
    first, weeks = series.plan.first.date(), series.plan.weeks
    if weeks is None:
        yield from [first] if first >= since else []
        return
    step = timedelta(weeks=weeks)
    day = first + max(-((first - since) // step), 0) * step if since > first else first
    while day.year <= LAST_YEAR and (series.until is None or day <= series.until):
        if day >= since:
            yield day
        day += step


def _of_series(series: SessionSeries, after: datetime) -> Iterator[Session]:
    zone, moved = ZoneInfo(series.zone), dict(series.moved)

    def session(planned: date, wall: datetime) -> Session:
        starts = instant(wall, zone)
        return Session(series_id=series.series_id, planned=planned, starts=starts, local=starts.astimezone(zone))

    def takes_place(planned: date) -> bool:
        return planned not in series.cancelled and (series.until is None or planned <= series.until)

    regular = (
        session(day, datetime.combine(day, series.plan.first.time()))
        for day in _planned(series, after.astimezone(zone).date() - 2 * _DAY)
        if day not in moved and takes_place(day)
    )
    elsewhere = sorted(
        (session(day, wall) for day, wall in series.moved if takes_place(day)),
        key=lambda one: one.starts,
    )
    for found in merge(regular, elsewhere, key=lambda one: one.starts):
        if found.starts > after:
            yield found


def _ready(
    waiting: list[tuple[datetime, date, str]], before: datetime | None, zone: ZoneInfo, after: datetime
) -> Iterator[Occurrence]:
    while waiting and (before is None or waiting[0][0] < before):
        due, _, key = heappop(waiting)
        if due > after and (not waiting or waiting[0][0] > due):
            yield Occurrence(key=key, due=due, local=due.astimezone(zone))
