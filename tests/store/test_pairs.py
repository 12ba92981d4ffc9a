"""Pairs, goals, schedules, deliveries, records and intents."""

from dataclasses import replace

import pytest

from bot.core.deliveries import DeliveryState
from bot.core.pairs import PairState
from bot.core.records import Piece, RecordKind, RecordState
from bot.errors import PairError, SealingError, StaleRow
from bot.store.database import Database
from tests.store.examples import AT, CLIENT, MINUTE, THERAPIST, delivery, goal, intent, pair, record, schedule
from tests.store.keyring import Keyring


async def test_a_pair_comes_back_whole_with_its_number(store: Database) -> None:
    """Numbers go up; a pair is found by id, own room and person, and its changes are kept."""
    async with store.transaction() as tx:
        first = await tx.pairs.add(pair())
        second = await tx.pairs.add(pair("p2", client="@other:hs", room_id=None, console_id=None, invited_at=None))
        assert (first, second.number) == (pair(number=1), 2)
        changed = replace(first, client_name="Çlara \ud800", state=PairState.LEFT, paused=True, therapist_gone=True)
        await tx.pairs.save(changed)
    async with store.transaction() as tx:
        assert await tx.pairs.get("p1") == changed
        assert await tx.pairs.get("p2") == second
        assert await tx.pairs.get("p3") is None
        assert await tx.pairs.of_room("!pair:hs") == changed
        assert await tx.pairs.of_room("!console:hs") is None
        assert await tx.pairs.every() == (changed, second)
        assert await tx.pairs.of_person(CLIENT) == (changed,)
        assert await tx.pairs.of_person(THERAPIST) == (changed, second)


async def test_a_pair_without_a_key_or_row_is_refused(store: Database, keys: Keyring) -> None:
    """A pair needs its data key, and a pair that is gone is not saved."""
    with pytest.raises(PairError):
        async with store.transaction() as tx:
            await tx.pairs.save(pair("gone"))
    keys.destroy("pair:p9")
    with pytest.raises(SealingError):
        async with store.transaction() as tx:
            await tx.pairs.add(pair("p9"))


async def test_goals_are_numbered_in_their_pair(store: Database) -> None:
    """Each pair counts its goals from 1."""
    async with store.transaction() as tx:
        first = await tx.pairs.add_goal("p1", goal())
        second = await tx.pairs.add_goal("p1", goal("g2", title="Sleep", low=-2, high=2))
        other = await tx.pairs.add_goal("p2", goal())
        assert (first.number, second.number, other.number) == (1, 2, 1)
        assert await tx.pairs.goals("p1") == (first, second)
        assert await tx.pairs.goals("p2") == (other,)


async def test_schedules_come_and_go(store: Database) -> None:
    """A schedule keeps its number; a removed one cannot be saved, and its number is not given again."""
    async with store.transaction() as tx:
        first = await tx.pairs.add_schedule(schedule())
        second = await tx.pairs.add_schedule(schedule("s2", timezone="UTC", goal_id=None))
        other = await tx.pairs.add_schedule(schedule("s3", "p2"))
        assert (first.number, second.number, other.number) == (1, 2, 1)
        moved = replace(first, after=AT + MINUTE)
        await tx.pairs.save_schedule(moved)
        assert await tx.pairs.schedules("p1") == (moved, second)
        assert await tx.pairs.schedules() == (moved, second, other)
        await tx.pairs.remove_schedule("s2")
        assert await tx.pairs.schedules("p1") == (moved,)
        assert (await tx.pairs.add_schedule(schedule("s4"))).number == 3
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.pairs.save_schedule(second)


async def test_an_occurrence_is_delivered_once(store: Database) -> None:
    """A second delivery of an occurrence is not stored, and takes no number; by hand, the intent counts."""
    by_hand = delivery("d2", schedule_id=None, occurrence="i1", asked={}, goal_id=None)
    async with store.transaction() as tx:
        assert await tx.deliveries.add(delivery()) == delivery(number=1)
        assert await tx.deliveries.add(delivery("again")) is None
        assert await tx.deliveries.add(by_hand) == replace(by_hand, number=2)
    async with store.transaction() as tx:
        assert await tx.deliveries.add(replace(by_hand, delivery_id="d3")) is None
        assert await tx.deliveries.get("d1") == delivery(number=1)
        assert await tx.deliveries.get("d2") == replace(by_hand, number=2)
        assert await tx.deliveries.get("again") is None


async def test_recent_deliveries_come_newest_first(store: Database) -> None:
    """Only the pair's own, as many as asked for, with their changes."""
    async with store.transaction() as tx:
        for number in range(4):
            await tx.deliveries.add(delivery(f"d{number}", occurrence=f"o{number}"))
        await tx.deliveries.add(delivery("other", pair_id="p2", schedule_id="s9"))
        posted = delivery("d3", occurrence="o3", number=4, state=DeliveryState.POSTED, posted_at=AT, skip_reason="x")
        await tx.deliveries.save(posted)
        recent = await tx.deliveries.recent("p1", 2)
        assert [each.delivery_id for each in recent] == ["d3", "d2"]
        assert recent[0] == posted
        with pytest.raises(StaleRow):
            await tx.deliveries.save(delivery("gone"))


async def test_a_record_comes_back_whole(store: Database) -> None:
    """All fields are kept; nothing to undo is not the same as undoing everything."""
    other = record(
        "r2", undo=None, pieces=(), sources=(), delivery_id=None, goal_id=None, confirmation=None, late=False
    )
    async with store.transaction() as tx:
        await tx.records.add(record())
        await tx.records.add(other)
    async with store.transaction() as tx:
        assert await tx.records.get("r1") == record()
        assert await tx.records.get("r2") == other
        assert await tx.records.get("r3") is None
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.records.add(record())
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.records.save(record("gone"))


async def test_a_record_is_found_by_delivery_and_source(store: Database) -> None:
    """A revision replaces the sources; the newest record of a prompt counts."""
    revised = record(sources=("$b", "$c", "$b"), revision=2, undo=(Piece(source="$b", value="ok"),))
    later = record("r2", first_at=AT + 5 * MINUTE, sources=("$d",))
    async with store.transaction() as tx:
        await tx.records.add(record(sources=("$a", "$b")))
        await tx.records.save(revised)
        await tx.records.add(later)
        await tx.records.add(record("r3", delivery_id="d3", sources=()))
        assert await tx.records.of_source("$a") is None
        assert await tx.records.of_source("$b") == revised
        assert await tx.records.of_source("$d") == later
        found = await tx.records.of_deliveries(["d1", "d3", "d4"])
        assert {delivery_id: each.record_id for delivery_id, each in found.items()} == {"d1": "r2", "d3": "r3"}
        assert await tx.records.of_deliveries([]) == {}


async def test_the_newest_records_and_open_journals(store: Database) -> None:
    """Newest first within the pair; a journal is open until it is recorded."""
    async with store.transaction() as tx:
        for number in range(3):
            await tx.records.add(record(f"r{number}", first_at=AT + number * MINUTE))
        journal = record("j1", kind=RecordKind.JOURNAL, state=RecordState.OPEN, first_at=AT - MINUTE)
        await tx.records.add(journal)
        await tx.records.add(replace(journal, record_id="j2", pair_id="p2"))
        assert [each.record_id for each in await tx.records.newest("p1", 2)] == ["r2", "r1"]
        assert await tx.records.open_journals("p1") == (journal,)
        assert {each.record_id for each in await tx.records.open_journals()} == {"j1", "j2"}
        await tx.records.save(replace(journal, state=RecordState.RECORDED))
        assert await tx.records.open_journals("p1") == ()


async def test_intents_wait_in_the_order_they_came(store: Database) -> None:
    """An intent is queued until it is saved as done or failed, with its result."""
    later = intent("i0", created_at=AT + MINUTE)
    done = intent(state="failed", result={"pair": "p1"}, error="No such person.")
    async with store.transaction() as tx:
        await tx.intents.add(later)
        await tx.intents.add(intent())
        assert await tx.intents.queued() == (intent(), later)
        await tx.intents.save(done)
        assert await tx.intents.queued() == (later,)
        assert await tx.intents.get("i1") == done
        assert await tx.intents.get("i9") is None
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.intents.save(intent("gone"))
