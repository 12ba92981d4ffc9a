"""The lease: two processes never drive one device."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.errors import LeaseLost
from bot.store.database import Database
from bot.store.lease import acquire, has_died, release, renew, this_process
from tests.store.conftest import ACCOUNT
from tests.store.examples import AT, MINUTE
from tests.store.keyring import Keyring

TTL = timedelta(seconds=60)
OTHER = "elsewhere boot/pid:[1] 17 99"


@pytest.fixture
async def second(url: str, store: Database, keys: Keyring) -> AsyncIterator[Database]:
    """The same account's database, opened once more."""
    database = await Database.open(url, account=ACCOUNT, sealers=keys)
    yield database
    await database.close()


async def test_a_live_holder_is_not_followed(store: Database, second: Database) -> None:
    """The message names the holder and the expiry."""
    await acquire(store, holder=OTHER, at=AT, ttl=TTL)
    with pytest.raises(LeaseLost, match=r"elsewhere .* until 2026-11-23 07:31:15 UTC"):
        await acquire(second, holder=this_process(), at=AT + TTL - MINUTE / 60, ttl=TTL)


async def test_an_expired_holder_writes_no_more(store: Database, second: Database) -> None:
    """After a take-over every transaction of the former holder is refused and changes nothing (CRYPTO 27)."""
    store.lease = await acquire(store, holder=OTHER, at=AT, ttl=TTL)
    async with store.transaction() as tx:
        await tx.facts.write("a", "first")
    second.lease = await acquire(second, holder="another", at=AT + TTL, ttl=TTL)
    assert second.lease.epoch == store.lease.epoch + 1
    with pytest.raises(LeaseLost):
        async with store.transaction() as tx:
            await tx.facts.write("a", "too late")
    with pytest.raises(LeaseLost):
        await renew(store, store.lease, at=AT, ttl=TTL)
    async with second.transaction() as tx:
        assert await tx.facts.read("a") == "first"


async def test_a_renewed_lease_lasts_longer(store: Database, second: Database) -> None:
    """A renewal moves the expiry, and the holder keeps its epoch."""
    lease = await acquire(store, holder=OTHER, at=AT, ttl=TTL)
    renewed = await renew(store, lease, at=AT + TTL, ttl=TTL)
    assert (renewed.epoch, renewed.expires_at) == (lease.epoch, AT + 2 * TTL)
    with pytest.raises(LeaseLost):
        await acquire(second, holder="another", at=AT + TTL, ttl=TTL)


async def test_a_released_lease_is_free(store: Database, second: Database) -> None:
    """The next process need not wait, and the former one cannot go on."""
    store.lease = await acquire(store, holder=OTHER, at=AT, ttl=TTL)
    await release(store, store.lease, at=AT)
    assert (await acquire(second, holder="another", at=AT, ttl=TTL)).epoch == store.lease.epoch + 1
    with pytest.raises(LeaseLost):
        async with store.transaction():
            pass


async def test_a_database_without_a_lease_is_not_stopped(store: Database, second: Database) -> None:
    """The command line writes beside the bot that holds the lease."""
    store.lease = await acquire(store, holder=this_process(), at=AT, ttl=TTL)
    async with second.transaction() as tx:
        await tx.facts.write("a", "1")
    async with store.transaction() as tx:
        assert await tx.facts.read("a") == "1"


async def test_a_dead_holder_of_this_machine_is_followed_at_once(store: Database, second: Database) -> None:
    """A killed bot starts again without waiting for its own lease."""
    code = "from bot.store.lease import this_process; print(this_process())"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE)
    dead = (await child.communicate())[0].decode().strip()
    assert has_died(dead)
    await acquire(store, holder=dead, at=AT, ttl=TTL)
    assert (await acquire(second, holder=this_process(), at=AT, ttl=TTL)).epoch == 2


def test_only_a_process_that_is_known_to_be_dead_is_dead() -> None:
    """A live process, another machine, another container and nonsense are not; a reused process id is."""
    host, boot, pid, started = this_process().rsplit(" ", 3)
    assert not has_died(this_process())
    assert not has_died(f"{host} other-boot/pid:[1] {pid} {started}")
    assert not has_died("nonsense")
    assert not has_died("")
    assert has_died(f"{host} {boot} {pid} 1")
