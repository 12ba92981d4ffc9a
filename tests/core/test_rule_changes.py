"""Rules that were moved or thinned out."""

from datetime import datetime, time

import pytest

from bot.core.rule_changes import moved, thinned
from bot.core.schedules import parse_rule
from bot.errors import ScheduleError

NOW = datetime(2026, 11, 23, 12)  # noqa: DTZ001 - a wall time; a Monday


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("daily 20:00", "daily 19:05"),
        ("mon, thu 09:00", "mon, thu 19:05"),
        ("monthly last fri 16:00", "monthly last fri 19:05"),
        ("every 2 weeks fri 18:00 from 2026-12-04", "every 2 weeks fri 19:05 from 2026-12-04"),
        ("daily 20:00 from 2026-12-01 10 times", "daily 19:05 from 2026-12-01 10 times"),
        ("session -1 day 18:00", "session -1 day 19:05"),
    ],
)
def test_a_rule_is_moved_to_another_time_of_day(rule: str, expected: str) -> None:
    """The days stay, and so do start, end and count."""
    changed = moved(parse_rule(rule), time(19, 5))
    assert changed.text == expected
    assert parse_rule(changed.text) == changed


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("3 times between 10:00 and 20:00", "another window"),
        ("daily 09:00, 21:00", "several times of day"),
        ("session +24 h", "no time of its own"),
    ],
)
def test_a_rule_without_one_time_of_day_is_not_moved(rule: str, sentence: str) -> None:
    """The sentence says what can be done."""
    with pytest.raises(ScheduleError, match=sentence):
        moved(parse_rule(rule), time(19))


@pytest.mark.parametrize(
    ("rule", "steps"),
    [
        (
            "daily 20:00",
            [
                *("mon, wed, fri 20:00", "mon, fri 20:00", "mon 20:00"),
                *(f"every {weeks} weeks mon 20:00 from 2026-11-23" for weeks in (2, 4)),
            ],
        ),
        ("weekdays 20:00", ["mon, wed, fri 20:00"]),
        ("daily 08:00, 20:00", ["daily 20:00"]),
        ("monthly 1 10:00", ["every 2 months 1 10:00 from 2026-12-01"]),
        ("every 3 days 20:00 from 2026-11-20", ["every 6 days 20:00 from 2026-11-20"]),
        ("6 times between 10:00 and 20:00, 30 min apart", [
            "3 times between 10:00 and 20:00, 30 min apart",
            "once between 10:00 and 20:00",
            "mon, wed, fri once between 10:00 and 20:00",
            "mon, fri once between 10:00 and 20:00",
            "mon once between 10:00 and 20:00",
        ]),
    ],
)  # fmt: skip
def test_a_rule_is_thinned_out_step_by_step(rule: str, steps: list[str]) -> None:
    """About half as often each time, until stopping is the better word."""
    for expected in steps:
        changed = thinned(parse_rule(rule), local=NOW)
        assert parse_rule(changed.text) == parse_rule(parse_rule(changed.text).text)
        rule = changed.text
        assert rule == expected


@pytest.mark.parametrize(
    "rule",
    [
        "session -1 day 18:00",
        "mon once between 10:00 and 20:00",
        "every 4 weeks mon 20:00 from 2026-11-23",
        "every 4 months 1 10:00 from 2026-11-01",
    ],
)
def test_what_comes_seldom_is_rather_stopped(rule: str) -> None:
    """There is nothing left to leave out."""
    with pytest.raises(ScheduleError, match="stop it"):
        thinned(parse_rule(rule), local=NOW)
