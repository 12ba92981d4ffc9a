"""What stands behind a number: its unit, that it is no amount at all, and other numbers that may be meant as well."""

import re
from collections.abc import Callable
from decimal import Decimal

from bot.core.notes import is_separated, opening, without_tails
from bot.core.numerals import Numeral, digit_values, leading
from bot.core.phrases import after, ends_with
from bot.core.reading_words import Phrases, ReadingWords, folded

_NUMBER = re.compile(r"(?<![\w.,:/^])[-+]?\d+(?:[.,]\d+)*(?![\w^]|[:/]\d)|[^\W\d_]+")
_CONNECTORS = re.compile(r"^[\s\-.,:;!?)(\]\"'*_`…=>/&+]*")
_FAR = 2000  # a number that comes later in a message belongs to a note
_BESIDE = 200  # how far from a number the words reach that say what it means


def is_no_amount(rest: str, words: ReadingWords) -> bool:
    """Tell whether the number before `rest` is something else: 7pm, 7:30, 7th, 7 %, 7/10/2026, 7 May."""
    if re.match(r"\w|:\d| ?[€$£¥°‰%]", rest) or re.match(r"/", re.sub(r"^ ?/ ?\d+(?![\w/])", "", rest)):
        return True
    word = re.sub(r"^[\s.]+", "", rest)
    return any(
        after(word, phrases) is not None for phrases in (words.clock.hour, tuple(words.clock.parts), words.dates)
    )


def without_top(rest: str, words: ReadingWords) -> tuple[str, Decimal | None]:
    """Take `/10` or `out of ten` from the beginning."""
    slash = re.match(r"[ (]*/ ?", rest)
    behind = rest[slash.end() :] if slash else after(rest.lstrip(" ("), words.out_of)
    top = leading(behind.lstrip(), words) if behind is not None else None
    if top is None or len(top.values) != 1 or re.match(r"[\w/]|[.,:]\d", top.rest):
        return rest, None
    return top.rest, top.values[0]


def after_unit(rest: str, spellings: Phrases) -> str | None:
    """Return what follows the unit that `rest` begins with; None when it begins with none."""
    return after(re.sub(r"^[ -](?=\S)", "", rest), spellings)


def after_any_unit(rest: str, words: ReadingWords) -> str | None:
    """Return what follows the measure, whichever it is, that `rest` begins with; None when it begins with none."""
    return after_unit(rest, words.unit_words)


def next_number(rest: str, words: ReadingWords) -> Numeral | None:
    """Return the number that is the next thing said, leaving out `or`, `maybe` and signs."""
    skipped = (*words.ranges, *words.joins, *words.lead_ins, *words.about, *words.unsure)
    start = opening(_CONNECTORS.sub("", rest), skipped, ())
    number = leading(start.rest, words)
    return None if number is None or is_no_amount(number.rest, words) else number


def is_range(values: tuple[Decimal, ...], rest: str, spellings: Phrases, words: ReadingWords) -> bool:
    """Tell whether a second number ends the phrase that the first one began: `7 or 8`, `7-8`, `7 to 8 hours`."""
    second = next_number(rest, words)
    if second is None or second.values == values:
        return False
    behind = without_top(second.rest, words)[0]
    told = after(rest.lstrip(" ,;("), words.ranges) is not None
    told = told or after(rest.lstrip(" ("), (*words.lead_ins, *words.about, *words.unsure)) is not None
    told = told or leading(rest.lstrip(" "), words) is not None
    tight = told or re.match(r"-\S| ?[/&+] ?\S", rest) is not None
    for unit in (spellings, words.unit_words if tight else ()):
        measured = after_unit(behind, unit)
        behind = behind if measured is None else measured
    if not is_separated(without_tails(behind, words), words):
        return False
    # Behind a comma or a dash the second number must be all that is said: "7 - 20 friends came" is a note.
    return tight or re.match(r" ?[,;.:!\n]+ ?| - ", rest) is not None


def has_rival(
    rest: str, value: Decimal, fits: Callable[[Decimal], bool], words: ReadingWords, *, separated: bool
) -> bool:
    """Tell whether another number of the text could be meant as well.

    Behind a separator (`7 - walked 3 times`) a number is a rival only where it begins or ends a phrase, or follows
    a word such as `or` or `maybe`.
    """
    note = re.sub(r"<3+", "", rest[:_FAR])  # <3 is a heart
    for found in _NUMBER.finditer(note):
        others = [other for other in _token_values(found[0], words) if other != value]
        if not any(fits(other) or fits(abs(other)) for other in others):
            continue
        before, behind = note[: found.start()], note[found.end() : found.end() + _BESIDE]
        doubts = tuple(word for word in words.ranges if word not in words.joins)
        joined = ends_with(before, (*doubts, *words.lead_ins, *words.unsure))
        if found[0].isalpha() and others[0] == 1 and not joined:
            continue  # "one" is more often a word than a number
        if _says_something_else(before, found[0], behind, words):
            continue
        if not separated or joined or _begins(before, words) or _ends(behind, words):
            return True
    return False


def _token_values(token: str, words: ReadingWords) -> tuple[Decimal, ...]:
    if token[0].isalpha():
        found = words.number_table.get(folded(token))
        return () if found is None else (Decimal(found[0]) + (Decimal("0.5") if found[1] else 0),)
    values = digit_values(token.lstrip("+-")) or ()
    return tuple(-value for value in values) if token[0] == "-" else values


def _says_something_else(before: str, token: str, behind: str, words: ReadingWords) -> bool:
    if after_any_unit(behind, words) is not None or is_no_amount(behind, words):
        return True
    return bool(re.fullmatch(r"\d{1,2}[.,]\d\d", token)) and ends_with(before, words.clock.at)


def _begins(before: str, words: ReadingWords) -> bool:
    if len(before) > _BESIDE:
        return False
    skipped = (*words.ranges, *words.lead_ins, *words.about, *words.unsure, *words.note_starts)
    return not re.search(r"\w", opening(_CONNECTORS.sub("", before), skipped, ()).rest)


def _ends(behind: str, words: ReadingWords) -> bool:
    return not re.match(r"\s+\w", without_tails(behind, words))


def measures_again(rest: str, spellings: Phrases, words: ReadingWords) -> bool:
    """Tell whether another number of the message has the unit that was asked for."""
    if not spellings:
        return False
    return any(
        after_unit(rest[token.end() : token.end() + _BESIDE], spellings) is not None
        for token in re.finditer(r"\d+|[^\W\d_]+", rest[:_FAR])
        if token[0].isdigit() or folded(token[0]) in words.number_table
    )
