"""`crisis` while the store takes no writes: read and answered with sessions that live in memory only (CRYPTO 10)."""

import secrets
from collections.abc import Mapping
from typing import Any

import structlog

from bot.core.batch import SyncBatch
from bot.core.outbox import OutboxState
from bot.errors import Refusal
from bot.flows.crisis import calls_for_help
from bot.flows.places import Place, place_of, places_of
from bot.flows.speak import Voice, call
from bot.ports import Cipher, Homeserver, Store, Tx

log = structlog.get_logger()


class UnstoredCrisis:
    """Looks through a batch that could not be stored, and answers its calls for help, each once in a process.

    The batch comes again: once it can be stored, the call is answered once more, in the ordinary way.
    """

    def __init__(self, *, store: Store, cipher: Cipher, homeserver: Homeserver, voice: Voice) -> None:
        self._store = store
        self._cipher = cipher
        self._homeserver = homeserver
        self._voice = voice
        self._answered: set[str] = set()

    async def answer(self, batch: SyncBatch) -> None:
        """Answer the calls for help in this batch. Raises StoreRefused when not even reading works, Unreachable."""
        async with self._store.snapshot() as tx:
            calls = [
                (place, event)
                for room in batch.rooms
                if (place := await place_of(tx, room.room_id)) is not None
                for event in room.timeline
                if event["event_id"] not in self._answered and await self._calls(tx, batch, place, event)
            ]
        for place, event in calls:
            await self._try(place, event["sender"])
            self._answered.add(event["event_id"])

    async def answer_queued(self) -> None:
        """Answer the calls whose answers are in the outbox, where they could not be encrypted. Raises as `answer`."""
        async with self._store.snapshot() as tx:
            waiting = [row for row in await tx.outbox.urgent() if row.state is OutboxState.QUEUED]
            places = await places_of(tx, {row.room_id for row in waiting})
        for row in waiting:
            if row.room_id in places and row.addressed is not None and row.outbox_id not in self._answered:
                await self._try(places[row.room_id], row.addressed)
                self._answered.add(row.outbox_id)

    async def _try(self, place: Place, person: str) -> None:
        try:
            await self._send(place, person)
        except Refusal as refusal:
            log.warning("crisis.refused", room=place.room.room_id, status=refusal.status)

    async def _calls(self, tx: Tx, batch: SyncBatch, place: Place, event: Mapping[str, Any]) -> bool:
        """Say whether a client calls for help, in clear or encrypted."""
        if place.role(event["sender"]) != "client":
            return False
        said: tuple[str, Mapping[str, Any]] | None = (event["type"], event["content"])
        if event["type"] == "m.room.encrypted":
            said = await self._cipher.peek(tx, batch.to_device, place.room.room_id, dict(event))
        return said is not None and calls_for_help(place, event["sender"], said[0], said[1], self._voice)

    async def _send(self, place: Place, person: str) -> None:
        content = call(self._voice.crisis_text(place), person=person)
        async with self._store.snapshot() as tx:
            crisis = await self._cipher.crisis_unstored(tx, place.audience(person), person, content)
        answer = await self._homeserver.claim_keys(crisis.claims) if crisis.claims else {}
        async with self._store.snapshot() as tx:
            keys = await self._cipher.crisis_keys(tx, crisis, answer)
        if keys:
            await self._homeserver.send_to_device("m.room.encrypted", secrets.token_hex(16), keys)
        await self._homeserver.send(place.room.room_id, "m.room.encrypted", secrets.token_hex(16), crisis.content)
        log.warning("crisis.answered_unstored", room=place.room.room_id)
