"""To-device messages on their way in (CRYPTO 8, 11, 16, 17, 36; DESIGN §4)."""

import copy
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import vodozemac
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.megolm import Share
from bot.core.olm import ToDeviceOutcome
from bot.core.people import ManagedRoom, Purpose
from bot.core.trust import Violation
from bot.crypto.canonical import unpadded
from bot.crypto.identity import OwnDevice
from bot.crypto.ratchets import new_own_session
from bot.crypto.withheld_notices import withheld_code
from bot.store.database import Database
from tests.crypto.peers import (
    BOT,
    CLIENT,
    NOW,
    STRANGER,
    THERAPIST,
    Bot,
    Peer,
    create_bot,
    introduce,
    olm_event,
    open_store,
    own_device,
    uploaded_keys,
)

ROOM = "!console"
KEY = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "session_id": "S", "session_key": "K"}
HOUR = timedelta(hours=1)


class World:
    """A bot that knows a client's phone, and the phone with a session to it."""

    def __init__(self, store: Database, bot: Bot, own: OwnDevice) -> None:
        self.store = store
        self.bot = bot
        self.own = own
        self.phone = Peer(CLIENT, "PHONE")

    async def take(self, event: object, at: Any = NOW) -> ToDeviceOutcome:
        async with self.store.transaction() as tx:
            return await self.bot.intake.take(tx, event, at)

    async def begin(self, *peers: Peer) -> None:
        """Let each of these devices make a session from a fresh key of the bot."""
        keys = await uploaded_keys(self.store, self.bot)
        for peer, key in zip(peers, keys, strict=False):
            peer.begin(self.own, key)

    async def wedge(self) -> int:
        async with self.store.transaction() as tx:
            return (await tx.devices.wedges([CLIENT])).get((CLIENT, "PHONE"), 0)

    async def due(self) -> dict[str, Any]:
        async with self.store.transaction() as tx:
            return dict(await self.bot.channel.unwedge_due(tx))

    async def alive(self) -> bool:
        """Whether the next good message of the phone is taken."""
        return (await self.take(self.phone.message(self.own, "m.room_key", KEY))).kind == "room_key"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = await open_store(tmp_path)
    bot = await create_bot(store)
    world = World(store, bot, await own_device(store, bot))
    await introduce(store, world.phone)
    await world.begin(world.phone)
    yield world
    await store.close()


async def test_room_key_of_a_known_device_is_handed_on(world: World) -> None:
    """A good message ends as a room key with the keys that were proven over Olm."""
    outcome = await world.take(world.phone.message(world.own, "m.room_key", KEY))
    assert outcome == ToDeviceOutcome(kind="room_key", sender=CLIENT, readable=("S",))
    (taken,) = world.bot.room_keys.taken
    assert (taken.sender, taken.sender_key, taken.sender_ed25519) == (
        CLIENT,
        world.phone.curve25519,
        world.phone.ed25519,
    )
    assert taken.content == KEY


async def test_dummy_is_taken_quietly(world: World) -> None:
    """`m.dummy` only carries its session."""
    assert (await world.take(world.phone.message(world.own, "m.dummy", {}))).kind == "dummy"
    assert await world.wedge() == 1


async def test_stranger_is_dropped_before_decryption(world: World) -> None:
    """Somebody in no pair gets no session and uses up no one-time key (CRYPTO 17)."""
    stranger = Peer(STRANGER, "X")
    await world.begin(stranger)
    event = stranger.message(world.own, "m.room_key", KEY)
    for _ in range(2):
        assert await world.take(event) == ToDeviceOutcome(kind="dropped", sender=STRANGER, reason="stranger")
    async with world.store.transaction() as tx:
        assert await tx.olm.sessions([stranger.curve25519]) == {}
        await tx.devices.track([STRANGER])
    assert (await world.take(event)).kind == "room_key"


async def test_own_account_is_not_listened_to(world: World) -> None:
    """Another device of the bot's own account is nobody (CRYPTO 7)."""
    async with world.store.transaction() as tx:
        await tx.devices.track([BOT])
    event = {**world.phone.message(world.own, "m.room_key", KEY), "sender": BOT}
    assert (await world.take(event)).reason == "own_user"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sender": THERAPIST}, "payload_sender"),
        ({"recipient": CLIENT}, "payload_recipient"),
        ({"recipient_keys": {"ed25519": "A" * 43}}, "payload_recipient_key"),
        ({"recipient_keys": {}}, "payload_recipient_key"),
        ({"keys": {"ed25519": "A" * 43}}, "payload_device_key"),
        ({"keys": {}}, "payload_malformed"),
        ({"keys": None}, "payload_malformed"),
        ({"type": 7}, "payload_malformed"),
        ({"content": []}, "payload_malformed"),
        ({"sender_device_keys": {}}, "payload_device_keys"),
        ({"sender_device_keys": "x"}, "payload_device_keys"),
        ({"sender_device_keys": Peer(CLIENT, "PHONE").keys()}, "payload_device_keys"),
        ({"org.matrix.msc4147.device_keys": Peer(THERAPIST, "PHONE").keys()}, "payload_device_keys"),
    ],
)
async def test_checks_of_the_specification(world: World, changes: dict[str, Any], reason: str) -> None:
    """A decrypted event that fails one of the specification's checks is dropped, and the session goes on."""
    outcome = await world.take(world.phone.message(world.own, "m.room_key", KEY, changes))
    assert outcome == ToDeviceOutcome(kind="dropped", sender=CLIENT, reason=reason)
    assert world.bot.room_keys.taken == []
    assert await world.alive()


async def test_attached_device_keys_must_be_those_of_the_session(world: World) -> None:
    """Valid device keys of another device of the same person are refused (MSC4147)."""
    other = Peer(CLIENT, "OTHER", world.phone.seeds)
    event = world.phone.message(world.own, "m.room_key", KEY, {"sender_device_keys": other.keys()})
    assert (await world.take(event)).reason == "payload_device_keys"


async def test_message_passed_on_under_another_name_is_refused(world: World) -> None:
    """A message that the server shows as somebody else's does not become theirs."""
    await introduce(world.store, Peer(THERAPIST, "DESK"))
    event = {**world.phone.message(world.own, "m.room_key", KEY), "sender": THERAPIST}
    assert (await world.take(event)).reason == "payload_sender"
    assert world.bot.room_keys.taken == []


async def test_curve_key_of_another_person_takes_nothing_over(world: World) -> None:
    """A device that publishes somebody else's curve25519 key does not stop that person's messages."""
    thief = Peer(THERAPIST, "THIEF")
    async with world.store.transaction() as tx:
        await tx.devices.track([THERAPIST])
        await tx.devices.save_devices([replace(thief.device(), curve25519=world.phone.curve25519)])
    assert await world.alive()


async def test_room_key_of_a_device_not_listed_yet_is_kept_and_the_list_asked_for(world: World) -> None:
    """A device that signed in a moment ago may send its key first; the person's list is then out of date."""
    tablet = Peer(CLIENT, "TABLET", world.phone.seeds)
    await world.begin(tablet)
    async with world.store.transaction() as tx:
        await tx.devices.clear_outdated({CLIENT: 10**6})
    assert (await world.take(tablet.message(world.own, "m.room_key", KEY))).kind == "room_key"
    async with world.store.transaction() as tx:
        assert set(await tx.devices.outdated()) == {CLIENT}


@pytest.mark.parametrize(
    "event_type", ["m.forwarded_room_key", "m.secret.send", "m.secret.request", "m.room_key_bundle", "m.room.message"]
)
async def test_unwanted_types_are_dropped(world: World, event_type: str) -> None:
    """Forwarded keys, secrets and key bundles are never asked for, so never taken (CRYPTO 8)."""
    assert (await world.take(world.phone.message(world.own, event_type, KEY))).reason == "unwanted"
    clear = {"type": event_type, "sender": CLIENT, "content": KEY}
    assert (await world.take(clear)).kind == "dropped"
    assert world.bot.room_keys.taken == []


async def test_room_key_in_clear_is_dropped(world: World) -> None:
    """A room key counts over Olm only."""
    assert (await world.take({"type": "m.room_key", "sender": CLIENT, "content": KEY})).reason == "clear"


async def test_lost_session_leads_to_a_new_one_and_a_higher_wedge_counter(world: World) -> None:
    """A really wedged session: the bot wishes for a new one, the device answers in it, and its counter rises."""
    assert await world.alive()
    async with world.store.transaction() as tx:
        (content,) = await world.bot.channel.encrypt(tx, [(world.phone.device(), "m.dummy", {})])
    assert content is not None
    world.phone.read(content)
    before = await world.wedge()
    async with world.store.transaction() as tx:
        await tx.olm.drop_sessions([world.phone.curve25519])
    lost = world.phone.message(world.own, "m.room_key", KEY)
    assert (await world.take(lost)).reason == "no_session"
    wanted = await world.due()
    assert wanted == {CLIENT: {"PHONE": "signed_curve25519"}}
    async with world.store.transaction() as tx:
        await world.bot.channel.claimed(tx, wanted, world.phone.claimed_key())
        (dummy,) = await tx.olm.unsent(10)
    assert world.phone.read(dummy.content)["type"] == "m.dummy"
    assert await world.alive()
    assert await world.wedge() > before
    again = await world.wedge()
    await world.begin(world.phone)
    assert await world.alive()
    assert await world.wedge() == again + 1


async def test_replays_cause_no_new_session(world: World) -> None:
    """A thousand replays of messages that were read or failed lead to no wish (CRYPTO 16)."""
    good = world.phone.message(world.own, "m.room_key", KEY)
    assert (await world.take(good)).kind == "room_key"
    broken = Peer(CLIENT, "PHONE")
    broken.begin(world.own, {"key": Peer(BOT, "X").curve25519})
    failed = broken.message(world.own, "m.room_key", KEY)
    assert (await world.take(failed)).reason == "undecryptable"
    async with world.store.transaction() as tx:
        for event in (good, failed):
            for _ in range(1000):
                assert (await world.bot.intake.take(tx, event, NOW)).reason == "replay"
    assert await world.due() == {}
    assert await world.wedge() == 1


async def test_unsigned_device_causes_no_new_session(world: World) -> None:
    """Failures of a device without its owner's signature are nobody's wish (CRYPTO 17)."""
    async with world.store.transaction() as tx:
        await tx.devices.save_devices([world.phone.device(signed=False)])
        await tx.olm.drop_sessions([world.phone.curve25519])
    forger = Peer(CLIENT, "PHONE")
    forger.begin(world.own, {"key": Peer(BOT, "X").curve25519})
    event = forger.message(world.own, "m.room_key", KEY)
    event["content"]["sender_key"] = world.phone.curve25519
    assert (await world.take(event)).reason == "undecryptable"
    assert await world.due() == {}


async def test_withheld_notice_is_noted_for_the_wording(world: World) -> None:
    """The notice about one session of a room can be looked up; one about an unknown room is dropped (CRYPTO 36)."""
    async with world.store.transaction() as tx:
        await tx.rooms.add(ManagedRoom(room_id=ROOM, purpose=Purpose.CONSOLE, pair_id=None, therapist=CLIENT))
        await tx.rooms.set_members(ROOM, {BOT: "join", CLIENT: "join"})
        await tx.devices.track([THERAPIST])
    content = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "session_id": "S", "code": "m.unverified"}
    event = {"type": "m.room_key.withheld", "sender": CLIENT, "content": content}
    assert await world.take(event) == ToDeviceOutcome(kind="withheld", sender=CLIENT, reason="m.unverified")
    for damage in ({"room_id": "!other"}, {"code": "x"}, {"code": ["m.unverified"]}, {"session_id": "x" * 300}):
        assert (await world.take({**event, "content": content | damage})).kind == "dropped"
    assert (await world.take({**event, "sender": THERAPIST})).kind == "dropped"
    async with world.store.transaction() as tx:
        assert await withheld_code(tx, ROOM, "S") == "m.unverified"
        assert await withheld_code(tx, ROOM, "T") is None


async def test_device_without_olm_is_offered_a_session(world: World) -> None:
    """Who says that it had no one-time key of ours is sent a new session, once an hour."""
    content = {"algorithm": "m.megolm.v1.aes-sha2", "code": "m.no_olm", "sender_key": world.phone.curve25519}
    event = {"type": "m.room_key.withheld", "sender": CLIENT, "content": content}
    assert (await world.take(event)).reason == "m.no_olm"
    assert await world.due() == {CLIENT: {"PHONE": "signed_curve25519"}}


async def test_verification_is_cancelled_at_once(world: World) -> None:
    """A request is answered with a cancel that names the fingerprint; what follows is not answered (CRYPTO 8)."""
    content = {"from_device": "PHONE", "transaction_id": "t1", "methods": ["m.sas.v1"]}
    outcome = await world.take({"type": "m.key.verification.request", "sender": CLIENT, "content": content})
    (reply,) = outcome.reply
    assert (outcome.kind, outcome.sender) == ("verification", CLIENT)
    assert (reply.event_type, reply.user_id, reply.device_id) == ("m.key.verification.cancel", CLIENT, "PHONE")
    assert (reply.content["transaction_id"], reply.content["code"]) == ("t1", "m.user")
    async with world.store.transaction() as tx:
        seeds = await world.bot.own.seeds(tx)
    assert seeds is not None
    assert seeds.master.public_key in reply.content["reason"].replace(" ", "")
    for event_type in ("m.key.verification.cancel", "m.key.verification.done", "m.key.verification.key"):
        assert (await world.take({"type": event_type, "sender": CLIENT, "content": content})).kind == "dropped"
    stranger = {"type": "m.key.verification.request", "sender": STRANGER, "content": content}
    assert (await world.take(stranger)).reply == ()


class Asked(World):
    """A world in which the phone was given a session from index 0."""

    session_id: str

    async def share(self) -> None:
        group = vodozemac.GroupSession()
        self.session_id = group.session_id
        own = new_own_session(ROOM, self.own, group)
        share = Share(
            session_id=group.session_id,
            user_id=CLIENT,
            device_id="PHONE",
            curve25519=self.phone.curve25519,
            index=0,
            wedge=0,
            acknowledged=True,
        )
        async with self.store.transaction() as tx:
            await tx.rooms.add(ManagedRoom(room_id=ROOM, purpose=Purpose.CONSOLE, pair_id=None, therapist=CLIENT))
            await tx.megolm.save_inbound([own.to_row()])
            await tx.megolm.save_shares([share])
            await self.bot.channel.claimed(tx, {CLIENT: {"PHONE": "x"}}, self.phone.claimed_key())

    def request(self, device_id: str = "PHONE", sender: str = CLIENT, **body: Any) -> dict[str, Any]:
        wanted = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "session_id": self.session_id} | body
        content = {"action": "request", "requesting_device_id": device_id, "request_id": "r", "body": wanted}
        return {"type": "m.room_key_request", "sender": sender, "content": content}


@pytest.fixture
async def asked(world: World) -> Asked:
    asked = Asked(world.store, world.bot, world.own)
    asked.phone = world.phone
    await asked.share()
    return asked


async def test_key_is_repeated_once_an_hour(asked: Asked) -> None:
    """The device that was given a key gets it again from the same index, over Olm, at most hourly (CRYPTO 8)."""
    outcome = await asked.take(asked.request())
    (reply,) = outcome.reply
    assert (outcome.kind, reply.event_type, reply.session_id) == ("key_request", "m.room.encrypted", asked.session_id)
    payload = asked.phone.read(reply.content)
    assert payload["type"] == "m.room_key"
    ratchet = vodozemac.InboundGroupSession(vodozemac.SessionKey(payload["content"]["session_key"]))
    assert (ratchet.session_id, ratchet.first_known_index) == (asked.session_id, 0)
    assert (await asked.take(asked.request(), NOW + HOUR / 2)).reason == "key_request_too_often"
    assert (await asked.take(asked.request(), NOW + HOUR)).kind == "key_request"


async def test_key_goes_to_nobody_else(asked: Asked) -> None:
    """Another device, another person, another room, a violation or a cancelled request gets no key (CRYPTO 8)."""
    tablet = Peer(CLIENT, "TABLET", asked.phone.seeds)
    await introduce(asked.store, tablet, Peer(THERAPIST, "PHONE"))
    assert (await asked.take(asked.request("TABLET"))).reason == "key_request_not_shared"
    assert (await asked.take(asked.request(sender=THERAPIST))).reason == "key_request_not_shared"
    assert (await asked.take(asked.request(session_id=["x"]))).reason == "key_request_malformed"
    assert (await asked.take(asked.request(room_id="!other"))).kind == "dropped"
    cancelled = asked.request()
    cancelled["content"]["action"] = "request_cancellation"
    assert (await asked.take(cancelled)).kind == "dropped"
    async with asked.store.transaction() as tx:
        await tx.devices.save_identity(replace(asked.phone.identity(), violation=Violation.MASTER_CHANGED))
    assert (await asked.take(asked.request(), NOW + HOUR)).reason == "key_request_not_shared"


def _nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def _deep_text() -> bytes:
    return b'{"content":' * 100_000 + b"{}" + b"}" * 100_000


CLEAR = {"type": "m.room_key_request", "sender": CLIENT}
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
