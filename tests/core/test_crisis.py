"""The answer to `crisis`."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.crisis import crisis_line, crisis_text, is_stale, parse_crisis_table
from bot.errors import PackError
from bot.packs import read_crisis_table
from tests.core.english import PROMPTS, wording

TABLE = read_crisis_table(PROMPTS)


@pytest.mark.parametrize(
    ("country", "emergency", "line"),
    [
        ("US", "911", "988"),
        ("CA", "911", "988"),
        ("GB", "999", "116 123"),
        ("UK", "999", "116 123"),
        ("IE", "112 / 999", "116 123"),
        ("DE", "112", "0800 111 0 111 / 0800 111 0 222"),
        ("AT", "112", "142"),
        ("CH", "112", "143"),
        ("AU", "000", "13 11 14"),
        ("NZ", "111", "1737"),
        ("FR", "112", "3114"),
        ("ES", "112", "024"),
        ("NL", "112", "113 / 0800-0113"),
        (" de ", "112", "0800 111 0 111"),
    ],
)
def test_numbers_of_a_country(country: str, emergency: str, line: str) -> None:
    """The emergency number, the crisis line, the practice and the honest sentence stand in the answer."""
    text = crisis_text(TABLE, wording(), country=country, practice_line="030 1234567")
    assert f"Emergency: {emergency}" in text
    assert line in text
    assert "Your practice: 030 1234567" in text
    assert "nobody has been alerted" in text
    assert line in crisis_line(TABLE, wording(), country=country)


def test_a_country_without_a_row_gets_advice() -> None:
    """No number is made up for a country that is not in the table."""
    text = crisis_text(TABLE, wording(), country="ZZ")
    assert "local emergency number" in text
    assert "practice" not in text
    assert "030" in crisis_line(TABLE, wording(), country="ZZ", practice_line="030 1234567")


def test_an_old_table_is_stale() -> None:
    """Six months after the check the numbers count as old."""
    checked = datetime(TABLE.checked.year, TABLE.checked.month, TABLE.checked.day, tzinfo=UTC)
    assert not is_stale(TABLE, at=checked + timedelta(days=183))
    assert is_stale(TABLE, at=checked + timedelta(days=184))


def test_every_row_has_its_source() -> None:
    """A row without a source, or a table without a date, is refused with its line."""
    with pytest.raises(PackError) as caught:
        parse_crisis_table("countries:\n  DE:\n    emergency: '112'\n    lines: []\n", source="crisis.yaml")
    message = str(caught.value)
    assert "crisis.yaml:1:1: checked: is missing" in message
    assert "countries.DE.source: is missing" in message
    assert "crisis.yaml:4:5: countries.DE.lines: is too short a list" in message
