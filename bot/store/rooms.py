"""Managed rooms, their members, and the gaps in their timelines."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bot.core.people import ManagedRoom
from bot.store.session import MINE, AnyRow, Session, among, both
from bot.store.tables import gaps, members, rooms

_COLUMNS = [rooms.c[field.name] for field in fields(ManagedRoom)]
_this_room = (rooms.c.account == MINE, rooms.c.room_id == bindparam("of_room"))
_ADD = both(lambda insert: insert(rooms))
_GET = select(*_COLUMNS).where(*_this_room)
_EVERY = select(*_COLUMNS).where(rooms.c.account == MINE).order_by(rooms.c.room_id)
_AMONG = select(*_COLUMNS).where(rooms.c.account == MINE, rooms.c.room_id.in_(among("of_rooms")))
_HOLD = update(rooms).where(*_this_room).values(hold=bindparam("new_hold"))
_ENCRYPTION = update(rooms).where(*_this_room).values(encryption=bindparam("new_encryption"))

_MEMBERS = select(members.c.room_id, members.c.user_id, members.c.membership).where(
    members.c.account == MINE, members.c.room_id.in_(among("of_rooms"))
)
_NO_MEMBERS = delete(members).where(members.c.account == MINE, members.c.room_id == bindparam("of_room"))
_NEW_MEMBERS = both(lambda insert: insert(members))
_NO_MEMBER = _NO_MEMBERS.where(members.c.user_id == bindparam("of_user"))

_this_gap = (
    gaps.c.account == MINE,
    gaps.c.room_id == bindparam("of_room"),
    gaps.c.batch == bindparam("of_batch"),
)
_OPEN_GAP = both(lambda insert: insert(gaps))
_GAPS = (
    select(gaps.c.room_id, gaps.c.prev_batch, gaps.c.last_known, gaps.c.batch, gaps.c.found)
    .where(gaps.c.account == MINE)
    .order_by(gaps.c.batch, gaps.c.room_id)
)
_MOVE_GAP = update(gaps).where(*_this_gap).values(prev_batch=bindparam("new_prev_batch"), found=bindparam("new_found"))
_CLOSE_GAP = delete(gaps).where(*_this_gap)


class RoomRows:
    """Implements `ports.RoomRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, room: ManagedRoom) -> None:
        """Store a new room. Raises StaleRow when it is known already."""
        await self._session.write_one(_ADD, **{field.name: getattr(room, field.name) for field in fields(ManagedRoom)})

    async def get(self, room_id: str) -> ManagedRoom | None:
        """Return a room, None when the bot does not manage it."""
        row = await self._session.row(_GET, of_room=room_id)
        return None if row is None else _room(row)

    async def every(self) -> tuple[ManagedRoom, ...]:
        """Return all managed rooms."""
        return tuple([_room(row) for row in await self._session.rows(_EVERY)])

    async def among(self, room_ids: Iterable[str]) -> tuple[ManagedRoom, ...]:
        """Return those of these rooms that the bot manages."""
        if not (wanted := sorted(set(room_ids))):
            return ()
        return tuple([_room(row) for row in await self._session.rows(_AMONG, of_rooms=wanted)])

    async def hold(self, room_id: str, reason: str | None) -> None:
        """Note why nothing is sent into a room; None lets it go."""
        await self._session.run(_HOLD, of_room=room_id, new_hold=reason)

    async def set_encryption(self, room_id: str, content: Mapping[str, Any]) -> None:
        """Note the room's encryption settings as last seen."""
        await self._session.run(_ENCRYPTION, of_room=room_id, new_encryption=content)

    async def members(self, room_ids: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
        """Return room -> user -> membership (invite, join, leave, ban); rooms without members are missing."""
        if not (wanted := sorted(set(room_ids))):
            return {}
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for room_id, user_id, membership in await self._session.rows(_MEMBERS, of_rooms=wanted):
            found[room_id][user_id] = membership
        return dict(found)

    async def set_members(self, room_id: str, members: Mapping[str, str]) -> None:
        """Store the room's members in place of all former ones."""
        await self._session.run(_NO_MEMBERS, of_room=room_id)
        rows = [{"room_id": room_id, "user_id": user, "membership": state} for user, state in members.items()]
        await self._session.write(_NEW_MEMBERS, rows)

    async def set_member(self, room_id: str, user_id: str, membership: str) -> None:
        """Store one person's membership; the others' stay."""
        await self._session.run(_NO_MEMBER, of_room=room_id, of_user=user_id)
        await self._session.write(_NEW_MEMBERS, [{"room_id": room_id, "user_id": user_id, "membership": membership}])

    async def open_gap(self, room_id: str, *, prev_batch: str, last_known: str | None, batch: int) -> None:
        """Note that events are missing before this batch's timeline (CRYPTO 29)."""
        await self._session.write_one(
            _OPEN_GAP, room_id=room_id, batch=batch, prev_batch=prev_batch, last_known=last_known, found=0
        )

    async def gaps(self) -> tuple[tuple[str, str, str | None, int, int], ...]:
        """Return open gaps, oldest first: room, token to go on from, last known event, batch, events found so far."""
        return tuple([(a, b, c, d, e) for a, b, c, d, e in await self._session.rows(_GAPS)])

    async def move_gap(self, room_id: str, batch: int, *, prev_batch: str, found: int) -> None:
        """Note how far a gap is filled."""
        await self._session.run(_MOVE_GAP, of_room=room_id, of_batch=batch, new_prev_batch=prev_batch, new_found=found)

    async def close_gap(self, room_id: str, batch: int) -> None:
        """Forget a gap that is filled."""
        await self._session.run(_CLOSE_GAP, of_room=room_id, of_batch=batch)


def _room(row: AnyRow) -> ManagedRoom:
    return ManagedRoom(**row._mapping)  # noqa: SLF001 - the documented name of SQLAlchemy's mapping view
