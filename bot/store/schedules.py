"""Schedules, when each is due next, and the random times that were drawn for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select, update

from bot.core.people import Draw, Schedule
from bot.errors import StaleRow
from bot.store.session import MINE, Session, among, both, unless_known
from bot.store.tables import draws, schedules

_FIELDS = [field.name for field in fields(Schedule)]
_PLANNED = ("after", "next_due", "waited_until")

_ADD = both(lambda insert: insert(schedules))
_this = (schedules.c.account == MINE, schedules.c.schedule_id == bindparam("of_schedule"))
_SAVE = update(schedules).where(*_this)
_PLAN = update(schedules).where(*_this)
_REMOVE = (
    delete(draws).where(draws.c.account == MINE, draws.c.schedule_id == bindparam("of_schedule")),
    delete(schedules).where(*_this),
)
_ALL = select(*[schedules.c[name] for name in _FIELDS]).where(schedules.c.account == MINE)
_BY_PAIR = _ALL.order_by(schedules.c.pair_id, schedules.c.number)
_OF_PAIR = _BY_PAIR.where(schedules.c.pair_id == bindparam("of_pair"))
_GET = _ALL.where(schedules.c.schedule_id == bindparam("of_schedule"))
_DUE = (
    _ALL.where(or_(schedules.c.next_due.is_(None), schedules.c.next_due <= bindparam("of_instant")))
    .order_by(schedules.c.next_due, schedules.c.schedule_id)
    .limit(bindparam("of_limit"))
)
_BETWEEN = _ALL.where(schedules.c.next_due > bindparam("of_after"), schedules.c.next_due <= bindparam("of_until"))
_NEXT = select(func.min(schedules.c.next_due)).where(
    schedules.c.account == MINE, schedules.c.next_due > bindparam("of_instant")
)
_REPLAN = (
    update(schedules)
    .where(schedules.c.account == MINE, schedules.c.pair_id == bindparam("of_pair"))
    .values(next_due=None)
)
_DRAWS = select(draws.c.schedule_id, draws.c.day, draws.c.times).where(
    draws.c.account == MINE, draws.c.schedule_id.in_(among("of_schedules")), draws.c.day >= bindparam("of_day")
)
_KEEP_DRAW = unless_known(draws)
_FORGET_DRAWS = delete(draws).where(
    draws.c.account == MINE, draws.c.schedule_id.in_(among("of_schedules")), draws.c.day < bindparam("of_day")
)


class ScheduleRows:
    """Implements `ports.ScheduleRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, schedule: Schedule) -> Schedule:
        """Store a new schedule and return it with its number in the pair."""
        numbered = replace(schedule, number=await self._session.next(f"schedules:{schedule.pair_id}"))
        await self._session.write_one(_ADD, **_values(numbered))
        return numbered

    async def save(self, schedule: Schedule) -> None:
        """Store a schedule anew. Raises StaleRow when it was removed."""
        values = _values(schedule)
        if not await self._session.run(_SAVE, of_schedule=values.pop("schedule_id"), **values):
            raise StaleRow("This schedule was removed.")

    async def plan(self, planned: Sequence[Schedule]) -> None:
        """Store of each schedule up to when it is decided, when it is due next, and whether it waits."""
        await self._session.run_each(
            _PLAN,
            [{"of_schedule": each.schedule_id, **{name: getattr(each, name) for name in _PLANNED}} for each in planned],
        )

    async def replan(self, pair_id: str) -> None:
        """Have all schedules of a pair planned anew at once: what they go by has changed."""
        await self._session.run(_REPLAN, of_pair=pair_id)

    async def remove(self, schedule_id: str) -> None:
        """Forget a schedule; its deliveries stay."""
        for statement in _REMOVE:
            await self._session.run(statement, of_schedule=schedule_id)

    async def get(self, schedule_id: str) -> Schedule | None:
        """Return a schedule."""
        found = await self._some(_GET, of_schedule=schedule_id)
        return found[0] if found else None

    async def of_pair(self, pair_id: str) -> tuple[Schedule, ...]:
        """Return the schedules of a pair by number."""
        return await self._some(_OF_PAIR, of_pair=pair_id)

    async def every(self) -> tuple[Schedule, ...]:
        """Return the schedules of all pairs."""
        return await self._some(_BY_PAIR)

    async def due(self, at: datetime, *, limit: int) -> tuple[Schedule, ...]:
        """Return the schedules that are due by an instant or are not planned yet, at most so many."""
        return await self._some(_DUE, of_instant=at, of_limit=limit)

    async def between(self, *, after: datetime, until: datetime) -> tuple[Schedule, ...]:
        """Return the schedules that are due next within a span."""
        return await self._some(_BETWEEN, of_after=after, of_until=until)

    async def next_due(self, after: datetime) -> datetime | None:
        """Return when the first schedule is due later than an instant."""
        row = await self._session.row(_NEXT, of_instant=after)
        due: datetime | None = row[0] if row is not None else None
        return due

    async def draws(
        self, schedule_ids: Iterable[str], *, since: date
    ) -> Mapping[str, Mapping[date, tuple[datetime, ...]]]:
        """Return what was drawn for these schedules, from a local date on."""
        found: dict[str, dict[date, tuple[datetime, ...]]] = {}
        if wanted := sorted(set(schedule_ids)):
            for schedule_id, day, times in await self._session.rows(_DRAWS, of_schedules=wanted, of_day=since):
                found.setdefault(schedule_id, {})[day] = tuple(datetime.fromisoformat(each) for each in times)
        return found

    async def keep_draws(self, drawn: Sequence[Draw]) -> None:
        """Store draws; a day that has been drawn keeps what it has."""
        await self._session.write(
            _KEEP_DRAW,
            [
                {
                    "schedule_id": each.schedule_id,
                    "day": each.day,
                    "pair_id": each.pair_id,
                    "times": [clock.isoformat(timespec="minutes") for clock in each.times],
                }
                for each in drawn
            ],
        )

    async def forget_draws(self, schedule_ids: Iterable[str], *, before: date) -> None:
        """Forget draws of days that are long over."""
        if wanted := sorted(set(schedule_ids)):
            await self._session.run(_FORGET_DRAWS, of_schedules=wanted, of_day=before)

    async def _some(self, statement: Any, **binds: Any) -> tuple[Schedule, ...]:
        rows = await self._session.rows(statement, **binds)
        return tuple([Schedule(**dict(zip(_FIELDS, row, strict=True))) for row in rows])


def _values(schedule: Schedule) -> dict[str, Any]:
    return {name: getattr(schedule, name) for name in _FIELDS}
