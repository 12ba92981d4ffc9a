"""What seals the rows of one account: a key per owner, and a name for the place of each value (CRYPTO 34)."""

from collections.abc import Callable
from typing import Protocol


class Sealing(Protocol):
    """Authenticated encryption under one data key; `open` raises SealingError for another key, place or damage."""

    def seal(self, plaintext: bytes, *, aad: bytes) -> bytes: ...
    def open(self, sealed: bytes, *, aad: bytes) -> bytes: ...


Sealers = Callable[[str], Sealing]
"""From an owner (`account:<id>`, `pair:<id>`) to its sealing; raises SealingError when the owner's key is gone."""


def account_owner(account: str) -> str:
    """Name the owner of what belongs to the account itself."""
    return f"account:{account}"


def pair_owner(pair_id: str) -> str:
    """Name the owner of what belongs to a pair."""
    return f"pair:{pair_id}"


def place(table: str, row: str, column: str, owner: str, version: int) -> bytes:
    """Name where a sealed value stands, each part after its length: no two places share a name (CRYPTO 34)."""
    parts = [part.encode("utf-8", "replace") for part in (table, row, column, owner, str(version))]
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])
