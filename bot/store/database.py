"""The database: one transaction at a time, whole or not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import rows
from bot.store.agenda import AgendaRows
from bot.store.choices import ChoiceRows
from bot.store.deliveries import DeliveryRows
from bot.store.devices import DeviceRows
from bot.store.engine import READS, create_engine
from bot.store.erasure import pair_ids, purge_pair
from bot.store.facts import FactRows
from bot.store.inbox import InboxRows
from bot.store.intents import IntentRows
from bot.store.lease import Lease, check
from bot.store.megolm import MegolmRows
from bot.store.olm import OlmRows
from bot.store.outbox import OutboxRows
from bot.store.pairs import PairRows
from bot.store.prompt_numbers import PromptNumberRows
from bot.store.questions import QuestionRows
from bot.store.records import RecordRows
from bot.store.rooms import RoomRows
from bot.store.schedules import ScheduleRows
from bot.store.schema import upgrade_connection
from bot.store.sealing import Sealers
from bot.store.session import Session, guarded, whole
from bot.store.sessions import SessionRows
from bot.store.sittings import SittingRows

_SQLITE_VACUUM = ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")
_POSTGRESQL_VACUUM = ("VACUUM FULL",)


class Transaction:
    """Implements `ports.Tx`."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.facts: rows.Facts = FactRows(session)
        self.olm: rows.OlmRows = OlmRows(session)
        self.devices: rows.DeviceRows = DeviceRows(session)
        self.megolm: rows.MegolmRows = MegolmRows(session)
        self.rooms: rows.RoomRows = RoomRows(session)
        self.inbox: rows.InboxRows = InboxRows(session)
        self.outbox: rows.OutboxRows = OutboxRows(session)
        self.pairs: rows.PairRows = PairRows(session)
        self.schedules: rows.ScheduleRows = ScheduleRows(session)
        self.sessions: rows.SessionRows = SessionRows(session)
        self.deliveries: rows.DeliveryRows = DeliveryRows(session)
        self.sittings: rows.SittingRows = SittingRows(session)
        self.records: rows.RecordRows = RecordRows(session)
        self.prompt_numbers: rows.PromptNumberRows = PromptNumberRows(session)
        self.choices: rows.ChoiceRows = ChoiceRows(session)
        self.agenda: rows.AgendaRows = AgendaRows(session)
        self.questions: rows.QuestionRows = QuestionRows(session)
        self.intents: rows.IntentRows = IntentRows(session)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only what happens inside when an exception leaves it."""
        savepoint = self.session.connection.begin_nested()
        await guarded(savepoint.start())
        try:
            yield
        except BaseException:
            # A full disk has undone the whole transaction already: then this is refused, which stops the rest of it.
            await guarded(savepoint.rollback())
            self.session.forget_owners()
            raise
        else:
            await guarded(savepoint.commit())


class Database:
    """One account's view of the database; implements `ports.Store`. Made by `open`.

    `lease`, once set, is checked by every transaction (CRYPTO 27).
    """

    def __init__(self, engine: AsyncEngine, *, account: str, sealers: Sealers, lease: Lease | None) -> None:
        self.account = account
        self.lease = lease
        self._engine = engine
        self._sealers = sealers
        self._lock = asyncio.Lock()
        self._running: asyncio.Task[object] | None = None
        self._owners: dict[str, str] = {}

    @classmethod
    async def open(cls, url: str, *, account: str, sealers: Sealers, lease: Lease | None = None) -> "Database":
        """Open `sqlite:///path` or `postgresql://...`, its schema brought up to date.

        Raises SchemaTooNew, StoreRefused, ConfigurationError.
        """
        database = cls(create_engine(url), account=account, sealers=sealers, lease=lease)
        try:
            async with database._connection() as connection:
                await upgrade_connection(connection)
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Close the connection, after the running transaction."""
        async with self._alone():
            await whole(self._engine.dispose())

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Run one transaction: committed at the end, undone by any exception. Tasks wait for each other.

        Raises LeaseLost when another process took over, StoreRefused when the database does, RuntimeError when the task
        is within a transaction already: it would wait for itself.
        """
        async with self._connection() as connection:
            session = Session(connection, account=self.account, sealers=self._sealers, owners=self._owners)
            if self.lease is not None:
                await check(session, self.lease)
            yield Transaction(session)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Transaction]:
        """Read what is committed, also while the database takes no writes; whatever happens inside is undone.

        Raises as `transaction` does.
        """
        async with self._connection(reads=True) as connection:
            session = Session(connection, account=self.account, sealers=self._sealers, owners=self._owners)
            if self.lease is not None:
                await check(session, self.lease)
            yield Transaction(session)

    async def pair_ids(self) -> tuple[str, ...]:
        """Return the ids of all pairs, also of those whose key is gone (CRYPTO 35: after a restore)."""
        async with self.transaction() as tx:
            return await pair_ids(tx.session)

    async def purge_pair(self, pair_id: str) -> None:
        """Delete all rows of a pair and the space that they took; needs no key, so it can follow `Vault.destroy`."""
        async with self.transaction() as tx:
            await purge_pair(tx.session, pair_id)
        self._owners.clear()
        await self.vacuum()

    async def vacuum(self) -> None:
        """Rewrite the database, so that nothing deleted is left in it or in its write-ahead log (CRYPTO 35)."""
        sqlite = self._engine.dialect.name == "sqlite"
        async with self._alone():
            await guarded(self._outside_transaction(_SQLITE_VACUUM if sqlite else _POSTGRESQL_VACUUM))

    async def _outside_transaction(self, statements: tuple[str, ...]) -> None:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            for statement in statements:
                await driver.execute(statement)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Hold the lock, for the current task alone."""
        task = asyncio.current_task()
        if self._running is task:
            raise RuntimeError("A transaction within a transaction would wait for itself: pass `tx` on instead.")
        async with self._lock:
            self._running = task
            try:
                yield
            finally:
                self._running = None

    @asynccontextmanager
    async def _connection(self, *, reads: bool = False) -> AsyncIterator[AsyncConnection]:
        """Hold the connection, alone, for one transaction; one that `reads` is undone at the end."""
        async with self._alone():
            connection = self._engine.connect()
            try:
                await guarded(connection.start())
                await connection.execution_options(**{READS: reads})
                await guarded(connection.begin().start())
                yield connection
                if not reads:
                    await guarded(connection.commit())
            except BaseException:
                self._owners.clear()  # a room that this transaction added is gone again
                raise
            finally:
                if connection.sync_connection is not None:
                    await whole(connection.close())  # undoes what is not committed
