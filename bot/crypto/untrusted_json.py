"""JSON from others: bounded before anything walks through it, and free of what no database stores."""

import json
from collections.abc import Mapping

_DEEPEST = 32  # levels of nesting
_MOST_TEXT = 128 * 1024  # characters, all strings and keys together
_MOST_VALUES = 20_000
_LONGEST_NAME = 255  # specification, "Size limits"


def read_json(text: bytes) -> object:
    """Read JSON in UTF-8. Raises ValueError for anything else and for what `check_json` refuses."""
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("This is nested too deeply.") from None
    check_json(value)
    return value


def check_json(value: object) -> None:
    """Raise ValueError for a value that is too deep, too large, or holds half a surrogate pair or a zero character."""
    level, text, count = [value], 0, 0
    for _ in range(_DEEPEST):
        below: list[object] = []
        for item in level:
            if isinstance(item, str):
                text += _storable(item)
            elif isinstance(item, Mapping):
                text += sum(_storable(key) for key in item)
                below.extend(item.values())
            elif isinstance(item, list | tuple):
                below.extend(item)
        count += len(below)
        if text > _MOST_TEXT or count > _MOST_VALUES:
            raise ValueError("This is too large.")
        if not below:
            return
        level = below
    raise ValueError("This is nested too deeply.")


def is_name(value: object) -> bool:
    """Whether this can be an identifier or a type: short text that prints."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()


def _storable(text: object) -> int:
    if not isinstance(text, str) or "\x00" in text:
        raise ValueError("This is no text that can be stored.")
    text.encode("utf-8")  # UnicodeEncodeError is a ValueError: half a surrogate pair
    return len(text)


def _no_constant(name: str) -> object:
    raise ValueError(f"JSON has no {name}.")
