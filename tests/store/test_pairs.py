"""Pairs, goals, deliveries, records and intents."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.deliveries import DeliveryState
from bot.core.pairs import PairState
from bot.core.records import Piece, RecordKind, RecordState
from bot.errors import PairError, SealingError, StaleRow
from bot.store.database import Database
from tests.store.examples import AT, CLIENT, MINUTE, THERAPIST, delivery, goal, intent, pair, record
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


async def test_what_a_pair_settled_about_times_is_kept(store: Database) -> None:
    """Quiet hours, cap and pause come back; pauses that are over are found without reading the other pairs."""
    async with store.transaction() as tx:
        first = await tx.pairs.add(
            pair(quiet="22:00-06:00", daily_cap=1, paused=True, paused_until=AT + MINUTE, paused_by="client")
        )
        second = await tx.pairs.add(pair("p2", paused=True, paused_until=AT + 2 * MINUTE, paused_by="therapist"))
        third = await tx.pairs.add(pair("p3", paused=True))
        assert await tx.pairs.some(["p3", "p1", "p9"]) == {"p1": first, "p3": third}
        assert await tx.pairs.some([]) == {}
        assert await tx.pairs.pauses_over(AT + MINUTE) == (first,)
        assert await tx.pairs.next_pause_end() == AT + MINUTE
        for each in (first, second):
            await tx.pairs.save(replace(each, paused=False, paused_until=None, paused_by=None))
        assert await tx.pairs.pauses_over(AT + 9 * MINUTE) == ()
        assert await tx.pairs.next_pause_end() is None


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


async def test_the_newest_deliveries_of_a_schedule(store: Database) -> None:
    """The one that was due last comes first, whichever was written last."""
    async with store.transaction() as tx:
        for number in (3, 1, 2):
            await tx.deliveries.add(delivery(f"d{number}", occurrence=f"o{number}", due=AT + number * MINUTE))
        await tx.deliveries.add(delivery("other", schedule_id="s2", due=AT + 9 * MINUTE))
        assert [each.delivery_id for each in await tx.deliveries.of_schedule("s1", 2)] == ["d3", "d2"]


async def test_first_posts_are_counted_by_occurrence(store: Database) -> None:
    """Two goals of one occurrence are one; skipped ones, older ones and what the client began count nothing."""
    async with store.transaction() as tx:
        rows: dict[str, dict[str, Any]] = {
            "o#g1": {},
            "o#g2": {},
            "skipped": {"state": DeliveryState.SKIPPED, "due": AT + MINUTE},
            "old": {"due": AT - MINUTE},
            "hand:i1": {"schedule_id": None, "due": AT + 2 * MINUTE},
            "client:$e": {"schedule_id": None, "due": AT + 3 * MINUTE},
            "answered": {"state": DeliveryState.ANSWERED, "due": AT + 4 * MINUTE},
        }
        for name, each in rows.items():
            await tx.deliveries.add(delivery(name, occurrence=name, **each))
        await tx.deliveries.add(delivery("other", pair_id="p2", schedule_id="s9"))
        found = await tx.deliveries.first_posts(["p1"], since=AT)
        assert sorted((each.due, each.schedule_id) for each in found) == [
            (AT, "s1"),
            (AT + 2 * MINUTE, None),
            (AT + 4 * MINUTE, "s1"),
        ]
        assert len(await tx.deliveries.first_posts(["p1", "p2"], since=AT)) == 4
        assert await tx.deliveries.first_posts([], since=AT) == ()


async def test_unanswered_prompts_are_counted_since_the_last_answer(store: Database) -> None:
    """By occurrence, not by goal; what was skipped neither counts nor breaks the row."""
    states = [
        *(DeliveryState.POSTED, DeliveryState.ANSWERED, DeliveryState.POSTED, DeliveryState.SKIPPED),
        *(DeliveryState.POSTED, DeliveryState.POSTED, DeliveryState.DUE),
    ]
    async with store.transaction() as tx:
        for number, state in enumerate(states):
            due = AT + number * MINUTE
            await tx.deliveries.add(delivery(f"d{number}", occurrence=f"o{number}", due=due, state=state))
        other_goal = delivery("goal", occurrence="o5#g2", due=AT + 5 * MINUTE, state=DeliveryState.POSTED)
        await tx.deliveries.add(other_goal)
        await tx.deliveries.add(delivery("never", schedule_id="s2", state=DeliveryState.POSTED))
        assert await tx.deliveries.unanswered(["s1", "s2", "s3"]) == {"s1": 3, "s2": 1}
        assert await tx.deliveries.unanswered([]) == {}


async def test_reminders_are_found_when_they_are_due(store: Database) -> None:
    """Earliest first, as many as asked for, and the next one's time without reading the rest."""
    async with store.transaction() as tx:
        for number in (2, 1, 3):
            await tx.deliveries.add(delivery(f"d{number}", occurrence=f"o{number}", remind_at=AT + number * MINUTE))
        await tx.deliveries.add(delivery("none", occurrence="none"))
        assert [each.delivery_id for each in await tx.deliveries.to_remind(AT + 2 * MINUTE, limit=9)] == ["d1", "d2"]
        assert [each.delivery_id for each in await tx.deliveries.to_remind(AT + 2 * MINUTE, limit=1)] == ["d1"]
        assert await tx.deliveries.next_reminder() == AT + MINUTE
    async with store.transaction() as tx:
        for each in await tx.deliveries.to_remind(AT + 9 * MINUTE, limit=9):
            await tx.deliveries.save(replace(each, remind_at=None))
        assert await tx.deliveries.next_reminder() is None


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
