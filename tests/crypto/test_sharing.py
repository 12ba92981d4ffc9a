"""Who gets the room keys, when, and from which message on (CRYPTO 1-4, 6, 7, 17, 21-23)."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.megolm import Audience, Encrypted, Hold
from bot.core.trust import Violation
from bot.crypto.device_lists import OWN_IDENTITY_HOLD
from tests.crypto.peers import CLIENT, STRANGER, THERAPIST
from tests.crypto.room_world import AUDIENCE, CONSOLE, NOON, PEOPLE, ROOM, RoomPeer, World

TO_CLIENT = replace(AUDIENCE, addressed=CLIENT)


@pytest.fixture
def client() -> RoomPeer:
    return RoomPeer(CLIENT, "PHONE")


@pytest.fixture
def therapist() -> RoomPeer:
    return RoomPeer(THERAPIST, "LAPTOP")


@pytest.fixture
async def world(tmp_path: Path, client: RoomPeer, therapist: RoomPeer) -> AsyncIterator[World]:
    world = await World.begin(tmp_path, client, therapist)
    yield world
    await world.store.close()


async def test_signed_devices_get_the_key(world: World, client: RoomPeer, therapist: RoomPeer) -> None:
    """Every signed device of both people reads the message, and is told that its history is not shared."""
    content = await world.say("hello")
    assert [peer.opened(content)["content"]["body"] for peer in (client, therapist)] == ["hello", "hello"]
    key = client.of_type("m.room_key")[0]
    assert (key["shared_history"], key["org.matrix.msc3061.shared_history"]) == (False, False)
    assert (key["room_id"], key["session_id"]) == (ROOM, content["session_id"])


async def test_unsigned_devices_get_one_notice(world: World) -> None:
    """A device that its owner has not signed gets no key but a notice, once for each session."""
    unsigned = RoomPeer(CLIENT, "OLD", signed=False)
    await world.meet(unsigned)
    contents = [await world.say(text) for text in ("one", "two")]
    assert not any(unsigned.can_read(content) for content in contents)
    notices = unsigned.of_type("m.room_key.withheld")
    assert [(notice["code"], notice["session_id"]) for notice in notices] == [
        ("m.unverified", contents[0]["session_id"])
    ]
    async with world.store.transaction() as tx:
        await tx.megolm.drop_outbound([ROOM])
    await world.say("three")
    assert len(unsigned.of_type("m.room_key.withheld")) == 2


async def test_a_newly_signed_device_reads_from_now_on(world: World) -> None:
    """A device that is signed later joins the running session at its current index."""
    late = RoomPeer(CLIENT, "LATE", signed=False)
    await world.meet(late)
    before = await world.say("before")
    await world.change(late, signed=True)
    after = await world.say("after")
    assert before["session_id"] == after["session_id"]
    assert (late.can_read(before), late.can_read(after)) == (False, True)


async def test_a_person_who_comes_later_gets_the_session(world: World, therapist: RoomPeer) -> None:
    """Who is invited later gets the running session from then on; who is invited already gets it from the start."""
    await world.members(therapist="leave")
    alone = await world.say("alone")
    await world.members(therapist="invite")
    both = await world.say("both")
    assert alone["session_id"] == both["session_id"]
    assert (therapist.can_read(alone), therapist.can_read(both)) == (False, True)


async def test_the_message_waits_for_the_acknowledgement(world: World) -> None:
    """Nothing is encrypted before the server has taken all keys."""
    assert await world.encrypt("too early") == Hold(room_id=ROOM, reason="unshared")
    plan = await world.share()
    await world.claim(plan.claims)
    assert (await world.share()).queued == 2
    assert await world.encrypt("too early") == Hold(room_id=ROOM, reason="unshared")
    await world.deliver()
    assert isinstance(await world.encrypt("now"), Encrypted)


async def test_nothing_is_shared_twice(world: World) -> None:
    """A second step of sharing has nothing left to do."""
    await world.prepare()
    plan = await world.share()
    assert (plan.claims, plan.queued, plan.held) == ({}, 0, ())


async def test_a_third_member_stops_the_room(world: World, client: RoomPeer) -> None:
    """A third person in the room, also an invited one, holds it and ends its session."""
    first = await world.say("before")
    for membership in ("invite", "join"):
        await world.members(stranger=membership)
        assert (await world.share()).held == (Hold(room_id=ROOM, reason="drift"),)
        assert await world.encrypt("held") == Hold(room_id=ROOM, reason="drift")
    await world.members(stranger="leave")
    after = await world.say("after")
    assert after["session_id"] != first["session_id"]
    assert client.can_read(after)


async def test_a_stranger_never_gets_anything(world: World) -> None:
    """A person outside the record gets no key, no claim and no notice, whatever the server says."""
    stranger = RoomPeer(STRANGER, "S")
    await world.meet(stranger)
    await world.members(stranger="join")
    plan = await world.prepare()
    assert plan.claims == {}
    assert stranger.heard == []


async def test_an_outdated_list_holds_the_room(world: World) -> None:
    """As long as somebody's device list may have changed, nothing is shared or encrypted there."""
    await world.prepare()
    async with world.store.transaction() as tx:
        await tx.devices.mark_outdated([THERAPIST])
    assert (await world.share()).held == (Hold(room_id=ROOM, reason="outdated"),)
    assert await world.encrypt("held") == Hold(room_id=ROOM, reason="outdated")


async def test_a_person_who_is_not_followed_holds_the_room(world: World) -> None:
    """A list that nobody follows is as good as outdated."""
    async with world.store.transaction() as tx:
        await tx.devices.untrack([CLIENT])
    assert (await world.share()).held == (Hold(room_id=ROOM, reason="outdated"),)


async def test_the_own_identity_stops_everything(world: World) -> None:
    """While the bot's own account shows something unknown, no room is encrypted for."""
    await world.prepare()
    async with world.store.transaction() as tx:
        await tx.facts.write(OWN_IDENTITY_HOLD, "device X")
    assert (await world.share()).held == (Hold(room_id=ROOM, reason="own_identity"),)
    assert await world.encrypt("held") == Hold(room_id=ROOM, reason="own_identity")


@pytest.mark.parametrize("changes", [{"signed": False}, {"dehydrated": True}])
async def test_the_addressed_person_must_be_able_to_read(
    world: World, client: RoomPeer, changes: dict[str, bool]
) -> None:
    """A message to somebody without a signed, ordinary device is held; one to nobody in particular is not."""
    await world.change(client, **changes)
    assert (await world.share(TO_CLIENT)).held == (Hold(room_id=ROOM, reason="no_device"),)
    await world.say("to whom it may concern")
    assert await world.encrypt("held", TO_CLIENT) == Hold(room_id=ROOM, reason="no_device")


async def test_dehydrated_devices_get_keys(world: World) -> None:
    """A signed dehydrated device gets the key like the others."""
    stored = RoomPeer(CLIENT, "STORED")
    await world.meet(stored)
    await world.change(stored, dehydrated=True)
    assert stored.can_read(await world.say("hello"))


async def test_a_device_without_one_time_keys_holds_nobody_up(world: World, client: RoomPeer) -> None:
    """It is told m.no_olm once, asked again after an hour, and gets the key when it has left one."""
    empty = RoomPeer(CLIENT, "EMPTY")
    empty.has_one_time_keys = False
    await world.meet(empty)
    content = await world.say("hello")
    assert (client.can_read(content), empty.can_read(content)) == (True, False)
    assert (await world.share()).claims == {}
    later = NOON + timedelta(hours=1)
    assert (await world.share(at=later)).claims == {CLIENT: {"EMPTY": "signed_curve25519"}}
    await world.prepare(at=later)
    assert [notice["code"] for notice in empty.of_type("m.room_key.withheld")] == ["m.no_olm"]
    empty.has_one_time_keys = True
    assert empty.can_read(await world.say("again", at=later + timedelta(hours=1)))


async def test_an_addressed_person_with_no_olm_alone_is_waited_for(world: World, client: RoomPeer) -> None:
    """If the only device of the person asked cannot be given the key, the message is held."""
    client.has_one_time_keys = False
    held = Hold(room_id=ROOM, reason="no_device")
    assert (await world.share(TO_CLIENT)).held == ()
    assert (await world.prepare(TO_CLIENT)).held == (held,)
    assert await world.encrypt("held", TO_CLIENT) == held
    assert isinstance(await world.encrypt("to the therapist"), Encrypted)


async def test_a_wedged_session_shares_again_before_the_next_message(world: World, client: RoomPeer) -> None:
    """After a new Olm session the current key is shared again, from where it was, before the next message."""
    first = await world.say("first")
    async with world.store.transaction() as tx:
        await tx.devices.raise_wedge(CLIENT, "PHONE")
    assert await world.encrypt("held") == Hold(room_id=ROOM, reason="unshared")
    client.room_keys.clear()
    second = await world.say("second")
    assert first["session_id"] == second["session_id"]
    assert client.can_read(first)
    assert client.can_read(second)


@pytest.mark.parametrize("change", ["leave", "unsigned", "removed", "device_violation"])
async def test_lost_trust_ends_the_session(world: World, client: RoomPeer, therapist: RoomPeer, change: str) -> None:
    """When somebody leaves or a device is removed, unsigned or violated, the next message is under a new session."""
    first = await world.say("first")
    if change == "leave":
        await world.members(therapist="leave")
    else:
        changes: dict[str, dict[str, Any]] = {
            "unsigned": {"signed": False},
            "removed": {"removed": True},
            "device_violation": {"violation": Violation.DEVICE_KEYS_CHANGED},
        }
        await world.change(therapist, **changes[change])
    assert await world.encrypt("held") == Hold(room_id=ROOM, reason="unshared")
    second = await world.say("second")
    assert first["session_id"] != second["session_id"]
    assert (client.can_read(second), therapist.can_read(second)) == (True, False)


@pytest.mark.parametrize(
    ("at", "rotated"),
    [
        (NOON + timedelta(days=7), True),
        (NOON + timedelta(days=6, hours=23), False),
        (NOON - timedelta(minutes=6), True),
        (NOON - timedelta(minutes=4), False),
    ],
)
async def test_sessions_end_with_time(world: World, at: datetime, rotated: bool) -> None:
    """After seven days, or when the clock went back by more than five minutes, a new session begins."""
    first = await world.say("first")
    second = await world.say("second", at=at)
    assert (first["session_id"] != second["session_id"]) is rotated


async def test_a_hundred_messages_are_enough(world: World, client: RoomPeer) -> None:
    """The hundred and first message of one call waits for a new session; those before are all readable."""
    await world.prepare()
    async with world.store.transaction() as tx:
        messages = [(AUDIENCE, "m.room.message", {"body": str(number)}) for number in range(102)]
        results = await world.cipher.encrypt(tx, messages, NOON)
    assert all(isinstance(result, Encrypted) for result in results[:100])
    assert results[100:] == (Hold(room_id=ROOM, reason="unshared"),) * 2
    sent = [client.opened(result.content) for result in results if isinstance(result, Encrypted)]
    assert [event["content"]["body"] for event in sent] == [str(number) for number in range(100)]
    async with world.store.transaction() as tx:
        session = (await tx.megolm.outbound([ROOM]))[ROOM]
    assert (await world.say("next"))["session_id"] != session.session_id


async def _violate(world: World, user: str) -> None:
    async with world.store.transaction() as tx:
        known = (await tx.devices.identities([user]))[user]
        await tx.devices.save_identity(replace(known, master="new-key", violation=Violation.MASTER_CHANGED))


async def test_a_person_in_violation_who_joins_a_running_session(world: World, therapist: RoomPeer) -> None:
    """Who comes into the room with a changed identity reads, once confirmed, from the message that came first then."""
    await world.members(therapist="leave")
    alone = await world.say("alone")
    await _violate(world, THERAPIST)
    await world.members(therapist="invite")
    withheld = await world.say("withheld")
    await world.say("withheld too")
    async with world.store.transaction() as tx:
        assert await world.cipher.confirm(tx, THERAPIST, "new-key", NOON)
        await tx.devices.clear_outdated(await tx.devices.outdated())
    await world.change(therapist, signed=True)
    after = await world.say("after")
    assert alone["session_id"] == after["session_id"]
    assert [therapist.can_read(content) for content in (alone, withheld, after)] == [False, True, True]


async def test_a_violation_withholds_and_confirmation_gives_back(world: World, client: RoomPeer) -> None:
    """A changed identity gets no keys while the others go on; confirmed, it reads from the first withheld message."""
    before = await world.say("before")
    await _violate(world, CLIENT)
    withheld = [await world.say(text) for text in ("one", "two")]
    assert withheld[0]["session_id"] != before["session_id"]
    assert not any(client.can_read(content) for content in withheld)
    async with world.store.transaction() as tx:
        assert not await world.cipher.confirm(tx, CLIENT, "another-key", NOON)
        assert await world.cipher.confirm(tx, CLIENT, "new -key", NOON)
    assert (await world.share()).held == (Hold(room_id=ROOM, reason="outdated"),)
    async with world.store.transaction() as tx:
        await tx.devices.clear_outdated(await tx.devices.outdated())
    assert not client.can_read(await world.say("the new identity has not signed this device yet"))
    await world.change(client, signed=True)
    after = await world.say("after")
    assert after["session_id"] == withheld[0]["session_id"]
    assert all(client.can_read(content) for content in (*withheld, after))
    other = RoomPeer(CLIENT, "OTHER", signed=False)
    await world.meet(other)
    await world.change(other, signed=True)
    await world.say("last")
    assert not other.can_read(after)


async def test_a_session_without_its_copy_is_replaced(world: World, client: RoomPeer, tmp_path: Path) -> None:
    """If our own copy of a session is gone, whoever comes late gets a new session instead of none."""
    first = await world.say("first")
    with sqlite3.connect(tmp_path / "bot.db") as database:
        database.execute("DELETE FROM megolm_inbound")
    database.close()
    late = RoomPeer(CLIENT, "LATE")
    await world.meet(late)
    await world.prepare()
    second = await world.say("second")
    assert first["session_id"] != second["session_id"]
    assert late.can_read(second)
    assert client.can_read(second)


async def test_many_rooms_are_shared_in_one_step(world: World, therapist: RoomPeer) -> None:
    """One step shares the keys of several rooms, with several messages for one device."""
    console = Audience(room_id=CONSOLE, people=frozenset({THERAPIST}))
    plan = await world.share(AUDIENCE, console)
    assert set(plan.claims) == PEOPLE
    await world.claim(plan.claims)
    assert (await world.share(AUDIENCE, console)).queued == 3
    await world.deliver()
    assert {key["room_id"] for key in therapist.of_type("m.room_key")} == {ROOM, CONSOLE}


async def test_a_held_room_does_not_hold_another(world: World, therapist: RoomPeer) -> None:
    """A drift in the pair room leaves the console working."""
    console = Audience(room_id=CONSOLE, people=frozenset({THERAPIST}))
    await world.members(stranger="join")
    await world.prepare(AUDIENCE, console)
    async with world.store.transaction() as tx:
        held, sent = await world.cipher.encrypt(
            tx, [(AUDIENCE, "m.room.message", {}), (console, "m.room.message", {})], NOON
        )
    assert held == Hold(room_id=ROOM, reason="drift")
    assert isinstance(sent, Encrypted)
    assert therapist.can_read(sent.content)


async def test_a_key_request_is_answered_from_the_original_index(world: World, client: RoomPeer) -> None:
    """A device that asks for a key that it was given gets it from where it could read."""
    late = RoomPeer(CLIENT, "LATE", signed=False)
    await world.meet(late)
    early = await world.say("early")
    await world.change(late, signed=True)
    seen = await world.say("seen")
    await world.say("later")
    late.room_keys.clear()
    body = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "session_id": seen["session_id"]}
    content = {"action": "request", "request_id": "1", "requesting_device_id": "LATE", "body": body}
    async with world.store.transaction() as tx:
        request = {"type": "m.room_key_request", "sender": CLIENT, "content": content}
        outcome = await world.cipher.to_device(tx, request, NOON)
        await tx.olm.queue(outcome.reply)
    await world.deliver()
    assert (late.can_read(early), late.can_read(seen)) == (False, True)
