"""The schema and its migrations."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.errors import ConfigurationError, SchemaTooNew
from bot.store import schema
from bot.store.database import Database
from bot.store.engine import create_engine
from bot.store.tables import metadata
from tests.store.conftest import ACCOUNT
from tests.store.keyring import Keyring


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_the_migrations_make_the_tables_of_the_code(url: str) -> None:
    """A new database has exactly what `tables` says: columns, kinds, keys, indexes and unique constraints."""
    await schema.upgrade(url)
    engine = create_engine(url)
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


async def test_an_upgrade_twice_changes_nothing(url: str, keys: Keyring) -> None:
    """What is stored survives that the database is opened again."""
    await schema.upgrade(url)
    for expected in (None, "kept"):
        database = await Database.open(url, account=ACCOUNT, sealers=keys)
        async with database.transaction() as tx:
            assert await tx.facts.read("a") == expected
            await tx.facts.write("a", "kept")
        await database.close()


async def test_a_newer_schema_is_refused(url: str, keys: Keyring) -> None:
    """An older Interlude says so, and leaves the database as it is."""
    await schema.upgrade(url)
    engine = create_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew, match="9999"):
        await Database.open(url, account=ACCOUNT, sealers=keys)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar() == "9999"
    await engine.dispose()


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    """`SCHEMA` names the head, and there is a single one."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.SCHEMA]


async def test_another_kind_of_database_is_refused(keys: Keyring) -> None:
    """The message names what is supported."""
    with pytest.raises(ConfigurationError, match="sqlite or postgresql"):
        await Database.open("mysql://x/y", account=ACCOUNT, sealers=keys)
