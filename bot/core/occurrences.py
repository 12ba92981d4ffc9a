"""When a calendar rule comes true: local wall times become instants, across daylight-saving changes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from itertools import islice
from zoneinfo import ZoneInfo

from bot.core.recurrence import CalendarRule, walls


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """One time that a rule comes true."""

    key: (
        str  # the wall time that the rule names ("2026-11-23T20:00"): unique per schedule, also where the clocks change
    )
    due: datetime  # UTC
    local: datetime  # the same instant in the zone: what a wall clock there shows


def occurrences(rule: CalendarRule, zone: ZoneInfo, *, after: datetime) -> Iterator[Occurrence]:
    """All occurrences strictly later than `after`, in order, up to the rule's end if it has one.

    An ambiguous wall time means its first occurrence, and one that does not exist takes the offset before the gap, so
    that it moves forward by the gap (RFC 5545 section 3.3.5). Where it would move onto another occurrence (a whole
    date left out, or 02:30 and 03:30 in one rule), the two are one. `count` counts what remains.
    """
    last = _last(rule, zone)
    # Two days back: a gap moves a wall time forward by up to a day.
    since = after.astimezone(zone).date() - timedelta(days=2)
    for occurrence in _merged(walls(rule, since), zone):
        if last is not None and occurrence.due > last:
            return
        if occurrence.due > after:
            yield occurrence


def occurrences_between(
    rule: CalendarRule, zone: ZoneInfo, *, after: datetime, until: datetime
) -> tuple[Occurrence, ...]:
    """The occurrences later than `after`, up to and including `until`."""
    found = []
    for occurrence in occurrences(rule, zone, after=after):
        if occurrence.due > until:
            break
        found.append(occurrence)
    return tuple(found)


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall time: the first of two, and moved forward by the gap where there is none."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)  # fold=0 is both of RFC 5545's choices


@lru_cache(maxsize=4096)
def _last(rule: CalendarRule, zone: ZoneInfo) -> datetime | None:
    """The instant after which nothing comes any more; None where the wall times end by themselves or never."""
    if rule.count is not None and rule.start is not None:
        *_, last = islice(_merged(walls(rule, rule.start.date()), zone), rule.count)
        return last.due
    return rule.until if rule.until is not None and rule.until.tzinfo is not None else None


def _merged(named: Iterable[datetime], zone: ZoneInfo) -> Iterator[Occurrence]:
    """Occurrences in the order of their instants; of several at one instant, the one that is named so there."""
    waiting: list[tuple[datetime, datetime]] = []  # (instant, wall time)
    for wall in named:
        due = instant(wall, zone)
        # No later wall time comes before this: where `wall` does not exist, fold=1 is before the gap.
        yield from _ready(waiting, min(due, wall.replace(tzinfo=zone, fold=1).astimezone(UTC)), zone)
        heappush(waiting, (due, wall))
    yield from _ready(waiting, None, zone)


def _ready(waiting: list[tuple[datetime, datetime]], before: datetime | None, zone: ZoneInfo) -> Iterator[Occurrence]:
    while waiting and (before is None or waiting[0][0] < before):
        due, wall = heappop(waiting)
        if not waiting or waiting[0][0] > due:
            yield Occurrence(key=wall.isoformat(timespec="minutes"), due=due, local=due.astimezone(zone))
