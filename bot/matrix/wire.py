"""JSON from the homeserver, made harmless: whatever a stranger put into it can be walked, stored and encoded.

A room event or a to-device message is written by anybody. Its nesting, numbers and broken characters must neither stop
the bot nor its neighbours in the same answer (DESIGN promise 6).
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 64  # containers within containers, counted from the top of the answer; real events need about 15
LARGEST_INTEGER = 2**53 - 1  # specification, appendices, "Canonical JSON"

_PIECE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


class NonsenseError(ValueError):
    """An answer that is not what the specification says."""


def decode(body: bytes) -> Any:
    """Decode JSON; numbers that Matrix does not know and what is nested too deeply become null or empty.

    Takes the interpreter's lock in small pieces, so that it may run in a thread beside the event loop.
    Raises ValueError when the body is no JSON.
    """
    source = body.decode("utf-8", "replace")
    try:
        value = _parse(source)
    except RecursionError:
        value = _parse(_without_depths(source))
    _make_harmless(value)
    return value


def _parse(source: str) -> Any:
    return json.loads(source, parse_int=_integer, parse_float=_finite, parse_constant=_nothing)


def _integer(digits: str) -> int | None:
    if len(digits) > 17:  # a number of thousands of digits raises in int() and would take the whole answer with it
        return None
    value = int(digits)
    return value if abs(value) <= LARGEST_INTEGER else None


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _nothing(_name: str) -> None:
    return None


def _without_depths(source: str) -> str:
    """Put null for every container that lies deeper than `MAX_DEPTH`, without recursion."""
    kept, depth, start = [], 0, 0
    for match in _PIECE.finditer(source):
        piece = match[0]
        if piece in "[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept.append(source[start : match.start()])
        elif piece in "]}":
            if depth == MAX_DEPTH + 1:
                kept.append("null")
                start = match.end()
            depth -= 1
    if depth <= MAX_DEPTH:
        kept.append(source[start:])
    return "".join(kept)


def _make_harmless(top: Any) -> None:
    """Replace lone surrogates, which no encoder takes, and empty what lies too deep; in place, level by level."""
    level = [top] if isinstance(top, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for node in level:
            for key, value in node.items() if isinstance(node, dict) else enumerate(node):
                if isinstance(value, str):
                    if not value.isascii():
                        node[key] = _encodable(value)
                elif isinstance(value, (dict, list)):
                    below.append(value)
            if isinstance(node, dict) and not all(map(str.isascii, node)):
                _rename_keys(node)
        level = below
    for node in level:
        node.clear()


def _rename_keys(node: dict[str, Any]) -> None:
    renamed = {_encodable(key): value for key, value in node.items()}
    node.clear()
    node.update(renamed)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


# --- shapes: a mistyped value is an absent one ------------------------------------------------------------------------


def mapping(value: Any) -> dict[str, Any]:
    """Return `value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Return `value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def identifiers(value: Any) -> tuple[str, ...]:
    """Return the identifiers of a list."""
    return tuple(entry for entry in items(value) if is_identifier(entry))


def is_identifier(value: Any) -> bool:
    """Say whether `value` can stand for a user, an event, a type or a token in a database row."""
    return isinstance(value, str) and 0 < len(value) <= 4096 and "\0" not in value


def required(key: str) -> Callable[[Any], str]:
    """Return a reader of the string `key` of an answer; it raises NonsenseError when it is missing."""

    def read(answer: Any) -> str:
        value = mapping(answer).get(key)
        if not is_identifier(value):
            raise NonsenseError(f"no {key} in the answer")
        return str(value)

    return read
