"""What is to come up in the next session; the words are sealed."""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bot.core.agenda import AgendaItem
from bot.errors import StaleRow
from bot.store.sealing import pair_owner
from bot.store.session import MINE, AnyRow, Session, among, both
from bot.store.tables import OPEN_ITEM, agenda

_FIELDS = [field.name for field in fields(AgendaItem)]
_ALL = select(*[agenda.c[name] for name in _FIELDS]).where(agenda.c.account == MINE)
_OPEN = _ALL.where(agenda.c.pair_id == bindparam("of_pair"), OPEN_ITEM).order_by(agenda.c.number)
_OF_SOURCE = _ALL.where(agenda.c.source == bindparam("of_event"))
_PAIRS = select(agenda.c.pair_id).distinct().where(agenda.c.account == MINE, OPEN_ITEM)
_ADD = both(lambda insert: insert(agenda))
_SAVE = update(agenda).where(agenda.c.account == MINE, agenda.c.item_id == bindparam("of_item"))
_DONE = (
    update(agenda)
    .where(agenda.c.account == MINE, agenda.c.item_id.in_(among("of_items")))
    .values(done_at=bindparam("new_instant"))
)
_SHOWN = (
    update(agenda)
    .where(agenda.c.account == MINE, agenda.c.item_id.in_(among("of_items")))
    .values(shown_at=bindparam("new_instant"))
)
_REMOVE = delete(agenda).where(agenda.c.account == MINE, agenda.c.item_id == bindparam("of_item"))


class AgendaRows:
    """Implements `ports.AgendaRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, item: AgendaItem) -> AgendaItem:
        """Store a new item and return it with its number in the pair."""
        numbered = replace(item, number=await self._session.next(f"agenda:{item.pair_id}"))
        await self._session.write_one(_ADD, **self._values(numbered))
        return numbered

    async def save(self, item: AgendaItem) -> None:
        """Store an item anew. Raises StaleRow when it is gone."""
        values = self._values(item)
        if not await self._session.run(_SAVE, of_item=values.pop("item_id"), **values):
            raise StaleRow("This item is gone.")

    async def shown(self, item_ids: Iterable[str], *, at: datetime) -> None:
        """Note that these were shown before a session."""
        if wanted := sorted(set(item_ids)):
            await self._session.run(_SHOWN, of_items=wanted, new_instant=at)

    async def done(self, item_ids: Iterable[str], *, at: datetime) -> None:
        """Note that these have been talked about."""
        if wanted := sorted(set(item_ids)):
            await self._session.run(_DONE, of_items=wanted, new_instant=at)

    async def remove(self, item_id: str) -> None:
        """Forget an item whose message was deleted."""
        await self._session.run(_REMOVE, of_item=item_id)

    async def open_of(self, pair_id: str) -> tuple[AgendaItem, ...]:
        """Return what a pair still has to talk about, by number."""
        return tuple([self._item(row) for row in await self._session.rows(_OPEN, of_pair=pair_id)])

    async def of_source(self, event_id: str) -> AgendaItem | None:
        """Return the item that came from a message."""
        row = await self._session.row(_OF_SOURCE, of_event=event_id)
        return None if row is None else self._item(row)

    async def pairs(self) -> tuple[str, ...]:
        """Return the ids of the pairs that have something to talk about."""
        return tuple([row[0] for row in await self._session.rows(_PAIRS)])

    def _values(self, item: AgendaItem) -> dict[str, Any]:
        values = {name: getattr(item, name) for name in _FIELDS}
        values["text"] = self._session.seal_text(pair_owner(item.pair_id), "agenda", item.item_id, "text", item.text)
        return values

    def _item(self, row: AnyRow) -> AgendaItem:
        values: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
        values["text"] = self._session.open_text(
            pair_owner(values["pair_id"]), "agenda", values["item_id"], "text", values["text"]
        )
        return AgendaItem(**values)
