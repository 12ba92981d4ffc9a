"""What a year of schedules has to bring, worked out a second time: plain dates and zoneinfo, nothing of the bot's.

A rule is a list of wall times, each with its key. An outcome follows from when the bot was awake, who had paused, how
late it was, how many had come that day and what the clock on the client's wall showed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST, LAST = date(2026, 12, 29), date(2028, 1, 3)  # a little more than the year
QUIET_FROM, QUIET_UNTIL = time(21, 30), time(7, 30)
CAP = 3


@dataclass(frozen=True, kw_only=True)
class Named:
    """One wall time that a rule names."""

    key: str
    wall: datetime


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule as the bot reads it, and as the oracle counts it."""

    text: str
    named: tuple[Named, ...]
    seldom: bool  # three days a week or fewer: twelve hours of grace instead of two
    chosen: bool = True  # by a person; else quiet hours bind it


@dataclass(frozen=True, kw_only=True, order=True)
class Expected:
    """One occurrence."""

    due: datetime
    schedule: int
    key: str
    seldom: bool = field(compare=False)
    chosen: bool = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class Pause:
    """From an instant until another; or until somebody ended it."""

    begins: datetime
    ends: datetime
    by_itself: bool  # its end was known from its beginning

    def covers(self, due: datetime, decided: datetime) -> bool:
        """Whether it is why an occurrence that was decided then does not come."""
        if self.by_itself:  # also when the bot was away at its end: what was due before it is paused
            return self.begins <= decided and due < self.ends and (decided < self.ends or due >= self.begins)
        return self.begins <= decided < self.ends


def days() -> Iterator[date]:
    """Each date of the year."""
    day = FIRST
    while day <= LAST:
        yield day
        day += DAY


def weekly(names: Sequence[str], clock: time) -> Rule:
    """So many days of the week."""
    found = [datetime.combine(day, clock) for day in days() if WEEK[day.weekday()] in names]
    text = f"{', '.join(names)} {clock:%H:%M}"
    return Rule(text=text, named=tuple(map(_plain, found)), seldom=len(names) <= 3)


def every_weeks(weeks: int, first: date, clock: time) -> Rule:
    """One day in so many weeks, counted from a date."""
    found, day = [], first
    while day <= LAST:
        found.append(_plain(datetime.combine(day, clock)))
        day += weeks * 7 * DAY
    text = f"every {weeks} weeks {WEEK[first.weekday()]} {clock:%H:%M} from {first}"
    return Rule(text=text, named=tuple(found), seldom=True)


def monthly(number: int, clock: time) -> Rule:
    """A day of each month that has it."""
    found = [_plain(datetime.combine(day, clock)) for day in days() if day.day == number]
    return Rule(text=f"monthly {number} {clock:%H:%M}", named=tuple(found), seldom=True)


def last_friday(clock: time) -> Rule:
    """The last Friday of each month."""
    found = [day for day in days() if day.weekday() == 4 and (day + 7 * DAY).month != day.month]
    named = tuple(_plain(datetime.combine(day, clock)) for day in found)
    return Rule(text=f"monthly last fri {clock:%H:%M}", named=named, seldom=True)


def limited(clock: time, first: date, count: int) -> Rule:
    """Daily from a date on, so many times."""
    named = tuple(_plain(datetime.combine(first + number * DAY, clock)) for number in range(count))
    return Rule(text=f"daily {clock:%H:%M} from {first} {count} times", named=named, seldom=False)


def around(series: str, walls: Iterable[tuple[date, datetime]], days_before: int, clock: time) -> Rule:
    """A time of day so many days before each session; the walls are the sessions' own, in the schedule's zone."""
    found = [
        Named(key=f"{series}:{planned}", wall=datetime.combine(wall.date() - days_before * DAY, clock))
        for planned, wall in walls
    ]
    text = f"session -{days_before} days {clock:%H:%M}" if days_before != 1 else f"session -1 day {clock:%H:%M}"
    return Rule(text=text, named=tuple(found), seldom=True)


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first of two, and later by the gap where there is none."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def dues(number: int, rule: Rule, zones: Sequence[tuple[datetime, ZoneInfo]], until: datetime) -> list[Expected]:
    """All occurrences of a schedule while it follows each zone from an instant on; none that came before comes again.

    Where a whole date is missing, two wall times are one instant: the one that the wall clock then shows is the one.
    """
    found: list[Expected] = []
    taken: set[str] = set()
    for (begins, zone), (ends, _) in zip(zones, [*zones[1:], (until, zones[-1][1])], strict=True):
        by_instant: dict[datetime, Named] = {}
        for named in rule.named:
            due = instant(named.wall, zone)
            if due not in by_instant or due.astimezone(zone).replace(tzinfo=None) == named.wall:
                by_instant[due] = named
        here = [(due, named) for due, named in by_instant.items() if begins < due <= ends and named.key not in taken]
        taken |= {named.key for _, named in here}
        found += [
            Expected(due=due, schedule=number, key=named.key, seldom=rule.seldom, chosen=rule.chosen)
            for due, named in here
        ]
    return sorted(found)


def outcomes(
    expected: Sequence[Expected],
    zones: Sequence[tuple[datetime, ZoneInfo]],
    pauses: Sequence[Pause],
    outages: Sequence[tuple[datetime, datetime]],
) -> dict[tuple[int, str], str]:
    """What becomes of each occurrence of one pair."""
    found: dict[tuple[int, str], str] = {}
    sent: list[datetime] = []
    # In the order in which they are decided: when the bot is awake, then as they were due.
    for each in sorted(expected, key=lambda one: (awake(one.due, outages), one.due, one.schedule)):
        decided = awake(each.due, outages)
        zone = [zone for number, (begins, zone) in enumerate(zones) if number == 0 or begins < decided][-1]
        newer = any(other.schedule == each.schedule and each.due < other.due <= decided for other in expected)
        found[each.schedule, each.key] = end = _end(each, decided, zone, newer, pauses, sent)
        if end == "posted":
            sent.append(each.due)
    return found


def awake(instant: datetime, outages: Sequence[tuple[datetime, datetime]]) -> datetime:
    """When the bot is awake first, from an instant on."""
    return next((ends for begins, ends in outages if begins <= instant < ends), instant)


def is_night(instant: datetime, zone: ZoneInfo) -> bool:
    """Whether the wall clock shows a quiet hour."""
    clock = instant.astimezone(zone).time()
    return clock >= QUIET_FROM or clock < QUIET_UNTIL


def _end(
    each: Expected, decided: datetime, zone: ZoneInfo, newer: bool, pauses: Sequence[Pause], sent: Sequence[datetime]
) -> str:
    late = decided - each.due
    if any(pause.covers(each.due, decided) for pause in pauses):
        return "paused"
    if newer or late >= timedelta(hours=12 if each.seldom else 2):
        return "late"
    today = each.due.astimezone(zone).date()
    if sum(due.astimezone(zone).date() == today for due in sent) >= CAP:
        return "cap"
    if (late >= timedelta(minutes=1) or not each.chosen) and is_night(decided, zone):
        return "quiet"
    return "posted"


def _plain(wall: datetime) -> Named:
    return Named(key=wall.isoformat(timespec="minutes"), wall=wall)
