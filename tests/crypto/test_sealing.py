"""Sealing at rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crypto.sealing import Sealer, aad
from bot.errors import SealingError

SEALER = Sealer(bytes(range(32)))
PLACE = aad("inbox", "7", "content", "pair:1")
PARTS = st.tuples(*[st.text()] * 4, st.integers(0, 9))


@given(st.binary(), st.binary())
def test_what_is_sealed_opens_again(plaintext: bytes, place: bytes) -> None:
    """Sealing and opening for the same place gives the bytes back."""
    assert SEALER.open(SEALER.seal(plaintext, aad=place), aad=place) == plaintext


def test_equal_plaintexts_never_look_equal() -> None:
    """The nonce is random, so that a deterministic pickle is sealed differently each time."""
    sealed = {SEALER.seal(b"the same", aad=PLACE) for _ in range(100)}
    assert len(sealed) == 100
    assert not any(b"the same" in each for each in sealed)


@pytest.mark.parametrize(
    "place",
    [
        aad("outbox", "7", "content", "pair:1"),
        aad("inbox", "8", "content", "pair:1"),
        aad("inbox", "7", "sender", "pair:1"),
        aad("inbox", "7", "content", "pair:2"),
        aad("inbox", "7", "content", "pair:1", version=2),
        b"",
    ],
)
def test_a_moved_value_does_not_open(place: bytes) -> None:
    """Another table, row, column, pair or version is another place."""
    with pytest.raises(SealingError):
        SEALER.open(SEALER.seal(b"secret", aad=PLACE), aad=place)


def test_another_key_does_not_open() -> None:
    """A value opens only under its own key."""
    with pytest.raises(SealingError):
        Sealer(bytes(32)).open(SEALER.seal(b"secret", aad=PLACE), aad=PLACE)


def test_every_bit_is_protected() -> None:
    """A change in any byte, the version included, and any cut are noticed."""
    sealed = SEALER.seal(b"secret", aad=PLACE)
    for index in range(len(sealed)):
        for damaged in (sealed[:index], sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]):
            with pytest.raises(SealingError):
                SEALER.open(damaged, aad=PLACE)


@given(st.binary() | st.binary(min_size=13).map(lambda tail: b"\x01" + tail))
def test_garbage_raises_one_error(garbage: bytes) -> None:
    """Bytes that were never sealed are refused with a SealingError."""
    with pytest.raises(SealingError):
        SEALER.open(garbage, aad=PLACE)


@given(PARTS, PARTS)
def test_two_places_never_share_a_name(
    one: tuple[str, str, str, str, int], other: tuple[str, str, str, str, int]
) -> None:
    """The encoding of a place is unambiguous, however the parts are cut."""
    assert (aad(*one) == aad(*other)) == (one == other)


def test_letters_do_not_move_between_parts() -> None:
    """A letter more in one part and one less in the next is another place."""
    assert aad("ab", "c", "d", "e") != aad("a", "bc", "d", "e")


def test_a_key_has_32_bytes() -> None:
    """AES-128 is not accepted by mistake."""
    with pytest.raises(ValueError, match="32"):
        Sealer(bytes(16))
