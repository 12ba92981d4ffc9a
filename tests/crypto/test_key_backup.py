"""Room keys go to the server-side backup, and the recovery key's secret opens them (CRYPTO 24)."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import vodozemac

from bot.crypto.backup_cipher import decrypt_session
from bot.crypto.canonical import from_unpadded
from bot.crypto.own_identity import ACCOUNT_DATA, RECOVERY_KEY
from bot.crypto.recovery_key import decode_recovery_key
from bot.crypto.secret_storage import BACKUP, DEFAULT_KEY, SecretStorageKey
from tests.crypto.peers import CLIENT, THERAPIST
from tests.crypto.room_world import ROOM, RoomPeer, World


@pytest.fixture
def client() -> RoomPeer:
    return RoomPeer(CLIENT, "PHONE")


@pytest.fixture
async def world(tmp_path: Path, client: RoomPeer) -> AsyncIterator[World]:
    world = await World.begin(tmp_path, client, RoomPeer(THERAPIST, "LAPTOP"))
    yield world
    await world.store.close()


async def _private_key(world: World) -> bytes:
    """The backup's private key, as somebody with the recovery key gets it."""
    async with world.store.transaction() as tx:
        typed, stored = await tx.facts.read(RECOVERY_KEY), await tx.facts.read(ACCOUNT_DATA)
    assert typed is not None
    assert stored is not None
    account_data = json.loads(stored)
    storage = SecretStorageKey(key_id=account_data[DEFAULT_KEY]["key"], raw=decode_recovery_key(typed))
    return from_unpadded(storage.decrypt_secret(BACKUP, account_data[BACKUP]))


async def test_nothing_is_backed_up_before_there_is_a_backup(world: World) -> None:
    """Without a version on the server there is no batch."""
    await world.say("hello")
    async with world.store.transaction() as tx:
        assert await world.cipher.backup_batch(tx, 10) is None


async def test_the_backup_opens_what_was_said(world: World, client: RoomPeer) -> None:
    """Our own session and a person's are in the batch, each from its first known index; once marked, not again."""
    content = await world.say("hello")
    client.group.encrypt(b"a step before")
    await world.accept(client)
    async with world.store.transaction() as tx:
        await tx.facts.write("backup_version", "1")
        batch = await world.cipher.backup_batch(tx, 10)
        assert batch is not None
        await tx.megolm.mark_backed_up(batch[1])
        assert await world.cipher.backup_batch(tx, 10) is None
    sessions = batch[0]["rooms"][ROOM]["sessions"]
    assert set(sessions) == {content["session_id"], client.group.session_id} == set(batch[1])
    assert [sessions[each]["first_message_index"] for each in (content["session_id"], client.group.session_id)] == [
        0,
        1,
    ]
    restored = decrypt_session(await _private_key(world), sessions[content["session_id"]])
    ratchet = vodozemac.InboundGroupSession.import_session(vodozemac.ExportedSessionKey(restored.session_key))
    opened = ratchet.decrypt(vodozemac.MegolmMessage.from_base64(content["ciphertext"]))
    assert json.loads(bytes(opened.plaintext))["content"]["body"] == "hello"


async def test_a_better_copy_is_backed_up_again(world: World, client: RoomPeer) -> None:
    """When an earlier index of a session arrives, the backup gets it."""
    first = client.room_key()
    client.group.encrypt(b"a step")
    await world.accept(client)
    async with world.store.transaction() as tx:
        await tx.facts.write("backup_version", "1")
        await tx.megolm.mark_backed_up([client.group.session_id])
    await world.accept(client, first)
    async with world.store.transaction() as tx:
        batch = await world.cipher.backup_batch(tx, 10)
    assert batch is not None
    assert batch[0]["rooms"][ROOM]["sessions"][client.group.session_id]["first_message_index"] == 0


async def test_sessions_of_unsigned_devices_are_not_called_verified(world: World, client: RoomPeer) -> None:
    """The backup says of each session whether its device was trusted."""
    unsigned = RoomPeer(CLIENT, "OLD", signed=False)
    await world.meet(unsigned)
    await world.accept(client)
    await world.accept(unsigned)
    async with world.store.transaction() as tx:
        await tx.facts.write("backup_version", "1")
        batch = await world.cipher.backup_batch(tx, 10)
    assert batch is not None
    sessions = batch[0]["rooms"][ROOM]["sessions"]
    assert sessions[client.group.session_id]["is_verified"] is True
    assert sessions[unsigned.group.session_id]["is_verified"] is False
