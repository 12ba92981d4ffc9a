"""Prompts by occurrence."""

from dataclasses import fields, replace
from typing import Any

from sqlalchemy import bindparam, select, update

from bot.core.deliveries import Delivery
from bot.errors import StaleRow
from bot.store.sealing import pair_owner
from bot.store.session import MINE, AnyRow, Session, unless_known
from bot.store.tables import OPEN_POLL, deliveries

_FIELDS = [field.name for field in fields(Delivery)]
_SEALED = ("options", "asked")
_BY_HAND = ""  # the schedule of a prompt sent by hand: no value at all would escape the unique constraint

_ALL = select(*[deliveries.c[name] for name in _FIELDS]).where(deliveries.c.account == MINE)
_ADD = unless_known(deliveries)
_TAKEN = select(deliveries.c.delivery_id).where(
    deliveries.c.account == MINE,
    deliveries.c.schedule_id == bindparam("of_schedule"),
    deliveries.c.occurrence == bindparam("of_occurrence"),
)
_this_delivery = deliveries.c.delivery_id == bindparam("of_delivery")
_SAVE = update(deliveries).where(deliveries.c.account == MINE, _this_delivery)
_GET = _ALL.where(_this_delivery)
_RECENT = (
    _ALL.where(deliveries.c.pair_id == bindparam("of_pair"))
    .order_by(deliveries.c.number.desc())
    .limit(bindparam("of_limit"))
)
_OPEN_POLLS = _ALL.where(OPEN_POLL).order_by(deliveries.c.posted_at, deliveries.c.delivery_id)


class DeliveryRows:
    """Implements `ports.DeliveryRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, delivery: Delivery) -> Delivery | None:
        """Store a new delivery with its number in the pair; None when (schedule, occurrence) is taken already."""
        schedule_id = delivery.schedule_id or _BY_HAND
        if await self._session.row(_TAKEN, of_schedule=schedule_id, of_occurrence=delivery.occurrence):
            return None  # looked at first, so that no number is wasted
        numbered = replace(delivery, number=await self._session.next(f"deliveries:{delivery.pair_id}"))
        return numbered if await self._session.write_one(_ADD, **self._values(numbered)) else None

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

    async def open_polls(self) -> tuple[Delivery, ...]:
        """Return polls that stand in their rooms and have not been ended, oldest first."""
        return tuple([self._delivery(row) for row in await self._session.rows(_OPEN_POLLS)])

    def _values(self, delivery: Delivery) -> dict[str, Any]:
        values = {name: getattr(delivery, name) for name in _FIELDS}
        values["schedule_id"] = delivery.schedule_id or _BY_HAND
        owner, row = pair_owner(delivery.pair_id), delivery.delivery_id
        for name in _SEALED:
            mapping = values[name]
            values[name] = self._session.seal_document(owner, "deliveries", row, name, mapping) if mapping else None
        return values

    def _delivery(self, row: AnyRow) -> Delivery:
        values: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
        values["schedule_id"] = values["schedule_id"] or None
        owner, row_id = pair_owner(values["pair_id"]), values["delivery_id"]
        for name in _SEALED:
            values[name] = self._session.open_document(owner, "deliveries", row_id, name, values[name])
        return Delivery(**values)
