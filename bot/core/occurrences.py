"""When a rule comes true: local wall times become instants, across daylight-saving changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from bot.core.schedules import WEEK, Rule

_LAST_YEAR = 9998  # a zone's offset cannot be added at the very end of the calendar


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """One time that a rule comes true."""

    key: (
        str  # the wall time that the rule names ("2026-11-23T20:00"): unique per schedule, also where the clocks change
    )
    due: datetime  # UTC
    local: datetime  # the same instant in the zone: what a wall clock there shows


def occurrences(rule: Rule, zone: ZoneInfo, *, after: datetime) -> Iterator[Occurrence]:
    """All occurrences strictly later than `after`, in order, without end.

    An ambiguous wall time means its first occurrence, and one that does not exist takes the offset before the gap, so
    that it moves forward by the gap (RFC 5545 section 3.3.5). Where it would move onto the next occurrence (a whole
    date left out), the two are one.
    """
    # Two days back: a gap moves a wall time forward by up to a day.
    start = after.astimezone(zone).date() - timedelta(days=2)
    for occurrence, following in pairwise(_candidates(rule, zone, start)):
        if after < occurrence.due < following.due:
            yield occurrence


def occurrences_between(rule: Rule, zone: ZoneInfo, *, after: datetime, until: datetime) -> tuple[Occurrence, ...]:
    """The occurrences later than `after`, up to and including `until`."""
    found = []
    for occurrence in occurrences(rule, zone, after=after):
        if occurrence.due > until:
            break
        found.append(occurrence)
    return tuple(found)


def _candidates(rule: Rule, zone: ZoneInfo, start: date) -> Iterator[Occurrence]:
    day = start
    while day.year <= _LAST_YEAR:
        if WEEK[day.weekday()] in rule.days:
            wall = datetime.combine(day, rule.clock)
            # fold=0 is both of RFC 5545's choices: the first of two, and the offset before a gap.
            due = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
            yield Occurrence(key=wall.isoformat(timespec="minutes"), due=due, local=due.astimezone(zone))
        day += timedelta(days=1)
