"""A calendar rule: on which dates and at which wall times it comes, and its one text.

The dates follow RFC 5545: every so many days, weeks or months, counted from the start. A rule that has to count (an
interval, a number of times) carries its start, which is always its own first time, so that a stored rule never changes
its meaning.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final, Literal

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule, weekday

from bot.core.rule_words import EXAMPLE, WEEK, write_clocks, write_days, write_moment, write_nth
from bot.errors import ScheduleError

INTERVALS: Final = 366  # at most
COUNTS: Final = 1000
TIMES_A_DAY: Final = 24
DAY_ENDS: Final = time(23, 59)  # the last minute: an end without a time of day includes its whole day

_HORIZON = timedelta(days=3653)  # a rule that does not come true within ten years is a mistake
_SOME_START = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall time; any would do: a leap year with all weekdays ahead
_LAST_YEAR = MAXYEAR - 1  # a zone's offset cannot be added at the very end of the calendar


class Every(StrEnum):
    """What a rule's interval counts; the value is RFC 5545's."""

    DAY = "DAILY"
    WEEK = "WEEKLY"
    MONTH = "MONTHLY"


FREQUENCY: Final[Mapping[Every, Literal[1, 2, 3]]] = {Every.DAY: DAILY, Every.WEEK: WEEKLY, Every.MONTH: MONTHLY}


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarRule:
    """Wall times on dates that follow a calendar; no zone: the schedule's applies."""

    every: Every
    clocks: tuple[time, ...]  # ascending, each once, at least one
    interval: int = 1
    days: tuple[tuple[int, str], ...] = ()  # (nth, day of WEEK); nth 0: each; negative: from the month's end
    month_days: tuple[int, ...] = ()  # 1 to 31, -1 (the last) to -31; with `days`: dates that are both
    week_start: str = "mon"  # where weeks are counted
    start: datetime | None = None  # wall time: the first time that it comes
    until: datetime | None = None  # wall time, or with UTC an instant: included
    count: int | None = None  # how many times in all

    @property
    def text(self) -> str:
        """The rule as it is stored and shown; `parse_rule` reads it back to the same rule."""
        parts = [_named(self) or _rfc(self), write_clocks(self.clocks)]
        if self.start is not None:
            parts += ["from", write_moment(self.start, whole_day=self.clocks[0])]
        if self.until is not None:
            parts += ["until", write_moment(self.until, whole_day=DAY_ENDS) + ("Z" if self.until.tzinfo else "")]
        if self.count is not None:
            parts += [str(self.count), "times" if self.count > 1 else "time"]
        return " ".join(parts)

    @property
    def weekly(self) -> bool:
        """Whether it comes on three days a week or fewer, so that a late prompt is still worth its longer grace."""
        if len(self.clocks) > 1:
            return False
        share = 1.0  # of the dates in those days, weeks or months that count
        if self.days:
            share *= len(self.days) / (30 if self.days[0][0] else 7)
        if self.month_days:
            share *= len(self.month_days) / 30
        return 7 * share / self.interval <= 3

    @property
    def wall_time(self) -> bool:
        """Whether a person chose the wall time: quiet hours do not bind it."""
        return True


def walls(rule: CalendarRule, since: date, *, last: date | None = None) -> Iterator[datetime]:
    """The wall times that a rule names, on dates from `since` on, in order; `count` is not looked at."""
    for day in _dates(rule, since, last):
        for clock in rule.clocks:
            wall = datetime.combine(day, clock)
            if rule.until is not None and rule.until.tzinfo is None and wall > rule.until:
                return
            if rule.start is None or wall >= rule.start:
                yield wall


def settled(draft: CalendarRule, *, local: datetime | None, as_spoken: bool) -> CalendarRule:
    """Return a rule as it is kept: in its simplest form, and with its own first time as its start where it needs one.

    `local` is the wall time at which the rule is written; a rule that counts and names no start starts there. Weeks
    and months are counted from the start (RFC 5545), or, `as_spoken`, from the first time after it that fits: "every
    2 weeks fri" said on a Saturday begins six days later. Raises ScheduleError for numbers out of range, a missing
    start, and a rule that never comes true or is over.
    """
    rule = _simplest(draft)
    _check_ranges(rule)
    start = rule.start
    if start is None and (rule.interval > 1 or rule.count is not None):
        if local is None:
            raise ScheduleError(
                'A rule that counts needs its start, for example "every 2 weeks fri 18:00 from 2026-12-04".'
            )
        # Strictly later, as occurrences are.
        start = local.replace(tzinfo=None, second=0, microsecond=0) + timedelta(minutes=1)
    if start is None:
        _first(replace(rule, until=None))
    else:
        if as_spoken:
            start = _first(replace(rule, interval=1, start=start))
        rule = replace(rule, start=_first(replace(rule, start=start)))
        if len(rule.days) == 1:
            rule = replace(rule, week_start="mon")  # counted from that very day, a week is a week
    if local is not None:
        _refuse_past(rule, local.replace(tzinfo=None))
    return rule


def _simplest(rule: CalendarRule) -> CalendarRule:
    """Rules that mean the same are the same, so that they have one text."""
    days = tuple(sorted(set(rule.days), key=lambda nth_day: (_from_front(nth_day[0]), WEEK.index(nth_day[1]))))
    month_days = tuple(sorted(set(rule.month_days), key=_from_front))
    rule = replace(rule, days=days, month_days=month_days, clocks=tuple(sorted(set(rule.clocks))))
    if rule.every is not Every.WEEK or rule.interval == 1:
        rule = replace(rule, week_start="mon")
    if rule.interval == 1 and rule.month_days:
        return replace(rule, every=Every.MONTH)
    if rule.interval == 1 and not any(nth for nth, _ in rule.days):
        return replace(rule, every=Every.WEEK, days=rule.days or tuple((0, day) for day in WEEK))
    return rule


def _check_ranges(rule: CalendarRule) -> None:
    if not 1 <= rule.interval <= INTERVALS:
        raise ScheduleError(
            f"A rule comes every 1 to {INTERVALS} days, weeks or months, not every {rule.interval}. {EXAMPLE}"
        )
    if len(rule.clocks) > TIMES_A_DAY:
        raise ScheduleError(f"A rule has at most {TIMES_A_DAY} times a day, not {len(rule.clocks)}. {EXAMPLE}")
    if rule.count is not None and not 1 <= rule.count <= COUNTS:
        raise ScheduleError(f'A rule comes 1 to {COUNTS} times in all, for example "daily 20:00 10 times".')
    if rule.count is not None and rule.until is not None:
        raise ScheduleError("A rule ends at a date or after a number of times, not both. Leave one of the two out.")


def _first(rule: CalendarRule) -> datetime:
    """The first wall time from a rule's start on. Raises ScheduleError where there is none."""
    start = rule.start or _SOME_START
    # So many whole weeks stay on one weekday: looking for another would last until the end of the calendar.
    never = rule.every is Every.DAY and rule.interval % 7 == 0 and (0, WEEK[start.weekday()]) not in rule.days
    first = None if never and rule.days else next(walls(rule, start.date(), last=start.date() + _HORIZON), None)
    if first is not None and (rule.until is None or first <= rule.until.replace(tzinfo=None) + timedelta(days=1)):
        return first
    if rule.until is not None and rule.start is not None:
        raise ScheduleError(f"The rule would end ({rule.until:%Y-%m-%d}) before its first time. Choose a later end.")
    raise ScheduleError(f"There is no such date within ten years. {EXAMPLE}")


def _refuse_past(rule: CalendarRule, local: datetime) -> None:
    if rule.count is not None and rule.start is not None:
        *_, last = islice(walls(rule, rule.start.date()), rule.count)
        over = last < local
    elif rule.until is not None and rule.until.tzinfo is not None:
        over = rule.until.replace(tzinfo=None) + timedelta(days=1) < local  # whatever the zone
    else:
        since = max(local, rule.start or local)
        upcoming = walls(rule, since.date(), last=since.date() + _HORIZON)
        over = rule.until is not None and not any(wall >= since for wall in upcoming)
    if over:
        raise ScheduleError("The rule would be over already: nothing would come any more. Choose a later end.")


def _dates(rule: CalendarRule, since: date, last: date | None) -> Iterator[date]:
    expanded = rrule(
        FREQUENCY[rule.every],
        dtstart=datetime.combine(_in_step(rule, since), time()),
        interval=rule.interval,
        wkst=WEEK.index(rule.week_start),
        byweekday=[weekday(WEEK.index(day), nth or None) for nth, day in rule.days] or None,
        bymonthday=rule.month_days or None,
        until=datetime.combine(last, time()) if last else None,
    )
    for midnight in expanded:
        if midnight.year > _LAST_YEAR:
            return
        if midnight.date() >= since:
            yield midnight.date()


def _in_step(rule: CalendarRule, since: date) -> date:
    """A date up to `since` from which counting gives the same dates as from the rule's start, however long ago."""
    if rule.start is None:
        return since
    start = rule.start.date()
    if since <= start:
        return start
    if rule.every is Every.MONTH:
        months = (since.year - start.year) * 12 + since.month - start.month
        ahead = months // rule.interval * rule.interval + start.month - 1
        return date(start.year + ahead // 12, ahead % 12 + 1, 1) if months >= rule.interval else start
    length = rule.interval * (7 if rule.every is Every.WEEK else 1)
    return start + timedelta(days=(since - start).days // length * length)


def _named(rule: CalendarRule) -> str | None:
    """Days as people write them; None where only RFC 5545 has the words."""
    many = rule.interval > 1
    if rule.every is Every.MONTH and bool(rule.days) != bool(rule.month_days) and all(nth for nth, _ in rule.days):
        items = [f"{write_nth(nth)} {day}" for nth, day in rule.days]
        items += [str(day) if day > 0 else f"{write_nth(day)} day" for day in rule.month_days]
        return f"every {rule.interval} months " * many + "monthly " * (not many) + ", ".join(items)
    if rule.every is Every.WEEK and rule.week_start == "mon":
        days = [day for _, day in rule.days]
        return f"every {rule.interval} weeks {', '.join(days)}" if many else write_days(days)
    if rule.every is Every.DAY and not rule.days and not rule.month_days:
        return f"every {rule.interval} days"
    return None


def _rfc(rule: CalendarRule) -> str:
    """What stands in an RRULE, without times and ends: those follow in words."""
    parts = [f"FREQ={rule.every}", f"INTERVAL={rule.interval}"]
    if rule.days:
        parts.append("BYDAY=" + ",".join(f"{nth or ''}{day[:2].upper()}" for nth, day in rule.days))
    if rule.month_days:
        parts.append("BYMONTHDAY=" + ",".join(map(str, rule.month_days)))
    if rule.week_start != "mon":
        parts.append(f"WKST={rule.week_start[:2].upper()}")
    return ";".join(parts)


def _from_front(nth: int) -> int:
    """First to last, then from the end: 1, 2, -2, -1."""
    return nth if nth >= 0 else 100 + nth
