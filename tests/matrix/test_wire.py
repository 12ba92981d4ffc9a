"""Decoding what strangers wrote."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.matrix.wire import LARGEST_INTEGER, MAX_DEPTH, decode

NUMBERS = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | st.floats(allow_nan=False, allow_infinity=False)
SMALL = st.none() | st.booleans() | NUMBERS
PLAIN = st.recursive(
    SMALL | st.text(), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


def depth(value: Any) -> int:
    """Count the containers within containers, level by level."""
    count, level = 0, [value]
    while level := [node for node in level if isinstance(node, (dict, list))]:
        count += 1
        level = [below for node in level for below in (node.values() if isinstance(node, dict) else node)]
    return count


@given(PLAIN)
def test_ordinary_json_is_unchanged(value: Any) -> None:
    """What any encoder takes comes out as it went in."""
    assert decode(json.dumps(value).encode()) == value


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 500, 200_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_cut_and_its_neighbours_stay(levels: int, opening: str, closing: str) -> None:
    """A megabyte of brackets becomes a small value, and what stands before and after it arrives."""
    deep = opening * levels + "1" + closing * levels
    value = decode(f'{{"before": "]}}\\"[", "deep": {deep}, "after": [1, {{"b": "["}}]}}'.encode())
    assert value["before"] == ']}"['
    assert value["after"] == [1, {"b": "["}]
    assert depth(value) <= MAX_DEPTH + 1


def test_unknown_numbers_become_null() -> None:
    """Integers beyond 2^53, of any length, and numbers that are none do not spoil the answer."""
    digits = "9" * 5000
    source = (
        f'{{"a": {digits}, "b": {2**53}, "c": NaN, "d": -Infinity, "e": 1e999, "f": {2**53 - 1}, "g": -7, "h": 1.5}}'
    )
    assert decode(source.encode()) == {
        "a": None, "b": None, "c": None, "d": None, "e": None, "f": 2**53 - 1, "g": -7, "h": 1.5,
    }  # fmt: skip


def test_lone_surrogates_are_replaced_in_values_and_keys() -> None:
    """Half a character would raise in every encoder later on; whole ones stay."""
    value = decode(b'{"\\ud800": "x\\udfffy", "ok": ["\\ud83d\\ude00", "\\ud83d"]}')
    assert value == {"?": "x?y", "ok": ["😀", "?"]}
    json.dumps(value, ensure_ascii=False).encode()


@given(st.text(alphabet='[]{}",:1\\ '))
def test_broken_json_raises_only_value_error(source: str) -> None:
    """Bodies that are no JSON raise ValueError and nothing else."""
    with contextlib.suppress(ValueError):
        decode(source.encode())


def test_broken_deep_json_raises_value_error() -> None:
    """Nesting that is never closed is no JSON, however deep."""
    with pytest.raises(ValueError, match=r"Expecting|delimiter"):
        decode(b"[" * 100_000)
