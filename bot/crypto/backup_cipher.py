"""The cipher of the server-side key backup, `m.megolm_backup.v1.curve25519-aes-sha2` (CRYPTO 24).

Its MAC covers nothing but the key agreement (a libolm bug that became the specification): whoever knows the public key,
the server included, can write entries that open. What a restore reads is therefore no proof of who sent a message.
"""

import json
import os
from dataclasses import dataclass, field
from typing import Any

import vodozemac

from bot.crypto.canonical import from_unpadded, unpadded
from bot.crypto.identity import OwnDevice
from bot.crypto.signatures import Ed25519Seed, Sign, is_public_key, lookup, sign_json
from bot.errors import SealingError

ALGORITHM = "m.megolm_backup.v1.curve25519-aes-sha2"
_MEGOLM = "m.megolm.v1.aes-sha2"


@dataclass(frozen=True, kw_only=True, slots=True)
class BackedUpSession:
    """One Megolm session as the backup holds it; room and session id stand outside, in the request's path."""

    session_key: str = field(repr=False)  # in the session export format, from the first known index
    sender_key: str  # curve25519 of the device that made the session
    sender_ed25519: str


def generate_backup_key() -> bytes:
    """Make the private key of a new backup: 32 bytes, to seal and to put into secret storage."""
    return os.urandom(32)


def backup_public_key(private: bytes) -> str:
    """The public key that belongs to a backup's private key. Raises ValueError for another length than 32 bytes."""
    return vodozemac.Curve25519SecretKey.from_bytes(private).public_key().to_base64()


def backup_auth_data(public_key: str, device: OwnDevice, master: Ed25519Seed, sign: Sign) -> dict[str, Any]:
    """The `auth_data` of a new backup version, signed by the bot's master key and by its device."""
    by_master = sign_json({"public_key": public_key}, device.user_id, f"ed25519:{master.public_key}", master.sign)
    return sign_json(by_master, device.user_id, f"ed25519:{device.device_id}", sign)


def encrypt_session(public_key: str, session: BackedUpSession, *, verified: bool) -> dict[str, Any]:
    """One session as the server wants it under `/room_keys/keys`.

    `verified`: the session came from this bot or from a device that was trusted at the time. Raises ValueError for a
    session key or a public key that is none.
    """
    ratchet = vodozemac.InboundGroupSession.import_session(vodozemac.ExportedSessionKey(session.session_key))
    plaintext = json.dumps(
        {
            "algorithm": _MEGOLM,
            "forwarding_curve25519_key_chain": [],
            "sender_key": session.sender_key,
            "sender_claimed_keys": {"ed25519": session.sender_ed25519},
            "session_key": session.session_key,
        }
    )
    cipher = vodozemac.PkEncryption.from_key(vodozemac.Curve25519PublicKey.from_base64(public_key))
    message = cipher.encrypt(plaintext.encode())
    return {
        "first_message_index": ratchet.first_known_index,
        "forwarded_count": 0,
        "is_verified": verified,
        "session_data": {
            "ephemeral": unpadded(message.ephemeral_key),
            "ciphertext": unpadded(message.ciphertext),
            "mac": unpadded(message.mac),
        },
    }


def decrypt_session(private: bytes, data: object) -> BackedUpSession:
    """Read a session back. Raises SealingError: another backup's entry, damage, or contents that are no session."""
    try:
        return _session(json.loads(_decrypt(private, data)))
    except (ValueError, RecursionError):
        raise SealingError("This entry of the key backup cannot be opened.") from None


def _decrypt(private: bytes, data: object) -> bytes:
    ciphertext, mac, ephemeral = (
        from_unpadded(lookup(data, "session_data", part)) for part in ("ciphertext", "mac", "ephemeral")
    )
    key = vodozemac.Curve25519SecretKey.from_bytes(private)
    return vodozemac.PkDecryption.from_key(key).decrypt(vodozemac.Message(ciphertext, mac, ephemeral))


def _session(content: object) -> BackedUpSession:
    if lookup(content, "algorithm") != _MEGOLM:
        raise ValueError("no Megolm session")
    session_key, sender_key = lookup(content, "session_key"), lookup(content, "sender_key")
    sender_ed25519 = lookup(content, "sender_claimed_keys", "ed25519")
    if not isinstance(session_key, str) or not isinstance(sender_key, str) or not isinstance(sender_ed25519, str):
        raise ValueError("a field is missing")  # noqa: TRY004 - hostile content is a value error for the caller
    if not (is_public_key(sender_key) and is_public_key(sender_ed25519)):
        raise ValueError("a sender's key is malformed")
    vodozemac.ExportedSessionKey(session_key)
    return BackedUpSession(session_key=session_key, sender_key=sender_key, sender_ed25519=sender_ed25519)
