"""The bot's own identity is made once and uploaded unchanged (CRYPTO 24, 32)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.crypto.canonical import from_unpadded
from bot.crypto.identity import cross_signing_keys, device_ok, device_signed
from bot.crypto.own_identity import RECOVERY_KEY, IdentityUploads, OwnIdentity
from bot.crypto.recovery_key import decode_recovery_key
from bot.crypto.secret_storage import DEFAULT_KEY, MASTER, SecretStorageKey
from bot.crypto.signatures import Ed25519Seed, signature_ok
from bot.errors import KeyMismatch
from bot.store.database import Database
from tests.crypto.peers import BOT, BOT_DEVICE, open_store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    store = await open_store(tmp_path)
    yield store
    await store.close()


@pytest.fixture
def identity() -> OwnIdentity:
    return OwnIdentity(BOT, BOT_DEVICE)


async def _created(store: Database, identity: OwnIdentity) -> IdentityUploads:
    async with store.transaction() as tx:
        await identity.create(tx)
        return await identity.uploads(tx)


async def _create_and_fail(store: Database) -> None:
    async with store.transaction() as tx:
        await OwnIdentity(BOT, BOT_DEVICE).create(tx)
        raise RuntimeError


def _server_view(uploads: IdentityUploads) -> dict[str, Any]:
    """What /keys/query shows after these uploads."""
    device = uploads.signatures[BOT][BOT_DEVICE]
    return {
        "device_keys": {BOT: {BOT_DEVICE: dict(device)}},
        "master_keys": {BOT: uploads.cross_signing["master_key"]},
        "self_signing_keys": {BOT: uploads.cross_signing["self_signing_key"]},
        "user_signing_keys": {BOT: uploads.cross_signing["user_signing_key"]},
    }


async def test_it_is_made_once(store: Database, identity: OwnIdentity) -> None:
    """Making it again, also after a restart, changes nothing: the same bodies go up."""
    first = await _created(store, identity)
    assert await _created(store, OwnIdentity(BOT, BOT_DEVICE)) == first


async def test_a_failed_first_time_leaves_nothing(store: Database) -> None:
    """If the transaction that makes it is undone, a new one is made later."""
    with pytest.raises(RuntimeError):
        await _create_and_fail(store)
    async with store.transaction() as tx:
        with pytest.raises(KeyMismatch):
            await OwnIdentity(BOT, BOT_DEVICE).fingerprint(tx)
    await _created(store, OwnIdentity(BOT, BOT_DEVICE))


async def test_a_strict_client_accepts_it(store: Database, identity: OwnIdentity) -> None:
    """The uploads verify as those of any person: the master key signs the self-signing key, that signs the device."""
    uploads = await _created(store, identity)
    view = _server_view(uploads)
    keys = cross_signing_keys(BOT, view)
    assert keys is not None
    assert keys.self_signing_ok
    assert keys.self_signing is not None
    device = view["device_keys"][BOT][BOT_DEVICE]
    assert device_ok(BOT, BOT_DEVICE, device)
    assert device_signed(BOT, device, keys.self_signing)
    assert uploads.device_keys["device_keys"]["keys"] == device["keys"]
    async with store.transaction() as tx:
        assert await identity.fingerprint(tx) == keys.master
    auth = uploads.backup_version["auth_data"]
    assert signature_ok(auth, BOT, f"ed25519:{keys.master}", keys.master)
    assert signature_ok(auth, BOT, f"ed25519:{BOT_DEVICE}", device["keys"][f"ed25519:{BOT_DEVICE}"])


async def test_the_recovery_key_opens_the_seeds(store: Database, identity: OwnIdentity) -> None:
    """What is in secret storage can be read with the recovery key alone; forgetting that changes no upload."""
    uploads = await _created(store, identity)
    async with store.transaction() as tx:
        recovery_key = await tx.facts.read(RECOVERY_KEY)
        await tx.facts.write(RECOVERY_KEY, None)
        fingerprint = await identity.fingerprint(tx)
        assert (await identity.uploads(tx)).account_data == uploads.account_data
    assert recovery_key is not None
    key_id = uploads.account_data[DEFAULT_KEY]["key"]
    storage = SecretStorageKey(key_id=key_id, raw=decode_recovery_key(recovery_key))
    seed = storage.decrypt_secret(MASTER, uploads.account_data[MASTER])
    assert Ed25519Seed(seed=from_unpadded(seed)).public_key == fingerprint


async def test_differences_are_named(store: Database, identity: OwnIdentity, tmp_path: Path) -> None:
    """The server's view of the same keys shows none; nothing, or another bot's keys, are named one by one."""
    uploads = await _created(store, identity)
    (tmp_path / "other").mkdir()
    other_store = await open_store(tmp_path / "other")
    other = await _created(other_store, OwnIdentity(BOT, BOT_DEVICE))
    await other_store.close()
    async with store.transaction() as tx:
        assert await identity.differences(tx, _server_view(uploads)) == ()
        assert len(await identity.differences(tx, {})) == 4
        assert len(await identity.differences(tx, _server_view(other))) >= 4
