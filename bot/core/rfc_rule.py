"""The part of RFC 5545's RRULE that is understood, as calendar programs write it; the rest is refused by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import product

from bot.core.recurrence import DAY_ENDS, CalendarRule, Every
from bot.core.rule_words import FIRST_YEAR, LAST_YEAR, WEEK, parse_clock
from bot.errors import ScheduleError

EXAMPLE = 'Write for example "RRULE:FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9;BYMINUTE=0".'

_PARTS = frozenset({"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYHOUR", "BYMINUTE", "COUNT", "UNTIL", "WKST"})
_DAYS = {day[:2].upper(): day for day in WEEK}
_BYDAY = re.compile(r"([+-]?[1-9]\d?)?([A-Z]{2})", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,5}", re.ASCII)
_MOMENT = re.compile(r"(\d{8})(?:T(\d{2})(\d{2})(\d{2})(Z?))?", re.ASCII)


def is_rfc_rule(text: str) -> bool:
    """Whether a text means to be an RRULE."""
    return bool(re.search(r"\b(?:FREQ=|RRULE:)", text.upper()))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pieces:
    """An RRULE taken apart."""

    parts: Mapping[str, str]
    start: datetime | None  # DTSTART; midnight where it names no time
    usual: time | None  # DTSTART's time, where it names one
    clocks: tuple[time, ...]  # those behind the rule


def read_rfc_rule(text: str, *, start: datetime | None) -> CalendarRule:
    """Read "RRULE:FREQ=...", with or without its name, a DTSTART before it, and times of day in words behind it.

    `start` is what the words around it say. Raises ScheduleError with the part that is wrong.
    """
    pieces = _pieces(text)
    if start is not None and pieces.start is not None:
        raise ScheduleError("The start stands there twice: as DTSTART and in words. Leave one of the two out.")
    start = start or pieces.start
    every = _frequency(pieces.parts)
    days = _days(pieces.parts.get("BYDAY"), every)
    month_days = _numbers("BYMONTHDAY", pieces.parts, highest=31, signed=True)
    if every is Every.WEEK and month_days:
        raise ScheduleError(f"BYMONTHDAY does not go with FREQ=WEEKLY; use FREQ=MONTHLY. {EXAMPLE}")
    if month_days and any(nth for nth, _ in days):
        raise ScheduleError(f"BYDAY with a number (1MO) and BYMONTHDAY do not go together. {EXAMPLE}")
    if every is not Every.DAY and not days and not month_days:
        days, month_days = _day_of_start(start, every)
    until = pieces.parts.get("UNTIL")
    return CalendarRule(
        every=every,
        interval=_number("INTERVAL", pieces.parts) or 1,
        days=days,
        month_days=month_days,
        clocks=_clocks(pieces),
        week_start=_week_start(pieces.parts),
        start=start,
        until=_moment("UNTIL", until, whole_day=DAY_ENDS) if until else None,
        count=_number("COUNT", pieces.parts),
    )


def _pieces(text: str) -> _Pieces:
    start: str | None = None
    parts: dict[str, str] = {}
    clocks: list[time] = []
    for word in re.sub(r"\s*([,;=:])\s*", r"\1", text.upper()).split():
        if word.startswith("DTSTART"):
            start = word
        elif "=" in word:
            _read_parts(word.removeprefix("RRULE:"), parts)
        else:
            clocks += map(parse_clock, word.split(","))
    if "DTSTART" in parts:
        start = "DTSTART:" + parts.pop("DTSTART")
    moment = _start(start) if start else None
    usual = moment.time() if moment and start and "T" in start.rpartition(":")[2] else None
    return _Pieces(parts=parts, start=moment, usual=usual, clocks=tuple(clocks))


def _read_parts(text: str, parts: dict[str, str]) -> None:
    for part in filter(None, text.split(";")):
        name, _, value = part.partition("=")
        if name not in _PARTS and name != "DTSTART":
            raise ScheduleError(f"{name} is not understood here; these are: {', '.join(sorted(_PARTS))}. {EXAMPLE}")
        if name in parts:
            raise ScheduleError(f"{name} stands there twice. {EXAMPLE}")
        if not value:
            raise ScheduleError(f"{name} has no value. {EXAMPLE}")
        parts[name] = value


def _start(word: str) -> datetime:
    name, _, value = word.partition(":")
    if "TZID" in name:
        raise ScheduleError("The zone is chosen with the schedule, not in DTSTART. Leave TZID out.")
    if value.endswith("Z"):
        raise ScheduleError("DTSTART is local time here, so that 09:00 stays 09:00. Leave the Z out.")
    return _moment("DTSTART", value, whole_day=time())


def _frequency(parts: Mapping[str, str]) -> Every:
    written = parts.get("FREQ", "")
    if written not in list(Every):
        raise ScheduleError(f'FREQ is DAILY, WEEKLY or MONTHLY, not "{written}". {EXAMPLE}')
    return Every(written)


def _days(written: str | None, every: Every) -> tuple[tuple[int, str], ...]:
    days = []
    for word in written.split(",") if written else ():
        found = _BYDAY.fullmatch(word)
        if found is None or found[2] not in _DAYS or abs(int(found[1] or 0)) > 5:
            raise ScheduleError(
                f'BYDAY has days by name (MO), or a month\'s first (1MO) to last (-1MO), not "{word}": '
                f"weekdays are named, never numbered. {EXAMPLE}"
            )
        if found[1] and every is not Every.MONTH:
            raise ScheduleError(f"BYDAY={word} means one day of a month, which needs FREQ=MONTHLY. {EXAMPLE}")
        days.append((int(found[1] or 0), _DAYS[found[2]]))
    if len({bool(nth) for nth, _ in days}) > 1:
        raise ScheduleError("BYDAY has days with a number and days without one. Make two schedules of it.")
    return tuple(days)


def _day_of_start(start: datetime | None, every: Every) -> tuple[tuple[tuple[int, str], ...], tuple[int, ...]]:
    """The day of the week, or of the month, on which DTSTART falls."""
    if start is None:
        missing = "BYDAY" if every is Every.WEEK else "BYDAY or BYMONTHDAY"
        raise ScheduleError(f"FREQ={every} needs {missing}, or a DTSTART that says which day. {EXAMPLE}")
    return (((0, WEEK[start.weekday()]),), ()) if every is Every.WEEK else ((), (start.day,))


def _clocks(pieces: _Pieces) -> tuple[time, ...]:
    parts = pieces.parts
    named = "BYHOUR" in parts or "BYMINUTE" in parts
    if pieces.clocks:
        if named:
            raise ScheduleError(f"The times stand in BYHOUR and BYMINUTE or behind the rule, not both. {EXAMPLE}")
        return pieces.clocks
    usual = pieces.usual
    if "BYHOUR" not in parts and usual is None:
        raise ScheduleError(f"The rule does not say at what time: BYHOUR is missing. {EXAMPLE}")
    hours = _numbers("BYHOUR", parts, highest=23) or (usual.hour if usual else 0,)
    minutes = _numbers("BYMINUTE", parts, highest=59) or (usual.minute if usual else 0,)
    return tuple(time(hour, minute) for hour, minute in product(hours, minutes))


def _week_start(parts: Mapping[str, str]) -> str:
    written = parts.get("WKST", "MO")
    if written not in _DAYS:
        raise ScheduleError(f'WKST is a day such as MO, not "{written}". {EXAMPLE}')
    return _DAYS[written]


def _number(name: str, parts: Mapping[str, str]) -> int | None:
    if name not in parts:
        return None
    numbers = _numbers(name, parts, highest=99999)
    if len(numbers) != 1 or numbers[0] < 1:
        raise ScheduleError(f'{name} is one whole number from 1, not "{parts[name]}". {EXAMPLE}')
    return numbers[0]


def _numbers(name: str, parts: Mapping[str, str], *, highest: int, signed: bool = False) -> tuple[int, ...]:
    numbers = []
    for word in parts[name].split(",") if name in parts else ():
        number = int(word) if _NUMBER.fullmatch(word) else None
        if number is None or abs(number) > highest or (number < 0 and not signed) or (number == 0 and signed):
            span = f"1 to {highest}, or -1 to -{highest} from the end" if signed else f"0 to {highest}"
            raise ScheduleError(f'{name} has whole numbers from {span}, not "{word}". {EXAMPLE}')
        numbers.append(number)
    return tuple(numbers)


def _moment(name: str, written: str, *, whole_day: time) -> datetime:
    found = _MOMENT.fullmatch(written)
    try:
        day = datetime.strptime(found[1], "%Y%m%d") if found else None  # noqa: DTZ007 - a wall time
        clock = whole_day if found is None or found[2] is None else time(int(found[2]), int(found[3]))
    except ValueError:
        day = None
    if found is None or day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ScheduleError(f'{name} is a date such as 20270301 or 20270301T180000, not "{written}".')
    return datetime.combine(day, clock, tzinfo=UTC if found[5] else None)
