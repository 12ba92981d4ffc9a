"""One-time keys and the fallback key (CRYPTO 18, 19)."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.crypto.olm import Opened
from bot.crypto.signatures import signature_ok
from bot.store.database import Database
from tests.crypto.peers import BOT, BOT_DEVICE, CLIENT, NOW, Bot, Peer, create_bot, open_store, own_device

HOUR = timedelta(hours=1)
KIND = "signed_curve25519"
FULL = {KIND: 25}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_store(tmp_path)
    yield database
    await database.close()


async def upload(store: Database, bot: Bot, counts: dict[str, int] | None, unused: list[str] | None, at: Any) -> Any:
    """Report what the server holds, and take the upload if one is due."""
    async with store.transaction() as tx:
        due = await bot.keys.counts(tx, counts, unused, at)
        body = await bot.keys.upload(tx, at)
    assert due == (body is not None)
    return body


async def reads(store: Database, bot: Bot, key: dict[str, Any]) -> bool:
    """Whether the bot can read a message begun with this key."""
    peer = Peer(CLIENT, "PHONE")
    own = await own_device(store, bot)
    peer.begin(own, key)
    event = peer.encrypted(own, b"{}")
    async with store.transaction() as tx:
        part = event["content"]["ciphertext"][own.curve25519]
        return isinstance(await bot.channel.decrypt(tx, None, peer.curve25519, part, NOW), Opened)


async def test_first_upload_happens_although_the_server_said_nothing(store: Database) -> None:
    """With nothing uploaded yet, silence of the server means that keys are due, a fallback key included."""
    bot = await create_bot(store)
    body = await upload(store, bot, None, None, NOW)
    assert len(body["one_time_keys"]) == 25
    assert len(body["fallback_keys"]) == 1
    assert await upload(store, bot, None, None, NOW) is None


async def test_keys_are_signed_by_the_device(store: Database) -> None:
    """Every published key carries the device's signature, and the fallback key says what it is under that signature."""
    bot = await create_bot(store)
    body = await upload(store, bot, None, None, NOW)
    own = await own_device(store, bot)
    [fallback] = body["fallback_keys"].values()
    assert fallback["fallback"] is True
    for key in (*body["one_time_keys"].values(), fallback):
        assert signature_ok(key, BOT, f"ed25519:{BOT_DEVICE}", own.ed25519)
    assert all(name.startswith("signed_curve25519:") for name in body["one_time_keys"])


async def test_a_missing_count_is_zero(store: Database) -> None:
    """An answer that names counts but not ours means that none are left; one that names no counts means nothing."""
    bot = await create_bot(store)
    await upload(store, bot, None, None, NOW)
    assert await upload(store, bot, None, [KIND], NOW) is None
    assert len((await upload(store, bot, {}, [KIND], NOW))["one_time_keys"]) == 25
    assert len((await upload(store, bot, {KIND: 20}, [KIND], NOW))["one_time_keys"]) == 5
    assert await upload(store, bot, {KIND: 70}, [KIND], NOW) is None


async def test_no_key_is_published_twice(store: Database) -> None:
    """An upload whose answer was lost is followed by other keys, never by the same ones."""
    bot = await create_bot(store)
    seen: set[str] = set()
    for _ in range(4):
        body = await upload(store, bot, {KIND: 0}, [KIND], NOW)
        fresh = {key["key"] for key in body["one_time_keys"].values()} | set(body["one_time_keys"])
        assert not fresh & seen
        seen |= fresh


async def test_one_shortage_gives_one_batch(store: Database) -> None:
    """Asking for an upload twice makes keys once, until the server says again what it holds."""
    bot = await create_bot(store)
    await upload(store, bot, {KIND: 3}, [KIND], NOW)
    assert await upload(store, bot, {KIND: 3}, [KIND], NOW) is not None
    async with store.transaction() as tx:
        assert await bot.keys.upload(tx, NOW) is None


async def test_every_claimed_key_decrypts_after_a_lost_answer_and_a_restart(store: Database, tmp_path: Path) -> None:
    """Whether a client claimed from the batch whose answer was lost or from the next one, its message is read."""
    bot = await create_bot(store)
    lost = await upload(store, bot, None, None, NOW)
    await store.close()
    again = await open_store(tmp_path)
    restarted = Bot()
    after = await upload(again, restarted, {KIND: 0}, [], NOW + HOUR)
    keys = [*lost["one_time_keys"].values(), *after["one_time_keys"].values()]
    keys += [*lost["fallback_keys"].values(), *after["fallback_keys"].values()]
    assert len(keys) == 52
    assert all([await reads(again, restarted, key) for key in keys])
    await again.close()


async def test_an_upload_that_was_rolled_back_leaves_the_account_as_it_was(store: Database) -> None:
    """Keys of a transaction that failed are unknown afterwards, so that nothing may be sent before the commit."""
    bot = await create_bot(store)
    body: Any = None
    with contextlib.suppress(ZeroDivisionError):
        async with store.transaction() as tx:
            body = await bot.keys.upload(tx, NOW)
            raise ZeroDivisionError
    key = next(iter(body["one_time_keys"].values()))
    assert not await reads(store, bot, key)
    assert await upload(store, bot, None, None, NOW) is not None


async def test_a_one_time_key_works_once(store: Database) -> None:
    """The private half of a one-time key is gone with its first use; a fallback key goes on."""
    bot = await create_bot(store)
    body = await upload(store, bot, None, None, NOW)
    once = next(iter(body["one_time_keys"].values()))
    [fallback] = body["fallback_keys"].values()
    assert [await reads(store, bot, once) for _ in range(2)] == [True, False]
    assert [await reads(store, bot, fallback) for _ in range(2)] == [True, True]


async def test_a_used_fallback_key_is_replaced_and_an_hour_later_evicted(store: Database) -> None:
    """The used key is replaced at most hourly; it still decrypts for an hour, then a further one evicts it."""
    bot = await create_bot(store)
    [used] = (await upload(store, bot, None, None, NOW))["fallback_keys"].values()
    assert await upload(store, bot, FULL, [], NOW + HOUR / 2) is None
    replaced = await upload(store, bot, FULL, [], NOW + HOUR)
    assert set(replaced) == {"fallback_keys"}
    assert await upload(store, bot, FULL, [KIND], NOW + 1.5 * HOUR) is None
    assert await reads(store, bot, used)
    assert set(await upload(store, bot, FULL, [KIND], NOW + 2 * HOUR)) == {"fallback_keys"}
    assert not await reads(store, bot, used)
    assert await upload(store, bot, FULL, [KIND], NOW + 5 * HOUR) is None


async def test_an_unused_fallback_key_lives_a_week(store: Database) -> None:
    """Without use it is replaced once a week, without an eviction an hour later."""
    bot = await create_bot(store)
    await upload(store, bot, None, None, NOW)
    week = timedelta(days=7)
    assert await upload(store, bot, FULL, [KIND], NOW + week - HOUR) is None
    assert set(await upload(store, bot, FULL, [KIND], NOW + week)) == {"fallback_keys"}
    assert await upload(store, bot, FULL, [KIND], NOW + week + 2 * HOUR) is None
