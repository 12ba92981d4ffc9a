"""Managed rooms, members and gaps."""

from dataclasses import replace

import pytest

from bot.errors import StaleRow
from bot.store.database import Database
from tests.store.examples import CLIENT, THERAPIST, room


async def test_a_room_comes_back_whole(store: Database) -> None:
    """A room keeps its purpose, settings and hold; an unknown one is not managed."""
    console = room("!console:hs", pair_id=None)
    async with store.transaction() as tx:
        await tx.rooms.add(room())
        await tx.rooms.add(console)
        await tx.rooms.hold("!pair:hs", "drift:member")
        await tx.rooms.set_encryption("!pair:hs", {"algorithm": "m.megolm.v1.aes-sha2", "rotation_period_msgs": 5})
    held = room(hold="drift:member", encryption={"algorithm": "m.megolm.v1.aes-sha2", "rotation_period_msgs": 5})
    async with store.transaction() as tx:
        assert await tx.rooms.get("!pair:hs") == held
        assert await tx.rooms.get("!stranger:hs") is None
        assert {each.room_id for each in await tx.rooms.every()} == {"!pair:hs", "!console:hs"}
        await tx.rooms.hold("!pair:hs", None)
        assert await tx.rooms.get("!pair:hs") == replace(held, hold=None)
        assert await tx.rooms.get("!console:hs") == console


async def test_a_room_is_added_once(store: Database) -> None:
    """Adding a known room is refused."""
    async with store.transaction() as tx:
        await tx.rooms.add(room())
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.rooms.add(room(pair_id="p2"))


async def test_members_are_replaced_as_a_whole(store: Database) -> None:
    """What the server reports replaces all former members of that room and of no other."""
    async with store.transaction() as tx:
        await tx.rooms.set_members("!a", {CLIENT: "invite", THERAPIST: "join"})
        await tx.rooms.set_members("!b", {THERAPIST: "join"})
        await tx.rooms.set_members("!a", {CLIENT: "join", "@x:hs": "ban"})
        assert await tx.rooms.members(["!a", "!b", "!c"]) == {
            "!a": {CLIENT: "join", "@x:hs": "ban"},
            "!b": {THERAPIST: "join"},
        }
        await tx.rooms.set_members("!a", {})
        assert await tx.rooms.members(["!a"]) == {}
        assert await tx.rooms.members([]) == {}


async def test_a_gap_is_open_until_it_is_closed(store: Database) -> None:
    """Gaps keep how far they are filled, come oldest first, and are told apart by batch (CRYPTO 29)."""
    async with store.transaction() as tx:
        await tx.rooms.open_gap("!a", prev_batch="t9", last_known="$x", batch=9)
        await tx.rooms.open_gap("!a", prev_batch="t4", last_known=None, batch=4)
        await tx.rooms.move_gap("!a", 9, prev_batch="t8", found=40)
    async with store.transaction() as tx:
        assert await tx.rooms.gaps() == (("!a", "t4", None, 4, 0), ("!a", "t8", "$x", 9, 40))
        await tx.rooms.close_gap("!a", 4)
        assert await tx.rooms.gaps() == (("!a", "t8", "$x", 9, 40),)
