"""Real sealing for the store's tests: AES-GCM under one key per owner, made from a common secret."""

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.errors import SealingError


class Seal:
    """Seals under one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plaintext: bytes, *, aad: bytes) -> bytes:
        """Seal for the place that `aad` names."""
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, plaintext, aad)

    def open(self, sealed: bytes, *, aad: bytes) -> bytes:
        """Open; raises SealingError for another place or key."""
        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], aad)
        except InvalidTag:
            raise SealingError from None


class Keyring:
    """Sealing by owner; processes with the same secret share the keys."""

    def __init__(self, secret: bytes = b"test") -> None:
        self._secret = secret
        self._destroyed: set[str] = set()
        self.asked: set[str] = set()  # owners whose key was used

    def __call__(self, owner: str) -> Seal:
        """Return the owner's sealing; raises SealingError once it is destroyed."""
        if owner in self._destroyed:
            raise SealingError
        self.asked.add(owner)
        return Seal(hashlib.sha256(self._secret + owner.encode()).digest())

    def destroy(self, owner: str) -> None:
        """Forget an owner's key."""
        self._destroyed.add(owner)
