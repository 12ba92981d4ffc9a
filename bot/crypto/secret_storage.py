"""Secret storage on the server (`m.secret_storage.v1.aes-hmac-sha2`): what the recovery key opens (CRYPTO 24)."""

import hmac
import os
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.crypto.canonical import from_unpadded, unpadded
from bot.crypto.identity import CrossSigningSeeds
from bot.crypto.signatures import lookup
from bot.errors import SealingError

ALGORITHM = "m.secret_storage.v1.aes-hmac-sha2"
DEFAULT_KEY = "m.secret_storage.default_key"
MASTER = "m.cross_signing.master"
SELF_SIGNING = "m.cross_signing.self_signing"
USER_SIGNING = "m.cross_signing.user_signing"
BACKUP = "m.megolm_backup.v1"
_KEY_BYTES = 32
_IV_BYTES = 16
_KEY_ID_CHARACTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretStorageKey:
    """A secret storage key: 32 bytes, which the recovery key writes out. Raises ValueError for another length."""

    key_id: str
    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.raw) != _KEY_BYTES:
            raise ValueError("A secret storage key has 32 bytes.")

    @classmethod
    def generate(cls) -> "SecretStorageKey":
        """Make a new key with a random id."""
        key_id = "".join(secrets.choice(_KEY_ID_CHARACTERS) for _ in range(32))
        return cls(key_id=key_id, raw=os.urandom(_KEY_BYTES))

    def key_description(self) -> dict[str, str]:
        """The content of `m.secret_storage.key.<id>`, with which a client checks a recovery key that was typed."""
        check = self._encrypt("", bytes(_KEY_BYTES))
        return {"algorithm": ALGORITHM, "iv": check["iv"], "mac": check["mac"]}

    def encrypt_secret(self, name: str, value: str) -> dict[str, Any]:
        """The account data content that holds the secret for the owner of this key."""
        return {"encrypted": {self.key_id: self._encrypt(name, value.encode())}}

    def decrypt_secret(self, name: str, content: object) -> str:
        """Read a secret out of its account data. Raises SealingError: not there, another key, another name, damage."""
        try:
            return self._decrypt(name, _entry(content, self.key_id)).decode()
        except ValueError as error:
            raise SealingError(f"The secret {name} cannot be opened with this recovery key: {error}") from None

    def account_data(self, seeds: CrossSigningSeeds, backup_key: bytes) -> dict[str, dict[str, Any]]:
        """Every account data event of a complete secret storage, by type, in the order in which to write them.

        Source: "Secrets", "Cross-signing", "Server-side key backups".
        """
        values = {
            MASTER: seeds.master.seed,
            SELF_SIGNING: seeds.self_signing.seed,
            USER_SIGNING: seeds.user_signing.seed,
            BACKUP: backup_key,
        }
        return {
            f"m.secret_storage.key.{self.key_id}": self.key_description(),
            **{name: self.encrypt_secret(name, unpadded(value)) for name, value in values.items()},
            DEFAULT_KEY: {"key": self.key_id},
        }

    def _encrypt(self, name: str, plaintext: bytes) -> dict[str, str]:
        aes_key, mac_key = self._derive(name)
        iv = bytearray(os.urandom(_IV_BYTES))
        iv[8] &= 0x7F  # bit 63 is cleared: some clients count only the lower 64 bits up
        ciphertext = _ctr(aes_key, bytes(iv), plaintext)
        mac = hmac.digest(mac_key, ciphertext, "sha256")
        return {"iv": unpadded(bytes(iv)), "ciphertext": unpadded(ciphertext), "mac": unpadded(mac)}

    def _decrypt(self, name: str, entry: Mapping[str, object]) -> bytes:
        aes_key, mac_key = self._derive(name)
        iv, ciphertext, mac = (from_unpadded(entry.get(part)) for part in ("iv", "ciphertext", "mac"))
        if len(iv) != _IV_BYTES:
            raise ValueError("its initialization vector has a wrong length")
        if not hmac.compare_digest(mac, hmac.digest(mac_key, ciphertext, "sha256")):
            raise ValueError("it was made with another key, or changed")
        return _ctr(aes_key, iv, ciphertext)

    def _derive(self, name: str) -> tuple[bytes, bytes]:
        both = HKDF(algorithm=SHA256(), length=64, salt=bytes(32), info=name.encode()).derive(self.raw)
        return both[:32], both[32:]


def _entry(content: object, key_id: str) -> Mapping[str, object]:
    entry = lookup(content, "encrypted", key_id)
    if not isinstance(entry, Mapping):
        raise ValueError("it was not stored under this key")  # noqa: TRY004 - hostile content is a value error for callers
    return entry


def _ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES-256 in counter mode, which is its own inverse."""
    step = Cipher(AES(key), CTR(iv)).encryptor()
    return step.update(data) + step.finalize()
