"""Sittings: the conversation about each delivery, step by step.

Polls that are open during the upgrade get a sitting, so that they are ended in time. Every other prompt from before
needs none: it has one step, and its record says whether that was answered. Poll options stand in the outbox rows.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_INSTANTS = ("row_since", "ask_next_at", "last_answered_at", "later_at")
_OPEN_POLLS = sa.text(
    "SELECT d.account, d.delivery_id, d.pair_id, d.state, d.expires_at, d.last_vote_at, o.outbox_id"
    " FROM deliveries d JOIN outbox o ON o.account = d.account AND o.delivery_id = d.delivery_id"
    " WHERE d.posted_at IS NOT NULL AND NOT d.poll_ended AND d.options IS NOT NULL AND o.purpose = 'prompt'"
)
_POLL_QUIET = 10 * 60 * 1000  # milliseconds after the last vote


def upgrade() -> None:
    """Make the table, fill it, and drop what it takes the place of."""
    sittings = op.create_table(
        "sittings",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("account", "delivery_id", "pair_id", "state")],
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=True),
        *[sa.Column(name, sa.BigInteger(), nullable=True) for name in _INSTANTS],
        sa.Column("later_used", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("polls", sa.Text(), nullable=False),
        sa.Column("wake_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account", "delivery_id", name="pk_sittings"),
    )
    op.create_index("ix_sittings_account_pair_id", "sittings", ["account", "pair_id"])
    for index, columns, condition in (
        ("ix_sittings_open", ["account", "pair_id"], "state = 'open'"),
        ("ix_sittings_waking", ["account", "wake_at"], "wake_at IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(index, "sittings", columns, sqlite_where=where, postgresql_where=where)
    rows = [_sitting(row) for row in op.get_bind().execute(_OPEN_POLLS)]
    if rows:
        op.bulk_insert(sittings, rows)
    op.drop_index("ix_deliveries_open_poll", "deliveries")
    for column in ("options", "poll_ended", "last_vote_at"):
        op.drop_column("deliveries", column)


def _sitting(row: Any) -> dict[str, Any]:
    account, delivery_id, pair_id, state, expires_at, last_vote_at, outbox_id = row
    ends = None if last_vote_at is None else last_vote_at + _POLL_QUIET
    return {
        "account": account,
        "delivery_id": delivery_id,
        "pair_id": pair_id,
        "state": "done" if state == "answered" else "open",
        "steps": 1,
        "later_used": False,
        "expires_at": expires_at,
        "polls": json.dumps({outbox_id: ends}, separators=(",", ":")),
        "wake_at": expires_at if ends is None else min(ends, expires_at),
    }
