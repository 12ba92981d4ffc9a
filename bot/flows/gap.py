"""Filling gaps: what the homeserver left out of a limited timeline is read before newer events count (CRYPTO 29)."""

from collections.abc import Mapping
from contextlib import suppress

import structlog

from bot.core.inbox import TimelinePosition
from bot.errors import Refusal
from bot.flows.places import place_of
from bot.flows.receive import Receiver
from bot.flows.state import RoomState
from bot.ports import Homeserver, Store

log = structlog.get_logger()

PAGE = 100
MOST = 20_000  # events; beyond this the gap is given up and reported
MIDDLE = 50_000  # events are read backwards: the newest of a gap gets this index, older ones smaller ones


class GapFiller:
    """Reads what is missing."""

    def __init__(self, *, store: Store, homeserver: Homeserver, receiver: Receiver, state: RoomState) -> None:
        self._store = store
        self._homeserver = homeserver
        self._receiver = receiver
        self._state = state

    async def fill(self) -> bool:
        """Fill every open gap, page by page; each page is committed with the token to go on from."""
        async with self._store.transaction() as tx:
            gaps = await tx.rooms.gaps()
        for room_id, token, last_known, batch, found in gaps:
            await self._fill(room_id, token, last_known, batch, found)
        return bool(gaps)

    async def _fill(self, room_id: str, token: str, last_known: str | None, batch: int, found: int) -> None:
        at: str | None = token
        while at is not None:
            try:
                page = await self._homeserver.messages(room_id, start=at, limit=PAGE)
            except Refusal as refusal:  # no longer in the room: there is nothing more to read
                log.warning("gap.refused", room=room_id, status=refusal.status)
                break
            at = page.end
            async with self._store.transaction() as tx:
                for event in page.events:
                    if event["event_id"] == last_known:
                        at = None
                        break
                    found += 1
                    position = TimelinePosition(batch=batch, part=0, index=MIDDLE - found)
                    await self._receiver.take(tx, room_id, event, position, historic=True)
                if found >= MOST:
                    log.error("gap.too_long", room=room_id, events=found)
                    at = None
                if at is not None:
                    await tx.rooms.move_gap(room_id, batch, prev_batch=at, found=found)
        await self._close(room_id, batch, found)

    async def _close(self, room_id: str, batch: int, found: int) -> None:
        """Let the room's events take effect, now that they are all there; its members are read in full."""
        members: Mapping[str, str] | None = None
        with suppress(Refusal):
            members = await self._homeserver.members(room_id)
        async with self._store.transaction() as tx:
            place = await place_of(tx, room_id)
            if members is not None and place is not None:
                await self._state.reconcile(tx, place, members)
            await tx.rooms.close_gap(room_id, batch)
            await self._receiver.settle_pending(tx, [room_id])
        log.info("gap.filled", room=room_id, events=found)
