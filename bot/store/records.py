"""What is on record."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bot.core.records import Piece, Record, RecordKind
from bot.errors import StaleRow
from bot.store.sealing import pair_owner
from bot.store.session import MINE, AnyRow, Session, among, both, unless_known
from bot.store.tables import OPEN_RECORD, record_sources, records

_FIELDS = [field.name for field in fields(Record)]
_ALL = (
    select(*[records.c[name] for name in _FIELDS])
    .where(records.c.account == MINE)
    .order_by(records.c.first_at.desc(), records.c.changed_at.desc(), records.c.record_id)
)
_this_record = records.c.record_id == bindparam("of_record")
_of_pair = records.c.pair_id == bindparam("of_pair")
_ADD = both(lambda insert: insert(records))
_SAVE = update(records).where(records.c.account == MINE, _this_record)
_GET = _ALL.where(_this_record)
_OF_DELIVERIES = _ALL.where(records.c.delivery_id.in_(among("of_ids")))
_OF_SOURCE = _ALL.join(
    record_sources,
    (record_sources.c.account == records.c.account) & (record_sources.c.record_id == records.c.record_id),
).where(record_sources.c.event_id == bindparam("of_event"))
_NEWEST = _ALL.where(_of_pair).limit(bindparam("of_limit"))
_JOURNALS = _ALL.where(records.c.kind == RecordKind.JOURNAL, OPEN_RECORD)
_JOURNALS_OF_PAIR = _JOURNALS.where(_of_pair)
_NEW_SOURCES = unless_known(record_sources)
_NO_SOURCES = delete(record_sources).where(
    record_sources.c.account == MINE, record_sources.c.record_id == bindparam("of_record")
)


class RecordRows:
    """Implements `ports.RecordRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, record: Record) -> None:
        """Store a new record. Raises StaleRow for an id that is there already."""
        await self._session.write_one(_ADD, **self._values(record))
        await self._note_sources(record)

    async def save(self, record: Record) -> None:
        """Store a record anew. Raises StaleRow when it is gone."""
        values = self._values(record)
        if not await self._session.run(_SAVE, of_record=values.pop("record_id"), **values):
            raise StaleRow("This record is gone.")
        await self._session.run(_NO_SOURCES, of_record=record.record_id)
        await self._note_sources(record)

    async def get(self, record_id: str) -> Record | None:
        """Return a record."""
        return self._one(await self._session.row(_GET, of_record=record_id))

    async def of_deliveries(self, delivery_ids: Iterable[str]) -> Mapping[str, Record]:
        """Return the newest record that answers each of these prompts; unanswered ones are missing."""
        wanted = sorted(set(delivery_ids))
        rows = await self._session.rows(_OF_DELIVERIES, of_ids=wanted) if wanted else ()
        found: dict[str, Record] = {}
        for record in map(self._record, rows):
            if record.delivery_id is not None:
                found.setdefault(record.delivery_id, record)  # the newest comes first
        return found

    async def of_source(self, event_id: str) -> Record | None:
        """Return the newest record that was made from this room event."""
        return self._one(await self._session.row(_OF_SOURCE, of_event=event_id))

    async def newest(self, pair_id: str, limit: int = 200) -> tuple[Record, ...]:
        """Return the pair's records, newest first."""
        return tuple([self._record(row) for row in await self._session.rows(_NEWEST, of_pair=pair_id, of_limit=limit)])

    async def open_journals(self, pair_id: str | None = None) -> tuple[Record, ...]:
        """Return journal entries that still take what is sent, of a pair or of all, newest first."""
        statement = _JOURNALS if pair_id is None else _JOURNALS_OF_PAIR
        binds = {} if pair_id is None else {"of_pair": pair_id}
        return tuple([self._record(row) for row in await self._session.rows(statement, **binds)])

    async def _note_sources(self, record: Record) -> None:
        rows = [{"event_id": event_id, "record_id": record.record_id} for event_id in dict.fromkeys(record.sources)]
        await self._session.write(_NEW_SOURCES, rows)

    def _one(self, row: AnyRow | None) -> Record | None:
        return None if row is None else self._record(row)

    def _values(self, record: Record) -> dict[str, Any]:
        values = {name: getattr(record, name) for name in _FIELDS}
        owner, row, seal = pair_owner(record.pair_id), record.record_id, self._session.seal_document
        values["content"] = seal(owner, "records", row, "content", record.content)
        values["pieces"] = seal(owner, "records", row, "pieces", _written(record.pieces))
        values["undo"] = None if record.undo is None else seal(owner, "records", row, "undo", _written(record.undo))
        return values

    def _record(self, row: AnyRow) -> Record:
        values: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
        owner, row_id, opened = pair_owner(values["pair_id"]), values["record_id"], self._session.open_document
        values["content"] = opened(owner, "records", row_id, "content", values["content"])
        values["pieces"] = _read(opened(owner, "records", row_id, "pieces", values["pieces"]))
        if values["undo"] is not None:  # nothing to undo is not the same as back to nothing
            values["undo"] = _read(opened(owner, "records", row_id, "undo", values["undo"]))
        return Record(**values)


def _written(pieces: tuple[Piece, ...]) -> dict[str, Any]:
    return {"pieces": [asdict(piece) for piece in pieces]}


def _read(stored: dict[str, Any]) -> tuple[Piece, ...]:
    return tuple([Piece(**piece) for piece in stored["pieces"]])
