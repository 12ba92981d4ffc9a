"""Choices in typed answers: an option by its label or its place in the list."""

import re
from collections.abc import Mapping

from bot.core.notes import Misfit, Reading, is_separated, note_of, opening, without_tails
from bot.core.number_reading import is_bare_number, leading_number, read_number
from bot.core.phrases import plain, split_at
from bot.core.reading_words import ReadingWords
from bot.core.spelling import bare_words

_SHORTEST_BEGINNING = 3
_LONGEST_LABEL = 150


def read_option(text: str, options: Mapping[str, str], words: ReadingWords) -> Reading[str] | Misfit | None:
    """Read an option by its label (`low`, `I'd say low`, `low - bad night`), by the one beginning, or by its number.

    `options` maps option ids to labels in the order in which they are shown; the value is the id. None means that the
    text names no option: it is ordinary conversation.
    """
    labels = {option: bare_words(label) for option, label in options.items()}
    form = bare_words(text)
    for option, label in labels.items():
        if form and form == label:
            return Reading(value=option)
    named = _named(text, labels, words)
    if named is not None:
        return named
    if is_bare_number(text, words) and any(re.match(r"\d", label) for label in labels.values()):
        return Misfit.UNSURE  # the place in the list, or what a label says?
    place = read_number(text, 1, len(options), words)
    if not isinstance(place, Reading):
        return place
    number = leading_number(text, words)
    if place.note is not None and number is not None and not is_separated(without_tails(number.rest, words), words):
        return None  # "2 of us went"
    option = list(options)[place.value - 1]
    said = set(_clauses(plain(text), words)) & (set(labels.values()) - {labels[option]})
    return Misfit.UNSURE if said else Reading(value=option, note=place.note)


def read_choice(text: str, options: Mapping[str, str], words: ReadingWords) -> str | None:
    """Return the id of the option that a text names and that says nothing else, else None."""
    found = read_option(text, options, words)
    return found.value if isinstance(found, Reading) and found.note is None else None


def _named(text: str, labels: Mapping[str, str], words: ReadingWords) -> Reading[str] | Misfit | None:
    message = plain(text)
    without = opening(message, words.lead_ins, ()).rest
    mentioned = set(_clauses(message, words)) & set(labels.values())
    if len(mentioned) > 1:
        return Misfit.UNSURE  # "low, great"
    for start in dict.fromkeys((message, without)):
        for word in reversed(list(re.finditer(r"[^\W_]+", start[:_LONGEST_LABEL]))):
            rest = without_tails(start[word.end() :], words)
            head = bare_words(start[: word.end()])
            for option, label in labels.items():
                if label == head and is_separated(rest, words):
                    note = note_of(rest, text)
                    place = list(labels).index(option) + 1
                    other = read_number(note or "", 1, len(labels), words)  # "low, 3"
                    unsure = isinstance(other, Reading) and other.note is None and other.value != place
                    return Misfit.UNSURE if unsure else Reading(value=option, note=note)
    return _begun(message, labels) or _begun(without, labels)


def _begun(message: str, labels: Mapping[str, str]) -> Reading[str] | Misfit | None:
    """Find the one label that begins with the whole message."""
    form = bare_words(message)
    if len(form) < _SHORTEST_BEGINNING or form[0].isdigit():
        return None
    begun = {option for option, label in labels.items() if label.startswith(form)}
    with_words = {option for option, label in labels.items() if f" {form} " in f" {label} "}
    if not begun or (len(form) == _SHORTEST_BEGINNING and not begun & with_words):
        return None
    return Reading(value=begun.pop()) if len(begun | with_words) == 1 else Misfit.UNSURE


def _clauses(message: str, words: ReadingWords) -> list[str]:
    """Return the parts of a message between punctuation and words such as `or`, with and without lead-ins."""
    parts = re.split(r"[\n,;.!?()/&+]+|\s-+\s", message[:_LONGEST_LABEL])
    pieces = [piece for part in parts for piece in (part, *split_at(part, (*words.ranges, *words.joins)))]
    return [bare_words(form) for piece in pieces for form in (piece, _core(piece.strip(), words))]


def _core(piece: str, words: ReadingWords) -> str:
    rest = opening(piece, words.lead_ins, ()).rest
    for word in re.finditer(r"[^\W_]+", rest):
        if not without_tails(rest[word.end() :], words).strip():
            return rest[: word.end()]
    return rest
