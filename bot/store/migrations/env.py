"""Run by Alembic: migrates on the connection, and in the transaction, of `schema.upgrade`."""

from alembic import context

from bot.store.table_parts import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
