"""Answers as people type them, one line each, in both languages."""

from collections.abc import Callable, Mapping
from datetime import time
from types import ModuleType

import pytest

from bot.core.reading import Reading, ReadingWords, read_amount, read_number, read_option, read_time, read_yes_no
from tests.core import english, german, reading_english, reading_german

Read = Callable[[str], object]


def tables(
    table: ModuleType, words: ReadingWords, units: tuple[str, str, str]
) -> list[tuple[str, Mapping[str, object], Read]]:
    """Return each table of a language with its reader."""
    hours, kilograms, steps = units
    return [
        ("scale", table.SCALE, lambda text: read_number(text, 0, 10, words)),
        ("percent", table.PERCENT, lambda text: read_number(text, 0, 100, words)),
        ("below zero", table.BELOW_ZERO, lambda text: read_number(text, -3, 3, words)),
        ("hours", table.HOURS, lambda text: read_amount(text, 0, 24, hours, words)),
        ("kilograms", table.KILOGRAMS, lambda text: read_amount(text, None, None, kilograms, words)),
        ("steps", table.STEPS, lambda text: read_amount(text, 0, 50_000, steps, words)),
        ("count", table.COUNT, lambda text: read_amount(text, 0, 30, None, words)),
        ("time", table.TIMES, lambda text: read_time(text, words)),
        ("yes or no", table.YES_NO, lambda text: read_yes_no(text, words)),
        ("option", table.OPTIONS, lambda text: read_option(text, table.LABELS, words)),
    ]


ENGLISH = tables(reading_english, english.words(), ("hours", "kg", "steps"))
GERMAN = tables(reading_german, german.words(), ("Stunden", "kg", "Schritte"))
LINES = [
    pytest.param(read, text, expected, id=f"{language} {name}: {text}")
    for language, rows in (("en", ENGLISH), ("de", GERMAN))
    for name, lines, read in rows
    for text, expected in lines.items()
]


def shown(answer: object) -> object:
    """Return an answer in the form of the tables."""
    if not isinstance(answer, Reading):
        return answer
    value = f"{answer.value:%H:%M}" if isinstance(answer.value, time) else answer.value
    return value if answer.note is None else (value, answer.note)


@pytest.mark.parametrize(("read", "text", "expected"), LINES)
def test_reads_what_people_type(read: Read, text: str, expected: object) -> None:
    """Each message gives the value and note that a person would see in it, asks back, or is conversation."""
    answer = read(text)
    assert shown(answer) == expected
    assert not isinstance(answer, Reading) or type(answer.value) is not bool


@pytest.mark.parametrize("rows", [ENGLISH, GERMAN])
def test_the_tables_are_long_enough(rows: list[tuple[str, Mapping[str, object], Read]]) -> None:
    """Each language is tried with at least 120 messages."""
    assert sum(len(lines) for _, lines, _ in rows) >= 120
