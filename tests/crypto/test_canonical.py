"""Canonical JSON and unpadded base64 against the specification's appendix."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crypto.canonical import canonical_json, from_unpadded, unpadded

# Specification, appendix "Canonical JSON", examples.
VECTORS = [
    ("{}", "{}"),
    ('{"one": 1, "two": "Two"}', '{"one":1,"two":"Two"}'),
    ('{"b": "2", "a": "1"}', '{"a":"1","b":"2"}'),
    (
        '{"auth": {"success": true, "mxid": "@john.doe:example.com", "profile": {"display_name": "John Doe",'
        '"three_pids": [{"medium": "email", "address": "john.doe@example.org"},'
        '{"medium": "msisdn", "address": "123456789"}]}}}',
        '{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":'
        '[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}}',
    ),
    ('{"a": "日本語"}', '{"a":"日本語"}'),
    ('{"本": 2, "日": 1}', '{"日":1,"本":2}'),
    ('{"a": "\\u65E5"}', '{"a":"日"}'),
    ('{"a": null}', '{"a":null}'),
    ('{"a": -0}', '{"a":0}'),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(("written", "canonical"), VECTORS)
def test_the_specification_s_examples(written: str, canonical: str) -> None:
    """Each example of the appendix gets the form that the appendix gives."""
    assert canonical_json(json.loads(written)) == canonical.encode()


def test_control_characters_are_escaped_in_the_shortest_way() -> None:
    """Control characters use the escapes of the grammar, everything else stands as itself."""
    assert canonical_json('\x00\x1f\n"\\\x7f/') == b'"\\u0000\\u001f\\n\\"\\\\\x7f/"'


@pytest.mark.parametrize(
    "value",
    [1.0, 1e10, float("nan"), float("inf"), 2**53, -(2**53), {"a": [1.5]}, {1: "a"}, b"bytes", {"a": {1, 2}}, "\ud800"],
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    """Floats, huge integers, foreign types and broken text are refused rather than guessed."""
    with pytest.raises(ValueError, match=r".+"):
        canonical_json(value)


def test_the_largest_integers_are_written() -> None:
    """The bounds themselves are inside."""
    assert canonical_json([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"


def test_endless_nesting_is_refused() -> None:
    """A hundred thousand nested lists are a refusal, not a crash."""
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="canonical"):
        canonical_json(value)


@given(JSON)
def test_canonical_json_is_stable(value: object) -> None:
    """Reading the canonical form and writing it again gives the same bytes, and the same value."""
    written = canonical_json(value)
    assert json.loads(written) == value
    assert canonical_json(json.loads(written)) == written


@pytest.mark.parametrize(
    ("raw", "text"), [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"foobar", "Zm9vYmFy")]
)
def test_unpadded_base64_of_the_specification(raw: bytes, text: str) -> None:
    """The examples of RFC 4648, without padding, as the appendix has them."""
    assert unpadded(raw) == text
    assert from_unpadded(text) == raw


@given(st.binary())
def test_both_paddings_are_read(raw: bytes) -> None:
    """What is written without padding reads back, with its padding as well."""
    text = unpadded(raw)
    assert "=" not in text
    assert from_unpadded(text) == from_unpadded(text + "=" * (-len(text) % 4)) == raw


@pytest.mark.parametrize(
    "text", ["Z", "Zg=", "Zg===", "Z=g=", "Zm8 ", " Zm8", "Zm8\n", "Zm-_", "Zä", "=", "====", None, 7, b"Zg"]
)
def test_garbage_is_no_base64(text: object) -> None:
    """Wrong lengths, paddings, alphabets and types are refused with a ValueError."""
    with pytest.raises(ValueError, match="base64"):
        from_unpadded(text)


@given(st.text() | st.text("AZaz09+/=") | st.none() | st.integers() | st.binary())
def test_reading_raises_nothing_but_value_errors(text: object) -> None:
    """Any input is either read or refused with a ValueError."""
    try:
        from_unpadded(text)
    except ValueError:
        return
    assert isinstance(text, str)
