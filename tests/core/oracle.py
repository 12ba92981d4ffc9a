"""When a calendar rule comes, worked out the long way round: day by day, and with nothing but zoneinfo.

Shares no code with what it checks: no dateutil, no fold, no shortcut.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.recurrence import CalendarRule, Every

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)


def expected(rule: CalendarRule, zone: ZoneInfo, *, after: datetime, until: datetime) -> list[tuple[str, datetime]]:
    """The keys and instants later than `after` up to `until`."""
    first = after.date() - 3 * DAY
    if rule.count is not None:
        assert rule.start is not None
        first = rule.start.date()
    found: dict[datetime, datetime] = {}  # instant -> the latest wall time that comes to it
    for wall in named_walls(rule, first, until.date() + 3 * DAY):
        due = instant_of(wall, zone)
        found[due] = max(wall, found.get(due, wall))
    ordered = sorted(found.items())
    if rule.count is not None:
        ordered = ordered[: rule.count]
    ends = rule.until if rule.until is not None and rule.until.tzinfo else until
    return [(f"{wall:%Y-%m-%dT%H:%M}", due) for due, wall in ordered if after < due <= min(until, ends)]


def named_walls(rule: CalendarRule, first: date, last: date) -> Iterator[datetime]:
    """Every wall time that the rule names on these dates."""
    day = first
    while day <= last:
        if names(rule, day):
            for clock in rule.clocks:
                wall = datetime.combine(day, clock)
                late_enough = rule.start is None or wall >= rule.start
                if late_enough and (rule.until is None or rule.until.tzinfo or wall <= rule.until):
                    yield wall
        day += DAY


def names(rule: CalendarRule, day: date) -> bool:
    """Whether the rule names a date."""
    return _in_turn(rule, day) and _on_day(rule, day)


def _in_turn(rule: CalendarRule, day: date) -> bool:
    start = rule.start.date() if rule.start else None
    if start is None:
        assert rule.interval == 1
        return True
    if rule.every is Every.DAY:
        passed = (day - start).days
    elif rule.every is Every.WEEK:
        passed = (_week_of(day, rule.week_start) - _week_of(start, rule.week_start)).days // 7
    else:
        passed = (day.year - start.year) * 12 + day.month - start.month
    return passed >= 0 and passed % rule.interval == 0


def _week_of(day: date, week_start: str) -> date:
    while DAYS[day.weekday()] != week_start:
        day -= DAY
    return day


def _on_day(rule: CalendarRule, day: date) -> bool:
    length = (day.replace(day=28) + 4 * DAY).replace(day=1) - DAY
    from_end = day.day - length.day - 1
    if rule.month_days and day.day not in rule.month_days and from_end not in rule.month_days:
        return False
    weekday = DAYS[day.weekday()]
    nth, nth_from_end = (day.day - 1) // 7 + 1, -((-from_end - 1) // 7 + 1)
    return not rule.days or any(name == weekday and of in (0, nth, nth_from_end) for of, name in rule.days)


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which a clock there shows the wall time; where none does, by the offset before the gap."""
    around = [wall.replace(tzinfo=UTC) + timedelta(hours=hours) for hours in range(-50, 51)]
    offsets = {offset for at in around if (offset := at.astimezone(zone).utcoffset()) is not None}
    shown = [
        at
        for offset in offsets
        if (at := wall.replace(tzinfo=UTC) - offset).astimezone(zone).replace(tzinfo=None) == wall
    ]
    return min(shown) if shown else wall.replace(tzinfo=UTC) - min(offsets)
