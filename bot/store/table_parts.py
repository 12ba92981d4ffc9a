"""What tables are made of: the columns that come again and again, and the account in front of every key."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    MetaData,
    Table,
    TextClause,
)

from bot.store.columns import Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def key(name: str) -> Column[Any]:
    """A part of the primary key."""
    return Column(name, Words, primary_key=True)


def words(name: str) -> Column[Any]:
    """A text that is always there."""
    return Column(name, Words, nullable=False)


def maybe(name: str) -> Column[Any]:
    """A text that may be missing."""
    return Column(name, Words)


def number(name: str) -> Column[Any]:
    """A whole number."""
    return Column(name, BigInteger, nullable=False)


def yes(name: str) -> Column[Any]:
    """True or false."""
    return Column(name, Boolean, nullable=False)


def sealed(name: str) -> Column[Any]:
    """Something sealed (CRYPTO 34)."""
    return Column(name, LargeBinary, nullable=False)


def partial(name: str, condition: TextClause, *columns: str) -> Index:
    """An index over the rows that fulfil a condition."""
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


def table(name: str, *parts: Any) -> Table:
    """A table whose rows belong to an account."""
    return Table(name, metadata, key("account"), *parts)
