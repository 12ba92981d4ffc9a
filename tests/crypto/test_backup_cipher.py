"""The key backup's cipher, against a second implementation of the specification's steps."""

import hmac
import json
from typing import Any

import pytest
import vodozemac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.crypto.backup_cipher import (
    BackedUpSession,
    backup_auth_data,
    backup_public_key,
    decrypt_session,
    encrypt_session,
    generate_backup_key,
)
from bot.crypto.canonical import from_unpadded, unpadded
from bot.crypto.signatures import signature_ok
from bot.errors import SealingError
from tests.crypto.test_canonical import JSON
from tests.crypto.test_identity import ACCOUNT, BOT, DEVICE, SEEDS

# RFC 7748, section 6.1.
PRIVATE = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
PUBLIC = unpadded(bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
GROUP = vodozemac.GroupSession()
RATCHET = vodozemac.InboundGroupSession(GROUP.session_key)


def _session(index: int = 0) -> BackedUpSession:
    exported = RATCHET.export_at(index)
    assert exported is not None
    return BackedUpSession(
        session_key=exported.to_base64(), sender_key=DEVICE.curve25519, sender_ed25519=DEVICE.ed25519
    )


def _derive(shared: bytes) -> tuple[bytes, bytes, bytes]:
    derived = HKDF(algorithm=SHA256(), length=80, salt=bytes(32), info=b"").derive(shared)
    return derived[:32], derived[32:64], derived[64:]


def _open_by_the_steps(session_data: dict[str, str]) -> Any:
    """Steps 1 to 5 of the specification backwards, without vodozemac."""
    parts = {name: from_unpadded(text) for name, text in session_data.items()}
    shared = X25519PrivateKey.from_private_bytes(PRIVATE).exchange(
        X25519PublicKey.from_public_bytes(parts["ephemeral"])
    )
    aes_key, mac_key, iv = _derive(shared)
    assert parts["mac"] == hmac.digest(mac_key, b"", "sha256")[:8]
    step, unpadder = Cipher(AES(aes_key), CBC(iv)).decryptor(), PKCS7(128).unpadder()
    return json.loads(unpadder.update(step.update(parts["ciphertext"])) + unpadder.finalize())


def _seal_by_the_steps(plaintext: bytes) -> dict[str, Any]:
    """Steps 1 to 5 of the specification, without vodozemac: what anybody who knows the public key can write."""
    ephemeral = X25519PrivateKey.generate()
    aes_key, mac_key, iv = _derive(ephemeral.exchange(X25519PublicKey.from_public_bytes(from_unpadded(PUBLIC))))
    padder, step = PKCS7(128).padder(), Cipher(AES(aes_key), CBC(iv)).encryptor()
    ciphertext = step.update(padder.update(plaintext) + padder.finalize())
    return {
        "session_data": {
            "ephemeral": unpadded(ephemeral.public_key().public_bytes_raw()),
            "ciphertext": unpadded(ciphertext),
            "mac": unpadded(hmac.digest(mac_key, b"", "sha256")[:8]),
        }
    }


def test_the_public_key_belongs_to_the_private_one() -> None:
    """The pair of RFC 7748 comes out; a private key of another length is refused."""
    assert backup_public_key(PRIVATE) == PUBLIC
    assert backup_public_key(generate_backup_key()) != backup_public_key(generate_backup_key())
    with pytest.raises(ValueError, match="32"):
        backup_public_key(b"short")


def test_an_entry_follows_the_specification_s_steps() -> None:
    """A second implementation opens it: the MAC is that of the empty string, as every client has it."""
    data = encrypt_session(PUBLIC, _session(), verified=True)
    assert {name: value for name, value in data.items() if name != "session_data"} == {
        "first_message_index": 0,
        "forwarded_count": 0,
        "is_verified": True,
    }
    assert not any("=" in text for text in data["session_data"].values())
    assert _open_by_the_steps(data["session_data"]) == {
        "algorithm": "m.megolm.v1.aes-sha2",
        "forwarding_curve25519_key_chain": [],
        "sender_key": DEVICE.curve25519,
        "sender_claimed_keys": {"ed25519": DEVICE.ed25519},
        "session_key": _session().session_key,
    }


def test_the_first_index_is_that_of_the_key() -> None:
    """A key exported from a later index says so to the server."""
    data = encrypt_session(PUBLIC, _session(3), verified=False)
    assert data["first_message_index"] == 3
    assert data["is_verified"] is False


def test_a_session_comes_back() -> None:
    """What was backed up opens with the private key and decrypts the room's messages; nothing stands there in clear."""
    message = GROUP.encrypt(b"hello")
    data = encrypt_session(PUBLIC, _session(), verified=True)
    assert _session().session_key not in json.dumps(data)
    restored = decrypt_session(PRIVATE, data)
    assert restored == _session()
    ratchet = vodozemac.InboundGroupSession.import_session(vodozemac.ExportedSessionKey(restored.session_key))
    assert ratchet.session_id == GROUP.session_id
    assert ratchet.decrypt(message).plaintext == b"hello"


def test_an_entry_of_another_client_opens() -> None:
    """An entry made by the steps of the specification is read, also with fields that are new to us."""
    content = {
        "algorithm": "m.megolm.v1.aes-sha2",
        "forwarding_curve25519_key_chain": [],
        "sender_key": DEVICE.curve25519,
        "sender_claimed_keys": {"ed25519": DEVICE.ed25519},
        "session_key": _session().session_key,
        "shared_history": False,
    }
    assert decrypt_session(PRIVATE, _seal_by_the_steps(json.dumps(content).encode())) == _session()


def test_another_private_key_opens_nothing() -> None:
    """Only the backup's own key opens an entry."""
    with pytest.raises(SealingError):
        decrypt_session(generate_backup_key(), encrypt_session(PUBLIC, _session(), verified=True))


@pytest.mark.parametrize("part", ["mac", "ephemeral"])
def test_a_changed_agreement_is_noticed(part: str) -> None:
    """A changed MAC or ephemeral key is refused."""
    data = encrypt_session(PUBLIC, _session(), verified=True)
    raw = from_unpadded(data["session_data"][part])
    data["session_data"][part] = unpadded(bytes([raw[0] ^ 1]) + raw[1:])
    with pytest.raises(SealingError):
        decrypt_session(PRIVATE, data)


@pytest.mark.parametrize("index", [0, 40, -1])
def test_a_changed_ciphertext_gives_no_other_session(index: int) -> None:
    """The MAC does not cover the ciphertext, so that a change shows in the contents: no session comes out."""
    data = encrypt_session(PUBLIC, _session(), verified=True)
    raw = bytearray(from_unpadded(data["session_data"]["ciphertext"]))
    raw[index] ^= 1
    data["session_data"]["ciphertext"] = unpadded(bytes(raw))
    with pytest.raises(SealingError):
        decrypt_session(PRIVATE, data)


@settings(deadline=None)  # many key agreements an example
@given(JSON, st.sampled_from(["algorithm", "sender_key", "sender_claimed_keys", "session_key"]))
def test_hostile_contents_raise_one_error(value: object, field: str) -> None:
    """Whoever knows the public key can write entries: contents that are no session are refused in one way."""
    content: dict[str, object] = {
        "algorithm": "m.megolm.v1.aes-sha2",
        "sender_key": DEVICE.curve25519,
        "sender_claimed_keys": {"ed25519": DEVICE.ed25519},
        "session_key": _session().session_key,
    }
    for plaintext in (json.dumps(value), json.dumps(content | {field: value}), "[" * 20_000, "\ud800"):
        sealed = _seal_by_the_steps(plaintext.encode(errors="surrogatepass"))
        with pytest.raises(SealingError):
            decrypt_session(PRIVATE, sealed)


@settings(deadline=None)  # many key agreements an example
@given(JSON, st.binary(max_size=64), st.sampled_from(["mac", "ephemeral", "ciphertext"]))
def test_hostile_entries_raise_one_error(value: object, raw: bytes, part: str) -> None:
    """Arbitrary JSON and arbitrary bytes in the place of an entry or a part are refused with a SealingError."""
    sealed = encrypt_session(PUBLIC, _session(), verified=True)["session_data"]
    for data in (
        value,
        {"session_data": value},
        {"session_data": sealed | {part: value}},
        {"session_data": sealed | {part: unpadded(raw)}},
    ):
        with pytest.raises(SealingError):
            decrypt_session(PRIVATE, data)


def test_what_is_no_session_key_is_not_backed_up() -> None:
    """A session key that does not import is refused before anything is encrypted."""
    broken = BackedUpSession(session_key="AAAA", sender_key=DEVICE.curve25519, sender_ed25519=DEVICE.ed25519)
    with pytest.raises(ValueError, match="session key"):
        encrypt_session(PUBLIC, broken, verified=True)


def test_the_auth_data_is_signed_twice() -> None:
    """The backup's public key carries the signatures of the master key and of the device, and nothing else."""
    auth_data = backup_auth_data(PUBLIC, DEVICE, SEEDS.master, lambda message: ACCOUNT.sign(message).to_base64())
    master = SEEDS.master.public_key
    assert set(auth_data) == {"public_key", "signatures"}
    assert auth_data["public_key"] == PUBLIC
    assert signature_ok(auth_data, BOT, f"ed25519:{master}", master)
    assert signature_ok(auth_data, BOT, "ed25519:INTERLUDE", DEVICE.ed25519)


def test_session_keys_stay_out_of_text() -> None:
    """Printing a session shows who made it, not its key."""
    assert _session().session_key not in repr(_session())
