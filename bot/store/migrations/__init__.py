"""Alembic's scripts: how a database comes from one schema to the next."""
