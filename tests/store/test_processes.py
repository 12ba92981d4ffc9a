"""Several processes, and one that is killed."""

import asyncio
import random
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from bot.errors import StoreRefused
from bot.store import engine
from bot.store.database import Database
from tests.store.conftest import ACCOUNT
from tests.store.keyring import Keyring


async def start(url: str, name: str, count: int) -> Process:
    """Start a process that writes."""
    arguments = ("-m", "tests.store.writer", url, name, str(count))
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE)


async def check_whole(database: Database, name: str) -> int:
    """Return how many transactions of a process are there, after making sure that each is there whole."""
    async with database.transaction() as tx:
        count = int(await tx.facts.read(name) or 0)
        for number in range(1, count + 2):
            expected = number <= count
            for part in "ab":
                assert (await tx.outbox.get(f"{name}-{number}-{part}") is not None) == expected
            assert (await tx.intents.get(f"{name}-{number}") is not None) == expected
    return count


async def test_two_processes_write_side_by_side(url: str, store: Database) -> None:
    """The command line and the bot write to the same database, and neither loses or refuses anything."""
    child = await start(url, "child", 15)
    for number in range(15):
        async with store.transaction() as tx:
            await tx.facts.increment("parent")
            await tx.facts.write(f"row{number}", "x")
    output, _ = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode == 0
    assert len(output.split()) == 15
    assert await check_whole(store, "child") == 15
    async with store.transaction() as tx:
        assert await tx.facts.read("parent") == "15"


async def test_a_killed_process_leaves_whole_transactions(url: str, store: Database) -> None:
    """After kill -9 at any moment, what was reported as committed is there, and nothing is there by half."""
    reported = 0
    for _ in range(6):
        child = await start(url, "killed", 100_000)
        assert child.stdout is not None
        reported = int(await child.stdout.readline())
        await asyncio.sleep(random.uniform(0, 0.05))
        child.kill()
        rest = (await child.stdout.read()).split()
        await child.wait()
        reported = int(rest[-1]) if rest else reported
        count = await check_whole(store, "killed")
        assert count in {reported, reported + 1}  # a commit may have come before its report


async def test_a_database_that_stays_locked_is_refused(
    tmp_path: Path, keys: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction waits for another process, not for ever, and says so; afterwards the database works."""
    monkeypatch.setattr(engine, "BUSY_TIMEOUT", 0.2)
    monkeypatch.setattr(engine, "_PRAGMAS", ("PRAGMA journal_mode = WAL", "PRAGMA busy_timeout = 200"))
    path = tmp_path / "interlude.db"
    database = await Database.open(f"sqlite:///{path}", account=ACCOUNT, sealers=keys)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreRefused):
        async with database.transaction():
            pass
    blocker.execute("ROLLBACK")
    blocker.close()
    async with database.transaction() as tx:
        await tx.facts.write("a", "1")
    await database.close()
