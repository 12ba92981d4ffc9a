"""Events on their way into rooms."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import bindparam, func, select, update

from bot.core.outbox import OutboxEvent, OutboxState
from bot.errors import StaleRow
from bot.store.session import MINE, AnyRow, Session, among, both
from bot.store.tables import UNSENT, outbox

_FIELDS = [field.name for field in fields(OutboxEvent)]
_COLUMNS = [outbox.c.owner, *[outbox.c[name] for name in _FIELDS]]
_EVENTS = select(*_COLUMNS).where(outbox.c.account == MINE)
_in_room = outbox.c.room_id == bindparam("of_room")
_ADD = both(lambda insert: insert(outbox))
_GET = _EVENTS.where(outbox.c.outbox_id == bindparam("of_outbox"))
_SOME = _EVENTS.where(outbox.c.outbox_id.in_(among("of_outboxes")))
_BY_EVENT = _EVENTS.where(outbox.c.event_id == bindparam("of_event"))
_heads = (
    select(func.min(outbox.c.position))
    .where(outbox.c.account == MINE, UNSENT, outbox.c.purpose != "crisis", outbox.c.room_id.not_in(among("of_skipped")))
    .group_by(outbox.c.room_id)
    .order_by(func.min(outbox.c.position))
    .limit(bindparam("of_limit"))
)
_HEADS = _EVENTS.where(outbox.c.position.in_(_heads)).order_by(outbox.c.position)
_URGENT = _EVENTS.where(UNSENT, outbox.c.purpose == "crisis")  # unordered: SQLite would read all that was ever sent
_QUEUED = _EVENTS.where(_in_room, UNSENT, outbox.c.state == OutboxState.QUEUED).order_by(outbox.c.position)
_OF_DELIVERIES = _EVENTS.where(outbox.c.delivery_id.in_(among("of_ids"))).order_by(outbox.c.position)
_OF_RECORD = _EVENTS.where(outbox.c.record_id == bindparam("of_record")).order_by(outbox.c.position)
_OF_PURPOSE = _EVENTS.where(_in_room, outbox.c.purpose == bindparam("of_purpose")).order_by(outbox.c.position)
_BY_CIPHERTEXT = _EVENTS.where(outbox.c.ciphertext_hash == bindparam("of_hash"), _in_room)
_OWNERS = select(outbox.c.outbox_id, outbox.c.owner).where(
    outbox.c.account == MINE, outbox.c.outbox_id.in_(among("of_outboxes"))
)
_UPDATE = update(outbox).where(outbox.c.account == MINE, outbox.c.outbox_id == bindparam("of_outbox"))
_SENT = _UPDATE.values(state=OutboxState.SENT, event_id=bindparam("new_event"), hold=None)
_ENCRYPTED = _UPDATE.values(
    state=OutboxState.ENCRYPTED,
    ciphertext=bindparam("new_ciphertext"),
    ciphertext_hash=bindparam("new_hash"),
    encrypted_at=bindparam("new_instant"),
    hold=None,
)
_COUNTS = select(outbox.c.state, func.count()).where(outbox.c.account == MINE).group_by(outbox.c.state)


class OutboxRows:
    """Implements `ports.OutboxRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, event: OutboxEvent) -> None:
        """Put an event at the end of the outbox. Raises StaleRow for an id that is there already."""
        await self.add_all((event,))

    async def add_all(self, events: Sequence[OutboxEvent]) -> None:
        """Put events at the end of the outbox, in their order. Raises as `add` does."""
        if not events:
            return
        owners = await self._session.owners_of([event.room_id for event in events])
        last = await self._session.next("outbox", by=len(events))
        rows = []
        for position, event in enumerate(events, start=last - len(events) + 1):
            owner = owners[event.room_id]
            rows.append({**self._values(event, owner), "owner": owner, "position": position})
        await self._session.write(_ADD, rows)

    async def get(self, outbox_id: str) -> OutboxEvent | None:
        """Return one event."""
        return self._one(await self._session.row(_GET, of_outbox=outbox_id))

    async def some(self, outbox_ids: Iterable[str]) -> tuple[OutboxEvent, ...]:
        """Return those of these events that are there."""
        wanted = sorted(set(outbox_ids))
        return await self._all(_SOME, of_outboxes=wanted) if wanted else ()

    async def by_event(self, event_id: str) -> OutboxEvent | None:
        """Return what was sent as this room event."""
        return self._one(await self._session.row(_BY_EVENT, of_event=event_id))

    async def heads(self, limit: int, *, skip_rooms: Iterable[str] = ()) -> tuple[OutboxEvent, ...]:
        """Return the first unsent event of each room, oldest first; parked, dropped and urgent ones do not count."""
        return await self._all(_HEADS, of_limit=limit, of_skipped=sorted(set(skip_rooms)))

    async def urgent(self) -> tuple[OutboxEvent, ...]:
        """Return the unsent answers to `crisis`: they wait for nothing else in their room."""
        return tuple(sorted(await self._all(_URGENT), key=lambda event: event.position))

    async def queued(self, room_id: str) -> tuple[OutboxEvent, ...]:
        """Return the room's events that are not encrypted yet, in order."""
        return await self._all(_QUEUED, of_room=room_id)

    async def update(self, events: Sequence[OutboxEvent]) -> None:
        """Store events anew; owner and position stay. Raises StaleRow when one is gone."""
        if not events:
            return
        wanted = {event.outbox_id for event in events}
        owners = {row[0]: row[1] for row in await self._session.rows(_OWNERS, of_outboxes=sorted(wanted))}
        if owners.keys() != wanted:
            raise StaleRow("An event is no longer in the outbox.")
        changes = []
        for event in events:
            values = self._values(event, owners[event.outbox_id])
            changes.append({"of_outbox": values.pop("outbox_id"), **values})
        await self._session.run_each(_UPDATE, changes)

    async def encrypted(self, events: Sequence[OutboxEvent]) -> None:
        """Store the ciphertexts of queued events: nothing else of them is written, for there are many at a time."""
        await self._session.run_each(
            _ENCRYPTED,
            [
                {
                    "of_outbox": event.outbox_id,
                    "new_ciphertext": event.ciphertext,
                    "new_hash": _ciphertext_hash(event),
                    "new_instant": event.encrypted_at,
                }
                for event in events
            ],
        )

    async def sent(self, event_ids: Mapping[str, str]) -> None:
        """Note the event ids that the homeserver gave, by outbox id; rows that are gone stay gone."""
        changes = [{"of_outbox": outbox_id, "new_event": event_id} for outbox_id, event_id in event_ids.items()]
        await self._session.run_each(_SENT, changes)

    async def of_deliveries(self, delivery_ids: Iterable[str]) -> tuple[OutboxEvent, ...]:
        """Return the events that post these prompts, in order."""
        wanted = sorted(set(delivery_ids))
        return await self._all(_OF_DELIVERIES, of_ids=wanted) if wanted else ()

    async def of_record(self, record_id: str) -> tuple[OutboxEvent, ...]:
        """Return the events that carry or confirm this record, in order."""
        return await self._all(_OF_RECORD, of_record=record_id)

    async def of_purpose(self, room_id: str, purpose: str) -> tuple[OutboxEvent, ...]:
        """Return the room's events with this purpose, in order."""
        return await self._all(_OF_PURPOSE, of_room=room_id, of_purpose=purpose)

    async def by_session(self, room_id: str, ciphertext: str) -> OutboxEvent | None:
        """Return the encrypted row with this Megolm ciphertext (CRYPTO 30)."""
        return self._one(await self._session.row(_BY_CIPHERTEXT, of_room=room_id, of_hash=_hash(ciphertext)))

    async def counts(self) -> Mapping[str, int]:
        """Return how many events are in each state; states without events are missing."""
        return {str(state): count for state, count in await self._session.rows(_COUNTS)}

    async def _all(self, statement: Any, **binds: Any) -> tuple[OutboxEvent, ...]:
        return tuple([self._event(row) for row in await self._session.rows(statement, **binds)])

    def _one(self, row: AnyRow | None) -> OutboxEvent | None:
        return None if row is None else self._event(row)

    def _values(self, event: OutboxEvent, owner: str) -> dict[str, Any]:
        values = {name: getattr(event, name) for name in _FIELDS if name != "position"}
        seal, row = self._session.seal_document, event.outbox_id
        values["content"] = seal(owner, "outbox", row, "content", event.content)
        values["media"] = seal(owner, "outbox", row, "media", event.media) if event.media else None
        values["ciphertext_hash"] = _ciphertext_hash(event)
        return values

    def _event(self, row: AnyRow) -> OutboxEvent:
        owner, *columns = row
        values: dict[str, Any] = dict(zip(_FIELDS, columns, strict=True))
        row_id = values["outbox_id"]
        values["content"] = self._session.open_document(owner, "outbox", row_id, "content", values["content"])
        values["media"] = self._session.open_document(owner, "outbox", row_id, "media", values["media"])
        return OutboxEvent(**values)


def _ciphertext_hash(event: OutboxEvent) -> str | None:
    ciphertext = event.ciphertext and event.ciphertext.get("ciphertext")
    return _hash(ciphertext) if isinstance(ciphertext, str) else None


def _hash(ciphertext: str) -> str:
    return hashlib.sha256(ciphertext.encode("utf-8", "replace")).hexdigest()
