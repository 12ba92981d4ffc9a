"""Goals and their scales."""

import pytest

from bot.core.goals import Scale, parse_scale, parse_title
from bot.errors import GoalError


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("0-10", 0, 10),
        ("0–10", 0, 10),
        ("1..5", 1, 5),
        ("1 to 7", 1, 7),
        ("-2 to 2", -2, 2),
        ("−2 – +2", -2, 2),
        ("-2-2", -2, 2),
    ],
)
def test_reads_a_scale(text: str, low: int, high: int) -> None:
    """A scale is read with any dash, and below zero; what is shown of it can be read again."""
    scale = parse_scale(text)
    assert scale == Scale(low=low, high=high)
    assert parse_scale(str(scale)) == scale


@pytest.mark.parametrize("text", ["", "10", "10-0", "5-5", "0-10-20", "a-b", "0.5-1", "0-99999"])
def test_refuses_what_is_no_scale(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(GoalError, match="for example 0-10"):
        parse_scale(text)


def test_titles_are_one_tidy_line() -> None:
    """Spaces are tidied; empty, long or many-lined titles are refused."""
    assert parse_title("  Walk   more ") == "Walk more"
    for text in ("", "  ", "a\nb", "x" * 61, "a\u202eb"):
        with pytest.raises(GoalError):
            parse_title(text)
