"""Signed JSON: who put which Ed25519 key under which object."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bot.crypto.canonical import canonical_json, from_unpadded, unpadded

Sign = Callable[[bytes], str]
"""Signs bytes and gives the signature as unpadded base64: an `Ed25519Seed.sign`, or the device's own key."""

_KEY_BYTES = 32
_NOT_SIGNED = ("signatures", "unsigned")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ed25519Seed:
    """An Ed25519 signing key as its 32 byte seed. Raises ValueError for another length."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != _KEY_BYTES:
            raise ValueError("An Ed25519 seed has 32 bytes.")

    @classmethod
    def generate(cls) -> "Ed25519Seed":
        """Make a new key from the operating system's randomness."""
        return cls(seed=os.urandom(_KEY_BYTES))

    @property
    def public_key(self) -> str:
        """The public half in unpadded base64."""
        return unpadded(self._private().public_key().public_bytes_raw())

    def sign(self, message: bytes) -> str:
        """Sign bytes; the signature comes in unpadded base64."""
        return unpadded(self._private().sign(message))

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def sign_json(value: Mapping[str, Any], user_id: str, key_id: str, sign: Sign) -> dict[str, Any]:
    """Give a copy of the object with one signature more; those that it has are kept.

    `key_id` is the whole identifier, such as `ed25519:DEVICE`. Raises ValueError for an object without canonical JSON.
    Source: appendix "Signing JSON".
    """
    signed = dict(value)
    signatures = {name: dict(keys) for name, keys in value.get("signatures", {}).items()}
    signatures.setdefault(user_id, {})[key_id] = sign(_signed_bytes(value))
    signed["signatures"] = signatures
    return signed


def signature_ok(value: object, user_id: str, key_id: str, public_key: str) -> bool:
    """Whether the object carries a valid signature of this user by this very key; malformed input is just no signature.

    The public key comes from the caller and never from the key identifier, because devices and cross-signing keys share
    one name space. Source: appendix "Checking for a Signature".
    """
    if not isinstance(value, Mapping):
        return False
    signature = lookup(value, "signatures", user_id, key_id)
    try:
        key = Ed25519PublicKey.from_public_bytes(from_unpadded(public_key))
        key.verify(from_unpadded(signature), _signed_bytes(value))
    except (ValueError, InvalidSignature):
        return False
    return True


def is_public_key(text: object) -> bool:
    """Whether this is a 32 byte key in its one canonical spelling.

    Another spelling of the same key (padding, stray bits at the end) is refused: pins and violations are compared as
    text (CRYPTO 3).
    """
    try:
        raw = from_unpadded(text)
    except ValueError:
        return False
    return len(raw) == _KEY_BYTES and unpadded(raw) == text


def lookup(value: object, *path: str) -> object:
    """What lies at the end of a path of keys in foreign JSON, or None wherever the path breaks off."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _signed_bytes(value: Mapping[str, Any]) -> bytes:
    return canonical_json({name: item for name, item in value.items() if name not in _NOT_SIGNED})
