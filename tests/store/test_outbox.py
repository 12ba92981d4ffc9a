"""Events on their way into rooms."""

from dataclasses import replace

import pytest

from bot.core.outbox import OutboxState
from bot.errors import StaleRow
from bot.store.database import Database
from tests.store.examples import AT, MINUTE, outbox_event, room


async def test_an_event_comes_back_whole(store: Database) -> None:
    """All fields are kept; the position is the store's."""
    bare = replace(outbox_event("bare"), addressed=None, delivery_id=None, record_id=None, not_after=None)
    bare = replace(bare, relates_row=None, rel_type=None, hold=None, media={})
    async with store.transaction() as tx:
        await tx.rooms.add(room())
        await tx.outbox.add(outbox_event(position=99))
        await tx.outbox.add(bare)
    async with store.transaction() as tx:
        first, second = await tx.outbox.get("out1"), await tx.outbox.get("bare")
        assert first is not None
        assert second is not None
        assert first == outbox_event(position=first.position)
        assert second == replace(bare, position=first.position + 1)
        assert await tx.outbox.get("unknown") is None


async def test_an_outbox_id_is_used_once(store: Database) -> None:
    """The id is the transaction id of the PUT: a second row with it is refused."""
    async with store.transaction() as tx:
        await tx.outbox.add(outbox_event())
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.outbox.add(outbox_event(content={"body": "another"}))


async def test_an_update_keeps_owner_and_position(store: Database) -> None:
    """Everything else about an event can change, for many at once."""
    sent = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA", "session_id": "megolm1"}
    async with store.transaction() as tx:
        await tx.rooms.add(room())
        await tx.outbox.add(outbox_event("a"))
        await tx.outbox.add(outbox_event("b"))
        a, b = [await tx.outbox.get(name) for name in "ab"]
        assert a is not None
        assert b is not None
        a = replace(
            a, state=OutboxState.SENT, ciphertext=sent, encrypted_at=AT + MINUTE, event_id="$sent", attempts=3, media={}
        )
        b = replace(b, content={"body": "changed"}, hold=None)
        await tx.outbox.update([replace(a, position=77), b])
        await tx.outbox.update([])
    async with store.transaction() as tx:
        assert await tx.outbox.get("a") == a
        assert await tx.outbox.get("b") == b
        assert await tx.outbox.by_event("$sent") == a
        assert await tx.outbox.by_event("$other") is None
        assert await tx.outbox.by_session("!pair:hs", "AwgA") == a
        assert await tx.outbox.by_session("!other:hs", "AwgA") is None
        assert await tx.outbox.by_session("!pair:hs", "Awg") is None


async def test_what_is_encrypted_and_sent_is_noted_for_many_at_once(store: Database) -> None:
    """Ciphertext and event id are stored and found by; nothing else of the row changes, and a hold is over."""
    wire = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgB", "session_id": "megolm1"}
    async with store.transaction() as tx:
        await tx.rooms.add(room())
        for name in "ab":
            await tx.outbox.add(replace(outbox_event(name), state=OutboxState.QUEUED, event_id=None, hold="outdated"))
        a, b = [await tx.outbox.get(name) for name in "ab"]
        assert a is not None
        sealed = replace(a, state=OutboxState.ENCRYPTED, ciphertext=wire, encrypted_at=AT + MINUTE, hold=None)
        await tx.outbox.encrypted([sealed])
        await tx.outbox.encrypted([])
    async with store.transaction() as tx:
        assert await tx.outbox.get("a") == sealed
        assert await tx.outbox.get("b") == b
        assert await tx.outbox.by_session("!pair:hs", "AwgB") == sealed
        await tx.outbox.sent({"a": "$sent", "gone with its pair": "$other"})
    async with store.transaction() as tx:
        assert await tx.outbox.get("a") == replace(sealed, state=OutboxState.SENT, event_id="$sent")
        assert await tx.outbox.get("b") == b


async def test_an_update_of_a_lost_row_is_refused(store: Database) -> None:
    """Nothing is written when one of the events is gone."""
    async with store.transaction() as tx:
        await tx.outbox.add(outbox_event("a"))
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.outbox.update([outbox_event("a", attempts=5), outbox_event("gone")])
    async with store.transaction() as tx:
        a = await tx.outbox.get("a")
        assert a is not None
        assert a.attempts == 0


async def test_heads_are_the_first_unsent_event_of_each_room(store: Database) -> None:
    """In the order of the outbox; what is sent, dropped or parked does not hold up its room."""
    states = {
        "a1": OutboxState.SENT,
        "b1": OutboxState.QUEUED,
        "a2": OutboxState.PARKED,
        "a3": OutboxState.ENCRYPTED,
        "c1": OutboxState.DROPPED,
        "a4": OutboxState.QUEUED,
        "b2": OutboxState.QUEUED,
        "c2": OutboxState.QUEUED,
    }
    async with store.transaction() as tx:
        for name, state in states.items():
            await tx.outbox.add(outbox_event(name, f"!{name[0]}", state=state))
        assert [event.outbox_id for event in await tx.outbox.heads(10)] == ["b1", "a3", "c2"]
        assert [event.outbox_id for event in await tx.outbox.heads(2)] == ["b1", "a3"]
        assert [event.outbox_id for event in await tx.outbox.heads(2, skip_rooms=["!b", "!x"])] == ["a3", "c2"]
        assert [event.outbox_id for event in await tx.outbox.queued("!a")] == ["a4"]
        assert await tx.outbox.counts() == {"sent": 1, "queued": 4, "parked": 1, "encrypted": 1, "dropped": 1}


async def test_events_are_found_by_what_they_belong_to(store: Database) -> None:
    """By deliveries, by record, and by purpose within a room, in order."""
    async with store.transaction() as tx:
        await tx.outbox.add(outbox_event("b", delivery_id="d2", record_id="r2"))
        await tx.outbox.add(outbox_event("a", delivery_id="d1", record_id="r2"))
        await tx.outbox.add(outbox_event("c", "!other:hs", delivery_id="d3", purpose="welcome"))
        assert [event.outbox_id for event in await tx.outbox.of_deliveries(["d1", "d2"])] == ["b", "a"]
        assert await tx.outbox.of_deliveries([]) == ()
        assert [event.outbox_id for event in await tx.outbox.of_record("r2")] == ["b", "a"]
        assert [event.outbox_id for event in await tx.outbox.of_purpose("!pair:hs", "prompt")] == ["b", "a"]
        assert [event.outbox_id for event in await tx.outbox.of_purpose("!other:hs", "welcome")] == ["c"]
