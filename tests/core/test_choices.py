"""What a client decided holds when the therapist plans anew."""

from datetime import datetime

import pytest

from bot.core.choices import how_often, within
from bot.core.schedules import parse_rule

NOW = datetime(2026, 11, 30, 12)  # noqa: DTZ001 - a wall time


@pytest.mark.parametrize(
    ("rule", "times"),
    [
        ("daily 20:00", 7),
        ("weekdays 09:00, 21:00", 10),
        ("mon, wed, fri 20:00", 3),
        ("every 2 weeks fri 18:00", 0.5),
        ("3 times between 10:00 and 20:00", 21),
        ("session -1 day 18:00", 1),
    ],
)
def test_how_often_a_rule_comes(rule: str, times: float) -> None:
    """Counted per week."""
    assert how_often(parse_rule(rule, local=NOW)) == pytest.approx(times, abs=0.01)


def test_how_often_a_monthly_rule_comes() -> None:
    """About every four weeks and a bit."""
    assert 0.2 < how_often(parse_rule("monthly 1 10:00")) < 0.25


@pytest.mark.parametrize(
    ("rule", "limit", "kept"),
    [
        ("daily 19:00", "mon, wed, fri 20:00", "mon, wed, fri 19:00"),
        ("mon, thu 19:00", "mon, wed, fri 20:00", "mon, thu 19:00"),
        ("weekdays 08:00, 20:00", "mon 20:00", "mon 20:00"),
        ("session -1 day 18:00", "daily 20:00", "session -1 day 18:00"),
    ],
)
def test_a_new_rule_is_thinned_out_to_what_was_agreed(rule: str, limit: str, kept: str) -> None:
    """It comes no more often than the client wanted, at the therapist's new time."""
    assert within(parse_rule(rule), parse_rule(limit), local=NOW).text == kept
