"""Therapy sessions, with the dates that were moved or cancelled."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bot.core.appointments import Appointment
from bot.errors import StaleRow
from bot.store.session import MINE, Session, among, both
from bot.store.tables import session_changes, sessions

_FIELDS = [field.name for field in fields(Appointment) if field.name != "changes"]

_ADD = both(lambda insert: insert(sessions))
_ADD_CHANGE = both(lambda insert: insert(session_changes))
_this = (sessions.c.account == MINE, sessions.c.appointment_id == bindparam("of_appointment"))
_SAVE = update(sessions).where(*_this)
_REMOVE = delete(sessions).where(*_this)
_FORGET_CHANGES = delete(session_changes).where(
    session_changes.c.account == MINE, session_changes.c.appointment_id == bindparam("of_appointment")
)
_OF_PAIRS = (
    select(*[sessions.c[name] for name in _FIELDS])
    .where(sessions.c.account == MINE, sessions.c.pair_id.in_(among("of_pairs")))
    .order_by(sessions.c.pair_id, sessions.c.number)
)
_CHANGES = select(session_changes.c.appointment_id, session_changes.c.day, session_changes.c.moved_to).where(
    session_changes.c.account == MINE, session_changes.c.pair_id.in_(among("of_pairs"))
)


class SessionRows:
    """Implements `ports.SessionRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, appointment: Appointment) -> Appointment:
        """Store a new session or series and return it with its number in the pair."""
        numbered = replace(appointment, number=await self._session.next(f"sessions:{appointment.pair_id}"))
        await self._session.write_one(_ADD, **_values(numbered))
        await self._write_changes(numbered)
        return numbered

    async def save(self, appointment: Appointment) -> None:
        """Store a session or series anew, its changes too. Raises StaleRow when it was removed."""
        values = _values(appointment)
        if not await self._session.run(_SAVE, of_appointment=values.pop("appointment_id"), **values):
            raise StaleRow("This session was removed.")
        await self._session.run(_FORGET_CHANGES, of_appointment=appointment.appointment_id)
        await self._write_changes(appointment)

    async def remove(self, appointment_id: str) -> None:
        """Forget a session or series."""
        for statement in (_FORGET_CHANGES, _REMOVE):
            await self._session.run(statement, of_appointment=appointment_id)

    async def of_pair(self, pair_id: str) -> tuple[Appointment, ...]:
        """Return the pair's sessions by number."""
        return (await self.of_pairs([pair_id])).get(pair_id, ())

    async def of_pairs(self, pair_ids: Iterable[str]) -> Mapping[str, tuple[Appointment, ...]]:
        """Return the sessions of several pairs, with two reads."""
        if not (wanted := sorted(set(pair_ids))):
            return {}
        changes: dict[str, dict[date, datetime | None]] = {}
        for appointment_id, day, moved_to in await self._session.rows(_CHANGES, of_pairs=wanted):
            changes.setdefault(appointment_id, {})[day] = moved_to
        found: dict[str, list[Appointment]] = {}
        for row in await self._session.rows(_OF_PAIRS, of_pairs=wanted):
            values: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
            appointment = Appointment(**values, changes=changes.get(values["appointment_id"], {}))
            found.setdefault(appointment.pair_id, []).append(appointment)
        return {pair_id: tuple(each) for pair_id, each in found.items()}

    async def _write_changes(self, appointment: Appointment) -> None:
        shared = {"appointment_id": appointment.appointment_id, "pair_id": appointment.pair_id}
        rows = [{**shared, "day": day, "moved_to": to} for day, to in appointment.changes.items()]
        await self._session.write(_ADD_CHANGE, rows)


def _values(appointment: Appointment) -> dict[str, Any]:
    return {name: getattr(appointment, name) for name in _FIELDS}
