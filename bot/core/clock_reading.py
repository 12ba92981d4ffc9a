"""Times of day in typed answers."""

import re
from dataclasses import dataclass, replace
from datetime import time

from bot.core.notes import Misfit, Reading, is_separated, note_of, opening, without_tails
from bot.core.numerals import leading
from bot.core.phrases import after, plain
from bot.core.reading_words import Phrases, ReadingWords

_NOON = 12 * 60
_DAY = 24 * 60
_DIGITS = re.compile(r"(\d{1,2})(?: ?[:.]|h(?=\d))(\d\d)(?::\d\d)?h?(?!\w|[:/]|[.,]\d)", re.IGNORECASE)
_DIGITS_GLUED = re.compile(r"(\d{1,2})[:.](\d\d)(?=[^\W\d_])")  # 8.30pm
_FOUR = re.compile(r"([01]\d|2[0-4])([0-5]\d)(?![\d:/^]|[.,]\d)")
_CONNECTORS = re.compile(r"^[\s\-.,:;!?)(\]\"'*_`…/&+]*")
_ALMOST = ("<", ">", "≤", "≥")
_MAX_OPENINGS = 8
_MAX_PARTS = 3

Span = tuple[int, int]  # first and last hour of a part of the day


@dataclass(frozen=True, kw_only=True, slots=True)
class _Clock:
    """A time of day as it was said."""

    minutes: int | None  # since midnight; None: no time of the day
    rest: str
    settled: bool = False  # 20:30, 08:30: the other half of the day cannot be meant
    written: bool = False  # in digits with minutes, as on a clock of 24 hours
    turning: bool = False  # "halb eins": half an hour after noon, or after midnight
    bare: bool = False  # an hour alone, without any word that makes it a time
    unsure: bool = False  # means different times in different places, or two times


@dataclass(frozen=True, kw_only=True, slots=True)
class _Start:
    """What stood before a time."""

    rest: str
    parts: tuple[Span, ...] = ()
    doubtful: bool = False
    named: _Clock | None = None


def read_time(
    text: str, words: ReadingWords, *, within: tuple[time, time] | None = None
) -> Reading[time] | Misfit | None:
    """Read `8:30`, `8.30 pm`, `20h30`, `half past eight`, `halb neun abends`, `um 23 Uhr` or `noon`.

    Where it could be the morning or the evening and nothing settles it, it is UNSURE; `within` (it may pass midnight)
    is when the answer is expected, which settles it without refusing any other time. None means that the text gives
    no time: it is ordinary conversation.
    """
    start = _opening(plain(text), words)
    found = start.named or _clock(start.rest, words)
    if found is None:
        return None
    after_time, rest = _parts(found.rest, words)
    parts = (*start.parts, *after_time)
    rest = without_tails(rest, words)
    separated = is_separated(rest, words)
    anchored = not found.bare or bool(parts)
    followed = _is_followed_by_time(found.minutes, rest, words)
    if (not anchored and not separated and not followed) or _is_no_time(rest, words):
        return None
    if found.minutes is None:
        return Misfit.OUTSIDE if separated else None
    if start.doubtful or found.unsure or followed:
        return Misfit.UNSURE
    minutes = _settled(found, found.minutes, parts, within, words)
    if minutes is None:
        return Misfit.UNSURE
    return Reading(value=time(minutes // 60, minutes % 60), note=note_of(rest, text))


def _opening(text: str, words: ReadingWords) -> _Start:
    """Take `in the evening at about` from the beginning, up to the time."""
    clock = words.clock
    start = _Start(rest=text)
    for _ in range(_MAX_OPENINGS):
        lead = opening(start.rest, (*clock.at, *words.lead_ins, *words.about, "~", "≈"), ())
        doubt = opening(lead.rest, (*words.unsure, *clock.about, *_ALMOST), (), at_most=1)
        named = _named(doubt.rest, words)
        if named is not None:
            return replace(start, doubtful=start.doubtful or doubt.led, named=named)
        part = _part(doubt.rest, words)
        if not lead.led and not doubt.led and part is None:
            break
        start = replace(start, rest=doubt.rest, doubtful=start.doubtful or doubt.led)
        if part is not None:
            start = replace(start, rest=re.sub(r"^[,\s]+", "", part[1]), parts=(*start.parts, part[0]))
    return start


def _named(text: str, words: ReadingWords) -> _Clock | None:
    for name, hour in words.clock.named.items():
        rest = after(text, (name,))
        if rest is not None and is_separated(without_tails(rest, words), words):
            return _Clock(minutes=hour * 60, rest=rest, settled=True)
    return None


def _clock(text: str, words: ReadingWords) -> _Clock | None:
    """Read the time that a text begins with."""
    digits = _DIGITS.match(text) or _DIGITS_GLUED.match(text)
    if digits is not None:
        rest = _after_word(text[digits.end() :], words.clock.hour)
        return _written(digits[1], digits[2], text[digits.end() :] if rest is None else rest)
    four = _FOUR.match(text)
    if four is not None:
        written = _written(four[1], four[2], text[four.end() :])
        return replace(written, bare=True, unsure=1900 <= int(four[0]) < 2100)  # 2030 may be a year
    return _relative(text, words) or _based(text, words)


def _written(hour: str, minute: str, rest: str) -> _Clock:
    settled = hour[0] == "0" or not 1 <= int(hour) <= 12
    return _Clock(minutes=_minutes(int(hour), int(minute)), rest=rest, settled=settled, written=True)


def _minutes(hour: int, minute: int) -> int | None:
    """Return the minutes since midnight; 24:00 is midnight, 25:00 and 8:75 are None."""
    whole = hour * 60 + minute
    return whole % _DAY if minute < 60 and whole <= _DAY else None


def _relative(text: str, words: ReadingWords) -> _Clock | None:
    """Read `quarter past eight`, `ten minutes to nine`, `fünf vor halb neun`."""
    clock = words.clock
    behind = after(text, clock.quarter)
    number = None if behind is not None else leading(text, words)
    if behind is None:
        if number is None or len(number.values) != 1 or number.values[0] not in range(1, 60):
            return None
        behind = number.rest
    counted = _after_word(behind, clock.minutes)
    behind = behind if counted is None else counted
    for sign, phrases in ((1, clock.past), (-1, clock.to)):
        rest = _after_word(behind, phrases)
        base = _based(rest.lstrip(), words) if rest is not None else None
        if base is None or base.minutes is None:
            continue
        shift = 15 if number is None else int(number.values[0])
        may_be_range = number is not None and counted is None and not set(phrases).isdisjoint(words.ranges)
        if may_be_range and number is not None:  # "five to six" is 5:55, or from five to six
            may_be_range = not number.spelled or shift % 5 != 0 or shift < base.minutes // 60 <= 12
        return _shifted(base, sign * shift, unsure=may_be_range)
    return None


def _based(text: str, words: ReadingWords) -> _Clock | None:
    """Read `half past eight`, `halb neun`, `8 Uhr 30`, `eight o'clock`, `eight`."""
    clock = words.clock
    before: tuple[tuple[Phrases, int, bool], ...] = (
        (clock.half_past, 30, False),
        (clock.half_to, -30, False),
        (clock.quarter_to, -15, False),
        (clock.unclear, 0, True),
    )
    for phrases, shift, unsure in before:
        rest = after(text, phrases)
        base = _hour(rest.lstrip(), words) if rest is not None else None
        if base is not None and base.minutes is not None:
            return _shifted(base, shift, unsure=unsure)
    return _hour(text, words)


def _shifted(base: _Clock, shift: int, *, unsure: bool) -> _Clock:
    minutes = (base.minutes or 0) + shift
    return replace(
        base,
        minutes=minutes % _DAY,
        bare=False,
        written=False,
        turning=not base.settled and minutes < 60,
        unsure=unsure or base.unsure,
    )


def _hour(text: str, words: ReadingWords) -> _Clock | None:
    number = leading(text, words)
    if number is None or len(number.values) != 1 or number.values[0] % 1 or number.values[0] < 0:
        return None
    value = int(number.values[0])
    rest = _after_word(number.rest, words.clock.hour)
    bare = rest is None
    found = _Clock(
        minutes=_minutes(value, 0),
        rest=number.rest if rest is None else rest,
        settled=value == 0 or value > 12 or text[0] == "0",
        bare=bare,
    )
    return _with_minutes(found, words, spelled=number.spelled)


def _with_minutes(hour: _Clock, words: ReadingWords, *, spelled: bool) -> _Clock:
    """Add the minutes of `8 Uhr 30` and `eight thirty`; `8 30` may be two numbers."""
    number = leading(hour.rest.lstrip(" "), words) if hour.rest[:1] == " " and hour.minutes is not None else None
    if number is None or len(number.values) != 1 or number.values[0] not in range(1, 60):
        return hour
    minute = int(number.values[0])
    ends = is_separated(without_tails(number.rest, words), words) or _part(number.rest.lstrip(), words) is not None
    two_digits = re.match(r" \d\d(?!\d)", hour.rest) is not None
    if not ends or not (two_digits or (number.spelled and (minute >= 10 or not hour.bare))):
        return hour
    unsure = hour.bare and not (spelled and number.spelled)
    minutes = (hour.minutes or 0) + minute
    written = two_digits and not spelled
    return replace(hour, minutes=minutes % _DAY, rest=number.rest, bare=False, written=written, unsure=unsure)


def _settled(
    found: _Clock, minutes: int, parts: tuple[Span, ...], within: tuple[time, time] | None, words: ReadingWords
) -> int | None:
    """Decide between morning and evening; None where nothing settles it, or the words contradict each other."""
    possible = (minutes,) if found.settled else (minutes, (minutes + _NOON) % _DAY)
    if parts:
        fitting = [start for start in possible if all(_lies_in(start // 60, part) for part in parts)]
        return fitting[0] if len(fitting) == 1 else None
    if found.settled:
        return minutes
    if within is not None:
        first, last = (at.hour * 60 + at.minute for at in within)
        expected = [start for start in possible if _lies_in(start, (first, last))]
        if len(expected) == 1:
            return expected[0]
    as_said = {"always": False, "spoken": found.written, "never": not found.bare and not found.turning}
    return minutes if as_said[words.clock.twelve_hours] else None


def _lies_in(moment: int, span: Span) -> bool:
    first, last = span
    return first <= moment <= last if first <= last else moment >= first or moment <= last


def _part(text: str, words: ReadingWords) -> tuple[Span, str] | None:
    """Return the part of the day that a text begins with, and what follows."""
    found: tuple[Span, str] | None = None
    for name, span in words.clock.parts.items():
        rest = after(text, (name,))
        if rest is not None and (found is None or len(rest) < len(found[1])):
            found = span, rest
    return found


def _parts(rest: str, words: ReadingWords) -> tuple[tuple[Span, ...], str]:
    parts: tuple[Span, ...] = ()
    for _ in range(_MAX_PARTS):
        found = _part(re.sub(r"^ ?,? ?", "", rest), words)
        if found is None:
            break
        parts, rest = (*parts, found[0]), found[1]
    return parts, rest


def _after_word(rest: str, phrases: Phrases) -> str | None:
    return after(re.sub(r"^ ", "", rest), phrases)


def _is_no_time(rest: str, words: ReadingWords) -> bool:
    """Tell whether the time before `rest` is something else: 8 hours, 8.30 €, 8/10, 8:30 ago."""
    if re.match(r"[^\W_]|:\d| ?[%€$£¥°/^]", rest):
        return True
    word = re.sub(r"^[\s.]+", "", rest)
    return any(after(word, phrases) is not None for phrases in (words.unit_words, words.dates, words.passing))


def _is_followed_by_time(minutes: int | None, rest: str, words: ReadingWords) -> bool:
    """Tell whether a second time follows at once: `8:30 or 9`, `20:00-21:00`."""
    skipped = (*words.ranges, *words.joins, *words.lead_ins, *words.about, *words.unsure)
    behind = opening(_CONNECTORS.sub("", rest), (*skipped, *words.clock.at, *words.clock.about), ()).rest
    second = _clock(behind, words)
    if second is None or second.minutes is None:
        return False
    parts, left = _parts(second.rest, words)
    if _is_no_time(left, words):
        return False
    if second.bare and not parts and not is_separated(without_tails(left, words), words):
        return False
    return bool(parts) or second.minutes != minutes
