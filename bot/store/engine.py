"""Engines for SQLite and PostgreSQL, set to lose nothing that was committed (CRYPTO 25)."""

from typing import Any

from sqlalchemy import Connection, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import ConfigurationError
from bot.store.inline import connect

READS = "interlude_reads"  # option of a connection that writes nothing
BUSY_TIMEOUT = 10.0  # seconds that a transaction waits for another process
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}",
    "PRAGMA temp_store = MEMORY",  # temporary tables would lie beside the database
)
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def create_engine(url: str) -> AsyncEngine:
    """Make an engine with one connection for `sqlite:///path` or `postgresql://...`.

    Raises ConfigurationError for another kind of URL.
    """
    parsed = make_url(url)
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None:
        raise ConfigurationError(f"The database {parsed.get_backend_name()} is not supported: sqlite or postgresql.")
    parsed = parsed.set(drivername=driver)
    if driver.startswith("sqlite"):
        return _sqlite(parsed)
    settings = {"synchronous_commit": "on", "application_name": "interlude"}
    return create_async_engine(
        parsed,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,  # errors are logged
        pool_pre_ping=True,  # the server may have been restarted since the last transaction
        connect_args={"server_settings": settings, "timeout": BUSY_TIMEOUT, "command_timeout": 60},
    )


def _sqlite(url: Any) -> AsyncEngine:
    # isolation_level None switches off the driver's own idea of transactions: it would begin too late and commit before
    # some statements. BEGIN IMMEDIATE takes the write lock first, so that no transaction fails halfway for want of it.
    file = url.database or ":memory:"
    engine = create_async_engine(
        url,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
        async_creator=lambda: connect(file, timeout=BUSY_TIMEOUT),
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READS)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine
