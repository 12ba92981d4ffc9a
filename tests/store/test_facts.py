"""Single values of the account."""

from datetime import timedelta

from bot.store.database import Database
from tests.store.examples import AT


async def test_a_fact_is_read_as_it_was_written(store: Database) -> None:
    """A fact comes back, is replaced by the next value and goes away with None."""
    async with store.transaction() as tx:
        assert await tx.facts.read("since") is None
        await tx.facts.write("since", "s1")
        await tx.facts.write("since", "s2 ü \x00 \ud800")
    async with store.transaction() as tx:
        assert await tx.facts.read("since") == "s2 ü \x00 \ud800"
        await tx.facts.write("since", None)
        assert await tx.facts.read("since") is None


async def test_a_number_goes_up_by_one(store: Database) -> None:
    """An increment starts at 1 and goes on across transactions."""
    async with store.transaction() as tx:
        assert [await tx.facts.increment("received") for _ in range(3)] == [1, 2, 3]
    async with store.transaction() as tx:
        assert await tx.facts.increment("received") == 4


async def test_once_forever(store: Database) -> None:
    """With no interval a key is new a single time."""
    async with store.transaction() as tx:
        assert await tx.facts.once("welcome", AT, every_seconds=0)
        assert not await tx.facts.once("welcome", AT + timedelta(days=900), every_seconds=0)
        assert await tx.facts.once("other", AT, every_seconds=0)


async def test_once_an_hour(store: Database) -> None:
    """With an interval a key is new again when it is over, counted from the last time that it was new."""
    async with store.transaction() as tx:
        assert await tx.facts.once("unwedge", AT, every_seconds=3600)
        assert not await tx.facts.once("unwedge", AT + timedelta(seconds=3599), every_seconds=3600)
        assert await tx.facts.once("unwedge", AT + timedelta(seconds=3600), every_seconds=3600)
        assert not await tx.facts.once("unwedge", AT + timedelta(seconds=7199), every_seconds=3600)
