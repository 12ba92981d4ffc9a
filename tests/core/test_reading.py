"""Typed numbers and choices."""

from datetime import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.core.reading import (
    Misfit,
    Reading,
    ReadingWords,
    is_bare_number,
    read_amount,
    read_choice,
    read_number,
    read_option,
    read_time,
    says_yes,
)
from tests.core.english import words

MOODS = {"low": "Low", "in-between": "In between", "great": "Great 😀"}


@pytest.mark.parametrize(
    ("text", "value", "note"),
    [
        ("7", 7, None),
        (" 7. ", 7, None),
        ("7/10", 7, None),
        ("7 out of 10", 7, None),
        ("seven", 7, None),
        ("Seven out of ten, good day", 7, "good day"),
        ("7️⃣", 7, None),
        ("🔟", 10, None),
        ("７", 7, None),
        ("7 - went well", 7, "went well"),
        ("7 walked twice", 7, "walked twice"),
        ("7 — it’s “ok” ❤️", 7, "it’s “ok” ❤️"),
        ("7\nslept well", 7, "slept well"),
        ("7 - walked 3 km", 7, "walked 3 km"),
        ("7 🙂", 7, "🙂"),
        ("about 7", 7, None),
        ("I'd say 7", 7, None),
        ("I’d say a 7", 7, None),
        ("0", 0, None),
    ],
)
def test_reads_a_number_and_its_note(text: str, value: int, note: str | None) -> None:
    """A number is read in the forms that people type, and the note is kept as it was typed."""
    assert read_number(text, 0, 10, words()) == Reading(value=value, note=note)


@pytest.mark.parametrize(
    ("text", "misfit"),
    [
        ("7 or 8", Misfit.UNSURE),
        ("7-8", Misfit.UNSURE),
        ("7, 8", Misfit.UNSURE),
        ("7 or eight", Misfit.UNSURE),
        ("7 - maybe 8", Misfit.UNSURE),
        ("10 minutes walking", Misfit.UNSURE),
        ("7.5", Misfit.DECIMAL),
        ("7,5", Misfit.DECIMAL),
        ("7½", Misfit.DECIMAL),
        ("7²", Misfit.UNSURE),
        ("fifteen", Misfit.OUTSIDE),
        ("15", Misfit.OUTSIDE),
        ("-7", Misfit.OUTSIDE),
        ("7/5", Misfit.OUTSIDE),
    ],
)
def test_never_guesses(text: str, misfit: Misfit) -> None:
    """Two numbers, a fraction or a number off the scale are never turned into a value."""
    assert read_number(text, 0, 10, words()) is misfit


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today was ok",
        "one of those days",
        "10 minutes late, sorry",
        "7pm",
        "7 pm",
        "7:30",
        "7th",
        "7/10/2026",
        "2026 was hard",
        "5%",
        "9" * 99,
    ],
)
def test_sentences_are_no_numbers(text: str) -> None:
    """Ordinary sentences, times and dates are conversation."""
    assert read_number(text, 0, 10, words()) is None


def test_scales_below_zero() -> None:
    """A scale may begin below zero, also with the typographic minus."""
    assert read_number("−2", -2, 2, words()) == Reading(value=-2)
    assert read_number("-1 or -2", -2, 2, words()) is Misfit.UNSURE


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("low", "low"),
        ("LOW!", "low"),
        ("in-between", "in-between"),
        ("  In   Between ", "in-between"),
        ("great", "great"),
        ("2", "in-between"),
        ("3.", "great"),
        ("two", "in-between"),
        ("1️⃣", "low"),
        ("4", None),
        ("1 or 2", None),
        ("lowish", None),
        ("2 of us went", None),
        ("", None),
    ],
)
def test_reads_a_choice(text: str, option: str | None) -> None:
    """An option is named by its label, however it is written, or by its place in the list; nothing is guessed."""
    assert read_choice(text, MOODS, words()) == option


def test_a_label_wins_over_a_place() -> None:
    """Where labels are numbers, the label counts, not the place in the list."""
    assert read_choice("1", {"none": "0", "one": "1"}, words()) == "one"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", "one"),
        ("0", "none"),
        ("2 or more", "more"),
        ("2", Misfit.UNSURE),
        ("3", Misfit.UNSURE),
    ],
)
def test_places_are_not_guessed_where_labels_are_numbers(text: str, expected: str | Misfit) -> None:
    """A number that no label is may be a place in the list or the answer itself: it is asked back."""
    found = read_option(text, {"none": "0", "one": "1", "more": "2 or more"}, words())
    assert (found.value if isinstance(found, Reading) else found) == expected


def test_a_list_of_twenty_is_answered_by_number() -> None:
    """Long lists are numbered, and each number in digits or words is its option."""
    options = {f"skill-{place}": f"Skill {chr(64 + place)}" for place in range(1, 21)}
    assert read_option("twenty", options, words()) == Reading(value="skill-20")
    assert read_option("17 - it helped", options, words()) == Reading(value="skill-17", note="it helped")
    assert read_option("skill", options, words()) is Misfit.UNSURE
    assert read_option("skill q", options, words()) == Reading(value="skill-17")


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        ("cigarettes", "1 cigarette", 1),
        ("cigarette", "20 cigarettes", 20),
        ("glasses of water", "3 glasses of water", 3),
        ("€", "12.50 €", Decimal("12.5")),
        ("€", "€5", 5),
        ("%", "70 percent", 70),
        ("percent", "70%", 70),
        ("hour", "6h", 6),
    ],
)
def test_units_are_known_in_their_spellings(unit: str, text: str, value: int | Decimal) -> None:
    """Whatever unit an author wrote, people may use its singular, its plural and its sign."""
    assert read_amount(text, 0, 100, unit, words()) == Reading(value=value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:30", time(22, 30)),
        ("half past ten", time(22, 30)),
        ("at 1", time(1)),
        ("12", time(0)),
        ("10:30 in the morning", time(10, 30)),
        ("14:00", time(14)),
    ],
)
def test_when_an_answer_is_expected_settles_it(text: str, expected: time) -> None:
    """A bedtime of 10:30 is in the evening; what is said to be in the morning stays there."""
    assert read_time(text, words(), within=(time(18), time(6))) == Reading(value=expected)
    assert read_time("6", words(), within=(time(18), time(6))) is Misfit.UNSURE


def test_a_language_may_say_times_as_they_are() -> None:
    """Where people never say half past eight for the evening, nothing is asked back but a bare hour."""
    never = words().model_copy(update={"clock": words().clock.model_copy(update={"twelve_hours": "never"})})
    assert read_time("half past eight", never) == Reading(value=time(8, 30))
    assert read_time("8 o'clock", never) == Reading(value=time(8))
    assert read_time("8", never) is Misfit.UNSURE


@pytest.mark.parametrize("pattern", ["", "{tens}", "{unit}{unit}{tens}"])
def test_how_numbers_are_built_is_checked(pattern: str) -> None:
    """The pattern of the numbers between the tens names both parts, or says what is missing."""
    with pytest.raises(ValidationError, match="must hold"):
        ReadingWords.model_validate({**words().model_dump(), "tens_and_units": pattern})


def test_bare_numbers_and_yes() -> None:
    """A number alone and a yes alone are recognised, sentences that contain them are not."""
    assert is_bare_number("7/10", words())
    assert not is_bare_number("7 people", words())
    assert says_yes("Yes!", words())
    assert not says_yes("yes but later", words())


@given(st.text(), st.integers(-5, 0), st.integers(1, 30))
def test_any_text_can_be_read(text: str, low: int, high: int) -> None:
    """No text raises, and a value that is read lies on the scale."""
    found = read_number(text, low, high, words())
    assert not isinstance(found, Reading) or low <= found.value <= high
    read_choice(text, MOODS, words())


@given(st.integers(0, 10), st.integers(0, 10))
def test_two_numbers_are_never_one_answer(first: int, second: int) -> None:
    """`a or b` is unsure unless both are the same number."""
    found = read_number(f"{first} or {second}", 0, 10, words())
    assert (found is Misfit.UNSURE) == (first != second)
