"""Whole numbers in typed answers, and what the reading of any number shares."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from bot.core.notes import Misfit, Opening, Reading, is_separated, note_of, opening, without_tails
from bot.core.numerals import Numeral, leading
from bot.core.phrases import after, plain, split_at
from bot.core.reading_words import ReadingWords
from bot.core.rivals import after_any_unit, has_rival, is_no_amount, is_range, without_top

_ABOUT = ("~", "≈", "+-", "±")
_UNSURE = ("<", ">", "≤", "≥", "=<", "=>", "<=", ">=")


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberMessage:
    """A message that begins with a number."""

    text: str  # as typed
    start: Opening
    number: Numeral
    fits: Callable[[Decimal], bool]  # on the scale, within the bounds
    words: ReadingWords
    in_percent: bool = False  # 40% may be the answer as well

    @property
    def anchored(self) -> bool:
        """Whether it begins with digits, so that a note may follow without a separator: `7 walked twice`."""
        return not self.number.spelled and not self.start.led


def read_number(text: str, low: int, high: int, words: ReadingWords) -> Reading[int] | Misfit | None:
    """Read `7`, `7/10`, `seven`, `7️⃣`, `a seven I guess`, `7 - went well` or `7 walked twice` on a scale.

    None means that the text gives no number: it is ordinary conversation.
    """
    start = number_opening(text, words)
    number = leading(start.rest, words)
    if number is None:
        return None
    rest, top = without_top(number.rest, words)
    in_percent = (low, high) == (0, 100)
    share = _after_percent(rest, words) if in_percent else None
    rest = rest if share is None else share
    message = NumberMessage(
        text=text,
        start=start,
        number=number,
        fits=lambda value: low <= value <= high and top in {None, high},
        words=words,
        in_percent=in_percent,
    )
    if is_no_amount(rest, words):
        return None
    if after_any_unit(rest, words) is not None:
        return judge_measured(message, rest)
    found = read_unmeasured(message, rest, loose=True)
    if not isinstance(found, Reading):
        return found
    return Reading(value=found.value, note=found.note) if isinstance(found.value, int) else Misfit.DECIMAL


def is_bare_number(text: str, words: ReadingWords) -> bool:
    """Tell whether a text is one number and nothing else, fitting or not."""
    start = number_opening(text, words)
    number = leading(start.rest, words)
    if number is None:
        return False
    rest = without_top(number.rest, words)[0]
    share = _after_percent(rest, words)
    rest = rest if share is None else share
    return not without_tails(rest, words).strip(" .!?,;:\n")


def leading_number(text: str, words: ReadingWords) -> Numeral | None:
    """Return the number that a message gives first, behind `I'd say` and the like, whatever follows it."""
    return leading(number_opening(text, words).rest, words)


def number_opening(text: str, words: ReadingWords) -> Opening:
    """Take what people write before a number from the beginning of a message."""
    lead_ins = (*words.lead_ins, *words.about, *_ABOUT)
    return opening(plain(text), lead_ins, (*words.unsure, *_UNSURE))


def read_unmeasured(message: NumberMessage, rest: str | None, *, loose: bool) -> Reading[int | Decimal] | Misfit | None:
    """Read a number that stands for itself; `loose` lets a note follow without a separator."""
    words = message.words
    rest = without_tails(message.number.rest if rest is None else rest, words)
    if re.match(r"\++(?!\w)|-+$", rest) or is_range(message.number.values, _scanned(message, rest), (), words):
        return Misfit.UNSURE  # 7+, 7-8
    separated = is_separated(rest, words)
    if not separated and not (loose and message.anchored and after(rest.lstrip(), words.out_of) is None):
        return None  # "one of those days", "I'd say 7 people came"
    if message.start.doubtful:
        return Misfit.UNSURE if separated else None
    return chosen(message, message.number.values, rest)


def chosen(message: NumberMessage, values: tuple[Decimal, ...], rest: str) -> Reading[int | Decimal] | Misfit | None:
    """Choose the one reading of a number that fits, if no other number of the message could be meant as well."""
    separated = is_separated(rest, message.words)
    if not values:
        return Misfit.UNSURE if separated else None
    fitting = [value for value in values if message.fits(value)]
    if not fitting:
        return Misfit.OUTSIDE if separated else None  # "2026 was hard" is a sentence
    value = fitting[0]
    if len(fitting) > 1 or has_rival(_scanned(message, rest), value, message.fits, message.words, separated=separated):
        return Misfit.UNSURE
    if value % 1 and not separated:
        return Misfit.UNSURE
    return Reading(value=value.normalize() if value % 1 else int(value), note=note_of(rest, message.text))


def _scanned(message: NumberMessage, rest: str) -> str:
    """Return the text in which other numbers are looked for."""
    return " ".join(split_at(rest.replace("%", ""), message.words.percent)) if message.in_percent else rest


def judge_measured(message: NumberMessage, rest: str) -> Misfit | None:
    """Judge a number with a measure that was not asked for: `10 minutes walking` leaves open what is meant."""
    behind = (after_any_unit(rest, message.words) or "").lstrip()
    if after(behind, message.words.passing) is not None or not message.anchored:
        return None
    return Misfit.UNSURE


def _after_percent(rest: str, words: ReadingWords) -> str | None:
    return after(rest.lstrip(), ("%", *words.percent))
