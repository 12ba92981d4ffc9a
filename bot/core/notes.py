"""An answer at the beginning of a message, and the note behind it."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from bot.core.phrases import SIGNS, after, plain, without_opening
from bot.core.reading_words import Phrases, ReadingWords

V_co = TypeVar("V_co", covariant=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading(Generic[V_co]):
    """What somebody answered, and what was written behind it."""

    value: V_co
    note: str | None = None


class Misfit(Enum):  # no StrEnum: a misfit must never pass for an option id
    """Why what was typed is no answer, although it looks like one."""

    OUTSIDE = "outside"  # not on the scale, not within the bounds, no time of the day
    DECIMAL = "decimal"  # scales have whole numbers
    UNSURE = "unsure"  # two readings: never guess between them


# A dash separates only with a space beside it, so that 7-8 stays together; signs and emoji always do.
_SEPARATED = re.compile(rf"\s*(?:$|\n|[.,:;!?)(\]\"'*_`…]|<3|\s-+(?:\s|$)|-+(?:\s|$)|[{SIGNS}])")
_NOTE_START = re.compile(r"^[\"'*_`\])}]*[\s\-.,:;!?)(…=>]*")
_WORTH_KEEPING = re.compile(r"[^\s!-/:-@\[-`{-~]")  # more than punctuation
_MAX_TAILS = 4
_LONGEST_START = 200
_MAX_LEAD_INS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """What stood before an answer."""

    rest: str  # the message from the answer on
    led: bool = False  # there were words before it
    doubtful: bool = False  # they leave open what is meant: `almost`
    last: str = ""  # the message from the last lead-in on


def opening(text: str, lead_ins: Phrases, unsure: Phrases, *, at_most: int = _MAX_LEAD_INS) -> Opening:
    """Take what people write before an answer from the beginning of a message."""
    found = Opening(rest=text)
    for _ in range(at_most):
        doubted = without_opening(found.rest, unsure)
        rest = doubted if doubted is not None else without_opening(found.rest, lead_ins)
        if rest is None:
            break
        found = Opening(rest=rest, led=True, doubtful=found.doubtful or doubted is not None, last=found.rest)
    return found


def is_separated(rest: str, words: ReadingWords) -> bool:
    """Tell whether what follows an answer is nothing, or a note that is set off from it."""
    return bool(_SEPARATED.match(rest)) or after(rest.lstrip(), words.note_starts) is not None


def without_tails(rest: str, words: ReadingWords) -> str:
    """Take `I guess` and `today` from the beginning, unless the sentence goes on behind them."""
    left = rest
    for _ in range(_MAX_TAILS):
        bare = re.sub(r"^\s*,?\s*\(?", "", left)
        follows = after(bare, words.tails)
        if follows is None or (left and left[0].isalnum()):
            break
        left = follows
    return left if is_separated(left, words) else rest


def note_of(rest: str, text: str) -> str | None:
    """Return the note behind an answer as it was typed in `text`; None when there is none."""
    note = _NOTE_START.sub("", rest).strip()
    if not _WORTH_KEEPING.search(note):
        return None
    # Reading goes by plain forms; the note keeps the quotes, dashes and emoji that were typed.
    begins = note[:8]
    found = None
    for start in range(min(len(text), _LONGEST_START)):
        if _plain_end(text[start : start + 40]).startswith(begins) and _plain_end(text[start:]) == note:
            found = text[start:].strip()
        elif found is not None:
            break
    return found or note


def _plain_end(text: str) -> str:
    """Return the end of a message as `plain` leaves it, beginning with its first character."""
    return plain("x" + text)[1:].strip()
