"""Rules as a person would say them."""

from datetime import datetime

import pytest

from bot.core.rule_phrases import listed, moment_in_words, rule_in_words
from bot.core.schedules import parse_rule
from tests.core.english import wording

NOW = datetime(2026, 11, 30, 20)  # noqa: DTZ001 - a wall time


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("daily 20:00", "every day at 20:00"),
        ("weekdays 09:00, 20:00", "on weekdays at 09:00 and 20:00"),
        ("mon, thu 9:00", "on Mon and Thu at 09:00"),
        ("every 3 days 09:00", "every 3 days at 09:00"),
        ("every 2 weeks fri 18:00", "every 2 weeks on Fri at 18:00"),
        ("monthly last fri 16:00", 'by the rule "monthly last fri 16:00"'),
        ("daily 20:00 10 times", "every day at 20:00, 10 times in all"),
        ("daily 20:00 until 2026-12-24", "every day at 20:00 until Thu 24 Dec"),
        ("3 times between 10:00 and 20:00", "3 times a day between 10:00 and 20:00"),
        ("weekdays once between 10:00 and 20:00", "once a day between 10:00 and 20:00, on Mon, Tue, Wed, Thu and Fri"),
        ("session -1 day 18:00", "the day before each session at 18:00"),
        ("session +1 day", "the day after each session at the time of the session"),
        ("session -3 days 18:00", "3 days before each session at 18:00"),
        ("session day 08:00", "on the day of each session at 08:00"),
        ("session -2 h", "2 h before each session"),
        ("session +90 min", "90 min after each session"),
    ],
)
def test_a_rule_in_words(rule: str, words: str) -> None:
    """Every family of rules has its everyday words; the rest is shown as it is written."""
    assert rule_in_words(parse_rule(rule, local=NOW), wording()) == words


def test_a_moment_in_words() -> None:
    """The day first, and no year."""
    assert moment_in_words(NOW, wording()) == "Mon 30 Nov, 20:00"


def test_a_list_in_words() -> None:
    """With its last word."""
    assert [listed(items, wording()) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip
