"""Therapy sessions, with the dates that were moved or cancelled."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bot.core.people import BookedSeries
from bot.core.sessions import SessionPlan, SessionSeries
from bot.errors import StaleRow
from bot.store.session import MINE, AnyRow, Session, among, both
from bot.store.tables import session_changes, sessions

_COLUMNS = ("series_id", "pair_id", "number", "starts", "zone", "every_weeks", "until", "created_at")

_ADD = both(lambda insert: insert(sessions))
_ADD_CHANGE = both(lambda insert: insert(session_changes))
_this = (sessions.c.account == MINE, sessions.c.series_id == bindparam("of_series"))
_SAVE = update(sessions).where(*_this)
_REMOVE = delete(sessions).where(*_this)
_FORGET_CHANGES = delete(session_changes).where(
    session_changes.c.account == MINE, session_changes.c.series_id == bindparam("of_series")
)
_OF_PAIRS = (
    select(*[sessions.c[name] for name in _COLUMNS])
    .where(sessions.c.account == MINE, sessions.c.pair_id.in_(among("of_pairs")))
    .order_by(sessions.c.pair_id, sessions.c.number)
)
_CHANGES = select(session_changes.c.series_id, session_changes.c.planned, session_changes.c.moved_to).where(
    session_changes.c.account == MINE, session_changes.c.pair_id.in_(among("of_pairs"))
)

Changes = Mapping[date, datetime | None]  # planned date -> the wall time instead; None: cancelled


class SessionRows:
    """Implements `ports.SessionRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, booked: BookedSeries) -> BookedSeries:
        """Store a new session or series and return it with its number in the pair."""
        numbered = replace(booked, number=await self._session.next(f"sessions:{booked.pair_id}"))
        await self._session.write_one(_ADD, **_values(numbered))
        await self._write_changes(numbered)
        return numbered

    async def save(self, booked: BookedSeries) -> None:
        """Store a session or series anew, its changes too. Raises StaleRow when it was removed."""
        values = _values(booked)
        if not await self._session.run(_SAVE, of_series=values.pop("series_id"), **values):
            raise StaleRow("This session was removed.")
        await self._session.run(_FORGET_CHANGES, of_series=booked.series.series_id)
        await self._write_changes(booked)

    async def remove(self, series_id: str) -> None:
        """Forget a session or series."""
        for statement in (_FORGET_CHANGES, _REMOVE):
            await self._session.run(statement, of_series=series_id)

    async def of_pair(self, pair_id: str) -> tuple[BookedSeries, ...]:
        """Return the pair's sessions by number."""
        return (await self.of_pairs([pair_id])).get(pair_id, ())

    async def of_pairs(self, pair_ids: Iterable[str]) -> Mapping[str, tuple[BookedSeries, ...]]:
        """Return the sessions of several pairs, with two reads."""
        if not (wanted := sorted(set(pair_ids))):
            return {}
        changes: dict[str, dict[date, datetime | None]] = {}
        for series_id, planned, moved_to in await self._session.rows(_CHANGES, of_pairs=wanted):
            changes.setdefault(series_id, {})[planned] = moved_to
        found: dict[str, list[BookedSeries]] = {}
        for row in await self._session.rows(_OF_PAIRS, of_pairs=wanted):
            booked = _booked(row, changes.get(row[0], {}))
            found.setdefault(booked.pair_id, []).append(booked)
        return {pair_id: tuple(each) for pair_id, each in found.items()}

    async def _write_changes(self, booked: BookedSeries) -> None:
        series = booked.series
        changes: dict[date, datetime | None] = {**dict(series.moved), **dict.fromkeys(series.cancelled)}
        shared = {"series_id": series.series_id, "pair_id": booked.pair_id}
        await self._session.write(
            _ADD_CHANGE, [{**shared, "planned": planned, "moved_to": to} for planned, to in changes.items()]
        )


def _values(booked: BookedSeries) -> dict[str, Any]:
    series = booked.series
    return {
        "series_id": series.series_id,
        "pair_id": booked.pair_id,
        "number": booked.number,
        "starts": series.plan.first,
        "zone": series.zone,
        "every_weeks": series.plan.weeks,
        "until": series.until,
        "created_at": booked.created_at,
    }


def _booked(row: AnyRow, changes: Changes) -> BookedSeries:
    series_id, pair_id, number, starts, zone, weeks, until, created_at = row
    series = SessionSeries(
        series_id=series_id,
        plan=SessionPlan(first=starts, weeks=weeks),
        zone=zone,
        until=until,
        moved=tuple(sorted((planned, to) for planned, to in changes.items() if to is not None)),
        cancelled=frozenset(planned for planned, to in changes.items() if to is None),
    )
    return BookedSeries(pair_id=pair_id, number=number, series=series, created_at=created_at)
