"""The crisis text reaches every device of one person, and its key opens nothing else (CRYPTO 10)."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.megolm import Encrypted
from bot.core.trust import Violation
from bot.crypto.standby import prepare_standby
from tests.crypto.peers import CLIENT, STRANGER, THERAPIST, open_store
from tests.crypto.room_world import AUDIENCE, NOON, ROOM, RoomPeer, World

TEXT = {"msgtype": "m.text", "body": "Call 112."}


@pytest.fixture
def phone() -> RoomPeer:
    return RoomPeer(CLIENT, "PHONE")


@pytest.fixture
def unsigned() -> RoomPeer:
    return RoomPeer(CLIENT, "OLD", signed=False)


@pytest.fixture
async def world(tmp_path: Path, phone: RoomPeer, unsigned: RoomPeer) -> AsyncIterator[World]:
    foreign = RoomPeer(THERAPIST, "UNSIGNED", signed=False)
    world = await World.begin(tmp_path, phone, unsigned, RoomPeer(THERAPIST, "LAPTOP"), foreign)
    yield world
    await world.store.close()


async def _crisis(world: World, user: str = CLIENT) -> tuple[Encrypted, Mapping[str, Mapping[str, str]]]:
    async with world.store.transaction() as tx:
        return await world.cipher.crisis(tx, AUDIENCE, user, TEXT, NOON)


async def _answered(world: World, user: str = CLIENT) -> Mapping[str, Any]:
    sent, claims = await _crisis(world, user)
    await world.claim(claims)
    await world.deliver()
    return sent.content


async def test_it_reaches_unsigned_devices(world: World, phone: RoomPeer, unsigned: RoomPeer) -> None:
    """All devices of the person read it, and the trusted ones of the other; unsigned ones of the other do not."""
    content = await _answered(world)
    assert phone.opened(content)["content"] == TEXT
    assert unsigned.opened(content)["content"] == TEXT
    assert world.peers[THERAPIST, "LAPTOP"].can_read(content)
    assert not world.peers[THERAPIST, "UNSIGNED"].can_read(content)


async def test_its_session_is_used_once(world: World, unsigned: RoomPeer) -> None:
    """The next message, and the next crisis text, are under other sessions; the unsigned device reads no message."""
    first, second = await _answered(world), await _answered(world)
    message = await world.say("for the pair")
    assert len({content["session_id"] for content in (first, second, message)}) == 3
    assert not unsigned.can_read(message)


async def test_it_needs_no_claim_where_there_is_a_session(world: World) -> None:
    """The second time the keys are queued at once."""
    await _answered(world)
    _, claims = await _crisis(world)
    assert claims == {}


async def test_it_is_sent_when_everything_else_is_held(world: World, phone: RoomPeer) -> None:
    """Neither a third member, nor an outdated list, nor a changed identity stands in its way."""
    await world.members(stranger="join")
    async with world.store.transaction() as tx:
        await tx.devices.mark_outdated([CLIENT])
        known = (await tx.devices.identities([CLIENT]))[CLIENT]
        await tx.devices.save_identity(replace(known, violation=Violation.MASTER_CHANGED))
    assert phone.can_read(await _answered(world))


async def test_a_stranger_gets_no_key(world: World) -> None:
    """Who stands outside the record is given nothing, even if asked for."""
    stranger = RoomPeer(STRANGER, "S")
    await world.meet(stranger)
    await world.members(stranger="join")
    assert not stranger.can_read(await _answered(world, STRANGER))
    assert stranger.heard == []


async def test_a_device_without_one_time_keys_is_given_up(world: World, phone: RoomPeer, unsigned: RoomPeer) -> None:
    """One device that cannot be reached keeps the text from no other, and is not tried for ever."""
    unsigned.has_one_time_keys = False
    content = await _answered(world)
    assert (phone.can_read(content), unsigned.can_read(content)) == (True, False)
    async with world.store.transaction() as tx:
        assert await tx.facts.read("crisis_waiting") is None


async def test_it_works_beside_a_store_that_refuses_writes(
    world: World, phone: RoomPeer, unsigned: RoomPeer, tmp_path: Path
) -> None:
    """A standby store that was prepared before answers with new sessions; those of the real one go on unharmed."""
    before = await world.say("before")
    (tmp_path / "standby").mkdir()
    standby = await open_store(tmp_path / "standby")
    async with world.store.transaction() as source, standby.transaction() as target:
        await prepare_standby(source, target, [AUDIENCE])
    real, world.store = world.store, standby
    content = await _answered(world)
    assert (phone.can_read(content), unsigned.can_read(content)) == (True, True)
    world.store = real
    await standby.close()
    async with real.transaction() as tx:
        assert await tx.megolm.inbound(ROOM, content["session_id"]) is None
        await tx.devices.raise_wedge(CLIENT, "PHONE")
    after = await world.say("after")
    assert after["session_id"] == before["session_id"]
    assert phone.can_read(after)


async def test_the_own_copy_is_kept(world: World) -> None:
    """The bot can read the text back, and the backup gets its key."""
    content = await _answered(world)
    async with world.store.transaction() as tx:
        row = await tx.megolm.inbound(ROOM, content["session_id"])
    assert row is not None
    assert (row.own, row.first_index) == (True, 0)
