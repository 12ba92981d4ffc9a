"""Secret storage: the specification's steps, done a second time by hand, and hostile account data."""

import hashlib
import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.crypto.canonical import from_unpadded, unpadded
from bot.crypto.identity import CrossSigningSeeds
from bot.crypto.secret_storage import SecretStorageKey
from bot.errors import SealingError
from tests.crypto.test_canonical import JSON

KEY = SecretStorageKey(key_id="key1", raw=bytes(range(32)))
NAME = "m.cross_signing.master"


def _derive(raw: bytes, info: bytes) -> tuple[bytes, bytes]:
    """HKDF-SHA-256 of RFC 5869, written out: extract with 32 zero bytes, expand to 64."""
    extracted = hmac.digest(bytes(32), raw, hashlib.sha256)
    first = hmac.digest(extracted, info + b"\x01", hashlib.sha256)
    return first, hmac.digest(extracted, first + info + b"\x02", hashlib.sha256)


def _counter_mode(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES-CTR from single blocks, with a counter of 64 bits as browsers count."""
    block = Cipher(AES(key), ECB()).encryptor()
    out = bytearray()
    for number, start in enumerate(range(0, len(data), 16)):
        counter = iv[:8] + ((int.from_bytes(iv[8:], "big") + number) % 2**64).to_bytes(8, "big")
        out += bytes(a ^ b for a, b in zip(data[start : start + 16], block.update(counter), strict=False))
    return bytes(out)


def test_a_secret_follows_the_specification_s_steps() -> None:
    """Another implementation of the steps, with 64 bit counters, opens what is written here."""
    entry = KEY.encrypt_secret(NAME, "the secret " * 9)["encrypted"]["key1"]
    assert set(entry) == {"iv", "ciphertext", "mac"}
    iv, ciphertext = from_unpadded(entry["iv"]), from_unpadded(entry["ciphertext"])
    aes_key, mac_key = _derive(KEY.raw, NAME.encode())
    assert from_unpadded(entry["mac"]) == hmac.digest(mac_key, ciphertext, "sha256")
    assert _counter_mode(aes_key, iv, ciphertext) == b"the secret " * 9


def test_bit_63_of_the_iv_is_clear() -> None:
    """No initialization vector comes near the end of the lower 64 bits of the counter."""
    for _ in range(64):
        entry = KEY.encrypt_secret(NAME, "x")["encrypted"]["key1"]
        assert from_unpadded(entry["iv"])[8] < 0x80


def test_the_key_description_lets_a_client_check_the_key() -> None:
    """`mac` is that of 32 encrypted zero bytes under the empty name, so that the right key is recognised."""
    description = KEY.key_description()
    assert description["algorithm"] == "m.secret_storage.v1.aes-hmac-sha2"
    assert set(description) == {"algorithm", "iv", "mac"}
    aes_key, mac_key = _derive(KEY.raw, b"")
    zeros = _counter_mode(aes_key, from_unpadded(description["iv"]), bytes(32))
    assert from_unpadded(description["mac"]) == hmac.digest(mac_key, zeros, "sha256")


@given(st.text(), st.text())
def test_secrets_come_back(name: str, value: str) -> None:
    """Each secret opens under its own name, with and without padding of its parts."""
    content = KEY.encrypt_secret(name, value)
    assert KEY.decrypt_secret(name, content) == value
    padded = {part: text + "=" * (-len(text) % 4) for part, text in content["encrypted"]["key1"].items()}
    assert KEY.decrypt_secret(name, {"encrypted": {"key1": padded}}) == value


def test_a_secret_opens_only_under_its_own_name_and_key() -> None:
    """A secret moved to another name, another key with the same id, and another key id do not open it."""
    content = KEY.encrypt_secret(NAME, "value")
    for key, name in (
        (KEY, "m.cross_signing.self_signing"),
        (SecretStorageKey(key_id="key1", raw=bytes(32)), NAME),
        (SecretStorageKey(key_id="key2", raw=KEY.raw), NAME),
    ):
        with pytest.raises(SealingError, match=name):
            key.decrypt_secret(name, content)


@pytest.mark.parametrize("part", ["ciphertext", "mac"])
def test_tampering_is_noticed(part: str) -> None:
    """A changed byte of ciphertext or MAC is refused."""
    content = KEY.encrypt_secret(NAME, "value")
    entry: dict[str, str] = content["encrypted"]["key1"]
    raw = from_unpadded(entry[part])
    for index in range(len(raw)):
        bent = unpadded(raw[:index] + bytes([raw[index] ^ 1]) + raw[index + 1 :])
        with pytest.raises(SealingError):
            KEY.decrypt_secret(NAME, {"encrypted": {"key1": entry | {part: bent}}})


@settings(deadline=None)  # many ciphers an example
@given(JSON, st.sampled_from(["iv", "ciphertext", "mac"]))
def test_hostile_account_data_raises_one_error(value: object, part: str) -> None:
    """Arbitrary account data is refused with a SealingError, in every place."""
    entry: dict[str, Any] = KEY.encrypt_secret(NAME, "value")["encrypted"]["key1"]
    hostile: list[object] = [value, {"encrypted": value}, {"encrypted": {"key1": value}}]
    for content in [*hostile, {"encrypted": {"key1": entry | {part: value}}}]:
        with pytest.raises(SealingError):
            KEY.decrypt_secret(NAME, content)


def test_an_iv_of_another_length_is_refused() -> None:
    """A short initialization vector is an error in words, not in the cipher."""
    entry = KEY.encrypt_secret(NAME, "value")["encrypted"]["key1"] | {"iv": "AAAA"}
    with pytest.raises(SealingError, match="initialization vector"):
        KEY.decrypt_secret(NAME, {"encrypted": {"key1": entry}})


def test_the_account_data_is_complete() -> None:
    """All six events are there, the default key last, and the recovery key opens seeds and backup key."""
    seeds, backup = CrossSigningSeeds.generate(), bytes(range(32, 64))
    data = KEY.account_data(seeds, backup)
    assert list(data) == [
        "m.secret_storage.key.key1",
        "m.cross_signing.master",
        "m.cross_signing.self_signing",
        "m.cross_signing.user_signing",
        "m.megolm_backup.v1",
        "m.secret_storage.default_key",
    ]
    assert data["m.secret_storage.default_key"] == {"key": "key1"}
    for name, secret in (
        ("m.cross_signing.master", seeds.master.seed),
        ("m.cross_signing.self_signing", seeds.self_signing.seed),
        ("m.cross_signing.user_signing", seeds.user_signing.seed),
        ("m.megolm_backup.v1", backup),
    ):
        assert from_unpadded(KEY.decrypt_secret(name, data[name])) == secret
        assert unpadded(secret) not in str(data)


def test_keys_are_random_and_stay_out_of_text() -> None:
    """A new key has an id and bytes of its own, and printing it shows the id alone."""
    one, other = SecretStorageKey.generate(), SecretStorageKey.generate()
    assert one.key_id != other.key_id
    assert one.raw != other.raw
    assert repr(KEY) == "SecretStorageKey(key_id='key1')"
    with pytest.raises(ValueError, match="32"):
        SecretStorageKey(key_id="key1", raw=b"short")
