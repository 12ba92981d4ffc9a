"""Numbers as people write them: digits with marks, words, halves; with every reading that is possible."""

import re
from dataclasses import dataclass
from decimal import Decimal

from bot.core.phrases import after
from bot.core.reading_words import ReadingWords, folded

_RUN = re.compile(r"\d+(?:[.,']\d+)*")
_WORDS = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,2}")
_WORD_END = re.compile(r"(?<=[^\W\d_])(?![^\W\d_])")
_VULGAR = re.compile(r" ?\^(\d+)⁄(\d+)")  # ½ as `unified` leaves it
_SLASHED = re.compile(r"[ -](\d) ?[/⁄] ?([234])(?![\w/⁄])")
_MAX_DIGITS = 9
_MAX_DECIMALS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Numeral:
    """The number at the beginning of a text."""

    values: tuple[Decimal, ...]  # every reading that is possible; none: a number that cannot be said exactly
    spelled: bool  # in words
    rest: str


def leading(text: str, words: ReadingWords) -> Numeral | None:
    """Return the number that a text begins with, or None."""
    signs, rest = _sign(text, words)
    found = _unsigned(rest, words)
    if found is None:
        return None
    values = tuple(sign * value for sign in signs for value in found.values)
    return Numeral(values=tuple(dict.fromkeys(values)), spelled=found.spelled, rest=_without_ending(found.rest, words))


def fraction(text: str, words: ReadingWords) -> tuple[Decimal, str] | None:
    """Return the part of one that a text begins with, `and a half`, and the rest of the text."""
    joined = after(text.lstrip(), (*words.joins, "&", "+"))
    start = text if joined is None else joined
    for share, phrases in _shares(words):
        rest = after(start.lstrip(" -"), phrases)
        if rest is not None:
            return share, rest
    return None


def _sign(text: str, words: ReadingWords) -> tuple[tuple[int, ...], str]:
    sign = re.match(r"([-+])( ?)(?=[\d.])", text)
    if sign is not None:
        # With a space the minus may be a dash or a bullet.
        return ((1,) if sign[1] == "+" else (1, -1) if sign[2] else (-1,)), text[sign.end() :]
    for value, phrases in ((-1, words.minus), (1, words.plus)):
        rest = after(text, phrases)
        if rest is not None and rest[:1] == " ":
            return (value,), rest.lstrip()
    return (1,), text


def _unsigned(text: str, words: ReadingWords) -> Numeral | None:
    run = _RUN.match(text)
    if run is not None:
        values = digit_values(run[0])
        found = None if values is None else Numeral(values=values, spelled=False, rest=text[run.end() :])
    else:
        said = [one for one in (_spelled(text, words), _share_alone(text, words)) if one is not None]
        found = min(said, key=lambda one: len(one.rest), default=None)  # "three quarters", not "three"
    return None if found is None else _with_fraction(found, words)


def digit_values(run: str) -> tuple[Decimal, ...] | None:
    """Return the readings of digits with marks between them: a mark before three digits may group or divide."""
    groups = re.split(r"[.,']", run)
    marks = [mark for mark in run if mark in ".,'"]
    if len("".join(groups)) > _MAX_DIGITS + _MAX_DECIMALS or len(groups[0]) > _MAX_DIGITS:
        return None
    if not marks:
        return (Decimal(run),)
    inner, last = set(marks[:-1]), marks[-1]
    grouping = len(groups[0]) <= 3 and groups[0][0] != "0"
    thousands = grouping and all(len(group) == 3 for group in groups[1:]) and len(set(marks)) == 1
    divides = last != "'" and last not in inner and len(inner) <= 1 and len(groups[-1]) <= _MAX_DECIMALS
    divides = divides and (len(marks) == 1 or (grouping and all(len(group) == 3 for group in groups[1:-1])))
    values = []
    if divides and not (thousands and groups[-1] == "000"):  # nobody writes 10 as 10.000
        values.append(Decimal("".join(groups[:-1]) + "." + groups[-1]))
    if thousands:
        values.append(Decimal("".join(groups)))
    if not values and (len(marks) == 1 or "," in marks):
        return ()  # a list without spaces, or a fraction too fine to keep
    return tuple(values) or None


def _spelled(text: str, words: ReadingWords) -> Numeral | None:
    start = _WORDS.match(text)
    if start is None:
        return None
    for end in sorted((end.start() for end in _WORD_END.finditer(start[0])), reverse=True):
        found = words.number_table.get(folded(start[0][:end]))
        if found is not None and not _is_two_numbers(start[0][:end], words):
            value = Decimal(found[0]) + (Decimal("0.5") if found[1] else 0)
            return Numeral(values=(value,), spelled=True, rest=text[end:])
    return None


def _is_two_numbers(spelled: str, words: ReadingWords) -> bool:
    """Tell whether words are a small and a larger number beside each other: `drei-zehn` may be three to ten."""
    parts = [words.number_table.get(folded(word), (-1, False))[0] for word in re.split(r"[ -]", spelled)]
    return len(parts) == 2 and 0 <= parts[0] < parts[1] < 100


def _shares(words: ReadingWords) -> tuple[tuple[Decimal, tuple[str, ...]], ...]:
    return (
        (Decimal("0.75"), words.three_quarters),
        (Decimal("0.5"), words.halves),
        (Decimal("0.25"), words.quarters),
    )


def _share_alone(text: str, words: ReadingWords) -> Numeral | None:
    vulgar = _VULGAR.match(text)
    if vulgar is not None:
        return Numeral(values=_ratio(vulgar[1], vulgar[2]), spelled=False, rest=text[vulgar.end() :])
    decimals = re.match(rf"\.\d{{1,{_MAX_DECIMALS}}}(?!\d)", text)
    if decimals is not None:
        return Numeral(values=(Decimal("0" + decimals[0]),), spelled=False, rest=text[decimals.end() :])
    for share, phrases in ((Decimal("1.5"), words.one_and_a_half), *_shares(words)):
        rest = after(text, phrases)
        if rest is not None and not _goes_on_as_time(rest.lstrip(" "), words):
            return Numeral(values=(share,), spelled=True, rest=rest)
    return None


def _goes_on_as_time(rest: str, words: ReadingWords) -> bool:
    """Tell whether the half or quarter before `rest` is one of the clock: `half past eight`, `halb acht`."""
    follows = after(rest, (*words.clock.past, *words.clock.to)) is not None
    return follows or re.match(r"\d", rest) is not None or _spelled(rest, words) is not None


def _with_fraction(found: Numeral, words: ReadingWords) -> Numeral:
    """Add what makes a whole number a broken one: ½, 1/2, `and a half`, `point five`."""
    rest = found.rest
    raised = re.match(r"(?:\^\d+)+(?!⁄)", rest)
    if raised is not None:  # a footnote or a square
        return Numeral(values=(), spelled=found.spelled, rest=rest[raised.end() :])
    if any(value % 1 for value in found.values):
        return found
    share: tuple[Decimal, ...] | None = None
    vulgar = _VULGAR.match(rest) or _SLASHED.match(_joined(rest, words))
    pointed = _pointed(rest, words)
    said = fraction(rest, words) if _joined(rest, words) is not rest else _ending_apart(rest, words)
    if vulgar is not None:
        share, rest = _ratio(vulgar[1], vulgar[2]), vulgar.string[vulgar.end() :]
    elif pointed is not None:
        share, rest = (pointed[0],), pointed[1]
    elif said is not None:
        share, rest = (said[0],), said[1]
    if share is None:
        return found
    values = tuple(value + part for value in found.values for part in share)
    return Numeral(values=values, spelled=found.spelled, rest=rest)


def _joined(rest: str, words: ReadingWords) -> str:
    joined = after(rest.lstrip(), (*words.joins, "&", "+"))
    return rest if joined is None else joined


def _ending_apart(rest: str, words: ReadingWords) -> tuple[Decimal, str] | None:
    """Read the half of `7 einhalb`."""
    behind = after(rest.lstrip(), (words.half_ending,)) if words.half_ending else None
    return None if behind is None else (Decimal("0.5"), behind)


def _ratio(above: str, below: str) -> tuple[Decimal, ...]:
    if below not in {"2", "4", "5", "8", "10"} or not 0 < int(above) < int(below):
        return ()
    return (Decimal(int(above)) / Decimal(int(below)),)


def _pointed(rest: str, words: ReadingWords) -> tuple[Decimal, str] | None:
    behind = after(rest.lstrip(), words.point)
    if behind is None or behind[:1] != " ":
        return None
    digit = re.match(r" (\d{1,6})(?![\w.,:/])", behind)
    if digit is not None:
        return Decimal("0." + digit[1]), behind[digit.end() :]
    said = _spelled(behind[1:], words)
    if said is None or not 0 <= said.values[0] <= 9 or said.values[0] % 1:
        return None
    return said.values[0] / 10, said.rest


def _without_ending(rest: str, words: ReadingWords) -> str:
    ended = after(re.sub(r"^[ -]", "", rest), words.endings)
    return rest if ended is None else ended
