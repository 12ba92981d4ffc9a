"""Room keys that arrive, and the events that are read with them (CRYPTO 9, 11, 12, 36)."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import vodozemac
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.megolm import Decrypted, Encrypted, Refused, Unreadable
from bot.core.trust import Verdict
from bot.crypto.ratchets import PICKLE_KEY
from tests.crypto.peers import BOT, CLIENT, STRANGER, THERAPIST
from tests.crypto.room_world import CONSOLE, PEOPLE, ROOM, RoomPeer, World

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
ON_ONE_STORE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def client() -> RoomPeer:
    return RoomPeer(CLIENT, "PHONE")


@pytest.fixture
async def world(tmp_path: Path, client: RoomPeer) -> AsyncIterator[World]:
    world = await World.begin(tmp_path, client, RoomPeer(THERAPIST, "LAPTOP"))
    yield world
    await world.store.close()


async def test_an_event_of_a_signed_device_counts(world: World, client: RoomPeer) -> None:
    """A message whose session came from a signed device is read, and its word counts."""
    assert await world.accept(client) == (client.group.session_id,)
    read = await world.decrypt(client.event("$1"))
    assert read == Decrypted(
        event_type="m.room.message",
        content={"body": "seven"},
        session_id=client.group.session_id,
        index=0,
        verdict=Verdict.TRUSTED,
    )


async def test_the_verdict_follows_the_device(world: World, client: RoomPeer) -> None:
    """The same session's words stop to count when its device is no longer signed, and count again when it is."""
    await world.accept(client)
    event = client.event("$1")
    verdicts = []
    for signed in (False, True):
        await world.change(client, signed=signed)
        read = await world.decrypt(event)
        assert isinstance(read, Decrypted)
        verdicts.append(read.verdict)
    assert verdicts == [Verdict.UNSIGNED, Verdict.TRUSTED]


async def test_a_session_of_an_unknown_device_does_not_count(world: World, client: RoomPeer) -> None:
    """What came from a device that the list does not show is readable and without effect."""
    unknown = RoomPeer(CLIENT, "GHOST")
    await world.accept(unknown)
    read = await world.decrypt(unknown.event("$1"))
    assert isinstance(read, Decrypted)
    assert read.verdict is Verdict.UNKNOWN_DEVICE


@pytest.mark.parametrize("owner", [STRANGER, BOT])
async def test_keys_of_people_outside_the_record_are_refused(world: World, owner: str) -> None:
    """Neither a stranger nor somebody in our own name brings a session into the room."""
    assert await world.accept(RoomPeer(owner, "X")) == ()


async def test_keys_of_other_rooms_are_refused(world: World, client: RoomPeer) -> None:
    """A client has no say in the therapist's console, nobody in a room that the bot does not manage."""
    assert await world.accept(client, client.room_key(CONSOLE)) == ()
    assert await world.accept(client, client.room_key("!elsewhere")) == ()
    therapist = world.peers[THERAPIST, "LAPTOP"]
    assert await world.accept(therapist, therapist.room_key(CONSOLE)) != ()


@pytest.mark.parametrize(
    "changed",
    [
        {"session_key": "AAAA"},
        {"session_key": vodozemac.GroupSession().session_key.to_base64()},
        {"session_key": None},
        {"algorithm": "m.megolm.v2"},
        {"room_id": 7},
        {"session_id": "x" * 300},
    ],
)
async def test_malformed_keys_are_refused(world: World, client: RoomPeer, changed: dict[str, Any]) -> None:
    """A room key that is none, or not the one that it says, is dropped."""
    assert await world.accept(client, client.room_key() | changed) == ()


async def test_the_first_owner_of_a_session_stays(world: World, client: RoomPeer) -> None:
    """Who has a better copy of the key cannot make the session theirs, nor can another device of the same person."""
    better = client.room_key()
    client.group.encrypt(b"a step")
    await world.accept(client)
    assert await world.accept(world.peers[THERAPIST, "LAPTOP"], better) == ()
    assert await world.accept(RoomPeer(CLIENT, "TABLET"), better) == ()
    stolen = client.event("$1") | {"sender": THERAPIST}
    assert await world.decrypt(stolen) == Refused(reason="sender")


async def test_our_own_session_cannot_be_taken_over(world: World, client: RoomPeer) -> None:
    """A recipient who sends the bot's own key back does not become its owner."""
    await world.say("hello")
    own = client.of_type("m.room_key")[0]
    assert await world.accept(client, own) == ()


async def test_a_later_index_does_not_replace_an_earlier_one(world: World, client: RoomPeer) -> None:
    """A key shared again from a later index changes nothing; earlier events stay readable."""
    first = client.room_key()
    event = client.event("$1")
    later = client.room_key()
    await world.accept(client, first)
    assert await world.accept(client, later) == ()
    assert isinstance(await world.decrypt(event), Decrypted)


async def test_an_earlier_index_of_the_same_ratchet_replaces(world: World, client: RoomPeer) -> None:
    """What was sent before the first known index becomes readable when a better copy of the same session arrives."""
    first = client.room_key()
    event = client.event("$1")
    await world.accept(client, client.room_key())
    assert await world.decrypt(event) == Unreadable(session_id=client.group.session_id, reason="before_first_index")
    assert await world.accept(client, first) == (client.group.session_id,)
    assert isinstance(await world.decrypt(event), Decrypted)


async def test_another_ratchet_under_the_same_id_is_refused(world: World, client: RoomPeer) -> None:
    """A key at an earlier index that does not lead to the known one does not replace it."""
    first, other = client.room_key(), vodozemac.GroupSession()
    for group in (client.group, other):
        group.encrypt(b"a step")
    await world.accept(client)
    async with world.store.transaction() as tx:
        row = await tx.megolm.inbound(ROOM, client.group.session_id)
        assert row is not None
        stored = vodozemac.InboundGroupSession(other.session_key).pickle(PICKLE_KEY).encode()
        await tx.megolm.save_inbound([replace(row, pickle=stored)])
    assert await world.accept(client, first) == ()


async def test_an_index_belongs_to_one_event(world: World, client: RoomPeer) -> None:
    """The same event may come twice; the same ciphertext under another event id is refused, also if it came first."""
    await world.accept(client)
    event = client.event("$1")
    assert isinstance(await world.decrypt(event), Decrypted)
    assert isinstance(await world.decrypt(event), Decrypted)
    assert await world.decrypt(event | {"event_id": "$2"}) == Refused(reason="replay")


async def test_a_refused_event_takes_no_index(world: World, client: RoomPeer) -> None:
    """An event that is refused for what is inside does not use up the index of another."""
    await world.accept(client)
    event = client.event("$1")
    assert await world.decrypt(event | {"state_key": ""}) == Refused(reason="state_key")
    assert await world.decrypt(event | {"room_id": CONSOLE}) == Refused(reason="room")
    assert isinstance(await world.decrypt(event), Decrypted)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"room_id": "!elsewhere"}, "room"),
        ({"room_id": None}, "room"),
        ({"type": "m.room.power_levels", "state_key": "", "content": {"users": {CLIENT: 100}}}, "state_key"),
        ({"type": "m.room.member", "state_key": None}, "state_key"),
        ({"type": 7}, "malformed"),
        ({"type": "a\x00b"}, "malformed"),
        ({"content": ["seven"]}, "malformed"),
        ({"content": {"body": "\ud800"}}, "malformed"),
    ],
)
async def test_what_is_inside_has_to_fit(world: World, client: RoomPeer, changed: dict[str, Any], reason: str) -> None:
    """State, another room and mistyped parts inside the ciphertext are refused."""
    await world.accept(client)
    assert await world.decrypt(client.event("$1", **changed)) == Refused(reason=reason)


@pytest.mark.parametrize(
    "plaintext",
    [b"\xff\xfe", b"7", b"null", b"[" * 5000, b'{"a":NaN}', b'{"content":' + b'{"a":' * 200 + b"1" + b"}" * 201],
)
async def test_plaintext_that_is_no_event_is_refused(world: World, client: RoomPeer, plaintext: bytes) -> None:
    """Bytes that are no sane JSON object are refused."""
    await world.accept(client)
    assert await world.decrypt(client.raw_event("$1", plaintext)) == Refused(reason="malformed")


async def test_a_relation_inside_is_ignored(world: World, client: RoomPeer) -> None:
    """Only the relation outside the ciphertext counts, so the content comes without one."""
    await world.accept(client)
    content = {"body": "8", "m.relates_to": {"rel_type": "m.replace", "event_id": "$0"}}
    event = client.event("$1", content=content)
    event["content"]["m.relates_to"] = {"rel_type": "m.reference", "event_id": "$poll"}
    read = await world.decrypt(event)
    assert isinstance(read, Decrypted)
    assert read.content == {"body": "8"}


async def test_missing_keys_are_waited_for(world: World, client: RoomPeer) -> None:
    """An event without its key is unreadable for now; a stranger's is refused."""
    event = client.event("$1")
    assert await world.decrypt(event) == Unreadable(session_id=client.group.session_id, reason="no_key")
    assert await world.decrypt(event | {"sender": STRANGER}) == Refused(reason="sender")


async def test_a_notice_changes_the_reason(world: World, client: RoomPeer) -> None:
    """Who said that the key was withheld is not waited for in the same words."""
    content = {
        "algorithm": "m.megolm.v1.aes-sha2",
        "room_id": ROOM,
        "session_id": client.group.session_id,
        "code": "m.unverified",
    }
    notice = {"type": "m.room_key.withheld", "sender": CLIENT, "content": content}
    async with world.store.transaction() as tx:
        outcome = await world.cipher.to_device(tx, notice, client.device().first_seen)
    assert outcome.kind == "withheld"
    read = await world.decrypt(client.event("$1"))
    assert read == Unreadable(session_id=client.group.session_id, reason="withheld:m.unverified")


async def test_a_changed_ciphertext_is_refused(world: World, client: RoomPeer) -> None:
    """A flipped bit is no event."""
    await world.accept(client)
    event = client.event("$1")
    event["content"]["ciphertext"] = event["content"]["ciphertext"][:-8] + "AAAAAAAA"
    assert await world.decrypt(event) == Refused(reason="malformed")


async def test_the_own_echo_is_read(world: World, client: RoomPeer) -> None:
    """The bot's own events can be read back, and only as its own."""
    content = await world.say("hello")
    echo = {"event_id": "$own", "sender": BOT, "type": "m.room.encrypted", "content": dict(content)}
    assert await world.decrypt(echo | {"sender": CLIENT}) == Refused(reason="sender")
    read = await world.decrypt(echo)
    assert isinstance(read, Decrypted)
    assert (read.content["body"], read.verdict) == ("hello", Verdict.TRUSTED)


@ON_ONE_STORE
@given(plaintext=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
async def test_no_plaintext_raises(world: World, client: RoomPeer, plaintext: bytes) -> None:
    """Whatever somebody of the pair encrypts, it is read or refused."""
    await world.accept(client)
    outcome = await world.decrypt(client.raw_event("$h", plaintext))
    assert isinstance(outcome, Refused)


@ON_ONE_STORE
@given(content=JSON, sender=st.sampled_from([CLIENT, STRANGER, "", 7, None]), rest=st.dictionaries(st.text(), JSON))
async def test_no_wire_event_raises(world: World, content: object, sender: object, rest: dict[str, Any]) -> None:
    """Whatever the server delivers as an encrypted event is unreadable or refused."""
    event = rest | {"event_id": "$h", "sender": sender, "content": content}
    assert isinstance(await world.decrypt(event), Refused | Unreadable)


@ON_ONE_STORE
@given(fields=st.dictionaries(st.sampled_from(["session_id", "ciphertext", "m.relates_to", "sender_key"]), JSON))
async def test_no_encrypted_content_raises(world: World, client: RoomPeer, fields: dict[str, Any]) -> None:
    """Mistyped fields in an encrypted event are refused or wait for a key that never comes."""
    await world.accept(client)
    event = client.event("$h")
    event["content"] |= fields
    async with world.store.transaction() as tx:
        outcome = await world.cipher.decrypt(tx, ROOM, event, PEOPLE)
    assert not isinstance(outcome, Encrypted)


@ON_ONE_STORE
@given(fields=st.dictionaries(st.sampled_from(["room_id", "session_id", "session_key", "algorithm"]), JSON, min_size=1))
async def test_no_room_key_raises(world: World, client: RoomPeer, fields: dict[str, Any]) -> None:
    """A mistyped room key is never accepted."""
    assert await world.accept(client, client.room_key() | fields) == ()
