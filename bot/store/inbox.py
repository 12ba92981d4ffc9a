"""Room events that have arrived."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_, update

from bot.core.inbox import InboxEvent, InboxState, TimelinePosition
from bot.store.session import MINE, AnyRow, Session, among, unless_known
from bot.store.tables import inbox, talk

_order = (inbox.c.batch, inbox.c.part, inbox.c.index)
_in_room = (inbox.c.account == MINE, inbox.c.room_id == bindparam("of_room"))
_this_event = (inbox.c.account == MINE, inbox.c.event_id == bindparam("of_event"))
_EVENTS = select(*[column for column in inbox.columns if column.name != "account"])
_ADD = unless_known(inbox)
_OWNER = select(inbox.c.owner).where(*_this_event)
_GET = _EVENTS.where(*_this_event)
_SETTLE = update(inbox).where(*_this_event)
_WAITING = (
    _EVENTS.where(inbox.c.account == MINE, inbox.c.state == bindparam("of_state"))
    .order_by(*_order, inbox.c.event_id)
    .limit(bindparam("of_limit"))
)
_WAITING_IN_ROOM = _WAITING.where(inbox.c.room_id == bindparam("of_room"))
_sessions = inbox.c.session_id.in_(among("of_sessions"))
_LAST_KNOWN = select(inbox.c.event_id).where(*_in_room).order_by(*[each.desc() for each in _order]).limit(1)
_TRIM = delete(inbox).where(
    inbox.c.account == MINE,
    inbox.c.event_id.in_(
        select(inbox.c.event_id)
        .where(*_in_room, inbox.c.state == InboxState.UNREADABLE)
        .order_by(*[each.desc() for each in _order])
        .limit(1_000_000)  # SQLite takes an OFFSET only after a LIMIT
        .offset(bindparam("of_keep"))
    ),
)

_POSITIONS = select(inbox.c.event_id, inbox.c.batch, inbox.c.part, inbox.c.index).where(
    inbox.c.account == MINE, inbox.c.event_id.in_(among("of_events"))
)
_NOTE_TALK = unless_known(talk)
_talk_order = (talk.c.batch, talk.c.part, talk.c.index)
_LAST_TALK = (
    select(*_talk_order)
    .where(
        talk.c.account == MINE,
        talk.c.room_id == bindparam("of_room"),
        talk.c.sender == bindparam("of_sender"),
        tuple_(*_talk_order) < tuple_(bindparam("of_batch"), bindparam("of_part"), bindparam("of_index")),
    )
    .order_by(*[each.desc() for each in _talk_order])
    .limit(1)
)


class InboxRows:
    """Implements `ports.InboxRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def next_batch(self) -> int:
        """Return the number of the next sync batch."""
        return await self._session.next("inbox_batch")

    async def add(self, event: InboxEvent) -> bool:
        """Store an event; False when its event id is known already."""
        row = self._row(event, await self._session.owner_of(event.room_id))
        return bool(await self._session.write_one(_ADD, **row))

    async def add_all(self, events: Sequence[InboxEvent]) -> None:
        """Store events; those whose ids are known already stay as they are."""
        owners = await self._session.owners_of([event.room_id for event in events])
        await self._session.write(_ADD, [self._row(event, owners[event.room_id]) for event in events])

    def _row(self, event: InboxEvent, owner: str) -> dict[str, Any]:
        return {
            "event_id": event.event_id,
            "owner": owner,
            "room_id": event.room_id,
            "sender": event.sender,
            "batch": event.position.batch,
            "part": event.position.part,
            "index": event.position.index,
            **self._changing(event, owner),
        }

    async def get(self, event_id: str) -> InboxEvent | None:
        """Return an event, None when it never arrived."""
        row = await self._session.row(_GET, of_event=event_id)
        return None if row is None else self._event(row)

    async def settle(self, event: InboxEvent) -> None:
        """Store the event's new state; `DONE` and `REFUSED` empty its content."""
        row = await self._session.row(_OWNER, of_event=event.event_id)
        if row is not None:
            await self._session.run(_SETTLE, of_event=event.event_id, **self._changing(event, row[0]))

    async def waiting(
        self,
        state: InboxState,
        *,
        room_id: str | None = None,
        session_ids: Sequence[str] | None = None,
        limit: int = 500,
    ) -> tuple[InboxEvent, ...]:
        """Return events in a state, in timeline order."""
        statement = _WAITING if room_id is None else _WAITING_IN_ROOM
        binds: dict[str, Any] = {"of_state": state, "of_limit": limit}
        if room_id is not None:
            binds["of_room"] = room_id
        if session_ids is not None:
            statement = statement.where(_sessions)
            binds["of_sessions"] = session_ids
        return tuple([self._event(row) for row in await self._session.rows(statement, **binds)])

    async def last_known(self, room_id: str) -> str | None:
        """Return the event id of the newest event of the room that is stored."""
        row = await self._session.row(_LAST_KNOWN, of_room=room_id)
        return None if row is None else row[0]

    async def positions(self, event_ids: Iterable[str]) -> Mapping[str, TimelinePosition]:
        """Return where these events stand; unknown ones are missing."""
        if not (wanted := sorted(set(event_ids))):
            return {}
        rows = await self._session.rows(_POSITIONS, of_events=wanted)
        return {row[0]: TimelinePosition(batch=row[1], part=row[2], index=row[3]) for row in rows}

    async def last_talk(self, room_id: str, sender: str, before: TimelinePosition) -> TimelinePosition | None:
        """Return where this person's newest noted message before a position stands in the room."""
        place = {"of_batch": before.batch, "of_part": before.part, "of_index": before.index}
        row = await self._session.row(_LAST_TALK, of_room=room_id, of_sender=sender, **place)
        return None if row is None else TimelinePosition(batch=row[0], part=row[1], index=row[2])

    async def note_talk(self, event: InboxEvent) -> None:
        """Note that this event is something that its sender said to the other person."""
        await self._session.write_one(
            _NOTE_TALK,
            event_id=event.event_id,
            room_id=event.room_id,
            sender=event.sender,
            batch=event.position.batch,
            part=event.position.part,
            index=event.position.index,
        )

    async def trim_unreadable(self, room_id: str, keep: int) -> int:
        """Forget the room's oldest unreadable events, so that `keep` are left; return how many went (CRYPTO 36)."""
        return await self._session.run(_TRIM, of_room=room_id, of_keep=keep)

    def _changing(self, event: InboxEvent, owner: str) -> dict[str, Any]:
        """Return the columns that change while an event is worked on."""
        emptied = event.state in {InboxState.DONE, InboxState.REFUSED} or not event.event
        sealed = None if emptied else self._session.seal_document(owner, "inbox", event.event_id, "event", event.event)
        return {
            "event_type": event.event_type,
            "state": event.state,
            "event": sealed,
            "session_id": event.session_id,
            "message_index": event.index,
            "verdict": event.verdict,
            "reason": event.reason,
        }

    def _event(self, row: AnyRow) -> InboxEvent:
        (
            event_id,
            owner,
            room_id,
            sender,
            event_type,
            batch,
            part,
            index,
            state,
            sealed,
            session_id,
            message_index,
            verdict,
            reason,
        ) = row
        return InboxEvent(
            event_id=event_id,
            room_id=room_id,
            sender=sender,
            event_type=event_type,
            position=TimelinePosition(batch=batch, part=part, index=index),
            state=state,
            event=self._session.open_document(owner, "inbox", event_id, "event", sealed),
            session_id=session_id,
            index=message_index,
            verdict=verdict,
            reason=reason,
        )
