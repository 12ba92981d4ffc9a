"""Sealing at rest: AES-256-GCM that also proves where a value belongs (CRYPTO 34)."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.errors import SealingError

KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE_BYTES = 12


class Sealer:
    """Seals and opens byte strings under one 32 byte key. Raises ValueError for a key of another length."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("A sealing key has 32 bytes.")
        self._cipher = AESGCM(key)

    def seal(self, plaintext: bytes, *, aad: bytes) -> bytes:
        """Encrypt for the place that `aad` names: a version byte, 12 bytes of nonce, the ciphertext with its tag.

        The nonce is random because pickles are deterministic (CRYPTO 34): equal plaintexts never look equal.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plaintext, _VERSION + aad)

    def open(self, sealed: bytes, *, aad: bytes) -> bytes:
        """Decrypt what `seal` made for the same place. Raises SealingError: another key, another place, damage."""
        if sealed[:1] != _VERSION:
            raise SealingError
        start = 1 + _NONCE_BYTES
        try:
            return self._cipher.decrypt(sealed[1:start], sealed[start:], _VERSION + aad)
        except (InvalidTag, ValueError):
            raise SealingError from None


def aad(table: str, row: str, column: str, owner: str, version: int = 1) -> bytes:
    """Name the place of a sealed value, so that a value moved to another row, column or pair does not open.

    Each part stands after its length in bytes: no two places share a name (CRYPTO 34).
    """
    parts = (part.encode() for part in (table, row, column, owner, str(version)))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
