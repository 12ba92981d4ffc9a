"""The schema and its migrations."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.errors import ConfigurationError, SchemaTooNew
from bot.store import schema
from bot.store.database import Database
from bot.store.engine import create_engine
from bot.store.table_parts import metadata
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


def _to_revision(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


POLLS = (  # delivery, state, ended, voted at, whether it is a poll
    ("waits", "posted", False, None, True),
    ("voted", "answered", False, 5_000, True),
    ("ended", "answered", True, 5_000, True),
    ("words", "posted", False, None, False),
)


async def test_open_polls_of_the_first_schema_are_ended_in_time(url: str, keys: Keyring) -> None:
    """A poll that stands open during the upgrade gets a sitting; others are known by their records."""
    engine = create_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(_to_revision, "0001")
        for number, (name, state, ended, voted, poll) in enumerate(POLLS):
            of = {"a": ACCOUNT, "d": name, "n": number, "s": state, "e": ended, "v": voted, "o": b"x" if poll else None}
            await connection.execute(
                text(
                    "INSERT INTO deliveries (account, delivery_id, number, pair_id, prompt_id, prompt_version,"
                    " occurrence, schedule_id, due, expires_at, state, options, poll_ended, last_vote_at, posted_at)"
                    " VALUES (:a, :d, :n, 'p1', 'mood', 1, :d, 's1', 0, 9000000, :s, :o, :e, :v, 1)"
                ),
                of,
            )
            await connection.execute(
                text(
                    "INSERT INTO outbox (account, outbox_id, position, owner, room_id, event_type, content, purpose,"
                    " created_at, state, delivery_id, attempts)"
                    " VALUES (:a, 'post-' || :d, :n, 'pair:p1', '!r', 't', :c, 'prompt', 0, 'sent', :d, 0)"
                ),
                {"a": ACCOUNT, "d": name, "n": number, "c": b"x"},
            )
    await engine.dispose()
    database = await Database.open(url, account=ACCOUNT, sealers=keys)
    async with database.transaction() as tx:
        found = await tx.sittings.of_deliveries([name for name, *_ in POLLS])
        assert set(found) == {"waits", "voted"}
        assert [found["waits"].open, found["voted"].open] == [True, False]
        assert {name: sitting.wake_at and sitting.wake_at.timestamp() for name, sitting in found.items()} == {
            "waits": 9_000,
            "voted": 605,
        }
        assert [list(found[name].polls) for name in ("waits", "voted")] == [["post-waits"], ["post-voted"]]
        assert len(await tx.sittings.waking(until=found["waits"].expires_at)) == 2
        assert (await tx.deliveries.get("words")) is not None
    await database.close()


async def test_another_kind_of_database_is_refused(keys: Keyring) -> None:
    """The message names what is supported."""
    with pytest.raises(ConfigurationError, match="sqlite or postgresql"):
        await Database.open("mysql://x/y", account=ACCOUNT, sealers=keys)
