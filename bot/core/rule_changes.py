"""What people do to a schedule's rule: move it to another time of day, have it come less often."""

from dataclasses import replace
from datetime import datetime, time
from typing import Final, TypeVar

from bot.core.recurrence import CalendarRule, Every, settled
from bot.core.schedules import Rule, SessionRule, WindowRule
from bot.errors import ScheduleError

Day = TypeVar("Day")

SELDOMEST: Final = 4  # weeks or months between two times; who wants it less often stops it


def moved(rule: Rule, clock: time) -> Rule:
    """Return the rule with another time of day. Raises ScheduleError where it has none, or several."""
    if isinstance(rule, WindowRule):
        raise ScheduleError(f'"{rule.text}" comes at random times; choose another window instead.')
    if isinstance(rule, SessionRule):
        if rule.clock is None and not rule.days:
            raise ScheduleError(f'"{rule.text}" goes by the hour of the session, so it has no time of its own.')
        return replace(rule, clock=clock)
    if len(rule.clocks) > 1:
        raise ScheduleError(f'"{rule.text}" has several times of day; write the whole rule anew.')
    start = rule.start and datetime.combine(rule.start.date(), clock)
    return settled(replace(rule, clocks=(clock,), start=start), local=None, as_spoken=False)


def thinned(rule: Rule, *, local: datetime) -> Rule:
    """Return the rule that comes about half as often; `local` is now in its zone, where counting begins.

    Raises ScheduleError where nothing is left to leave out.
    """
    if isinstance(rule, SessionRule):
        raise ScheduleError("It comes once for each session. To have it no more, stop it.")
    if isinstance(rule, WindowRule):
        if rule.times > 1:
            return replace(rule, times=rule.times // 2)
        if len(rule.days) == 1:
            raise ScheduleError("It comes once a week already. To have it no more, stop it.")
        return replace(rule, days=_fewer(rule.days))
    return _thinned_calendar(rule, local)


def _thinned_calendar(rule: CalendarRule, local: datetime) -> CalendarRule:
    if len(rule.clocks) > 1:  # the last of a day: evenings are when people have time
        clock = rule.clocks[-1]
        start = rule.start and datetime.combine(rule.start.date(), clock)
        return settled(replace(rule, clocks=(clock,), start=start), local=local, as_spoken=False)
    if len(rule.days) > 1 and not rule.month_days:
        return settled(replace(rule, days=_fewer(rule.days)), local=local, as_spoken=True)
    interval = rule.interval * 2
    days = interval if rule.every is Every.DAY else interval * 7 if rule.every is Every.WEEK else interval * 30
    if days > SELDOMEST * (30 if rule.every is Every.MONTH else 7):
        raise ScheduleError("It comes seldom already. To have it no more, stop it.")
    return settled(replace(rule, interval=interval), local=local, as_spoken=True)


def _fewer(days: tuple[Day, ...]) -> tuple[Day, ...]:
    """Every other one; of a whole week Monday, Wednesday and Friday."""
    return days[:6:2] if len(days) > 2 else days[:1]
