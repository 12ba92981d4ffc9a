"""What holds for every typed answer, in both languages."""

from collections.abc import Callable
from datetime import time
from decimal import Decimal
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.reading import (
    Misfit,
    Reading,
    ReadingWords,
    read_amount,
    read_number,
    read_option,
    read_time,
    read_yes_no,
)
from tests.core import english, german

OPTIONS = {"low": "Low", "middle": "In between", "good": "Gut", "very-good": "Sehr gut", "more": "2 or more"}
LANGUAGES = {"en": english.words(), "de": german.words()}

# What a message that has to do with numbers, times and answers is made of.
SPOKEN = """
0 1 2 6 7 8 10 11 12 20 23 30 34 100 2026 7.5 7,5 8:30 8.30 20:30 20h30 1.234 1,234.5 10.000 7/10 1/2 ½ 7² 7️⃣ 🔟 -2 +1 −3
7pm 7h 7kg 7% 7th 7ish one seven eight twenty twenty-five hundred half quarter minus point ein eins sieben siebeneinhalb
fünfundzwanzig halb viertel dreiviertel anderthalb komma and und or oder to bis out of von about etwa so a an eine
between zwischen almost fast I'd say I guess würde ich sagen maybe vielleicht no nein not really nicht wirklich yes ja
kind of jein because weil but aber at um uhr o'clock am pm in the evening abends morgens noon mittags midnight past nach
before vor hours Stunden minutes Minuten times mal late ago zu spät today heute low gut sehr in between mittel walked
slept people - – , . ! ? ; : ( ) " “ ” ' ’ * … < > ~ + = / & 🙂 👍 👎 ❤️ <3 % € ° ^
"""
TOKENS = SPOKEN.split()
messages = st.lists(
    st.tuples(st.sampled_from(TOKENS), st.sampled_from([" ", " ", " ", "", "\n", ", ", " - ", "-"])), max_size=8
).map(lambda parts: "".join(token + space for token, space in parts))
anything = st.one_of(messages, messages, st.text())
language = st.sampled_from(sorted(LANGUAGES))

Answer = Reading[int] | Reading[int | Decimal] | Reading[time] | Reading[str] | Misfit | None
READERS: dict[str, Callable[[str, ReadingWords], Answer]] = {
    "number": lambda text, words: read_number(text, 0, 10, words),
    "percent": lambda text, words: read_number(text, 0, 100, words),
    "below zero": lambda text, words: read_number(text, -3, 3, words),
    "hours": lambda text, words: read_amount(text, 0, 24, "hours", words),
    "Stunden": lambda text, words: read_amount(text, Decimal("0.5"), 24, "Stunden", words),
    "kg": lambda text, words: read_amount(text, None, None, "kg", words),
    "amount": lambda text, words: read_amount(text, 0, 30, None, words),
    "time": read_time,
    "evening": lambda text, words: read_time(text, words, within=(time(18), time(4))),
    "option": lambda text, words: read_option(text, OPTIONS, words),
    "yes or no": read_yes_no,
}
BOUNDS = {"number": (0, 10), "percent": (0, 100), "below zero": (-3, 3), "hours": (0, 24), "amount": (0, 30)}
readers = pytest.mark.parametrize("reader", READERS)


def read(reader: str, text: str, language: str) -> Answer:
    """Read a text with one of the readers."""
    return READERS[reader](text, LANGUAGES[language])


def value(answer: Answer) -> object:
    """Return an answer without its note."""
    return answer.value if isinstance(answer, Reading) else answer


@readers
@given(text=anything, language=language)
def test_any_text_can_be_read(reader: str, text: str, language: str) -> None:
    """No text raises, and a value that is read lies within its bounds and has the promised form."""
    answer = read(reader, text, language)
    if not isinstance(answer, Reading):
        return
    low, high = BOUNDS.get(reader, (None, None))
    if low is not None and high is not None:
        assert isinstance(answer.value, int | Decimal)
        assert low <= answer.value <= high
    if isinstance(answer.value, Decimal):
        assert answer.value % 1
        assert "E" not in str(answer.value)
    if reader == "option":
        assert answer.value in OPTIONS
    assert answer.note is None or (answer.note.strip() == answer.note != "")


@readers
@given(text=messages, language=language, data=st.data())
def test_how_it_is_typed_changes_nothing(reader: str, text: str, language: str, data: st.DataObject) -> None:
    """Spaces, case, end punctuation and invisible characters do not change what is read."""
    expected = value(read(reader, text, language))
    place = data.draw(st.integers(0, len(text)))
    invisible = data.draw(st.sampled_from(["\u200b", "\ufe0f", "\u2060", "\u00ad", "\u200e"]))
    for changed in (
        f"  {text}\u00a0 ",
        text.replace(" ", "  "),
        text.replace(" ", "\u202f"),
        text.upper(),
        text.lower(),
        text[:place] + invisible + text[place:],
    ):
        assert value(read(reader, changed, language)) == expected, changed
    ended = text.rstrip()
    if ended[-1:].isalnum():
        for end in (".", "!", "!!", "…", " .", "?"):
            assert value(read(reader, ended + end, language)) == expected, ended + end


BETWEEN = [
    " or ",
    "-",
    " - ",
    " to ",
    ", ",
    "; ",
    " ",
    " / ",
    " and ",
    " & ",
    " maybe ",
    " or maybe ",
    ", no ",
    "... ",
    "\n",
]
BETWEEN_GERMAN = [" oder ", "-", " bis ", ", ", " ", " und ", " vielleicht ", ", eher ", ", nein, ", " oder doch "]
AROUND = ["", "about ", "between ", "I'd say ", "a "]
AROUND_GERMAN = ["", "etwa ", "zwischen ", "eine ", "ich würde sagen "]
SPELLED = {"en": english.words().number_table, "de": german.words().number_table}


def spellings(number: int, language: str) -> list[str]:
    """Return how a number may be written."""
    spelled = [word for word, value in SPELLED[language].items() if value == (number, False) and len(word) > 3]
    return [str(number), f"{number}/30", *spelled]


@given(st.integers(0, 30), st.integers(0, 30), language, st.data())
def test_two_numbers_are_never_one_answer(first: int, second: int, language: str, data: st.DataObject) -> None:
    """Of two different numbers that fit, none is chosen, whatever stands between them."""
    between = data.draw(st.sampled_from(BETWEEN if language == "en" else BETWEEN_GERMAN))
    around = data.draw(st.sampled_from(AROUND if language == "en" else AROUND_GERMAN))
    one, two = (data.draw(st.sampled_from(spellings(number, language))) for number in (first, second))
    unit = data.draw(st.sampled_from(["", " hours" if language == "en" else " Stunden"]))
    text = f"{around}{one}{between}{two}"
    words = LANGUAGES[language]
    answers = [read_number(text, 0, 30, words), read_amount(text + unit, 0, 30, unit.strip() or None, words)]
    if first != second and not (" / " in text and second == 30):
        assert not any(isinstance(answer, Reading) for answer in answers), text


@given(st.integers(0, 23), st.integers(0, 23), st.integers(0, 59), language, st.data())
def test_two_times_are_never_one_answer(
    first: int, second: int, minute: int, language: str, data: st.DataObject
) -> None:
    """Of two different times, none is chosen."""
    between = data.draw(st.sampled_from([*BETWEEN, *BETWEEN_GERMAN]))
    answer = read_time(f"{first:02}:{minute:02}{between}{second:02}:{minute:02}", LANGUAGES[language])
    known = BETWEEN if language == "en" else BETWEEN_GERMAN
    if first != second and between in known:
        assert not isinstance(answer, Reading)


@given(st.times(), language)
def test_a_time_on_the_clock_is_read(moment: time, language: str) -> None:
    """Every time of the day can be said in digits; only where 10:30 may be the evening, it is asked back."""
    clock = f"{moment:%H:%M}"
    around = {"en": ["at {}", "I think {}", "{} I guess"], "de": ["um {} Uhr", "gegen {}", "{} glaube ich"]}[language]
    asked = language == "en" and 10 <= moment.hour <= 12
    expected = Misfit.UNSURE if asked else Reading(value=moment.replace(second=0, microsecond=0))
    for text in (clock, *(form.format(clock) for form in around)):
        assert read_time(text, LANGUAGES[language]) == expected, text


@given(st.decimals(0, 9999, places=2), st.sampled_from([".", ","]), language)
def test_an_amount_is_read_exactly(amount: Decimal, mark: str, language: str) -> None:
    """What is written with two decimals is kept to the digit; whole amounts are whole numbers."""
    answer = read_amount(f"{amount:f}".replace(".", mark) + " kg", 0, 9999, "kg", LANGUAGES[language])
    assert isinstance(answer, Reading)
    assert answer.value == amount
    assert isinstance(answer.value, int) == (amount % 1 == 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_word_up_to_a_hundred_is_known(language: str) -> None:
    """The words for 0 to 100 are built from the tens and the units, each in several spellings."""
    table = SPELLED[language]
    assert {value for value, half in table.values() if not half} == set(range(101))
    for word, (value, half) in table.items():
        if not half:
            assert read_number(word, 0, 1000, LANGUAGES[language]) == Reading(value=value), word


@readers
def test_a_long_message_is_read_quickly(reader: str) -> None:
    """A message as long as Matrix allows, of whatever repeats, is read in well under a second."""
    for part in (
        "a ",
        "7 ",
        "about ",
        "7 or ",
        "maybe 8 ",
        "seven ",
        "1 000",
        "8:30 ",
        "ja, ",
        "- ",
        "(",
        "…",
        "👍",
        "x",
    ):
        text = part * (60_000 // len(part))
        for language in LANGUAGES:
            began = perf_counter()
            read(reader, text, language)
            read(reader, "7 - " + text, language)
            assert perf_counter() - began < 1, (part, language)
