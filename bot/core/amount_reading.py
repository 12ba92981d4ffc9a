"""Amounts in typed answers, with the spellings of their unit."""

import re
from dataclasses import replace
from decimal import Decimal

from bot.core.notes import Misfit, Opening, Reading, is_separated, opening, without_tails
from bot.core.number_reading import NumberMessage, chosen, judge_measured, number_opening, read_unmeasured
from bot.core.numerals import Numeral, fraction, leading
from bot.core.phrases import after, plain
from bot.core.reading_words import Phrases, ReadingWords, folded
from bot.core.rivals import after_any_unit, after_unit, is_no_amount, is_range, measures_again, next_number

_CLOCK_OR_RATIO = re.compile(r"\d+ ?(?:[:/]|h) ?\d+(?: ?min| ?m)?[\s.!?]*", re.IGNORECASE)


def read_amount(
    text: str, low: Decimal | int | None, high: Decimal | int | None, unit: str | None, words: ReadingWords
) -> Reading[int | Decimal] | Misfit | None:
    """Read `7.5`, `7,5`, `6 hours`, `6h`, `80 kg`, `1 1/2` or `half an hour` where an amount in `unit` is asked for.

    The value is an int when it is whole. None means that the text gives no amount: it is ordinary conversation.
    """

    def fits(value: Decimal) -> bool:
        return (low is None or low <= value) and (high is None or value <= high)

    spellings = unit_spellings(unit, words) if unit else ()
    start = number_opening(text, words)
    signed = after(start.rest, tuple(sign for sign in spellings if not sign[0].isalnum()))  # €5
    start = start if signed is None else replace(start, rest=signed.lstrip())
    number = _amount(start, spellings, words)
    if number is None:
        return _nothing(text, words) if fits(Decimal(0)) else None
    message = _grouped(NumberMessage(text=text, start=start, number=number, fits=fits, words=words), spellings)
    number = message.number
    behind = after_unit(number.rest, spellings)
    if behind is not None:
        return _in_unit(message, behind, spellings, in_hours=_is_hours(unit, words))
    if _CLOCK_OR_RATIO.fullmatch(start.rest) or is_range(number.values, number.rest, spellings, words):
        return Misfit.UNSURE  # 6:30 hours, 1/2: one or two?
    if is_no_amount(number.rest, words) or re.match(r" ?/ ?\d", number.rest):
        return None
    if (_is_hours(unit, words) and _may_be_minutes(message)) or measures_again(number.rest, spellings, words):
        return Misfit.UNSURE
    return _without_unit(message, asked=unit is not None, loose=low is not None and high is not None)


def unit_spellings(unit: str, words: ReadingWords) -> Phrases:
    """Return how the unit of a step may be written behind a number."""
    form = folded(unit)
    for group in (*words.units, words.clock.hours):
        if form in map(folded, group):
            return (unit, *group)
    if form in {"%", *map(folded, words.percent)}:
        return (unit, "%", *words.percent)
    endings = ("", *words.unit_endings)
    stems = {unit, *(unit.removesuffix(ending) for ending in endings if len(unit) > len(ending) + 2)}
    return tuple(sorted({stem + ending for stem in stems for ending in endings}))


def _amount(start: Opening, spellings: Phrases, words: ReadingWords) -> Numeral | None:
    """Return the number at the start of an amount, where `an hour` is one hour."""
    number = leading(start.rest, words)
    if number is not None:
        return number
    for rest in (start.rest, start.last):
        behind = after(rest, words.articles)
        if behind is not None and spellings and after_unit(behind, spellings) is not None:
            return Numeral(values=(Decimal(1),), spelled=True, rest=behind)
    return None


def _nothing(text: str, words: ReadingWords) -> Reading[int | Decimal] | None:
    rest = after(opening(plain(text), words.lead_ins, ()).rest, words.none)
    is_whole = rest is not None and not re.search(r"\w", without_tails(rest, words))
    return Reading(value=0) if is_whole else None


def _in_unit(
    message: NumberMessage, behind: str, spellings: Phrases, *, in_hours: bool
) -> Reading[int | Decimal] | Misfit | None:
    """Read an amount behind which its unit stands; `behind` is what follows the unit."""
    words, values = message.words, message.number.values
    if after(behind.lstrip(), words.passing) is not None:
        return None  # "7 minutes late"
    more = fraction(behind, words) if not any(value % 1 for value in values) else None
    if more is not None and is_separated(without_tails(more[1], words), words):
        values, behind = tuple(value + more[0] for value in values), more[1]  # "an hour and a half"
    rest = without_tails(behind, words)
    unsure = message.start.doubtful or (in_hours and _may_be_minutes(message))  # "7.30 hours"
    if unsure or next_number(rest, words) is not None or measures_again(rest, spellings, words):
        return Misfit.UNSURE  # "6 hours 20", "80 kg, last week 82 kg"
    return chosen(message, values, rest)


def _is_hours(unit: str | None, words: ReadingWords) -> bool:
    return unit is not None and folded(unit) in map(folded, words.clock.hours)


def _may_be_minutes(message: NumberMessage) -> bool:
    """Tell whether 7.30 may be seven hours and a half."""
    return re.match(r"\d{1,2}[.,][0-5]\d(?!\d)", message.start.rest) is not None


def _without_unit(message: NumberMessage, *, asked: bool, loose: bool) -> Reading[int | Decimal] | Misfit | None:
    """Read an amount behind which no unit stands, or another one."""
    rest, words = message.number.rest, message.words
    other = after_any_unit(rest, words)
    if other is not None:
        measured = judge_measured(message, rest)
        in_hours = after_unit(rest, words.clock.hours) is not None
        if measured is None or asked or message.start.doubtful or re.search(r"\w", other):
            return measured
        # Nobody asked for a unit: it is a note.
        return measured if in_hours and _may_be_minutes(message) else chosen(message, message.number.values, rest)
    counted = re.fullmatch(r" [^\W\d_]+[\s.!?]*", without_tails(rest, words))
    if counted is not None and loose and not message.start.doubtful and message.number.values != (Decimal(1),):
        # "3 coffees" where nobody asked for a unit; where somebody did, it may be another one.
        return Misfit.UNSURE if asked else chosen(message, message.number.values, rest)
    return read_unmeasured(message, None, loose=loose and not asked)


def _grouped(message: NumberMessage, spellings: Phrases) -> NumberMessage:
    """Add the reading of `80 000`; `8 500` may also be two numbers, unless the unit stands behind them."""
    text = message.start.rest
    groups = re.match(r"\d{1,3}(?: \d{3})+(?![\d]|[.,:/]\d)", text)
    if groups is None:
        return message
    parts, rest = groups[0].split(), text[groups.end() :]
    joined = Decimal("".join(parts))
    if not message.fits(joined):
        return message
    together = any(part[0] == "0" for part in parts[1:]) or after_unit(rest, spellings) is not None
    values = (joined,) if together else (joined, *map(Decimal, parts))
    return replace(message, number=Numeral(values=values, spelled=False, rest=rest))
