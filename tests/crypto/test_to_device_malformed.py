"""Hostile to-device messages: dropped one by one, and the next good one is read (DESIGN §4)."""

import copy
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.crypto.canonical import unpadded
from tests.crypto.intake import KEY, World, open_world
from tests.crypto.peers import BOT, CLIENT, Peer, olm_event


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


def _nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"a": value}
    return value


CLEAR = {"type": "m.room_key_request", "sender": CLIENT}
VERIFICATION = {"type": "m.key.verification.request", "sender": CLIENT}
MALFORMED: list[Any] = [
    None,
    [],
    "event",
    {},
    {"sender": CLIENT},
    {"sender": CLIENT, "type": "m.room.encrypted"},
    {"sender": CLIENT, "type": "m.room.encrypted", "content": None},
    {"sender": CLIENT, "type": "m.room.encrypted", "content": {}},
    {"sender": CLIENT, "type": ["m.room.encrypted"], "content": {}},
    {"sender": CLIENT, "type": "", "content": {}},
    {"sender": 7, "type": "m.dummy", "content": {}},
    {"sender": "\ud800", "type": "m.dummy", "content": {}},
    {**CLEAR, "content": {"action": "request", "body": 7, "requesting_device_id": {}}},
    {**CLEAR, "content": {"a": "\ud800"}},
    {
        **CLEAR,
        "content": {
            "action": "request",
            "requesting_device_id": "PHONE",
            "body": {"session_id": "\ud800", "room_id": "!r"},
        },
    },
    {**CLEAR, "content": {"a\x00": "\x00"}},
    {**CLEAR, "content": _nested(500)},
    {**CLEAR, "content": {"a": "x" * 1_000_000}},
    {**CLEAR, "content": {"a": [0] * 100_000}},
    {"sender": CLIENT, "type": "m.key.verification.request", "content": {"from_device": [], "transaction_id": 1}},
    {"sender": CLIENT, "type": "m.key.verification.start", "content": {}},
    {**VERIFICATION, "content": {"from_device": "P", "transaction_id": "t", "methods": _nested(40)}},
    {**VERIFICATION, "content": {"from_device": "P", "transaction_id": "t", "methods": ["x" * 200_000]}},
    {"sender": CLIENT, "type": "m.room_key.withheld", "content": {"code": {}, "room_id": []}},
]


@pytest.mark.parametrize("number", range(len(MALFORMED)))
async def test_malformed_events_are_dropped(world: World, number: int) -> None:
    """Whatever is no event is dropped, and the neighbour is read."""
    assert (await world.take(MALFORMED[number])).kind == "dropped"
    assert await world.alive()


@pytest.mark.parametrize(
    "content",
    [
        {"sender_key": "AAAA"},
        {"sender_key": "not base64!"},
        {"sender_key": 7},
        {"algorithm": "m.megolm.v1.aes-sha2"},
        {"ciphertext": []},
        {"ciphertext": {}},
        {"ciphertext": "x"},
    ],
)
async def test_malformed_ciphertexts_are_dropped(world: World, content: dict[str, Any]) -> None:
    """Wrong keys, algorithms and shapes around a ciphertext are dropped, and the neighbour is read."""
    event = world.phone.message(world.own, "m.room_key", KEY)
    event["content"] |= content
    assert (await world.take(event)).kind == "dropped"
    assert await world.alive()


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"sender": NaN}',
        b'"\\ud800"',
        b"{}" * 10,
        b"[" * 40_000,
        json.dumps(_nested(40)).encode(),
        b'{"type":"m.room_key","content":{},"keys":{"ed25519":"' + b"A" * 44 + b'"}}',
    ],
)
async def test_malformed_plaintexts_are_dropped(world: World, plaintext: bytes) -> None:
    """A plaintext that is no UTF-8, no JSON, no object or nested without end is dropped, and the session goes on."""
    assert (await world.take(world.phone.encrypted(world.own, plaintext))).reason == "payload_malformed"
    assert await world.alive()


@pytest.mark.parametrize("content", [{"a": "\ud800"}, {"\ud800": 1}, {"a": "\x00"}, {"a": float("nan")}])
async def test_room_key_that_could_not_be_stored_is_dropped(world: World, content: dict[str, Any]) -> None:
    """Half a surrogate pair, a zero character or NaN inside an otherwise good message never reaches the database."""
    outcome = await world.take(world.phone.message(world.own, "m.room_key", KEY | content))
    assert outcome.reason == "payload_malformed"
    assert world.bot.room_keys.taken == []


async def test_unknown_one_time_key_and_damaged_messages_are_dropped(world: World) -> None:
    """A pre-key message for a key that never was, and flipped bits, are dropped with a reason."""
    forger = Peer(CLIENT, "PHONE")
    forger.begin(world.own, {"key": Peer(BOT, "X").curve25519})
    assert (await world.take(forger.message(world.own, "m.room_key", KEY))).reason == "undecryptable"
    good = world.phone.message(world.own, "m.room_key", KEY)
    body = good["content"]["ciphertext"][world.own.curve25519]["body"]
    for position in range(0, len(body), 7):
        bad = copy.deepcopy(good)
        flipped = "B" if body[position] == "A" else "A"
        bad["content"]["ciphertext"][world.own.curve25519]["body"] = body[:position] + flipped + body[position + 1 :]
        assert (await world.take(bad)).kind == "dropped"
    assert (await world.take(good)).kind == "room_key"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([CLIENT, BOT]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        "algorithm",
        "sender_key",
        "ciphertext",
        "action",
        "body",
        "room_id",
        "session_id",
        "code",
        "from_device",
        "keys",
        "transaction_id",
        "requesting_device_id",
        "type",
        "content",
        "sender",
        "recipient",
        "recipient_keys",
    ]
)
TYPES = st.sampled_from(
    ["m.room.encrypted", "m.room_key", "m.room_key_request", "m.room_key.withheld", "m.key.verification.request"]
)
CONTENT = st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON, max_size=4), max_size=6)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=st.fixed_dictionaries({"sender": st.just(CLIENT) | JSON, "type": TYPES | JSON, "content": CONTENT | JSON}))
async def test_no_event_raises(world: World, event: dict[str, Any]) -> None:
    """Made-up events never raise and never become a room key."""
    assert (await world.take(event)).kind != "room_key"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CONTENT, raw=st.none() | st.binary(max_size=64))
async def test_no_plaintext_raises(world: World, changes: dict[str, Any], raw: bytes | None) -> None:
    """Made-up plaintexts inside real Olm messages never raise."""
    if raw is not None:
        outcome = await world.take(world.phone.encrypted(world.own, raw))
    else:
        outcome = await world.take(world.phone.message(world.own, "m.room_key", KEY, changes))
    assert outcome.kind in ("dropped", "room_key")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from([0, 1]), body=st.binary(max_size=200), version=st.booleans())
async def test_no_ciphertext_raises(world: World, kind: int, body: bytes, *, version: bool) -> None:
    """Made-up Olm messages never raise and are never read."""
    part = {"type": kind, "body": unpadded(b"\x03" + body if version else body)}
    event = olm_event(CLIENT, world.phone.curve25519, {world.own.curve25519: part})
    assert (await world.take(event)).kind == "dropped"
