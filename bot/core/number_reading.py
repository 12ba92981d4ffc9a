"""Numbers in typed answers: a whole number on a scale, an amount with its unit."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.core.notes import Misfit, Opening, Reading, is_separated, note_of, opening, without_tails
from bot.core.numerals import Numeral, digit_values, fraction, leading
from bot.core.phrases import after, ends_with, plain
from bot.core.reading_words import Phrases, ReadingWords, folded

_ABOUT = ("~", "≈", "+-", "±")
_UNSURE = ("<", ">", "≤", "≥", "=<", "=>", "<=", ">=")
_NUMBER = re.compile(r"(?<![\w.,:/^])[-+]?\d+(?:[.,]\d+)*(?![\w^]|[:/]\d)|[^\W\d_]+")
_CONNECTORS = re.compile(r"^[\s\-.,:;!?)(\]\"'*_`…=>/&+]*")
_CLOCK_OR_RATIO = re.compile(r"\d+ ?(?:[:/]|h) ?\d+(?: ?min| ?m)?[\s.!?]*")
_BESIDE = 200  # how far from a number the words reach that say what it means


@dataclass(frozen=True, kw_only=True, slots=True)
class _Message:
    """A message that begins with a number."""

    text: str  # as typed
    start: Opening
    number: Numeral
    fits: Callable[[Decimal], bool]  # on the scale, within the bounds
    words: ReadingWords

    @property
    def anchored(self) -> bool:
        """Whether it begins with digits, so that a note may follow without a separator: `7 walked twice`."""
        return not self.number.spelled and not self.start.led


def read_number(text: str, low: int, high: int, words: ReadingWords) -> Reading[int] | Misfit | None:
    """Read `7`, `7/10`, `seven`, `7️⃣`, `a seven I guess`, `7 - went well` or `7 walked twice` on a scale.

    None means that the text gives no number: it is ordinary conversation.
    """
    start = _opening(text, words)
    number = leading(start.rest, words)
    if number is None:
        return None
    rest, top = _without_top(number.rest, words)
    if re.match(r"\++(?!\w)|-+$", rest):
        return Misfit.UNSURE  # 7+, 7-: a little more, a little less
    share = _after_percent(rest, words) if (low, high) == (0, 100) else None
    rest = rest if share is None else share
    message = _Message(
        text=text,
        start=start,
        number=number,
        fits=lambda value: low <= value <= high and top in {None, high},
        words=words,
    )
    if _is_no_amount(rest, words):
        return None
    if _first_unit(rest, words) is not None:
        return _measured(message, rest)
    found = _unmeasured(message, rest, loose=True)
    if not isinstance(found, Reading):
        return found
    return Reading(value=found.value, note=found.note) if isinstance(found.value, int) else Misfit.DECIMAL


def read_amount(
    text: str, low: Decimal | int | None, high: Decimal | int | None, unit: str | None, words: ReadingWords
) -> Reading[int | Decimal] | Misfit | None:
    """Read `7.5`, `7,5`, `6 hours`, `6h`, `80 kg`, `1 1/2` or `half an hour` where an amount in `unit` is asked for.

    The value is an int when it is whole. None means that the text gives no amount: it is ordinary conversation.
    """

    def fits(value: Decimal) -> bool:
        return (low is None or low <= value) and (high is None or value <= high)

    spellings = unit_spellings(unit, words) if unit else ()
    start = _opening(text, words)
    signed = after(start.rest, tuple(sign for sign in spellings if not sign[0].isalnum()))  # €5
    start = start if signed is None else replace(start, rest=signed.lstrip())
    number = _amount(start, spellings, words)
    if number is None:
        return _nothing(start, words) if fits(Decimal(0)) else None
    message = _grouped(_Message(text=text, start=start, number=number, fits=fits, words=words), spellings)
    number = message.number
    behind = _after_unit(number.rest, spellings)
    if behind is not None:
        return _in_unit(message, behind, in_hours=_is_hours(unit, words))
    if _CLOCK_OR_RATIO.fullmatch(start.rest) or _is_range(number.values, number.rest, spellings, words):
        return Misfit.UNSURE  # 6:30 hours, 1/2: one or two?
    if _is_no_amount(number.rest, words):
        return None
    if _is_hours(unit, words) and _may_be_minutes(message):
        return Misfit.UNSURE
    return _without_unit(message, asked=unit is not None, loose=low is not None and high is not None)


def is_bare_number(text: str, words: ReadingWords) -> bool:
    """Tell whether a text is one number and nothing else, fitting or not."""
    start = _opening(text, words)
    number = leading(start.rest, words)
    if number is None:
        return False
    rest = _without_top(number.rest, words)[0]
    share = _after_percent(rest, words)
    rest = rest if share is None else share
    return not without_tails(rest, words).strip(" .!?,;:\n")


def leading_number(text: str, words: ReadingWords) -> Numeral | None:
    """Return the number that a message gives first, behind `I'd say` and the like, whatever follows it."""
    return leading(_opening(text, words).rest, words)


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


def _opening(text: str, words: ReadingWords) -> Opening:
    lead_ins = (*words.lead_ins, *words.about, *_ABOUT)
    return opening(plain(text), lead_ins, (*words.unsure, *_UNSURE))


def _amount(start: Opening, spellings: Phrases, words: ReadingWords) -> Numeral | None:
    """Return the number at the start of an amount, where `an hour` is one hour."""
    number = leading(start.rest, words)
    if number is not None:
        return number
    for rest in (start.rest, start.last):
        behind = after(rest, words.articles)
        if behind is not None and spellings and _after_unit(behind, spellings) is not None:
            return Numeral(values=(Decimal(1),), spelled=True, rest=behind)
    return None


def _nothing(start: Opening, words: ReadingWords) -> Reading[int | Decimal] | None:
    rest = after(start.rest, words.none)
    is_whole = rest is not None and not re.search(r"\w", without_tails(rest, words))
    return Reading(value=0) if is_whole else None


def _in_unit(message: _Message, behind: str, *, in_hours: bool) -> Reading[int | Decimal] | Misfit | None:
    """Read an amount behind which its unit stands; `behind` is what follows the unit."""
    words, values = message.words, message.number.values
    if after(behind.lstrip(), words.passing) is not None:
        return None  # "7 minutes late"
    more = fraction(behind, words) if not any(value % 1 for value in values) else None
    if more is not None and is_separated(without_tails(more[1], words), words):
        values, behind = tuple(value + more[0] for value in values), more[1]  # "an hour and a half"
    rest = without_tails(behind, words)
    if message.start.doubtful or _next_number(rest, words) is not None or (in_hours and _may_be_minutes(message)):
        return Misfit.UNSURE  # "6 hours 20", "7.30 hours"
    return _chosen(message, values, rest)


def _is_hours(unit: str | None, words: ReadingWords) -> bool:
    return unit is not None and folded(unit) in map(folded, words.clock.hours)


def _may_be_minutes(message: _Message) -> bool:
    """Tell whether 7.30 may be seven hours and a half."""
    return re.match(r"\d{1,2}[.,][0-5]\d(?!\d)", message.start.rest) is not None


def _without_unit(message: _Message, *, asked: bool, loose: bool) -> Reading[int | Decimal] | Misfit | None:
    """Read an amount behind which no unit stands, or another one."""
    rest, words = message.number.rest, message.words
    other = _first_unit(rest, words)
    if other is not None:
        measured = _measured(message, rest)
        in_hours = _after_unit(rest, words.clock.hours) is not None
        if measured is None or asked or message.start.doubtful or re.search(r"\w", other):
            return measured
        # Nobody asked for a unit: it is a note.
        return measured if in_hours and _may_be_minutes(message) else _chosen(message, message.number.values, rest)
    counted = re.fullmatch(r" [^\W\d_]+[\s.!?]*", without_tails(rest, words))
    if counted is not None and loose and not message.start.doubtful and message.number.values != (Decimal(1),):
        # "3 coffees" where nobody asked for a unit; where somebody did, it may be another one.
        return Misfit.UNSURE if asked else _chosen(message, message.number.values, rest)
    return _unmeasured(message, None, loose=loose and not asked)


def _unmeasured(message: _Message, rest: str | None, *, loose: bool) -> Reading[int | Decimal] | Misfit | None:
    """Read a number that stands for itself; `loose` lets a note follow without a separator."""
    words = message.words
    rest = without_tails(message.number.rest if rest is None else rest, words)
    if _is_range(message.number.values, rest, (), words):
        return Misfit.UNSURE
    separated = is_separated(rest, words)
    if not separated and not (loose and message.anchored and after(rest.lstrip(), words.out_of) is None):
        return None  # "one of those days", "I'd say 7 people came"
    if message.start.doubtful:
        return Misfit.UNSURE if separated else None
    return _chosen(message, message.number.values, rest)


def _grouped(message: _Message, spellings: Phrases) -> _Message:
    """Add the reading of `80 000`; `8 500` may also be two numbers, unless the unit stands behind them."""
    text = message.start.rest
    groups = re.match(r"\d{1,3}(?: \d{3})+(?![\d]|[.,:/]\d)", text)
    if groups is None:
        return message
    parts, rest = groups[0].split(), text[groups.end() :]
    joined = Decimal("".join(parts))
    together = any(part[0] == "0" for part in parts[1:]) or _after_unit(rest, spellings) is not None
    values = (joined,) if together else (joined, *map(Decimal, parts))
    return replace(message, number=Numeral(values=values, spelled=False, rest=rest))


def _chosen(message: _Message, values: tuple[Decimal, ...], rest: str) -> Reading[int | Decimal] | Misfit | None:
    separated = is_separated(rest, message.words)
    if not values:
        return Misfit.UNSURE if separated else None
    fitting = [value for value in values if message.fits(value)]
    if not fitting:
        return Misfit.OUTSIDE if separated else None  # "2026 was hard" is a sentence
    value = fitting[0]
    if len(fitting) > 1 or _has_rival(rest, value, message.fits, message.words, separated=separated):
        return Misfit.UNSURE
    if value % 1 and not separated:
        return Misfit.UNSURE
    return Reading(value=value.normalize() if value % 1 else int(value), note=note_of(rest, message.text))


def _measured(message: _Message, rest: str) -> Misfit | None:
    """Judge a number with a measure that was not asked for: `10 minutes walking` leaves open what is meant."""
    behind = (_first_unit(rest, message.words) or "").lstrip()
    if after(behind, message.words.passing) is not None or not message.anchored:
        return None
    return Misfit.UNSURE


def _is_no_amount(rest: str, words: ReadingWords) -> bool:
    """Tell whether the number before `rest` is something else: 7pm, 7:30, 7th, 7 %, 7/10/2026, 7 May."""
    if re.match(r"\w|:\d| ?[€$£¥°‰%]", rest) or re.match(r"/", re.sub(r"^ ?/ ?\d+(?![\w/])", "", rest)):
        return True
    word = re.sub(r"^[\s.]+", "", rest)
    return any(
        after(word, phrases) is not None for phrases in (words.clock.hour, tuple(words.clock.parts), words.dates)
    )


def _without_top(rest: str, words: ReadingWords) -> tuple[str, Decimal | None]:
    """Take `/10` or `out of ten` from the beginning."""
    slash = re.match(r"[ (]*/ ?", rest)
    behind = rest[slash.end() :] if slash else after(rest.lstrip(" ("), words.out_of)
    top = leading(behind.lstrip(), words) if behind is not None else None
    if top is None or len(top.values) != 1 or re.match(r"[\w/]|[.,:]\d", top.rest):
        return rest, None
    return top.rest, top.values[0]


def _after_percent(rest: str, words: ReadingWords) -> str | None:
    return after(rest.lstrip(), ("%", *words.percent))


def _after_unit(rest: str, spellings: Phrases) -> str | None:
    """Return what follows the unit that `rest` begins with; None when it begins with none."""
    return after(re.sub(r"^[ -](?=\S)", "", rest), spellings)


def _first_unit(rest: str, words: ReadingWords) -> str | None:
    return _after_unit(rest, words.unit_words)


def _next_number(rest: str, words: ReadingWords) -> Numeral | None:
    """Return the number that is the next thing said, leaving out `or`, `maybe` and signs."""
    skipped = (*words.ranges, *words.joins, *words.lead_ins, *words.about, *words.unsure)
    start = opening(_CONNECTORS.sub("", rest), skipped, ())
    number = leading(start.rest, words)
    return None if number is None or _is_no_amount(number.rest, words) else number


def _is_range(values: tuple[Decimal, ...], rest: str, spellings: Phrases, words: ReadingWords) -> bool:
    """Tell whether a second number ends the phrase that the first one began: `7 or 8`, `7-8`, `7 to 8 hours`."""
    second = _next_number(rest, words)
    if second is None or second.values == values:
        return False
    behind = _without_top(second.rest, words)[0]
    tight = re.match(r"-[\d+-]| ?[/&+] ?\d| \d", rest) or after(rest.lstrip(" ,;("), words.ranges) is not None
    for unit in (spellings, words.unit_words if tight else ()):
        measured = _after_unit(behind, unit)
        behind = behind if measured is None else measured
    if not is_separated(without_tails(behind, words), words):
        return False
    return bool(tight) or bool(re.match(r" - ", rest))


def _has_rival(
    rest: str, value: Decimal, fits: Callable[[Decimal], bool], words: ReadingWords, *, separated: bool
) -> bool:
    """Tell whether another number of the text could be meant as well.

    Behind a separator (`7 - walked 3 times`) a number is a rival only where it begins or ends a phrase, or follows
    a word such as `or` or `maybe`.
    """
    note = re.sub(r"<3+", "", rest)  # a heart
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
    if _first_unit(behind, words) is not None or _is_no_amount(behind, words):
        return True
    return bool(re.fullmatch(r"\d{1,2}[.,]\d\d", token)) and ends_with(before, words.clock.at)


def _begins(before: str, words: ReadingWords) -> bool:
    if len(before) > _BESIDE:
        return False
    skipped = (*words.ranges, *words.lead_ins, *words.about, *words.unsure, *words.note_starts)
    return not re.search(r"\w", opening(_CONNECTORS.sub("", before), skipped, ()).rest)


def _ends(behind: str, words: ReadingWords) -> bool:
    return not re.match(r"\s+\w", without_tails(behind, words))
