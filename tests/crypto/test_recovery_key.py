"""The recovery key as people write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crypto.recovery_key import decode_recovery_key, encode_recovery_key

# The private key of RFC 7748, section 6.1, in the notation that all Matrix clients write it in.
KEY = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
TEXT = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d"


def test_the_shared_vector() -> None:
    """A known key has the known text, both ways."""
    assert encode_recovery_key(KEY) == TEXT
    assert decode_recovery_key(TEXT) == KEY


def test_white_space_does_not_matter() -> None:
    """People paste it with line breaks, or without any spaces."""
    assert decode_recovery_key(f"\n {TEXT.replace(' ', '')} \t") == KEY
    assert decode_recovery_key(TEXT.replace(" ", "\u00a0\n")) == KEY


@given(st.binary(min_size=32, max_size=32))
def test_every_key_can_be_written_and_read(key: bytes) -> None:
    """Any 32 bytes come back, in twelve groups of four."""
    text = encode_recovery_key(key)
    assert [len(group) for group in text.split(" ")] == [4] * 12
    assert decode_recovery_key(text) == key


def test_every_single_mistyped_letter_is_noticed() -> None:
    """Exchanging one letter for its neighbour never reads as another key."""
    compact = TEXT.replace(" ", "")
    for index, letter in enumerate(compact):
        wrong = compact[:index] + ("2" if letter != "2" else "3") + compact[index + 1 :]
        with pytest.raises(ValueError, match=r"recovery key|key of something else"):
            decode_recovery_key(wrong)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "48"),
        (TEXT + "x" * 100, "48"),
        (TEXT[:-5], "short"),
        (TEXT.replace("E", "0"), "never holds '0'"),
        ("1" + TEXT, "long"),
        (TEXT[:-1] + "e", "mistake"),
    ],
)
def test_a_mistake_is_explained(text: str, why: str) -> None:
    """The error says what is wrong with the text."""
    with pytest.raises(ValueError, match=why):
        decode_recovery_key(text)


@given(st.text() | st.text("123456789ABCabc", min_size=40, max_size=64))
def test_reading_raises_nothing_but_value_errors(text: str) -> None:
    """Whatever a person types is a key or a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        decode_recovery_key(text)


def test_a_key_has_32_bytes() -> None:
    """Nothing else is ever written out as a recovery key."""
    with pytest.raises(ValueError, match="32"):
        encode_recovery_key(b"short")
