"""Prompts by occurrence."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update

from bot.core.deliveries import BY_HAND, Delivery, DeliveryState, FirstPost
from bot.errors import StaleRow
from bot.store.sealing import pair_owner
from bot.store.session import MINE, AnyRow, Session, among, both
from bot.store.tables import TO_REMIND, deliveries

_FIELDS = [field.name for field in fields(Delivery)]
_NO_SCHEDULE = ""  # the schedule of a prompt sent by hand: no value at all would escape the unique constraint

_ALL = select(*[deliveries.c[name] for name in _FIELDS]).where(deliveries.c.account == MINE)
_numbered = deliveries.alias()
_next_number = (
    select(func.coalesce(func.max(_numbered.c.number), 0) + 1)
    .where(_numbered.c.account == MINE, _numbered.c.pair_id == bindparam("of_pair"))
    .scalar_subquery()
)
_ADD = both(
    lambda insert: (
        insert(deliveries).values(number=_next_number).on_conflict_do_nothing().returning(deliveries.c.number)
    )
)
_POSTED = (
    update(deliveries)
    .where(
        deliveries.c.account == MINE,
        deliveries.c.delivery_id.in_(among("of_deliveries")),
        deliveries.c.state == DeliveryState.DUE,
    )
    .values(state=DeliveryState.POSTED, posted_at=bindparam("new_instant"))
)
_this_delivery = deliveries.c.delivery_id == bindparam("of_delivery")
_SAVE = update(deliveries).where(deliveries.c.account == MINE, _this_delivery)
_GET = _ALL.where(_this_delivery)
_RECENT = (
    _ALL.where(deliveries.c.pair_id == bindparam("of_pair"))
    .order_by(deliveries.c.number.desc())
    .limit(bindparam("of_limit"))
)
_OF_SCHEDULE = (
    _ALL.where(deliveries.c.schedule_id == bindparam("of_schedule"))
    .order_by(deliveries.c.due.desc(), deliveries.c.number.desc())
    .limit(bindparam("of_limit"))
)
_FIRST_POSTS = (
    select(deliveries.c.pair_id, deliveries.c.schedule_id, deliveries.c.due)
    .where(
        deliveries.c.account == MINE,
        deliveries.c.pair_id.in_(among("of_pairs")),
        deliveries.c.due >= bindparam("of_since"),
        deliveries.c.state != DeliveryState.SKIPPED,
        or_(deliveries.c.schedule_id != _NO_SCHEDULE, deliveries.c.occurrence.startswith(BY_HAND, autoescape=True)),
    )
    .distinct()
)
_answered = deliveries.alias()
_last_answered = (
    select(func.max(_answered.c.due))
    .where(
        _answered.c.account == MINE,
        _answered.c.schedule_id == deliveries.c.schedule_id,
        _answered.c.state == DeliveryState.ANSWERED,
    )
    .scalar_subquery()
)
_UNANSWERED = (
    select(deliveries.c.schedule_id, func.count(deliveries.c.due.distinct()))
    .where(
        deliveries.c.account == MINE,
        deliveries.c.schedule_id.in_(among("of_schedules")),
        deliveries.c.state == DeliveryState.POSTED,
        deliveries.c.due > func.coalesce(_last_answered, 0),
    )
    .group_by(deliveries.c.schedule_id)
)
_TO_REMIND = (
    _ALL.where(TO_REMIND, deliveries.c.remind_at <= bindparam("of_instant"))
    .order_by(deliveries.c.remind_at, deliveries.c.delivery_id)
    .limit(bindparam("of_limit"))
)
_NEXT_REMINDER = select(func.min(deliveries.c.remind_at)).where(deliveries.c.account == MINE, TO_REMIND)


class DeliveryRows:
    """Implements `ports.DeliveryRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, delivery: Delivery) -> Delivery | None:
        """Store a new delivery with its number in the pair; None when (schedule, occurrence) is taken already."""
        values = self._values(delivery)
        del values["number"]
        number = await self._session.returned_if_written(_ADD, of_pair=delivery.pair_id, **values)
        return None if number is None else replace(delivery, number=number)

    async def posted(self, delivery_ids: Iterable[str], *, at: datetime) -> None:
        """Note that these prompts stand in their rooms; those that are no longer due stay as they are."""
        if wanted := sorted(set(delivery_ids)):
            await self._session.run(_POSTED, of_deliveries=wanted, new_instant=at)

    async def save(self, delivery: Delivery) -> None:
        """Store a delivery anew. Raises StaleRow when it is gone."""
        values = self._values(delivery)
        if not await self._session.run(_SAVE, of_delivery=values.pop("delivery_id"), **values):
            raise StaleRow("This delivery is gone.")

    async def get(self, delivery_id: str) -> Delivery | None:
        """Return a delivery."""
        row = await self._session.row(_GET, of_delivery=delivery_id)
        return None if row is None else self._delivery(row)

    async def recent(self, pair_id: str, limit: int = 20) -> tuple[Delivery, ...]:
        """Return the pair's newest deliveries, newest first."""
        rows = await self._session.rows(_RECENT, of_pair=pair_id, of_limit=limit)
        return tuple([self._delivery(row) for row in rows])

    async def of_schedule(self, schedule_id: str, limit: int = 20) -> tuple[Delivery, ...]:
        """Return the newest deliveries of a schedule, the one that was due last first."""
        rows = await self._session.rows(_OF_SCHEDULE, of_schedule=schedule_id, of_limit=limit)
        return tuple([self._delivery(row) for row in rows])

    async def first_posts(self, pair_ids: Iterable[str], *, since: datetime) -> tuple[FirstPost, ...]:
        """Return what was due since an instant and was not skipped: scheduled prompts, and those sent by hand."""
        if not (wanted := sorted(set(pair_ids))):
            return ()
        rows = await self._session.rows(_FIRST_POSTS, of_pairs=wanted, of_since=since)
        return tuple([FirstPost(pair_id=row[0], schedule_id=row[1] or None, due=row[2]) for row in rows])

    async def unanswered(self, schedule_ids: Iterable[str]) -> Mapping[str, int]:
        """Return of how many occurrences of each schedule since the last answered one the prompts stand unanswered."""
        if not (wanted := sorted(set(schedule_ids))):
            return {}
        return {row[0]: row[1] for row in await self._session.rows(_UNANSWERED, of_schedules=wanted)}

    async def to_remind(self, at: datetime, *, limit: int) -> tuple[Delivery, ...]:
        """Return prompts whose reminder is due by an instant, at most so many."""
        rows = await self._session.rows(_TO_REMIND, of_instant=at, of_limit=limit)
        return tuple([self._delivery(row) for row in rows])

    async def next_reminder(self) -> datetime | None:
        """Return when the first reminder is due."""
        row = await self._session.row(_NEXT_REMINDER)
        due: datetime | None = row[0] if row is not None else None
        return due

    def _values(self, delivery: Delivery) -> dict[str, Any]:
        values = {name: getattr(delivery, name) for name in _FIELDS}
        values["schedule_id"] = delivery.schedule_id or _NO_SCHEDULE
        owner, row = pair_owner(delivery.pair_id), delivery.delivery_id
        asked = values["asked"]
        values["asked"] = self._session.seal_document(owner, "deliveries", row, "asked", asked) if asked else None
        return values

    def _delivery(self, row: AnyRow) -> Delivery:
        values: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
        values["schedule_id"] = values["schedule_id"] or None
        owner, row_id = pair_owner(values["pair_id"]), values["delivery_id"]
        values["asked"] = self._session.open_document(owner, "deliveries", row_id, "asked", values["asked"])
        return Delivery(**values)
