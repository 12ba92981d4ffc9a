"""Signed JSON against the specification's vectors, and against tampering."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crypto.canonical import from_unpadded, unpadded
from bot.crypto.signatures import Ed25519Seed, is_public_key, lookup, sign_json, signature_ok
from tests.crypto.test_canonical import JSON

# Specification, appendix "Cryptographic Test Vectors".
SEED = Ed25519Seed(seed=from_unpadded("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"))
EMPTY = "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"
WITH_DATA = "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"
ALICE, KEY_ID = "@alice:localhost", "ed25519:DEVICE"


@pytest.mark.parametrize(("value", "signature"), [({}, EMPTY), ({"one": 1, "two": "Two"}, WITH_DATA)])
def test_the_specification_s_signatures(value: dict[str, Any], signature: str) -> None:
    """The vectors of the appendix come out to the letter, and verify."""
    signed = sign_json(value, "domain", "ed25519:1", SEED.sign)
    assert signed == value | {"signatures": {"domain": {"ed25519:1": signature}}}
    assert signature_ok(signed, "domain", "ed25519:1", SEED.public_key)


def test_signing_keeps_what_is_there() -> None:
    """A second signature stands beside the first, `unsigned` stays, and the object that was given is not changed."""
    first = sign_json({"a": 1, "unsigned": {"age": 1.5}}, ALICE, KEY_ID, SEED.sign)
    other = Ed25519Seed.generate()
    both = sign_json(first, ALICE, "ed25519:OTHER", other.sign)
    assert signature_ok(both, ALICE, KEY_ID, SEED.public_key)
    assert signature_ok(both, ALICE, "ed25519:OTHER", other.public_key)
    assert both["unsigned"] == {"age": 1.5}
    assert set(first["signatures"][ALICE]) == {KEY_ID}


def test_a_changed_object_is_not_signed() -> None:
    """A changed value, an added field, another name, another key id and another key each fail."""
    signed = sign_json({"a": 1}, ALICE, KEY_ID, SEED.sign)
    assert not signature_ok(signed | {"a": 2}, ALICE, KEY_ID, SEED.public_key)
    assert not signature_ok(signed | {"b": 1}, ALICE, KEY_ID, SEED.public_key)
    assert not signature_ok(signed, "@mallory:localhost", KEY_ID, SEED.public_key)
    assert not signature_ok(signed, ALICE, "ed25519:OTHER", SEED.public_key)
    assert not signature_ok(signed, ALICE, KEY_ID, Ed25519Seed.generate().public_key)
    assert signature_ok(signed | {"unsigned": {"anything": 1}}, ALICE, KEY_ID, SEED.public_key)


def test_a_flipped_bit_in_the_signature_fails() -> None:
    """No bit of the signature can be changed."""
    signed = sign_json({"a": 1}, ALICE, KEY_ID, SEED.sign)
    raw = from_unpadded(signed["signatures"][ALICE][KEY_ID])
    for index in range(len(raw)):
        bent = raw[:index] + bytes([raw[index] ^ 1]) + raw[index + 1 :]
        assert not signature_ok(
            {"a": 1, "signatures": {ALICE: {KEY_ID: unpadded(bent)}}}, ALICE, KEY_ID, SEED.public_key
        )


@pytest.mark.parametrize(
    "value",
    [None, [], "text", {}, {"signatures": []}, {"signatures": {ALICE: "x"}}, {"signatures": {ALICE: {KEY_ID: 7}}}],
)
def test_mistyped_signatures_are_no_signatures(value: object) -> None:
    """Whatever stands in the place of a signature, the answer is no, and nothing is raised."""
    assert not signature_ok(value, ALICE, KEY_ID, SEED.public_key)


@given(JSON, st.text(), st.text(), st.text())
def test_checking_never_raises(value: object, user_id: str, key_id: str, public_key: str) -> None:
    """Arbitrary objects, names and keys are never signed and never raise."""
    assert not signature_ok(value, user_id, key_id, public_key)
    assert not signature_ok({"signatures": {user_id: {key_id: value}}, "a": 1.5}, user_id, key_id, SEED.public_key)
    signed = sign_json({"a": 1}, user_id, key_id, SEED.sign)
    assert signature_ok(signed | {"a": [value, 2**60]}, user_id, key_id, SEED.public_key) is False


def test_seeds_stay_out_of_text() -> None:
    """Printing a seed shows none of it."""
    assert repr(SEED) == "Ed25519Seed()"


def test_a_seed_has_32_bytes() -> None:
    """A seed of another length is refused."""
    with pytest.raises(ValueError, match="32"):
        Ed25519Seed(seed=b"short")


def test_only_the_canonical_spelling_is_a_public_key() -> None:
    """The same key with padding, or with stray bits in its last letter, is not accepted as a key."""
    key = SEED.public_key
    assert is_public_key(key)
    stray = key[:-1] + chr(ord(key[-1]) + 1)
    assert from_unpadded(stray) == from_unpadded(key)
    for other in (stray, key + "=", key[:-2], "", None, 7):
        assert not is_public_key(other)


def test_looking_up_ends_where_the_path_breaks() -> None:
    """A path through something that is no object ends in None."""
    assert lookup({"a": {"b": 1}}, "a", "b") == 1
    assert lookup({"a": [1]}, "a", "b") is None
    assert lookup(None, "a") is None
