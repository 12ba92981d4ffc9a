"""Rules, days and moments as a person would say them: "on weekdays at 20:00", "Mon 30 Nov, 20:00"."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from bot.core.recurrence import CalendarRule, Every
from bot.core.rule_words import WEEK
from bot.core.schedules import Rule, SessionRule, WindowRule
from bot.core.template import say
from bot.core.wording import Wording


def rule_in_words(rule: Rule, words: Wording) -> str:
    """Say when a rule comes; what has no everyday words is shown as it is written."""
    if isinstance(rule, WindowRule):
        return _ended(_window(rule, words), rule.start, rule.until, words)
    if isinstance(rule, SessionRule):
        return _session(rule, words)
    named = _calendar(rule, words)
    if named is None:
        return say(words.rule_other, rule=rule.text)
    if rule.count is not None:
        return say(words.rule_times, when=named, count=rule.count)
    until = rule.until.date() if rule.until else None
    return _ended(named, None, until, words)


def day_in_words(day: date, words: Wording) -> str:
    """Write a date."""
    calendar = words.calendar
    return say(
        calendar.day, weekday=calendar.weekdays[day.weekday()], day=day.day, month=calendar.months[day.month - 1]
    )


def moment_in_words(local: datetime, words: Wording) -> str:
    """Write a local date and time."""
    return say(words.moment, day=day_in_words(local.date(), words), time=f"{local:%H:%M}")


def listed(items: Sequence[str], words: Wording) -> str:
    """Join what is listed: "Mon, Wed and Fri"."""
    if len(items) < 2:
        return "".join(items)
    return say(words.and_last, before=", ".join(items[:-1]), last=items[-1])


def _calendar(rule: CalendarRule, words: Wording) -> str | None:
    times = listed([f"{clock:%H:%M}" for clock in rule.clocks], words)
    if rule.every is Every.DAY and not rule.days and not rule.month_days:
        return say(words.rule_every_days, count=rule.interval, times=times)
    if rule.every is not Every.WEEK or rule.week_start != "mon":
        return None
    days = tuple(day for _, day in rule.days)
    if rule.interval > 1:
        return say(words.rule_every_weeks, count=rule.interval, days=_days(days, words), times=times)
    if days == WEEK:
        return say(words.rule_daily, times=times)
    if days == WEEK[:5]:
        return say(words.rule_weekdays, times=times)
    return say(words.rule_days, days=_days(days, words), times=times)


def _window(rule: WindowRule, words: Wording) -> str:
    template = words.rule_window_once if rule.times == 1 else words.rule_window
    text = say(template, count=rule.times, opens=_clock(rule.opens), closes=_clock(rule.closes))
    return text if rule.days == WEEK else say(words.rule_window_days, days=_days(rule.days, words), when=text)


def _session(rule: SessionRule, words: Wording) -> str:
    if rule.length:
        template = words.rule_session_before if rule.length < timedelta() else words.rule_session_after
        return say(template, length=_length(abs(rule.length)))
    clock = words.rule_session_same_time if rule.clock is None else say(words.rule_at, time=_clock(rule.clock))
    if rule.days == 0:
        return say(words.rule_session_day, at=clock)
    if abs(rule.days) == 1:
        template = words.rule_session_day_before if rule.days < 0 else words.rule_session_day_after
        return say(template, at=clock)
    template = words.rule_session_days_before if rule.days < 0 else words.rule_session_days_after
    return say(template, count=abs(rule.days), at=clock)


def _ended(text: str, start: date | None, until: date | None, words: Wording) -> str:
    if start is not None:
        text = say(words.rule_from, when=text, day=day_in_words(start, words))
    return text if until is None else say(words.rule_until, when=text, day=day_in_words(until, words))


def _days(days: Sequence[str], words: Wording) -> str:
    return listed([words.calendar.weekdays[WEEK.index(day)] for day in days], words)


def _clock(clock: time) -> str:
    return f"{clock:%H:%M}"


def _length(length: timedelta) -> str:
    minutes = length // timedelta(minutes=1)
    return f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"
