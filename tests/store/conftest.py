"""SQLite and PostgreSQL for the store's suite: every test that asks for `store` runs on both."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.postgres import new_postgres_database
from tests.store.keyring import Keyring

ACCOUNT = "@bot:hs"


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
