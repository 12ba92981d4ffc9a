"""A pair's therapy sessions: added, moved, cancelled. Only prompts move with them: the appointment is the people's."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from bot.core.occurrences import instant
from bot.core.people import BookedSeries, Pair
from bot.core.sessions import Session, SessionPlan, SessionSeries, cancel_session, move_session, sessions
from bot.errors import ScheduleError
from bot.flows.schedules import refuse_ended, replan_around_sessions
from bot.ports import Tx

SHOWN = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Booking:
    """One session that takes place, with the series that it is of."""

    booked: BookedSeries
    session: Session


async def add_sessions(tx: Tx, pair: Pair, plan: SessionPlan, *, at: datetime) -> BookedSeries:
    """Write a session or a series down, in the pair's zone of today. Raises PairError, ScheduleError."""
    refuse_ended(pair)
    for other in await tx.sessions.of_pair(pair.pair_id):
        if other.series.plan == plan and other.series.zone == pair.timezone and other.series.until is None:
            raise ScheduleError(f"Session {other.number} is the same: {plan.text}.")
    series = SessionSeries(series_id=secrets.token_hex(8), plan=plan, zone=pair.timezone)
    made = await tx.sessions.add(BookedSeries(pair_id=pair.pair_id, number=0, series=series, created_at=at))
    await replan_around_sessions(tx, pair, at=at)
    return made


async def coming_sessions(tx: Tx, pair: Pair, *, at: datetime, count: int = SHOWN) -> tuple[Booking, ...]:
    """Return the pair's next sessions, in order."""
    return _bookings(await tx.sessions.of_pair(pair.pair_id), at, count)


async def session_on(tx: Tx, pair: Pair, day: date | None, *, at: datetime) -> Booking:
    """Return the pair's session on a local date, or the next one. Raises ScheduleError where there is none."""
    booked = await tx.sessions.of_pair(pair.pair_id)
    if day is None:
        found = _bookings(booked, at, 1)
        if not found:
            raise ScheduleError("No session is known. Add one first.")
        return found[0]
    zone = ZoneInfo(pair.timezone)
    midnight = datetime.combine(day, datetime.min.time(), tzinfo=zone)
    for booking in _bookings(booked, midnight - timedelta(days=2), len(booked) * 8):
        if booking.session.local.date() == day or booking.session.starts.astimezone(zone).date() == day:
            return booking
    raise ScheduleError(f"There is no session on {day:%Y-%m-%d}.")


async def move_booking(tx: Tx, pair: Pair, booking: Booking, to: datetime, *, at: datetime) -> Booking:
    """Move one session; `to` is a wall time of the pair's zone. Raises ScheduleError for one in the past."""
    starts = instant(to.replace(tzinfo=None), ZoneInfo(pair.timezone))
    if starts <= at:
        raise ScheduleError(f"{to:%Y-%m-%d %H:%M} is past.")
    wall = starts.astimezone(ZoneInfo(booking.booked.series.zone)).replace(tzinfo=None)
    series = move_session(booking.booked.series, booking.session.planned, wall)
    changed = replace(booking.booked, series=series)
    await _save(tx, pair, changed, at)
    found = next(each for each in sessions([series], after=at) if each.planned == booking.session.planned)
    return Booking(booked=changed, session=found)


async def cancel_booking(tx: Tx, pair: Pair, booking: Booking, *, at: datetime) -> None:
    """Cancel one session; the series goes on. Raises ScheduleError."""
    series = cancel_session(booking.booked.series, booking.session.planned)
    await _save(tx, pair, replace(booking.booked, series=series), at)


async def end_series(tx: Tx, pair: Pair, booked: BookedSeries, *, at: datetime) -> None:
    """Let a series end now: what has been stays, nothing comes any more."""
    series, zone = booked.series, ZoneInfo(booked.series.zone)
    moved_ahead = {planned for planned, wall in series.moved if instant(wall, zone) > at}
    yesterday = at.astimezone(zone).date() - timedelta(days=1)
    ended = replace(series, until=yesterday, cancelled=series.cancelled | moved_ahead)
    await _save(tx, pair, replace(booked, series=ended), at)


async def find_series(tx: Tx, pair: Pair, name: str) -> BookedSeries:
    """Return the pair's session or series with this number or id. Raises ScheduleError."""
    for booked in await tx.sessions.of_pair(pair.pair_id):
        if name in (str(booked.number), booked.series.series_id):
            return booked
    raise ScheduleError(f"This pair has no session {name}; `interlude session list --pair {pair.number}` names them.")


async def _save(tx: Tx, pair: Pair, booked: BookedSeries, at: datetime) -> None:
    await tx.sessions.save(booked)
    await replan_around_sessions(tx, pair, at=at)


def _bookings(booked: Sequence[BookedSeries], after: datetime, count: int) -> tuple[Booking, ...]:
    by_id = {each.series.series_id: each for each in booked}
    found = islice(sessions([each.series for each in booked], after=after), count)
    return tuple(Booking(booked=by_id[each.series_id], session=each) for each in found)
