"""Room keys, who has them, and the replay ledger."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from bot.core.megolm import InboundSession, OutboundSession, Share
from bot.errors import StaleRow
from bot.store.key_tables import (
    NOT_BACKED_UP,
    megolm_inbound,
    megolm_ledger,
    megolm_outbound,
    megolm_shares,
    megolm_withheld,
)
from bot.store.session import MINE, AnyRow, Session, among, both, unless_known, upsert

_outbound_rooms = (megolm_outbound.c.account == MINE, megolm_outbound.c.room_id.in_(among("of_rooms")))
_OUTBOUND = select(*[column for column in megolm_outbound.columns if column.name != "account"]).where(*_outbound_rooms)
_OUTBOUND_VERSIONS = (
    select(megolm_outbound.c.room_id, megolm_outbound.c.version).where(*_outbound_rooms).with_for_update()
)
_SAVE_OUTBOUND = upsert(megolm_outbound)
_DROP_OUTBOUND = delete(megolm_outbound).where(*_outbound_rooms)

_SHARE_COLUMNS = [megolm_shares.c[field.name] for field in fields(Share)]
_SHARES = select(*_SHARE_COLUMNS).where(
    megolm_shares.c.account == MINE, megolm_shares.c.session_id.in_(among("of_sessions"))
)
_SHARE_OF = select(*_SHARE_COLUMNS).where(
    megolm_shares.c.account == MINE,
    megolm_shares.c.session_id == bindparam("of_session"),
    megolm_shares.c.user_id == bindparam("of_user"),
    megolm_shares.c.device_id == bindparam("of_device"),
)
_SAVE_SHARES = upsert(megolm_shares)

_WITHHELD_INDEX = select(func.min(megolm_withheld.c.index)).where(
    megolm_withheld.c.account == MINE,
    megolm_withheld.c.session_id == bindparam("of_session"),
    megolm_withheld.c.user_id == bindparam("of_user"),
    megolm_withheld.c.device_id == bindparam("of_device"),
)
_NOTE_WITHHELD = unless_known(megolm_withheld)

_INBOUND_COLUMNS = [column for column in megolm_inbound.columns if column.name != "account"]
_INBOUND = select(*_INBOUND_COLUMNS).where(
    megolm_inbound.c.account == MINE,
    megolm_inbound.c.room_id == bindparam("of_room"),
    megolm_inbound.c.session_id == bindparam("of_session"),
)
_SAVE_INBOUND = upsert(megolm_inbound)
_NOT_BACKED_UP = (
    select(*_INBOUND_COLUMNS).where(megolm_inbound.c.account == MINE, NOT_BACKED_UP).limit(bindparam("of_limit"))
)
_BACKED_UP = (
    update(megolm_inbound)
    .where(megolm_inbound.c.account == MINE, megolm_inbound.c.session_id.in_(among("of_sessions")))
    .values(backed_up=True)
)
_NOTHING_BACKED_UP = update(megolm_inbound).where(megolm_inbound.c.account == MINE).values(backed_up=False)

# Updates nothing; it is there because only an update returns the row that was first.
_CLAIM_INDEX = both(
    lambda insert: (
        insert(megolm_ledger)
        .on_conflict_do_update(
            index_elements=["account", "session_id", "index"], set_={"event_id": megolm_ledger.c.event_id}
        )
        .returning(megolm_ledger.c.event_id)
    )
)


class MegolmRows:
    """Implements `ports.MegolmRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def outbound(self, room_ids: Iterable[str]) -> Mapping[str, OutboundSession]:
        """Return the rooms' current sessions."""
        if not (wanted := sorted(set(room_ids))):
            return {}
        return {row[0]: self._outbound(row) for row in await self._session.rows(_OUTBOUND, of_rooms=wanted)}

    async def save_outbound(self, sessions: Sequence[OutboundSession]) -> None:
        """Store each as version + 1. Raises StaleRow where the room has another version (CRYPTO 26).

        A new session starts at version 0 and needs a room without one: drop the former first.
        """
        if not sessions:
            return
        room_ids = [session.room_id for session in sessions]
        versions = {row[0]: row[1] for row in await self._session.rows(_OUTBOUND_VERSIONS, of_rooms=room_ids)}
        if any(versions.get(session.room_id, 0) != session.version for session in sessions):
            raise StaleRow
        owners = await self._session.owners_of(room_ids)
        await self._session.write(_SAVE_OUTBOUND, [self._outbound_row(each, owners[each.room_id]) for each in sessions])

    async def drop_outbound(self, room_ids: Iterable[str]) -> None:
        """Forget the rooms' current sessions, so that the next message makes new ones."""
        if dropped := sorted(set(room_ids)):
            await self._session.run(_DROP_OUTBOUND, of_rooms=dropped)

    async def shares(self, session_ids: Iterable[str]) -> tuple[Share, ...]:
        """Return who was given the keys of these sessions."""
        if not (wanted := sorted(set(session_ids))):
            return ()
        return tuple([_share(row) for row in await self._session.rows(_SHARES, of_sessions=wanted)])

    async def save_shares(self, shares: Sequence[Share]) -> None:
        """Store shares in place of the former ones with the same devices."""
        names = [field.name for field in fields(Share)]
        await self._session.write(_SAVE_SHARES, [{name: getattr(share, name) for name in names} for share in shares])

    async def share_of(self, session_id: str, user_id: str, device_id: str) -> Share | None:
        """Return whether and how a device was given the key of a session."""
        row = await self._session.row(_SHARE_OF, of_session=session_id, of_user=user_id, of_device=device_id)
        return None if row is None else _share(row)

    async def withheld_index(self, session_id: str, user_id: str, device_id: str) -> int | None:
        """Return the message index at which a withheld notice was first sent to this device for this session."""
        row = await self._session.row(_WITHHELD_INDEX, of_session=session_id, of_user=user_id, of_device=device_id)
        return None if row is None else row[0]

    async def note_withheld(self, session_id: str, user_id: str, device_id: str, code: str, index: int) -> bool:
        """Note a withheld notice; False when this code was sent before."""
        written = await self._session.write_one(
            _NOTE_WITHHELD, session_id=session_id, user_id=user_id, device_id=device_id, code=code, index=index
        )
        return bool(written)

    async def inbound(self, room_id: str, session_id: str) -> InboundSession | None:
        """Return the session that events of this room are decrypted with."""
        row = await self._session.row(_INBOUND, of_room=room_id, of_session=session_id)
        return None if row is None else self._inbound(row)

    async def save_inbound(self, sessions: Sequence[InboundSession]) -> None:
        """Store sessions in place of the former copies; which copy is better is decided before (CRYPTO 11)."""
        owners = await self._session.owners_of([each.room_id for each in sessions])
        await self._session.write(_SAVE_INBOUND, [self._inbound_row(each, owners[each.room_id]) for each in sessions])

    async def not_backed_up(self, limit: int) -> tuple[InboundSession, ...]:
        """Return sessions that the server-side key backup does not have (CRYPTO 24)."""
        return tuple([self._inbound(row) for row in await self._session.rows(_NOT_BACKED_UP, of_limit=limit)])

    async def mark_backed_up(self, session_ids: Sequence[str]) -> None:
        """Note that the server-side key backup has these sessions."""
        if session_ids:
            await self._session.run(_BACKED_UP, of_sessions=session_ids)

    async def reset_backed_up(self) -> None:
        """Note that the server-side key backup has nothing."""
        await self._session.run(_NOTHING_BACKED_UP)

    async def claim_index(self, session_id: str, index: int, event_id: str) -> str:
        """Note which event used this index of this session, and return the event that used it first (CRYPTO 12)."""
        return str(await self._session.returned(_CLAIM_INDEX, session_id=session_id, index=index, event_id=event_id))

    def _outbound(self, row: AnyRow) -> OutboundSession:
        room_id, owner, session_id, sealed, created_at, messages, version = row
        return OutboundSession(
            room_id=room_id,
            session_id=session_id,
            pickle=self._session.open(owner, "megolm_outbound", room_id, "pickle", sealed, version=version),
            created_at=created_at,
            messages=messages,
            version=version,
        )

    def _outbound_row(self, each: OutboundSession, owner: str) -> dict[str, Any]:
        version = each.version + 1
        sealed = self._session.seal(owner, "megolm_outbound", each.room_id, "pickle", each.pickle, version=version)
        return {
            "room_id": each.room_id,
            "owner": owner,
            "session_id": each.session_id,
            "pickle": sealed,
            "created_at": each.created_at,
            "messages": each.messages,
            "version": version,
        }

    def _inbound(self, row: AnyRow) -> InboundSession:
        room_id, session_id, owner, sender, sender_key, sender_ed25519, first_index, sealed, own, backed_up = row
        return InboundSession(
            room_id=room_id,
            session_id=session_id,
            sender=sender,
            sender_key=sender_key,
            sender_ed25519=sender_ed25519,
            first_index=first_index,
            pickle=self._session.open(owner, "megolm_inbound", f"{room_id}/{session_id}", "pickle", sealed),
            own=own,
            backed_up=backed_up,
        )

    def _inbound_row(self, each: InboundSession, owner: str) -> dict[str, Any]:
        values = {name.name: getattr(each, name.name) for name in fields(InboundSession)}
        place = f"{each.room_id}/{each.session_id}"
        sealed = self._session.seal(owner, "megolm_inbound", place, "pickle", each.pickle)
        return {**values, "owner": owner, "pickle": sealed}


def _share(row: AnyRow) -> Share:
    session_id, user_id, device_id, curve25519, index, wedge, acknowledged = row
    return Share(
        session_id=session_id,
        user_id=user_id,
        device_id=device_id,
        curve25519=curve25519,
        index=index,
        wedge=wedge,
        acknowledged=acknowledged,
    )
