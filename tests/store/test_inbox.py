"""Room events that have arrived."""

from dataclasses import replace

import pytest

from bot.core.inbox import InboxState
from bot.store.database import Database
from tests.store.examples import CLIENT, THERAPIST, inbox_event, position, room


async def test_an_event_is_stored_once(store: Database) -> None:
    """The second arrival of an event id is nothing new and changes nothing."""
    async with store.transaction() as tx:
        await tx.rooms.add(room())
        assert await tx.inbox.add(inbox_event())
        assert not await tx.inbox.add(inbox_event(sender="@other:hs", event={"other": True}))
    async with store.transaction() as tx:
        assert await tx.inbox.get("$in") == inbox_event()
        assert await tx.inbox.get("$unknown") is None


async def test_batches_are_numbered(store: Database) -> None:
    """Each batch gets a higher number, across transactions."""
    async with store.transaction() as tx:
        first = await tx.inbox.next_batch()
    async with store.transaction() as tx:
        assert await tx.inbox.next_batch() > first


@pytest.mark.parametrize("state", [InboxState.DONE, InboxState.REFUSED])
async def test_a_settled_event_is_emptied(store: Database, state: InboxState) -> None:
    """What is done or refused keeps its trail, not its content."""
    async with store.transaction() as tx:
        await tx.inbox.add(inbox_event())
        await tx.inbox.settle(inbox_event(state=state, reason="why"))
        assert await tx.inbox.get("$in") == inbox_event(state=state, reason="why", event={})


async def test_an_event_that_becomes_readable_changes_its_content(store: Database) -> None:
    """Settling to a waiting state stores type, content and verdict anew."""
    unreadable = inbox_event(state=InboxState.UNREADABLE, event_type="m.room.encrypted", event={"wire": 1}, index=-1)
    async with store.transaction() as tx:
        await tx.rooms.add(room())
        await tx.inbox.add(unreadable)
        await tx.inbox.settle(inbox_event(verdict="unsigned", state=InboxState.UNTRUSTED))
    async with store.transaction() as tx:
        assert await tx.inbox.get("$in") == inbox_event(verdict="unsigned", state=InboxState.UNTRUSTED)


async def test_waiting_events_come_in_timeline_order(store: Database) -> None:
    """A filled gap stands before the batch that had it; room, sessions and limit narrow the choice."""
    events = [
        inbox_event("$4", position=position(2, 1, 1), session_id="s2"),
        inbox_event("$1", position=position(1, 1, 5)),
        inbox_event("$3", position=position(2, 1, 0)),
        inbox_event("$2", position=position(2, 0, 7)),
        inbox_event("$other", "!other:hs", position=position(1, 0, 0)),
        inbox_event("$failed", state=InboxState.FAILED),
    ]
    async with store.transaction() as tx:
        for event in events:
            await tx.inbox.add(event)
        waiting = await tx.inbox.waiting(InboxState.PENDING)
        assert [event.event_id for event in waiting] == ["$other", "$1", "$2", "$3", "$4"]
        in_room = await tx.inbox.waiting(InboxState.PENDING, room_id="!pair:hs", limit=2)
        assert [event.event_id for event in in_room] == ["$1", "$2"]
        of_session = await tx.inbox.waiting(InboxState.PENDING, session_ids=["s2", "s9"])
        assert [event.event_id for event in of_session] == ["$4"]
        assert await tx.inbox.waiting(InboxState.PENDING, session_ids=[]) == ()
        both = await tx.inbox.waiting(InboxState.PENDING, room_id="!other:hs", session_ids=["megolm1"])
        assert [event.event_id for event in both] == ["$other"]
        assert await tx.inbox.last_known("!pair:hs") == "$4"
        assert await tx.inbox.last_known("!empty:hs") is None
        assert await tx.inbox.positions(["$4", "$1", "$no"]) == {"$4": position(2, 1, 1), "$1": position(1, 1, 5)}


async def test_the_last_word_before_a_position(store: Database) -> None:
    """The newest noted message of a person before a position is found, whatever order they were noted in."""
    places = [position(3, 0, 2), position(1, 1, 9), position(3, 1, 0)]
    async with store.transaction() as tx:
        for number, place in enumerate(places):
            await tx.inbox.note_talk(inbox_event(f"${number}", position=place))
            await tx.inbox.note_talk(inbox_event(f"${number}", position=place))
        last_talk = tx.inbox.last_talk
        assert await last_talk("!pair:hs", CLIENT, position(9, 0, 0)) == position(3, 1, 0)
        assert await last_talk("!pair:hs", CLIENT, position(3, 1, 0)) == position(3, 0, 2)
        assert await last_talk("!pair:hs", CLIENT, position(3, 0, 2)) == position(1, 1, 9)
        assert await last_talk("!pair:hs", CLIENT, position(1, 1, 9)) is None
        assert await last_talk("!pair:hs", THERAPIST, position(9, 0, 0)) is None
        assert await last_talk("!other:hs", CLIENT, position(9, 0, 0)) is None


async def test_the_newest_unreadable_events_are_kept(store: Database) -> None:
    """Trimming forgets the room's oldest unreadable events and nothing else (CRYPTO 36)."""
    async with store.transaction() as tx:
        for number in range(5):
            place = position(number)
            await tx.inbox.add(inbox_event(f"${number}", position=place, state=InboxState.UNREADABLE))
        await tx.inbox.add(inbox_event("$pending", position=position(0)))
        await tx.inbox.add(inbox_event("$other", "!other:hs", state=InboxState.UNREADABLE))
        assert await tx.inbox.trim_unreadable("!pair:hs", 2) == 3
        assert await tx.inbox.trim_unreadable("!pair:hs", 2) == 0
        left = await tx.inbox.waiting(InboxState.UNREADABLE, room_id="!pair:hs")
        assert [event.event_id for event in left] == ["$3", "$4"]
        assert await tx.inbox.get("$pending")
        assert await tx.inbox.get("$other")


async def test_hostile_text_is_stored(store: Database) -> None:
    """NUL, lone surrogates and deep unicode neither stop the store nor change the sealed content."""
    hostile = inbox_event(event_type="a\x00b\ud800", reason="\udfff", event={"k\x00": ["\ud800", 2**80, None, 1.5]})
    async with store.transaction() as tx:
        assert await tx.inbox.add(hostile)
        assert await tx.inbox.get("$in") == replace(hostile, event_type="a\ufffdb\ufffd", reason="\ufffd")
