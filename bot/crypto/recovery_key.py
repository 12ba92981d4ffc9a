"""The recovery key as people keep it: base58 in groups of four (specification, "Cryptographic key representation")."""

from functools import reduce
from operator import xor

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PREFIX = b"\x8b\x01"
_KEY_BYTES = 32
_LENGTH = len(_PREFIX) + _KEY_BYTES + 1
_LONGEST_TEXT = 64  # 35 bytes are 48 characters of base58: more is not worth the arithmetic


def encode_recovery_key(key: bytes) -> str:
    """Write a 32 byte key for people. Raises ValueError for another length."""
    if len(key) != _KEY_BYTES:
        raise ValueError("A recovery key stands for 32 bytes.")
    body = _PREFIX + key
    text = _to_base58(body + bytes([_parity(body)]))
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def decode_recovery_key(text: str) -> bytes:
    """Read the key that a person typed; white space does not matter. Raises ValueError that says what is wrong."""
    compact = "".join(text.split())
    if not compact or len(compact) > _LONGEST_TEXT:
        raise ValueError("A recovery key has 48 letters and digits.")
    if unknown := sorted(set(compact) - set(_ALPHABET)):
        raise ValueError(f"A recovery key never holds {' '.join(unknown)!r}.")
    raw = _from_base58(compact)
    if len(raw) != _LENGTH:
        raise ValueError("This recovery key is too short or too long.")
    if _parity(raw) != 0:
        raise ValueError("This recovery key has a typing mistake.")
    if not raw.startswith(_PREFIX):
        raise ValueError("This is the key of something else.")
    return raw[len(_PREFIX) : -1]


def _parity(raw: bytes) -> int:
    return reduce(xor, raw, 0)


def _to_base58(raw: bytes) -> str:
    number = int.from_bytes(raw, "big")
    digits = ""
    while number:
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def _from_base58(text: str) -> bytes:
    """Leading ones stand for leading zero bytes, which a key with this prefix never has: the length then tells."""
    number = 0
    for character in text:
        number = number * len(_ALPHABET) + _ALPHABET.index(character)
    zeros = len(text) - len(text.lstrip(_ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
