"""The way in: one answer of /sync is processed in one transaction, its token included (DESIGN §5, CRYPTO 28).

    to-device messages -> device lists -> one-time key counts -> room state -> timeline -> effects -> token

What is decrypted is stored in any case; each event's effects run in a savepoint of their own, so that a bug in one
handler cannot stop the rest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import structlog

from bot.core.batch import RoomBatch, SyncBatch
from bot.core.inbox import InboxEvent, InboxState, TimelinePosition
from bot.core.megolm import Decrypted, Refused, Unreadable
from bot.core.messages import EDIT, is_edit
from bot.core.outbox import OutboxEvent, OutboxState
from bot.core.trust import Verdict
from bot.errors import KeyMismatch, LeaseLost, StoreRefused
from bot.flows.consequences import Consequences
from bot.flows.echoes import take_echoes
from bot.flows.places import Place, place_of, places_of
from bot.flows.posted import posted
from bot.flows.report import Reporter
from bot.flows.settle import Settler
from bot.flows.state import RoomState
from bot.ports import Cipher, Clock, Meter, Store, Tx

log = structlog.get_logger()

FEW_ROOMS = 3  # are asked one by one for what waits in them
MANY_EVENTS = 200
UNREADABLE_KEPT = 200  # per room (CRYPTO 36)
# Clear events that a person may rightly send: Matrix has no encryption for them.
CLEAR_BY_NATURE = frozenset({"m.reaction", "m.room.redaction"})
# The whole batch is undone and comes again: what happens to one event has nothing to do with these.
UNDO_ALL = (KeyMismatch, LeaseLost, StoreRefused)
SAID_IN_CLEAR = ("m.room.message", "m.sticker", "m.poll.", "org.matrix.msc3381.poll.", "care.interlude.")


class Receiver:
    """Applies what the homeserver sent."""

    def __init__(
        self,
        *,
        own_user: str,
        store: Store,
        cipher: Cipher,
        clock: Clock,
        meter: Meter,
        settler: Settler,
        reporter: Reporter,
        state: RoomState,
    ) -> None:
        self._own_user = own_user
        self._store = store
        self._cipher = cipher
        self._clock = clock
        self._meter = meter
        self._settler = settler
        self._reporter = reporter
        self._state = state

    async def apply(self, batch: SyncBatch) -> Consequences:
        """Process one answer of /sync and commit it with its token."""
        todo = Consequences()
        async with self._store.transaction() as tx:
            await self._to_device(tx, batch, todo)
            if batch.device_changed or batch.device_left:
                await self._cipher.devices_changed(tx, changed=batch.device_changed, left=batch.device_left)
            todo.upload_keys = await self._cipher.key_counts(
                tx, batch.one_time_key_counts, batch.unused_fallback_keys, self._clock.real()
            )
            number = await tx.inbox.next_batch() if batch.rooms else 0
            todo.said = any(event["sender"] != self._own_user for room in batch.rooms for event in room.timeline)
            todo.disturbed = _disturbed(batch)
            places = {} if todo.disturbed else await places_of(tx, [room.room_id for room in batch.rooms])
            echoes = await self._echoes(tx, batch, number, places)
            for room in batch.rooms:
                await self._room(tx, room, number, places.get(room.room_id), echoes)
            if todo.readable:
                await self.reread(tx, InboxState.UNREADABLE, session_ids=tuple(todo.readable))
            await self.settle_pending(tx, {room.room_id for room in batch.rooms})
            todo.lists_changed = bool(await tx.devices.outdated())  # the batch said so, or a therapist confirmed a key
            await tx.facts.write("since", batch.next_batch)
        return todo

    async def retry_failed(self) -> None:
        """Try the events again whose handler failed: the code may have been mended since (CRYPTO 28)."""
        async with self._store.transaction() as tx:
            for event in await tx.inbox.waiting(InboxState.FAILED):
                await self._settle(tx, event)

    async def _to_device(self, tx: Tx, batch: SyncBatch, todo: Consequences) -> None:
        for event in batch.to_device:
            outcome = None
            try:
                async with tx.savepoint():
                    outcome = await self._cipher.to_device(tx, event, self._clock.real())
                    if outcome.reply:
                        await tx.olm.queue(outcome.reply)
                        todo.replies = True
                    if outcome.kind == "verification":
                        await self._reporter.verification(tx, outcome.sender)
            except UNDO_ALL:
                raise
            except Exception:
                log.exception("to_device.failed", sender=str(event.get("sender"))[:255])
            todo.wedged |= outcome is not None and outcome.wedged
            if outcome is not None and outcome.began:
                todo.began.add(outcome.sender)
            if outcome is None or outcome.kind == "dropped":
                self._meter.count("to_device_dropped")
                log.info("to_device.dropped", reason=outcome.reason if outcome else "error")
            else:
                todo.readable.update(outcome.readable)

    async def _echoes(self, tx: Tx, batch: SyncBatch, number: int, places: Mapping[str, Place]) -> frozenset[str]:
        """Take our own messages together; where that fails they are taken one by one."""
        try:
            async with tx.savepoint():
                taken = await take_echoes(tx, batch, number, places, own_user=self._own_user, at=self._clock.now())
        except UNDO_ALL:
            raise
        except Exception:
            log.exception("echoes.broken")
            return frozenset()
        self._meter.count("events_received", len(taken))
        return taken

    async def _room(
        self, tx: Tx, batch: RoomBatch, number: int, known: Place | None, echoes: frozenset[str] = frozenset()
    ) -> None:
        place = known or await place_of(tx, batch.room_id)
        if place is None:
            return  # the bot joins no other room (DESIGN §6)
        await self._state.apply(tx, place, batch.state, membership=batch.membership)
        if batch.limited and batch.prev_batch:
            last_known = await tx.inbox.last_known(batch.room_id)
            if last_known is not None:
                await tx.rooms.open_gap(batch.room_id, prev_batch=batch.prev_batch, last_known=last_known, batch=number)
        for index, event in enumerate(batch.timeline):
            if event["event_id"] in echoes:
                continue
            position = TimelinePosition(batch=number, part=1, index=index)
            await self.take(tx, batch.room_id, event, position, known=known)

    async def take(
        self,
        tx: Tx,
        room_id: str,
        event: Mapping[str, Any],
        position: TimelinePosition,
        *,
        historic: bool = False,
        known: Place | None = None,
    ) -> None:
        """Store one timeline event, decrypted where that is possible; its effects come later.

        `known` is the room when nothing can have changed it since it was read.
        `historic` events come from a gap, newest first: the state that they set was read in full, or has changed since.
        What cannot be taken is counted and leaves its neighbours alone, but no state is ever passed over.
        """
        if "state_key" in event:
            await self._take(tx, room_id, event, position, historic=historic, known=known)
            return
        try:
            async with tx.savepoint():
                await self._take(tx, room_id, event, position, historic=historic, known=known)
        except UNDO_ALL:
            raise
        except Exception:
            log.exception("event.broken", room=room_id, event_id=event["event_id"])
            self._meter.count("failures")

    async def _take(
        self,
        tx: Tx,
        room_id: str,
        event: Mapping[str, Any],
        position: TimelinePosition,
        *,
        historic: bool,
        known: Place | None,
    ) -> None:
        place = known or await place_of(tx, room_id)  # again for each event: the one before may have been state
        if place is None:
            return
        if "state_key" in event:
            if historic:
                await self._state.gone_by(tx, place, event)
            else:
                await self._state.apply(tx, place, (event,))
            await tx.inbox.add(self._stored(place, event, position, InboxState.DONE))
            return
        self._meter.count("events_received")
        if event["sender"] == self._own_user:
            await self._own(tx, place, event, position)
        elif event["sender"] not in place.people:
            log.warning("event.stranger", room=room_id, event_id=event["event_id"])
        else:
            await self._said(tx, place, event, position)

    async def _said(self, tx: Tx, place: Place, event: Mapping[str, Any], position: TimelinePosition) -> None:
        """Store what a person of the pair sent."""
        if "redacted_because" in (event.get("unsigned") or {}):
            await tx.inbox.add(self._stored(place, event, position, InboxState.REFUSED, reason="redacted"))
        elif event["type"] == "m.room.redaction":
            target = event.get("redacts") or event["content"].get("redacts")
            await tx.inbox.add(
                replace(
                    self._stored(place, event, position, InboxState.PENDING),
                    event={"type": "m.room.redaction", "content": {"redacts": str(target)}},
                )
            )
        elif event["type"] == "m.room.encrypted":
            if await tx.inbox.get(event["event_id"]) is None:
                await tx.inbox.add(await self._read(tx, place, event, position))
        elif event["type"] not in CLEAR_BY_NATURE:
            await self._in_clear(tx, place, event, position)

    async def _read(self, tx: Tx, place: Place, event: Mapping[str, Any], position: TimelinePosition) -> InboxEvent:
        """Decrypt an event and decide whether its word counts."""
        result = await self._cipher.decrypt(tx, place.room.room_id, dict(event), place.people)
        match result:
            case Decrypted(verdict=Verdict.TRUSTED):
                read = replace(
                    self._stored(place, event, position, InboxState.PENDING),
                    event_type=result.event_type,
                    event=_plain(event, result),
                    session_id=result.session_id,
                    index=result.index,
                    verdict=result.verdict,
                )
                return replace(read, reason=EDIT) if is_edit(read) else read
            case Decrypted():
                await self._reporter.untrusted(tx, place, event["event_id"], event["sender"], result)
                return replace(
                    self._stored(place, event, position, InboxState.UNTRUSTED),
                    event=dict(event),
                    session_id=result.session_id,
                    index=result.index,
                    verdict=result.verdict,
                )
            case Unreadable():
                await tx.inbox.trim_unreadable(place.room.room_id, UNREADABLE_KEPT - 1)
                await self._reporter.unreadable(tx, place)
                return replace(
                    self._stored(place, event, position, InboxState.UNREADABLE, reason=result.reason),
                    event=dict(event),
                    session_id=result.session_id,
                )
            case Refused():
                self._meter.count("failures")
                log.warning("event.refused", room=place.room.room_id, event_id=event["event_id"], reason=result.reason)
                if result.reason in ("replay", "sender", "room"):
                    await self._reporter.forged(tx, place, event["sender"], result.reason)
                return self._stored(place, event, position, InboxState.REFUSED, reason=result.reason)

    async def _in_clear(self, tx: Tx, place: Place, event: Mapping[str, Any], position: TimelinePosition) -> None:
        """Clear text in a managed room is no answer and no command; a call for help is one all the same (CRYPTO 10)."""
        fresh = await tx.inbox.add(self._stored(place, event, position, InboxState.REFUSED, reason="clear"))
        if fresh and event["type"].startswith(SAID_IN_CLEAR):
            await self._reporter.in_clear(tx, place, event["sender"], event)

    async def _own(self, tx: Tx, place: Place, event: Mapping[str, Any], position: TimelinePosition) -> None:
        """The bot's own events acknowledge their outbox rows (CRYPTO 30)."""
        row = await _own_row(tx, place.room.room_id, event)
        unknown = row is None or (row.state is OutboxState.QUEUED and event["type"] == "m.room.encrypted")
        if unknown and await self._never_sent(tx, place.room.room_id, event):
            raise KeyMismatch(
                "Another copy of this bot's database has sent messages that this one does not know of. Nothing is "
                "sent. Stop the other one, or bring back the newest database."
            )
        await tx.inbox.add(self._stored(place, event, position, InboxState.DONE))
        if row is not None and row.state in (OutboxState.ENCRYPTED, OutboxState.QUEUED):
            await posted(tx, [row], at=self._clock.now())
            await tx.outbox.sent({row.outbox_id: event["event_id"]})

    async def _never_sent(self, tx: Tx, room_id: str, event: Mapping[str, Any]) -> bool:
        """Say whether our running session stands in the room at an index that we have not reached (CRYPTO 18)."""
        current = (await tx.megolm.outbound([room_id])).get(room_id)
        if current is None or event["content"].get("session_id") != current.session_id:
            return False
        result = await self._cipher.decrypt(tx, room_id, dict(event), frozenset())
        return isinstance(result, Decrypted) and result.index >= current.messages

    async def reread(
        self, tx: Tx, state: InboxState, *, room_id: str | None = None, session_ids: Iterable[str] | None = None
    ) -> None:
        """Try events again that could not be read or trusted before."""
        sessions = None if session_ids is None else tuple(session_ids)
        for waiting in await tx.inbox.waiting(state, room_id=room_id, session_ids=sessions):
            place = await place_of(tx, waiting.room_id)
            if place is None:
                continue
            result = await self._read(tx, place, waiting.event, waiting.position)
            if result.state is not state:
                await tx.inbox.settle(result)
        await self.settle_pending(tx, {room_id} if room_id else {room.room_id for room in await tx.rooms.every()})

    async def settle_pending(self, tx: Tx, room_ids: Iterable[str]) -> None:
        """Let the stored events of these rooms take effect in timeline order; a room with a gap waits (CRYPTO 29)."""
        gaps = {room_id for room_id, *_ in await tx.rooms.gaps()}
        wanted = set(room_ids) - gaps
        if len(wanted) > FEW_ROOMS:
            pending = await tx.inbox.waiting(InboxState.PENDING, limit=MANY_EVENTS)
            if len(pending) < MANY_EVENTS:
                wanted &= {event.room_id for event in pending}
        for room_id in sorted(wanted):
            for event in await tx.inbox.waiting(InboxState.PENDING, room_id=room_id):
                await self._settle(tx, event)

    async def _settle(self, tx: Tx, event: InboxEvent) -> None:
        state, reason = InboxState.DONE, event.reason
        try:
            async with tx.savepoint():
                place = await place_of(tx, event.room_id)
                if place is not None:
                    await self._settler.settle(tx, place, event, at=self._clock.now())
        except UNDO_ALL:
            raise
        except Exception:
            log.exception("event.failed", event_id=event.event_id)
            self._meter.count("failures")
            state, reason = InboxState.FAILED, "handler"
        await tx.inbox.settle(replace(event, state=state, reason=reason))

    def _stored(
        self,
        place: Place,
        event: Mapping[str, Any],
        position: TimelinePosition,
        state: InboxState,
        *,
        reason: str = "",
    ) -> InboxEvent:
        return InboxEvent(
            event_id=event["event_id"],
            room_id=place.room.room_id,
            sender=event["sender"],
            event_type=event["type"],
            position=position,
            state=state,
            event={},
            reason=reason,
        )


def _plain(event: Mapping[str, Any], result: Decrypted) -> dict[str, Any]:
    """The decrypted event as it waits for its effects; relations stand outside the ciphertext (DESIGN §7)."""
    relation = event["content"].get("m.relates_to")
    return {
        "type": result.event_type,
        "content": dict(result.content),
        "relates_to": relation if isinstance(relation, dict) else {},
    }


def _disturbed(batch: SyncBatch) -> bool:
    """Whether a room can be another one after some of the events than it was before."""
    return any(
        room.state or room.membership != "join" or any("state_key" in event for event in room.timeline)
        for room in batch.rooms
    )


async def _own_row(tx: Tx, room_id: str, event: Mapping[str, Any]) -> OutboxEvent | None:
    """Find the outbox row of one of our own events: by its transaction id, else by its ciphertext."""
    txn_id = (event.get("unsigned") or {}).get("transaction_id")
    if isinstance(txn_id, str) and (row := await tx.outbox.get(txn_id)) is not None:
        return row
    ciphertext = event["content"].get("ciphertext")
    return await tx.outbox.by_session(room_id, ciphertext) if isinstance(ciphertext, str) else None
