"""Room keys, shares, withheld notices and the replay ledger."""

from dataclasses import replace

import pytest

from bot.errors import StaleRow
from bot.store.database import Database
from tests.store.examples import CLIENT, inbound, outbound, room, share


async def test_an_outbound_session_moves_from_version_to_version(store: Database) -> None:
    """Each save raises the version by one, for several rooms at once."""
    async with store.transaction() as tx:
        await tx.rooms.add(room())
        await tx.megolm.save_outbound([outbound(), outbound("!console:hs", session_id="megolm2")])
        loaded = (await tx.megolm.outbound(["!pair:hs", "!nowhere:hs"]))["!pair:hs"]
        assert loaded == outbound(version=1)
        await tx.megolm.save_outbound([replace(loaded, pickle=b"stepped", messages=1)])
    async with store.transaction() as tx:
        found = await tx.megolm.outbound(["!pair:hs", "!console:hs"])
        assert found["!pair:hs"] == outbound(pickle=b"stepped", messages=1, version=2)
        assert found["!console:hs"].version == 1
        assert await tx.megolm.outbound([]) == {}


@pytest.mark.parametrize("version", [0, 1, 3])
async def test_a_stale_outbound_session_is_refused(store: Database, version: int) -> None:
    """A ratchet is stored only over the state that it was loaded from (CRYPTO 26)."""
    async with store.transaction() as tx:
        await tx.megolm.save_outbound([outbound()])
        await tx.megolm.save_outbound([outbound(version=1, messages=1)])
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.megolm.save_outbound([outbound("!other:hs"), outbound(version=version)])
    async with store.transaction() as tx:
        assert await tx.megolm.outbound(["!pair:hs", "!other:hs"]) == {"!pair:hs": outbound(version=2, messages=1)}


async def test_after_a_drop_a_room_takes_a_new_session(store: Database) -> None:
    """Rotation: the former session is dropped, the new one starts at version 0."""
    async with store.transaction() as tx:
        await tx.megolm.save_outbound([outbound(), outbound("!other:hs")])
        await tx.megolm.drop_outbound(["!pair:hs"])
        assert set(await tx.megolm.outbound(["!pair:hs", "!other:hs"])) == {"!other:hs"}
        await tx.megolm.save_outbound([outbound(session_id="fresh")])
        assert (await tx.megolm.outbound(["!pair:hs"]))["!pair:hs"].session_id == "fresh"


async def test_shares_are_kept_by_session_and_device(store: Database) -> None:
    """A share is found by its session and by its device; a later one replaces it."""
    async with store.transaction() as tx:
        await tx.megolm.save_shares([share(), share(device_id="LAPTOP"), share("megolm2")])
        await tx.megolm.save_shares([share(index=7, wedge=2, acknowledged=True, curve25519="new")])
        again = share(index=7, wedge=2, acknowledged=True, curve25519="new")
        assert set(await tx.megolm.shares(["megolm1"])) == {again, share(device_id="LAPTOP")}
        assert await tx.megolm.share_of("megolm1", CLIENT, "PHONE") == again
        assert await tx.megolm.share_of("megolm1", CLIENT, "TABLET") is None
        assert await tx.megolm.shares([]) == ()


async def test_a_withheld_code_is_noted_once(store: Database) -> None:
    """Each code counts once per session and device; the first index stays (CRYPTO 2, 4)."""
    async with store.transaction() as tx:
        assert await tx.megolm.withheld_index("megolm1", CLIENT, "PHONE") is None
        assert await tx.megolm.note_withheld("megolm1", CLIENT, "PHONE", "m.unverified", 4)
        assert not await tx.megolm.note_withheld("megolm1", CLIENT, "PHONE", "m.unverified", 2)
        assert await tx.megolm.note_withheld("megolm1", CLIENT, "PHONE", "m.no_olm", 9)
        assert await tx.megolm.withheld_index("megolm1", CLIENT, "PHONE") == 4


async def test_an_inbound_session_belongs_to_its_room(store: Database) -> None:
    """A session is found in its own room only, and a better copy replaces it."""
    async with store.transaction() as tx:
        await tx.rooms.add(room())
        await tx.megolm.save_inbound([inbound(first_index=5), inbound(session_id="megolm2", own=True)])
        await tx.megolm.save_inbound([inbound(first_index=0, pickle=b"better")])
    async with store.transaction() as tx:
        assert await tx.megolm.inbound("!pair:hs", "megolm1") == inbound(pickle=b"better")
        assert await tx.megolm.inbound("!pair:hs", "megolm2") == inbound(session_id="megolm2", own=True)
        assert await tx.megolm.inbound("!other:hs", "megolm1") is None


async def test_the_backup_asks_for_what_it_lacks(store: Database) -> None:
    """Sessions wait for the backup until they are marked, and again after a reset (CRYPTO 24)."""
    sessions = [inbound(session_id=f"megolm{number}") for number in range(3)]
    async with store.transaction() as tx:
        await tx.megolm.save_inbound(sessions)
        assert len(await tx.megolm.not_backed_up(2)) == 2
        await tx.megolm.mark_backed_up(["megolm0", "megolm2"])
        assert await tx.megolm.not_backed_up(10) == (sessions[1],)
        await tx.megolm.reset_backed_up()
        assert set(await tx.megolm.not_backed_up(10)) == set(sessions)


async def test_an_index_belongs_to_the_event_that_used_it_first(store: Database) -> None:
    """Asking again with the same event or another one returns the first (CRYPTO 12)."""
    async with store.transaction() as tx:
        assert await tx.megolm.claim_index("megolm1", 0, "$a") == "$a"
    async with store.transaction() as tx:
        assert await tx.megolm.claim_index("megolm1", 0, "$a") == "$a"
        assert await tx.megolm.claim_index("megolm1", 0, "$forged") == "$a"
        assert await tx.megolm.claim_index("megolm1", 1, "$b") == "$b"
        assert await tx.megolm.claim_index("megolm2", 0, "$c") == "$c"
