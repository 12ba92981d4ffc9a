"""Reading typed answers in the words of one language; where two readings are possible, none is chosen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bot.core.spelling import bare_words, unified

_Word = Annotated[str, Field(min_length=1, max_length=30)]


class ReadingWords(BaseModel):
    """The words of a language that help to read an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    numbers: Mapping[_Word, int] = Field(description="Number words, from zero on.")
    out_of: tuple[_Word, ...] = Field(description="What stands between 7 and 10 in `7 out of 10`, beside the slash.")
    lead_ins: tuple[_Word, ...] = Field(description="What people write before the number: `about`, `maybe`.")
    clock: tuple[_Word, ...] = Field(description="Words that make a number before them a time: `pm`.")
    units: tuple[_Word, ...] = Field(description="Words that make a number in a note a measure: `minutes`.")
    yes: tuple[_Word, ...] = Field(min_length=1, description="Whole messages that say yes.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A number that somebody gave, and what was written behind it."""

    value: int
    note: str | None = None


class Misfit(Enum):  # no StrEnum: a misfit must never pass for an option id
    """Why a typed number is no answer."""

    OUTSIDE = "outside"  # not on the scale
    DECIMAL = "decimal"  # scales have whole numbers
    UNSURE = "unsure"  # two numbers: never guess between them


_DIGITS = r"[-+]?\d+"
_SEPARATED = re.compile(r"\s*(?:\n|[.,:;!?)(…]|\s-+\s|-+\s)")
_NUMBER_IN_TEXT = re.compile(r"(?<![\w.,:])[-+]?\d+(?![\w]|[.,:/]\d)|[^\W\d_]+")


def read_number(text: str, low: int, high: int, words: ReadingWords) -> Reading | Misfit | None:
    """Read `7`, `7/10`, `seven`, `7️⃣`, `7 - went well` or `7 walked twice` on a scale of whole numbers.

    None means that the text gives no number: it is ordinary conversation.
    """
    found = _leading(_without_lead_in(unified(text).strip(), words), words)
    if found is None:
        return None
    value, spelled, rest = found
    if re.match(r"[.,]\d", rest):
        return Misfit.DECIMAL
    rest, top = _without_top(rest, words)
    separated = not rest.strip() or bool(_SEPARATED.match(rest))
    if _is_no_amount(rest, words) or (spelled and not separated):  # "one of those days"
        return None
    if not low <= value <= high or top not in {None, high}:
        return Misfit.OUTSIDE if separated else None  # "2026 was hard" is a sentence
    if _has_rival(rest, value, low, high, words, separated=separated):
        return Misfit.UNSURE
    return Reading(value=value, note=_as_typed(_note(rest), text))


def read_choice(text: str, options: Mapping[str, str], words: ReadingWords) -> str | None:
    """Return the id of the option that a text names by its label or its number in the list, else None.

    `options` maps option ids to labels in the order in which they are shown.
    """
    form = bare_words(text)
    for option, label in options.items():
        if form and form == bare_words(label):
            return option
    position = read_number(text, 1, len(options), words)
    if isinstance(position, Reading) and position.note is None:
        return list(options)[position.value - 1]
    return None


def is_bare_number(text: str, words: ReadingWords) -> bool:
    """Tell whether a text is one number and nothing else, fitting or not."""
    found = _leading(_without_lead_in(unified(text).strip(), words), words)
    return found is not None and not _without_top(found[2], words)[0].strip(" .!")


def says_yes(text: str, words: ReadingWords) -> bool:
    """Tell whether a whole message is a yes."""
    return bare_words(text) in {bare_words(word) for word in words.yes}


def _is_no_amount(rest: str, words: ReadingWords) -> bool:
    """Tell whether the number before `rest` is something else: 7pm, 7:30, 7th, 7 %, 7/10/2026."""
    return bool(re.match(r"\w|:\d|\s?[%€$£°]|/", rest)) or _first_word(rest) in words.clock


def _without_lead_in(plain: str, words: ReadingWords) -> str:
    for phrase in sorted(words.lead_ins, key=len, reverse=True):
        start = plain[: len(phrase)]
        if start.lower() == phrase.lower() and plain[len(phrase) : len(phrase) + 1].isspace():
            return _without_lead_in(plain[len(phrase) :].strip(), words)
    return plain


def _leading(plain: str, words: ReadingWords) -> tuple[int, bool, str] | None:
    """Return the number that a text begins with, whether it was spelled out, and the rest of the text."""
    digits = re.match(_DIGITS, plain)
    if digits is not None:
        return (int(digits[0]), False, plain[digits.end() :]) if len(digits[0]) <= 9 else None
    spelled = re.match(r"[^\W\d_]+", plain)
    value = words.numbers.get(spelled[0].lower()) if spelled else None
    return None if spelled is None or value is None else (value, True, plain[spelled.end() :])


def _without_top(rest: str, words: ReadingWords) -> tuple[str, int | None]:
    """Take `/10` or `out of ten` from the beginning."""
    between = "|".join([r"\s*/\s*", *(rf"\s+{re.escape(word)}\s+" for word in words.out_of)])
    start = re.match(between, rest, re.IGNORECASE)
    found = _leading(rest[start.end() :], words) if start else None
    if found is None or re.match(r"[\w/]|[.,:]\d", found[2]):
        return rest, None
    return found[2], found[0]


def _first_word(rest: str) -> str:
    return (rest.split() or [""])[0].lower().strip(".,!?")


def _has_rival(rest: str, value: int, low: int, high: int, words: ReadingWords, *, separated: bool) -> bool:
    """Tell whether another number of the text could be meant as well.

    Behind a separator (`7 - walked 3 times`) a number is a rival only where it begins or ends a phrase. `10 minutes
    late` leaves open whether 10 is meant at all.
    """
    if not separated and len(rest.split()) > 1 and _first_word(rest) in words.units:
        return True
    for found in _NUMBER_IN_TEXT.finditer(rest):
        token = found[0]
        other = words.numbers.get(token.lower()) if token[0].isalpha() else int(token[-9:])
        if other is None or other == value or not low <= abs(other) <= high:
            continue
        if token[0].isalpha() and other == 1:
            continue  # "one" is more often a word than a number
        after = rest[found.end() :]
        if _first_word(after) in words.units or re.match(r"\s*[%€$£°]", after):
            continue
        begins = not re.search(r"\w", rest[: found.start()])
        ends = not re.match(r"\s+\w", after)
        if not separated or begins or ends:
            return True
    return False


def _note(rest: str) -> str | None:
    note = re.sub(r"^[\s\-.,:;!?)(…=>]+", "", rest).strip()
    return note or None


def _as_typed(note: str | None, text: str) -> str | None:
    """Return the note with the quotes, dashes and emoji that were typed; reading goes by their plain forms."""
    if note is None:
        return None
    for start in range(min(len(text), 100)):
        if unified(text[start:]).strip() == note:
            return text[start:].strip()
    return note
