"""When a schedule comes, whatever its rule goes by: the calendar, draws of the day, or the pair's sessions."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.occurrences import Occurrence, instant, occurrences
from bot.core.people import Draw, Pair, Schedule
from bot.core.quiet import QuietHours
from bot.core.schedules import Rule
from bot.core.session_rules import SessionRule
from bot.core.sessions import SessionSeries, session_occurrences
from bot.core.windows import WindowRule, window_occurrences

_WINDOWS_AHEAD = 370  # days; a window that quiet hours close altogether never comes
_DAY = timedelta(days=1)

Drawn = tuple[datetime, ...]  # aware, on the wall clock of the zone in which they were drawn


def coming(
    rule: Rule,
    zone: ZoneInfo,
    *,
    after: datetime,
    seed: str,
    quiet: QuietHours | None,
    drawn: Mapping[date, Drawn],
    sessions: Sequence[SessionSeries],
) -> Iterator[Occurrence]:
    """Return the occurrences strictly later than `after`, in order; endless where the rule is."""
    if isinstance(rule, SessionRule):
        return session_occurrences(rule, sessions, zone, after=after)
    if isinstance(rule, WindowRule):
        found = _windows(rule, zone, after.astimezone(zone).date() - _DAY, seed, quiet, drawn)
        return (occurrence for occurrence in found if occurrence.due > after)
    return occurrences(rule, zone, after=after)


def draws_ahead(
    rule: Rule, schedule: Schedule, pair: Pair, zone: ZoneInfo, drawn: Mapping[date, Drawn], *, at: datetime
) -> tuple[Draw, ...]:
    """Return the draws of today and tomorrow that have not been made."""
    if not isinstance(rule, WindowRule):
        return ()
    today = at.astimezone(zone).date()
    return tuple(
        Draw(
            schedule_id=schedule.schedule_id,
            pair_id=pair.pair_id,
            day=day,
            times=tuple(each.local for each in _draw(rule, zone, day, schedule.schedule_id, pair.quiet_hours)),
        )
        for day in (today, today + _DAY)
        if day not in drawn and rule.on(day)
    )


def _windows(
    rule: WindowRule,
    zone: ZoneInfo,
    since: date,
    seed: str,
    quiet: QuietHours | None,
    drawn: Mapping[date, Drawn],
) -> Iterator[Occurrence]:
    day, empty = since, 0
    while empty < _WINDOWS_AHEAD and (rule.until is None or day <= rule.until):
        made = drawn.get(day)
        found = _draw(rule, zone, day, seed, quiet) if made is None else _stored(zone, day, made)
        yield from found
        # A start that is far ahead is no emptiness.
        empty = 0 if found or (rule.start is not None and day < rule.start) else empty + 1
        day += _DAY


def _draw(rule: WindowRule, zone: ZoneInfo, day: date, seed: str, quiet: QuietHours | None) -> tuple[Occurrence, ...]:
    return window_occurrences(rule, zone, day, seed, quiet=(quiet.starts, quiet.ends) if quiet else None)


def _stored(zone: ZoneInfo, day: date, made: Drawn) -> tuple[Occurrence, ...]:
    """The draws of a day as they were made; after a change of zone at the same wall times."""
    found = []
    for number, local in enumerate(made, start=1):
        same = local.astimezone(zone)
        wall = local.replace(tzinfo=None)
        due = same if same.replace(tzinfo=None) == wall else instant(wall, zone).astimezone(zone)
        found.append(Occurrence(key=f"{day}#{number}", due=due.astimezone(UTC), local=due))
    return tuple(sorted(found, key=lambda each: each.due))
