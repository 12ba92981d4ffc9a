"""The conversations about prompts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select

from bot.core.sittings import Sitting
from bot.store.sealing import pair_owner
from bot.store.session import MINE, AnyRow, Session, among, both, upsert
from bot.store.tables import OPEN_SITTING, WAKING, sittings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_PLAIN = (
    *("delivery_id", "pair_id", "state", "steps", "row_since", "ask_next_at", "last_answered_at"),
    *("later_at", "later_used", "expires_at"),
)
_ALL = select(*[sittings.c[name] for name in _PLAIN], sittings.c.path, sittings.c.polls).where(
    sittings.c.account == MINE
)
_ADD = both(lambda insert: insert(sittings))
_SAVE = upsert(sittings)
_OF_DELIVERIES = _ALL.where(sittings.c.delivery_id.in_(among("of_ids")))
_OPEN = _ALL.where(
    OPEN_SITTING,
    sittings.c.pair_id.in_(among("of_pairs")),
    sittings.c.last_answered_at > bindparam("of_instant", type_=sittings.c.last_answered_at.type),
).order_by(sittings.c.delivery_id)
_DUE = (
    _ALL.where(WAKING, sittings.c.wake_at <= bindparam("of_instant", type_=sittings.c.wake_at.type))
    .order_by(sittings.c.wake_at, sittings.c.delivery_id)
    .limit(bindparam("of_limit"))
)
_NEXT = select(func.min(sittings.c.wake_at)).where(
    sittings.c.account == MINE, WAKING, sittings.c.wake_at > bindparam("of_instant", type_=sittings.c.wake_at.type)
)


class SittingRows:
    """Implements `ports.SittingRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add_all(self, sittings: Sequence[Sitting]) -> None:
        """Store new sittings. Raises StaleRow for a delivery that has one already."""
        await self._session.write(_ADD, [self._values(each) for each in sittings])

    async def save(self, sitting: Sitting) -> None:
        """Store a sitting, in place of what is there."""
        await self._session.write_one(_SAVE, **self._values(sitting))

    async def of_deliveries(self, delivery_ids: Iterable[str]) -> Mapping[str, Sitting]:
        """Return the sittings of these deliveries; those that have none are missing."""
        wanted = sorted(set(delivery_ids))
        rows = await self._session.rows(_OF_DELIVERIES, of_ids=wanted) if wanted else ()
        return {sitting.delivery_id: sitting for sitting in map(self._sitting, rows)}

    async def open_of(self, pair_ids: Iterable[str], *, answered_after: datetime) -> tuple[Sitting, ...]:
        """Return the sittings of these pairs that go on and had something said to them later than an instant."""
        wanted = sorted(set(pair_ids))
        rows = await self._session.rows(_OPEN, of_pairs=wanted, of_instant=answered_after) if wanted else ()
        return tuple([self._sitting(row) for row in rows])

    async def waking(self, *, until: datetime, limit: int = 500) -> tuple[Sitting, ...]:
        """Return sittings whose `wake_at` has come, the earliest first."""
        rows = await self._session.rows(_DUE, of_instant=until, of_limit=limit)
        return tuple([self._sitting(row) for row in rows])

    async def next_wake(self, *, after: datetime) -> datetime | None:
        """Return when the next sitting is to be looked at."""
        row = await self._session.row(_NEXT, of_instant=after)
        found: datetime | None = row[0] if row else None
        return found

    def _values(self, sitting: Sitting) -> dict[str, Any]:
        values: dict[str, Any] = {name: getattr(sitting, name) for name in _PLAIN}
        path = {
            "step": sitting.step,
            "asked": list(sitting.asked),
            "skipped": sorted(sitting.skipped),
            "replaces": sitting.replaces,
            "row": sitting.row,
        }
        owner, row = pair_owner(sitting.pair_id), sitting.delivery_id
        values["path"] = self._session.seal_document(owner, "sittings", row, "path", path)
        values["polls"] = {poll: ends and (ends - _EPOCH) // _MILLISECOND for poll, ends in sitting.polls.items()}
        return {**values, "wake_at": sitting.wake_at}

    def _sitting(self, row: AnyRow) -> Sitting:
        *plain, path, polls = row
        values: dict[str, Any] = dict(zip(_PLAIN, plain, strict=True))
        owner, row_id = pair_owner(values["pair_id"]), values["delivery_id"]
        opened = self._session.open_document(owner, "sittings", row_id, "path", path)
        if opened:
            opened |= {"asked": tuple(opened["asked"]), "skipped": frozenset(opened["skipped"])}
        ends = {poll: None if at is None else _EPOCH + at * _MILLISECOND for poll, at in polls.items()}
        return Sitting(**values, **opened, polls=ends)
