"""Planning that costs what is due: when each schedule is due next, draws, sessions, what a pair settled about times.

`schedules.next_due` stays empty for the schedules that are there: the running bot plans them at once.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NEW: dict[str, dict[str, Any]] = {
    "pairs": {"quiet": sa.Text(), "daily_cap": sa.Integer(), "paused_until": sa.BigInteger(), "paused_by": sa.Text()},
    "schedules": {
        "client_rule": sa.Text(),
        "reminder": sa.BigInteger(),
        "asked_fit_at": sa.BigInteger(),
        "next_due": sa.BigInteger(),
        "waited_until": sa.BigInteger(),
    },
    "deliveries": {"remind_at": sa.BigInteger()},
}


def upgrade() -> None:
    """Add columns, tables and indexes; no row is changed."""
    for table, columns in _NEW.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind, nullable=True))
    op.add_column("schedules", sa.Column("refused", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "draws",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("account", "schedule_id", "day", "pair_id", "times")],
        sa.PrimaryKeyConstraint("account", "schedule_id", "day", name="pk_draws"),
    )
    op.create_table(
        "sessions",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("account", "series_id", "pair_id")],
        sa.Column("number", sa.BigInteger(), nullable=False),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("starts", "zone")],
        sa.Column("every_weeks", sa.Integer(), nullable=True),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "series_id", name="pk_sessions"),
        sa.UniqueConstraint("account", "pair_id", "number", name="uq_sessions_account_pair_id_number"),
    )
    op.create_table(
        "session_changes",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("account", "series_id", "planned", "pair_id")],
        sa.Column("moved_to", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account", "series_id", "planned", name="pk_session_changes"),
    )
    for table, names in (
        ("schedules", ("account", "next_due")),
        ("deliveries", ("account", "pair_id", "due")),
        ("deliveries", ("account", "schedule_id", "state", "due")),
        ("draws", ("account", "pair_id")),
        ("session_changes", ("account", "pair_id")),
    ):
        op.create_index("_".join(("ix", table, *names)), table, list(names))
    for index, table, names, condition in (
        ("ix_deliveries_to_remind", "deliveries", ("account", "remind_at"), "remind_at IS NOT NULL"),
        ("ix_pairs_paused_until", "pairs", ("account", "paused_until"), "paused_until IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(index, table, list(names), sqlite_where=where, postgresql_where=where)
