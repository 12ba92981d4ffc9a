"""One database for everything, through SQLAlchemy Core and Alembic, sealed at rest."""
