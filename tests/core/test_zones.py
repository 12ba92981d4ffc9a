"""Time zones as people name them."""

import pytest

from bot.core.zones import NoZone, Zone, find_zone, looks_like_place


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Lisbon", "Europe/Lisbon"),
        ("new york", "America/New_York"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("München", "Europe/Berlin"),
        ("lissabon", "Europe/Lisbon"),
        ("Wien", "Europe/Vienna"),
        ("Portugal", "Europe/Lisbon"),
        ("San Francisco", "America/Los_Angeles"),
        ("St. Petersburg", "Europe/Moscow"),
        ("Kathmandu", "Asia/Kathmandu"),
        ("UTC", "UTC"),
    ],
)
def test_a_place_has_its_zone(text: str, zone: str) -> None:
    """By city, by a country with one zone, or by the id."""
    assert find_zone(text) == Zone(id=zone)


@pytest.mark.parametrize(
    ("text", "suggested"), [("usa", "New York"), ("EST", "New York"), ("Lisbonn", "Lisbon"), ("Berln", "Berlin")]
)
def test_what_is_not_clear_gets_suggestions(text: str, suggested: str) -> None:
    """Several zones, an abbreviation, or a slip of the keyboard: each suggestion is understood."""
    found = find_zone(text)
    assert isinstance(found, NoZone)
    assert suggested in found.suggestions
    for each in found.suggestions:
        assert isinstance(find_zone(each), Zone)


@pytest.mark.parametrize("text", ["Etc/GMT-3", "Springfieldville", "GMT+2"])
def test_no_zone_is_made_up(text: str) -> None:
    """Neither offsets, whose sign is the wrong way round, nor places that nobody knows."""
    assert isinstance(find_zone(text), NoZone)


def test_conversation_is_no_place() -> None:
    """Several words that name nothing are somebody talking."""
    assert not looks_like_place("differences are hard to live with")
    assert not looks_like_place("is wrong again")
    assert not looks_like_place("")
    assert looks_like_place("Lisbonn")
    assert looks_like_place("Springfieldville")
