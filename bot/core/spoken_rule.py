"""Calendar rules in everyday words: "weekdays 20:00", "every 2 weeks fri 18:00", "monthly last fri 16:00"."""

import re
from datetime import time

from bot.core.recurrence import CalendarRule, Every
from bot.core.rule_words import EXAMPLE, is_day, parse_clock, parse_day, parse_days, parse_nth
from bot.errors import ScheduleError

MONTHLY = 'Write for example "monthly 1 10:00", "monthly last day 18:00" or "monthly 2nd tue 10:00".'

_CLOCK = r"[^\s,:]*:[^\s,]*"  # whatever means to be one; in one way only, so that no text takes long to refuse
_CLOCKS = re.compile(rf"(?P<days>.*?)[\s,]*(?P<clocks>{_CLOCK}(?:(?:[\s,]+|,? and ){_CLOCK})*)")
_RHYTHM = r"every (?:(?P<many>\d{1,5}|other|second) )?(?P<unit>day|week|month)s?"
_EVERY = re.compile(rf"{_RHYTHM}(?: (?P<rest>.*))?")
_EVERY_LAST = re.compile(rf"(?P<rest>.*) {_RHYTHM}")
_ITEMS = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+")
_FILLERS = re.compile(r"\b(?:on|the|at) ")
_UNITS = {"day": Every.DAY, "week": Every.WEEK, "month": Every.MONTH}


def read_spoken_rule(text: str) -> CalendarRule:
    """Read a rule, in lower case and single-spaced, without its start and end. Raises ScheduleError."""
    words = _FILLERS.sub("", text)
    if moved := _EVERY_LAST.fullmatch(words):  # "fri 18:00 every 2 weeks"
        words = f"{words[moved.end('rest') + 1 :]} {moved['rest']}"
    written = _CLOCKS.fullmatch(words)
    if written is None and " " in words and any(letter.isdigit() for letter in words.split()[-1]):
        parse_clock(words.split()[-1])  # says why not
    if written is None or not (days := written["days"].rstrip()):
        raise ScheduleError(f'"{text}" needs days and a time. {EXAMPLE}')
    clocks = tuple(parse_clock(word) for word in re.split(r"[\s,]+(?:and )?", written["clocks"]))
    return _read_days(days, clocks)


def _read_days(text: str, clocks: tuple[time, ...]) -> CalendarRule:
    rhythm = _EVERY.fullmatch(re.sub(r"^(week|month)ly\b", r"every \1", text))
    if rhythm is None:
        days = parse_days(
            re.sub(r"^every weekday$", "weekdays", text).removeprefix("every ") if text != "every day" else text
        )
        return CalendarRule(every=Every.WEEK, days=tuple((0, day) for day in days), clocks=clocks)
    many = rhythm["many"] or "1"
    interval, every, rest = int(many) if many.isdecimal() else 2, _UNITS[rhythm["unit"]], rhythm["rest"]
    if every is Every.DAY:
        if rest:
            raise ScheduleError(
                f'"{rest}" does not go with every so many days. Write for example "every 3 days 09:00".'
            )
        return CalendarRule(every=every, interval=interval, clocks=clocks)
    if every is Every.WEEK:
        if not rest:
            raise ScheduleError('On which day of the week? Write for example "every 2 weeks fri 18:00".')
        weekdays = tuple((0, day) for day in parse_days(rest))
        return CalendarRule(every=every, interval=interval, days=weekdays, clocks=clocks)
    nth, month_days = _read_month(rest or "")
    return CalendarRule(every=every, interval=interval, days=nth, month_days=month_days, clocks=clocks)


def _read_month(text: str) -> tuple[tuple[tuple[int, str], ...], tuple[int, ...]]:
    """Read "1, 15", "last day", "2nd tue": days of the week by number in the month, or days of the month."""
    found = [_read_item(item) for item in _ITEMS.split(text)]
    days = tuple((nth, day) for nth, day in found if day)
    month_days = tuple(nth for nth, day in found if not day)
    if days and month_days:
        raise ScheduleError(f"Days of the month and days of the week do not go together; make two schedules. {MONTHLY}")
    return days, month_days


def _read_item(item: str) -> tuple[int, str]:
    """Read one of them; the day is empty for a day of the month."""
    words = item.split()
    if len(words) == 1 and is_day(words[0]):
        raise ScheduleError(f'Which {words[0]} of the month? Write for example "monthly first {words[0]} 10:00".')
    day = ""
    if len(words) > 1 and words[-1] != "last":
        last = words.pop()
        day = "" if last == "day" else parse_day(last)
    from_end = words[-1:] == ["last"]
    nth = parse_nth(words[0]) if words and words != ["last"] else 1 if from_end else None
    if len(words) > 1 + from_end or nth is None or not 1 <= nth <= (5 if day else 31):
        raise ScheduleError(f'"{item}" is not a day of the month. {MONTHLY}')
    return -nth if from_end else nth, day
