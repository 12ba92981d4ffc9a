"""Messages on their way out: what is inside and outside, and that no index is used twice (CRYPTO 25, 26)."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import vodozemac

from bot.core.megolm import Encrypted, Hold
from tests.crypto.peers import BOT_DEVICE, CLIENT, THERAPIST
from tests.crypto.room_world import AUDIENCE, NOON, ROOM, RoomPeer, World


class CrashError(Exception):
    """What undoes a transaction in these tests."""

    @classmethod
    def maybe(cls, chance: random.Random) -> None:
        """Crash in two of five cases."""
        if chance.random() < 0.4:
            raise cls


@pytest.fixture
def client() -> RoomPeer:
    return RoomPeer(CLIENT, "PHONE")


@pytest.fixture
async def world(tmp_path: Path, client: RoomPeer) -> AsyncIterator[World]:
    world = await World.begin(tmp_path, client, RoomPeer(THERAPIST, "LAPTOP"))
    await world.prepare()
    yield world
    await world.store.close()


async def _send(world: World, *contents: dict[str, Any]) -> list[Encrypted]:
    async with world.store.transaction() as tx:
        results = await world.cipher.encrypt(tx, [(AUDIENCE, "m.room.message", each) for each in contents], NOON)
    assert all(isinstance(result, Encrypted) for result in results)
    return [result for result in results if isinstance(result, Encrypted)]


async def test_the_event_names_what_clients_look_for(world: World, client: RoomPeer) -> None:
    """The content has the algorithm, our keys and the session outside, and type, content and room inside."""
    (sent,) = await _send(world, {"body": "hello é"})
    async with world.store.transaction() as tx:
        row = await tx.megolm.inbound(ROOM, sent.session_id)
    assert row is not None
    assert {name: value for name, value in sent.content.items() if name != "ciphertext"} == {
        "algorithm": "m.megolm.v1.aes-sha2",
        "sender_key": row.sender_key,
        "device_id": BOT_DEVICE,
        "session_id": sent.session_id,
    }
    assert client.opened(sent.content) == {"type": "m.room.message", "content": {"body": "hello é"}, "room_id": ROOM}


async def test_a_relation_stands_outside_only(world: World, client: RoomPeer) -> None:
    """The server needs the relation in clear; clients ignore one inside."""
    relation = {"rel_type": "m.replace", "event_id": "$1"}
    (sent,) = await _send(world, {"body": "x", "m.relates_to": relation})
    assert sent.content["m.relates_to"] == relation
    assert client.opened(sent.content)["content"] == {"body": "x"}


async def test_messages_of_one_call_keep_their_order(world: World, client: RoomPeer) -> None:
    """Each message of a room gets the next index."""
    sent = await _send(world, *({"body": str(number)} for number in range(5)))
    indices = [vodozemac.MegolmMessage.from_base64(each.content["ciphertext"]).message_index() for each in sent]
    assert indices == [0, 1, 2, 3, 4]


async def test_a_held_message_holds_those_after_it(world: World) -> None:
    """When one message of a room has to wait, the later ones of the same call wait as well."""
    await world.members(client="leave")
    await world.prepare()
    audiences = (AUDIENCE, replace(AUDIENCE, addressed=CLIENT), AUDIENCE)
    async with world.store.transaction() as tx:
        results = await world.cipher.encrypt(tx, [(audience, "m.room.message", {}) for audience in audiences], NOON)
    assert isinstance(results[0], Encrypted)
    assert results[1:] == (Hold(room_id=ROOM, reason="not_joined"),) * 2


async def test_no_index_is_used_twice_under_rollbacks(world: World, client: RoomPeer) -> None:
    """With transactions that fail at random, sharing and encrypting never let two ciphertexts of one index out."""
    chance, left = random.Random(7), []
    for step in range(150):
        try:
            async with world.store.transaction() as tx:
                await world.cipher.share(tx, [AUDIENCE], NOON)
                messages = [
                    (AUDIENCE, "m.room.message", {"body": f"{step}-{part}"}) for part in range(chance.randint(1, 4))
                ]
                results = await world.cipher.encrypt(tx, messages, NOON)
                CrashError.maybe(chance)
        except CrashError:
            continue
        left += [result.content for result in results if isinstance(result, Encrypted)]
        await world.deliver()
    used = [
        (content["session_id"], vodozemac.MegolmMessage.from_base64(content["ciphertext"]).message_index())
        for content in left
    ]
    assert len(used) > 100
    assert len(set(used)) == len(used)
    assert len({session for session, _ in used}) > 1
    assert all(client.can_read(content) for content in left)


async def test_later_messages_read_no_inbound_copy(world: World, client: RoomPeer) -> None:
    """A session that is shared goes on after a restart of the process, from its rows alone."""
    (first,) = await _send(world, {"body": "1"})
    again = World(world.store, list(world.peers.values()))
    (second,) = await _send(again, {"body": "2"})
    assert first.session_id == second.session_id
    assert client.opened(second.content)["content"] == {"body": "2"}
