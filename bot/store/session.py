"""What the rows of one transaction share: the connection, the account and its sealing."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from sqlite3 import OperationalError as SqliteError
from typing import Any, TypeVar

from sqlalchemy import BindParameter, CursorResult, Executable, Row, Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.people import Purpose
from bot.errors import StaleRow, StoreRefused
from bot.store.columns import encode
from bot.store.sealing import Sealers, account_owner, pair_owner, place
from bot.store.tables import counters, rooms

Result = TypeVar("Result")
Write = Mapping[str, Executable]  # a statement by dialect
BREATH = 0.005  # seconds after which a transaction lets the event loop do something else
ROWS_AT_A_TIME = 50  # that are written without a breath
Values = dict[str, Any]
AnyRow = Row[*tuple[Any, ...]]

# Binds of conditions are called `of_...`, so that they never meet a column's own bind in a SET clause.
MINE: BindParameter[str] = bindparam("of_account")


def among(name: str) -> BindParameter[Any]:
    """Return the bind of an IN list, filled at execution; the statement is compiled once for all lengths."""
    return bindparam(name, expanding=True)


def both(build: Callable[[Any], Executable]) -> Write:
    """Build an insert with an ON CONFLICT clause for each dialect."""
    return {"sqlite": build(sqlite.insert), "postgresql": build(postgresql.insert)}


def upsert(table: Table) -> Write:
    """Build the insert that replaces all other columns of a row whose primary key is taken."""
    key = [column.name for column in table.primary_key]
    rest = [column.name for column in table.columns if column.name not in key]

    def build(insert: Any) -> Executable:
        statement = insert(table)
        replaced: Executable = statement.on_conflict_do_update(
            index_elements=key, set_={name: statement.excluded[name] for name in rest}
        )
        return replaced

    return both(build)


def unless_known(table: Table) -> Write:
    """Build the insert that leaves a row alone whose key is taken."""
    return both(lambda insert: insert(table).on_conflict_do_nothing())


def _few(values: Sequence[Values]) -> Iterator[Sequence[Values]]:
    for start in range(0, len(values), ROWS_AT_A_TIME):
        yield values[start : start + ROWS_AT_A_TIME]


async def whole(work: Awaitable[Result]) -> Result:
    """Finish the work also when the task is cancelled meanwhile, and cancel afterwards.

    A driver that is interrupted within a statement leaves a connection whose state nobody knows.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:  # noqa: BLE001 - the task keeps it; it is raised below
            break
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not report it
        raise cancelled
    return task.result()


async def guarded(work: Awaitable[Result]) -> Result:
    """Run database work `whole` and raise our own errors: StaleRow for a taken key, StoreRefused for the rest."""
    with refusals():
        return await whole(work)


@contextmanager
def refusals() -> Iterator[None]:
    """Raise our own errors for the database's."""
    try:
        yield
    except IntegrityError as error:
        raise StaleRow(f"A row that should be new exists already: {type(error.orig).__name__}.") from error
    except (DBAPIError, InterfaceError, PoolTimeout, OSError) as error:
        raise StoreRefused(f"The database refuses: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    """Say what happened without the values of any row: SQLite's words name tables only, PostgreSQL's may quote."""
    original = getattr(error, "orig", None) or error
    return str(original) if isinstance(original, SqliteError) else type(original.__cause__ or original).__name__


_NEXT = both(
    lambda insert: (
        insert(counters)
        .on_conflict_do_update(
            index_elements=["account", "name"], set_={"value": counters.c.value + insert(counters).excluded.value}
        )
        .returning(counters.c.value)
    )
)
_ROOM_OWNERS = select(rooms.c.room_id, rooms.c.purpose, rooms.c.pair_id).where(
    rooms.c.account == MINE, rooms.c.room_id.in_(among("of_rooms"))
)


class Session:
    """One transaction's connection for one account."""

    __slots__ = ("_breathed", "_dialect", "_owners", "_sealers", "account", "connection", "owner")

    def __init__(self, connection: AsyncConnection, *, account: str, sealers: Sealers, owners: dict[str, str]) -> None:
        self.connection = connection
        self.account = account
        self.owner = account_owner(account)
        self._dialect = connection.dialect.name
        self._breathed = time.monotonic()
        self._sealers = sealers
        self._owners = owners

    async def rows(self, statement: Executable, **binds: Any) -> Sequence[AnyRow]:
        """Run a statement and return its rows; `of_account` is bound here."""
        result = await self._execute(statement, {"of_account": self.account, **binds})
        return result.all()

    async def row(self, statement: Executable, **binds: Any) -> AnyRow | None:
        """Run a statement and return its first row, if there is one."""
        result = await self._execute(statement, {"of_account": self.account, **binds})
        return result.first()

    async def run(self, statement: Executable, **binds: Any) -> int:
        """Run an UPDATE or DELETE and return how many rows it met."""
        result = await self._execute(statement, {"of_account": self.account, **binds})
        return result.rowcount

    async def run_each(self, statement: Executable, binds: Sequence[Values]) -> None:
        """Run an UPDATE once for each set of binds."""
        for some in _few(binds):
            await self._execute(statement, [{"of_account": self.account, **values} for values in some])

    async def write(self, write: Write, values: Sequence[Values]) -> None:
        """Insert rows; the account is added here."""
        for some in _few(values):
            await self._execute(write[self._dialect], [{"account": self.account, **row} for row in some])

    async def write_one(self, write: Write, **values: Any) -> int:
        """Insert one row and return how many rows were written."""
        result = await self._execute(write[self._dialect], {"account": self.account, **values})
        return result.rowcount

    async def returned(self, write: Write, **values: Any) -> Any:
        """Insert one row and return the first column of its RETURNING clause."""
        result = await self._execute(write[self._dialect], {"account": self.account, **values})
        return result.scalar_one()

    async def returned_if_written(self, write: Write, **values: Any) -> Any:
        """Insert one row and return the first column of its RETURNING clause; None when its key is taken."""
        binds = {"account": self.account, "of_account": self.account, **values}
        return (await self._execute(write[self._dialect], binds)).scalar_one_or_none()

    async def next(self, counter: str, *, by: int = 1) -> int:
        """Raise a counter of the account and return it; from 1, never the same number twice."""
        return int(await self.returned(_NEXT, name=counter, value=by))

    async def owners_of(self, room_ids: Iterable[str]) -> Mapping[str, str]:
        """Return who owns what happens in these rooms: the pair in its room, else the account."""
        wanted = set(room_ids)
        unknown = wanted - self._owners.keys()
        if unknown:
            for room_id, purpose, pair_id in await self.rows(_ROOM_OWNERS, of_rooms=sorted(unknown)):
                pairs_own = purpose is Purpose.PAIR and pair_id is not None
                self._owners[room_id] = pair_owner(pair_id) if pairs_own else self.owner
        return {room_id: self._owners.get(room_id, self.owner) for room_id in wanted}

    async def owner_of(self, room_id: str) -> str:
        """Return who owns what happens in this room."""
        return (await self.owners_of((room_id,)))[room_id]

    def forget_owners(self) -> None:
        """Ask the database again who owns which room."""
        self._owners.clear()

    def seal(self, owner: str, table: str, row: str, column: str, value: bytes, *, version: int = 1) -> bytes:
        """Seal a value for its place. Raises SealingError when the owner's key is gone."""
        return self._sealers(owner).seal(value, aad=place(table, row, column, owner, version))

    def open(self, owner: str, table: str, row: str, column: str, sealed: bytes, *, version: int = 1) -> bytes:
        """Open a sealed value. Raises SealingError when it was moved or damaged, or the owner's key is gone."""
        return self._sealers(owner).open(bytes(sealed), aad=place(table, row, column, owner, version))

    def seal_text(self, owner: str, table: str, row: str, column: str, value: str) -> bytes:
        """Seal a text."""
        return self.seal(owner, table, row, column, value.encode("utf-8", "surrogatepass"))

    def open_text(self, owner: str, table: str, row: str, column: str, sealed: bytes) -> str:
        """Open a sealed text."""
        return self.open(owner, table, row, column, sealed).decode("utf-8", "surrogatepass")

    def seal_document(self, owner: str, table: str, row: str, column: str, value: Mapping[str, Any]) -> bytes:
        """Seal a mapping as JSON."""
        return self.seal(owner, table, row, column, encode(value))

    def open_document(self, owner: str, table: str, row: str, column: str, sealed: bytes | None) -> dict[str, Any]:
        """Open a sealed mapping; nothing stored is an empty one."""
        return {} if sealed is None else dict(json.loads(self.open(owner, table, row, column, sealed)))

    async def _execute(self, statement: Executable, binds: Values | list[Values]) -> CursorResult[*tuple[Any, ...]]:
        if self._dialect != "sqlite":
            return await guarded(self.connection.execute(statement, binds))
        if time.monotonic() - self._breathed > BREATH:
            await asyncio.sleep(0)
            self._breathed = time.monotonic()
        with refusals():  # it runs on the loop's own thread: nothing can cancel it within
            return await self.connection.execute(statement, binds)
