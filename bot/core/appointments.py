"""Therapy sessions as the two agreed on them: one, or a series, with the dates that were moved or cancelled.

A session keeps the zone in which it was agreed: somebody who travels is still expected at the same instant.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True, slots=True)
class Appointment:
    """One session, or a series of them."""

    appointment_id: str
    number: int  # given by the store, stable in the pair's list
    pair_id: str
    starts: datetime  # wall time of the first one, without a zone
    timezone: str  # IANA
    every_weeks: int  # 0: just the one
    created_at: datetime
    ends: date | None = None  # the series is over: nothing on this date or later
    changes: Mapping[date, datetime | None] = field(default_factory=dict)
    """The date that the series names -> the wall time that it was moved to; None: cancelled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Meeting:
    """One session of a series, as it is going to happen."""

    appointment: Appointment
    day: date  # the date that the series names: the session's own name, which no move changes
    local: datetime  # aware: when it begins on the wall clock of the session's zone

    @property
    def key(self) -> str:
        """What names this session for good."""
        return f"{self.appointment.appointment_id}:{self.day.isoformat()}"

    @property
    def begins(self) -> datetime:
        """The same instant in UTC."""
        return self.local.astimezone(UTC)


def meetings(appointments: Iterable[Appointment], *, after: datetime, until: datetime) -> tuple[Meeting, ...]:
    """Return the sessions that begin later than `after` and not later than `until`, in order."""
    found = [
        meeting
        for appointment in appointments
        for meeting in _meetings(appointment, after, until)
        if after < meeting.begins <= until
    ]
    return tuple(sorted(found, key=lambda meeting: (meeting.begins, meeting.key)))


def moved(appointment: Appointment, day: date, to: datetime | None) -> Appointment:
    """Return the series with one of its sessions moved to another wall time, or cancelled (None)."""
    return replace(appointment, changes={**appointment.changes, day: to})


def names_day(appointment: Appointment, day: date) -> bool:
    """Tell whether the series has a session that bears this date, cancelled or not."""
    first = appointment.starts.date()
    if day < first or (appointment.ends is not None and day >= appointment.ends):
        return False
    return day == first if not appointment.every_weeks else (day - first).days % (7 * appointment.every_weeks) == 0


def _meetings(appointment: Appointment, after: datetime, until: datetime) -> Iterator[Meeting]:
    """The sessions whose own date may lie in a span, and those that were moved, wherever they lie."""
    zone = ZoneInfo(appointment.timezone)
    days = {day for day in appointment.changes if names_day(appointment, day)} | set(_days(appointment, after, until))
    for day in sorted(days):
        wall = appointment.changes.get(day, datetime.combine(day, appointment.starts.time()))
        if wall is not None:
            # There and back again: a wall time that does not exist moves forward by the gap, as for schedules.
            instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
            yield Meeting(appointment=appointment, day=day, local=instant.astimezone(zone))


def _days(appointment: Appointment, after: datetime, until: datetime) -> Iterator[date]:
    first, step = appointment.starts.date(), timedelta(weeks=appointment.every_weeks)
    if not step:
        yield first
        return
    earliest, latest = (after - timedelta(days=2)).date(), (until + timedelta(days=2)).date()
    day = first + step * max(0, -((first - earliest) // step))  # the first of the series that is not before
    while day <= latest and (appointment.ends is None or day < appointment.ends):
        yield day
        day += step
