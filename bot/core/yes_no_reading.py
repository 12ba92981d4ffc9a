"""Yes and no in typed answers."""

import re
from collections.abc import Mapping
from typing import Literal

from bot.core.notes import Misfit, Reading, is_separated, note_of, opening, without_tails
from bot.core.phrases import after, plain
from bot.core.reading_words import Phrases, ReadingWords
from bot.core.spelling import unified

YesNo = Literal["yes", "no"]

_SKIN = re.compile("[\U0001f3fb-\U0001f3ff]")
_SIGNS: Mapping[str, YesNo] = {"👍": "yes", "✅": "yes", "✔": "yes", "👎": "no", "❌": "no", "✖": "no"}

_FAR = 500  # what comes later in a message is a note
_MAX_FILLERS = 4
_MAX_REPETITIONS = 8


def read_yes_no(text: str, words: ReadingWords) -> Reading[YesNo] | Misfit | None:
    """Read a yes or a no, also as a thumb, with a note behind a separator.

    `kind of` is UNSURE. None means that the text says neither: it is ordinary conversation ("no idea").
    """
    signed = _signed(text, words)
    if signed is not None:
        return signed
    message = plain(text)
    for start in dict.fromkeys((message, opening(message, words.lead_ins, ()).rest)):
        found = _said_often(start, words)
        if found is None:
            continue
        value, rest = found
        rest = without_tails(rest, words)
        if isinstance(value, Misfit):
            return value if is_separated(rest, words) else None
        if not is_separated(rest, words) and after(rest.lstrip(), words.yes_no_notes) is None:
            return None
        return Misfit.UNSURE if _takes_back(rest, value, words) else Reading(value=value, note=note_of(rest, text))
    return None


def says_yes(text: str, words: ReadingWords) -> bool:
    """Tell whether a whole message is a yes."""
    found = read_yes_no(text, words)
    return isinstance(found, Reading) and found.value == "yes" and found.note is None


def _signed(text: str, words: ReadingWords) -> Reading[YesNo] | Misfit | None:
    bare = _SKIN.sub("", unified(text)).strip()
    value = _SIGNS.get(bare[:1])
    if value is None:
        return None
    if any(sign in bare for sign, other in _SIGNS.items() if other != value):
        return Misfit.UNSURE
    rest = bare.lstrip(bare[0])
    if not is_separated(rest, words):
        return None  # "👍 see you at five"
    return Misfit.UNSURE if _takes_back(rest, value, words) else Reading(value=value, note=note_of(rest, text))


def _said(message: str, words: ReadingWords) -> tuple[YesNo | Misfit, str] | None:
    """Return what the longest phrase says that a message begins with, and the rest of the message."""
    answers: tuple[tuple[YesNo | Misfit, Phrases], ...] = (
        (Misfit.UNSURE, words.maybe),
        ("yes", words.yes),
        ("no", words.no),
    )
    found: tuple[YesNo | Misfit, str] | None = None
    for value, phrases in answers:
        rest = after(message, phrases)
        if rest is not None and (found is None or len(rest) < len(found[1])):
            found = value, rest
    return found


def _said_often(message: str, words: ReadingWords) -> tuple[YesNo | Misfit, str] | None:
    """Like `_said`, without the repetitions of `no no, not really`."""
    found = _said(message, words)
    for _ in range(_MAX_REPETITIONS):
        again = _said(found[1].lstrip(" ,"), words) if found is not None and found[1][:1] in {" ", ","} else None
        if found is None or again is None or again[0] != found[0]:
            break
        found = again
    return found


def _takes_back(rest: str, value: YesNo, words: ReadingWords) -> bool:
    """Tell whether a note says the opposite: `yes, no`, `no 👍`."""
    if any(sign in rest for sign, other in _SIGNS.items() if other != value):
        return True
    filler = (*words.lead_ins, *words.note_starts, *words.ranges)
    for clause in re.split(r"[\n,;.!?()…]+|\s-+\s", rest[:_FAR]):
        for skipped in range(_MAX_FILLERS):
            found = _said_often(opening(clause.strip(" -"), filler, (), at_most=skipped).rest, words)
            if found is not None and found[0] != value and not without_tails(found[1], words).strip():
                return True
    return False
