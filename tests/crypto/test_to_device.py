"""To-device messages on their way in: whose are taken, and what becomes of them (CRYPTO 8, 11, 16, 17, 36)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.olm import ToDeviceOutcome
from bot.core.people import ManagedRoom, Purpose
from bot.crypto.withheld_notices import withheld_code
from tests.crypto.intake import KEY, ROOM, World, open_world
from tests.crypto.peers import BOT, CLIENT, NOW, STRANGER, THERAPIST, Peer, introduce


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


async def test_room_key_of_a_known_device_is_handed_on(world: World) -> None:
    """A good message ends as a room key with the keys that were proven over Olm."""
    outcome = await world.take(world.phone.message(world.own, "m.room_key", KEY))
    assert outcome == ToDeviceOutcome(kind="room_key", sender=CLIENT, readable=("S",), began=True)
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
