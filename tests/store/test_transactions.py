"""Whole or not at all, one after the other."""

import asyncio

import pytest

from bot.errors import StaleRow, StoreRefused
from bot.store.database import Database, Transaction
from tests.store.conftest import ACCOUNT
from tests.store.examples import outbound, outbox_event, pair, room
from tests.store.keyring import Keyring


async def add_and_fail(tx: Transaction) -> None:
    """Write to several tables, then raise."""
    await tx.facts.write("a", "1")
    await tx.rooms.add(room(pair_id="wrong"))
    await tx.outbox.add(outbox_event())
    raise KeyError


async def nest_and_fail(tx: Transaction) -> None:
    """Write, also in a savepoint that is kept, then raise."""
    await tx.facts.write("outer", "1")
    async with tx.savepoint():
        await tx.facts.write("inner", "1")
    raise KeyError


async def test_an_exception_undoes_the_transaction(store: Database) -> None:
    """Nothing of it stays, and the next transaction works."""
    with pytest.raises(KeyError):
        async with store.transaction() as tx:
            await add_and_fail(tx)
    async with store.transaction() as tx:
        assert await tx.facts.read("a") is None
        assert await tx.outbox.get("out1") is None
        await tx.facts.write("a", "2")


async def test_a_room_that_was_undone_owns_nothing(store: Database, keys: Keyring) -> None:
    """After a rollback, rows of the room are sealed for the owner that it has then."""
    with pytest.raises(KeyError):
        async with store.transaction() as tx:
            await add_and_fail(tx)
    keys.asked.clear()
    async with store.transaction() as tx:
        with pytest.raises(KeyError):
            async with tx.savepoint():
                await add_and_fail(tx)
        keys.asked.clear()
        await tx.rooms.add(room(pair_id="p1"))
        await tx.outbox.add(outbox_event())
    assert keys.asked == {"pair:p1"}


async def test_a_savepoint_undoes_only_what_is_inside(store: Database) -> None:
    """Also when savepoints stand in one another, and after a refused row."""
    async with store.transaction() as tx:
        await tx.facts.write("before", "1")
        with pytest.raises(KeyError):
            async with tx.savepoint():
                await nest_and_fail(tx)
        async with tx.savepoint():
            await tx.facts.write("kept", "1")
            await tx.outbox.add(outbox_event("kept"))
            with pytest.raises(StaleRow):
                async with tx.savepoint():
                    await tx.outbox.add(outbox_event("kept"))
        await tx.facts.write("after", "1")
    async with store.transaction() as tx:
        names = ("before", "outer", "inner", "kept", "after")
        assert [await tx.facts.read(name) for name in names] == ["1", None, None, "1", "1"]
        assert await tx.outbox.get("kept")


async def test_an_undone_transaction_undoes_its_savepoints(store: Database) -> None:
    """A savepoint that was kept goes with its transaction."""
    with pytest.raises(KeyError):
        async with store.transaction() as tx:
            await nest_and_fail(tx)
    async with store.transaction() as tx:
        assert await tx.facts.read("inner") is None


async def test_tasks_wait_for_each_other(store: Database) -> None:
    """Twenty tasks that read, pause and write lose no update."""

    async def add_one() -> None:
        async with store.transaction() as tx:
            value = int(await tx.facts.read("sum") or 0)
            await asyncio.sleep(0)
            await tx.facts.write("sum", str(value + 1))

    await asyncio.gather(*[add_one() for _ in range(20)])
    async with store.transaction() as tx:
        assert await tx.facts.read("sum") == "20"


async def test_a_transaction_within_a_transaction_is_refused(store: Database) -> None:
    """The task is told, instead of waiting for itself, and its own transaction goes on."""
    async with store.transaction() as tx:
        with pytest.raises(RuntimeError, match="within a transaction"):
            async with store.transaction():
                pass
        await tx.facts.write("a", "1")
    async with store.transaction() as tx:
        assert await tx.facts.read("a") == "1"


async def test_a_cancelled_transaction_is_whole_or_nothing(store: Database) -> None:
    """Cancelled after any number of steps of the event loop, the transaction is undone or whole; the next one works."""

    async def work(number: int) -> None:
        async with store.transaction() as tx:
            await tx.facts.write("a", str(number))
            async with tx.savepoint():
                await tx.outbox.add(outbox_event(f"out{number}"))
            await tx.facts.write("b", str(number))

    outcomes = set()
    for number in range(60):
        task = asyncio.create_task(work(number))
        for _ in range(number):
            await asyncio.sleep(0)
            if number % 3 == 0:
                await asyncio.sleep(0.0005)
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        async with store.transaction() as tx:
            whole = [await tx.facts.read("a"), await tx.facts.read("b")] == [str(number)] * 2
            assert whole == (await tx.outbox.get(f"out{number}") is not None)
            assert whole or await tx.facts.read("a") == await tx.facts.read("b")
        outcomes.add((type(outcome), whole))
    assert (asyncio.CancelledError, False) in outcomes
    assert (type(None), True) in outcomes


async def test_a_task_that_waits_for_its_turn_can_be_cancelled(store: Database) -> None:
    """A cancelled waiter neither runs nor blocks the others."""
    ran = []

    async def wait() -> None:
        async with store.transaction():
            ran.append(True)

    async with store.transaction():
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert ran == []
    await wait()
    assert ran == [True]


async def test_accounts_do_not_see_each_other(url: str, store: Database, keys: Keyring) -> None:
    """Two accounts in one database have their own rows, numbers and keys."""
    other = await Database.open(url, account="@second:hs", sealers=keys)
    for database in (store, other):
        async with database.transaction() as tx:
            assert await tx.facts.increment("n") == 1
            await tx.rooms.add(room())
            await tx.megolm.save_outbound([outbound()])
            assert (await tx.pairs.add(pair(f"pair of {database.account}"))).number == 1
    async with other.transaction() as tx:
        assert len(await tx.pairs.every()) == 1
        await tx.megolm.drop_outbound(["!pair:hs"])
    async with store.transaction() as tx:
        assert len(await tx.megolm.outbound(["!pair:hs"])) == 1
    await other.close()
    assert {f"account:{ACCOUNT}", "account:@second:hs"} <= keys.asked


async def test_a_database_that_refuses_says_so(tmp_path_factory: pytest.TempPathFactory, keys: Keyring) -> None:
    """What cannot be opened raises our own error, not the driver's."""
    directory = tmp_path_factory.mktemp("not a file")
    with pytest.raises(StoreRefused):
        await Database.open(f"sqlite:///{directory}", account=ACCOUNT, sealers=keys)


async def test_a_full_database_says_so_and_recovers(tmp_path_factory: pytest.TempPathFactory, keys: Keyring) -> None:
    """When the disk is full the transaction is undone with our own error; the next one that fits works."""
    path = tmp_path_factory.mktemp("full")
    database = await Database.open(f"sqlite:///{path}/interlude.db", account=ACCOUNT, sealers=keys)
    async with database.transaction() as tx:
        await tx.session.connection.exec_driver_sql("PRAGMA max_page_count = 1")  # as many pages as there are
    with pytest.raises(StoreRefused, match="full"):
        async with database.transaction() as tx:
            await tx.facts.write("big", "x" * 3_000_000)
    async with database.transaction() as tx:
        assert await tx.facts.read("big") is None
        await tx.facts.write("small", "x")
    await database.close()
