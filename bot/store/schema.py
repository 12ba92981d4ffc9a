"""The database's schema: brought up to date when it is opened."""

from importlib.resources import as_file, files

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import SchemaTooNew
from bot.store.engine import create_engine
from bot.store.session import guarded

SCHEMA = "0004"  # the newest revision in `migrations/versions`
_LOCK = 4_710_110_021  # PostgreSQL: two processes that open a new database migrate it one after the other


async def upgrade(url: str) -> None:
    """Bring a database's schema up to date, creating it where there is none.

    Raises SchemaTooNew when a newer version of Interlude wrote it.
    """
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            await upgrade_connection(connection)
    finally:
        await engine.dispose()


async def upgrade_connection(connection: AsyncConnection) -> None:
    """Do what `upgrade` does, in the connection's transaction."""
    if connection.dialect.name == "postgresql":
        await guarded(connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK}))
    await guarded(connection.run_sync(upgrade_to, SCHEMA))


def upgrade_to(connection: Connection, revision: str) -> None:
    """Run the migrations up to a revision. Raises SchemaTooNew."""
    stored = _stored_revision(connection)
    if stored == revision:
        return
    # Alembic takes longer to import than a start with an up-to-date database may.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    with as_file(files("bot.store") / "migrations") as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.attributes["connection"] = connection
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if stored is not None and stored not in known:
            raise SchemaTooNew(
                f"The database has the schema {stored}, which a newer Interlude wrote; this one knows {SCHEMA}."
            )
        command.upgrade(config, revision)


def _stored_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision
