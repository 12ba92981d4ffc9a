"""Canonical JSON and unpadded base64: the two encodings that Matrix signatures and keys are made of."""

import base64
import binascii
import re
from collections.abc import Mapping

from canonicaljson import encode_canonical_json

_LARGEST_INTEGER = 2**53 - 1
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def canonical_json(value: object) -> bytes:
    """Encode a JSON value in the one form that is signed.

    Raises ValueError for what that form cannot hold: a float (NaN included), an integer beyond ±(2^53 - 1), a key that
    is no string, half a surrogate pair, nesting beyond the interpreter's limit, a value that is no JSON.
    Source: specification, appendix "Canonical JSON".
    """
    _refuse_what_cannot_be_canonical(value)
    try:
        return encode_canonical_json(value)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"This value has no canonical JSON: {error}") from None


def _refuse_what_cannot_be_canonical(value: object) -> None:
    """Walk the value with a list instead of by recursion, so that deep nesting cannot exhaust the stack here."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str | bool | None):
            continue
        if isinstance(item, int):
            if not -_LARGEST_INTEGER <= item <= _LARGEST_INTEGER:
                raise ValueError("Canonical JSON has no integers beyond 2^53 - 1.")
        elif isinstance(item, Mapping):
            if not all(isinstance(key, str) for key in item):
                raise ValueError("Canonical JSON has only strings as keys.")
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        else:
            raise ValueError(f"Canonical JSON has no {type(item).__name__}.")  # noqa: TRY004 - one error for all refusals


def unpadded(value: bytes) -> str:
    """Encode bytes as base64 without `=`, the form of every key and signature. Source: appendix "Unpadded Base64"."""
    return base64.b64encode(value).rstrip(b"=").decode("ascii")


def from_unpadded(text: object) -> bytes:
    """Decode base64 with or without its padding, as other clients write both.

    Raises ValueError for anything else: other types, other alphabets, white space, a wrong length.
    """
    if not isinstance(text, str) or not _BASE64.fullmatch(text):
        raise ValueError("This is not base64.")
    if "=" in text and len(text) % 4:
        raise ValueError("This base64 has the wrong padding.")
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        raise ValueError("This base64 has a wrong length.") from None
