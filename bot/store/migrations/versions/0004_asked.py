"""What people ask the bot for: numbers of prompts, clients' choices, the agenda, the question whether a time fits."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add tables; no row is changed."""
    op.create_table(
        "prompt_numbers",
        *_texts("account", "prompt_id"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "prompt_id", name="pk_prompt_numbers"),
        sa.UniqueConstraint("account", "number", name="uq_prompt_numbers_account_number"),
    )
    op.create_table(
        "choices",
        *_texts("account", "pair_id", "prompt_id"),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("at_most", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "pair_id", "prompt_id", name="pk_choices"),
    )
    op.create_table(
        "agenda",
        *_texts("account", "item_id", "pair_id"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        *_texts("kind"),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("by_client", sa.Boolean(), nullable=False),
        *_texts("source", "room_id"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account", "item_id", name="pk_agenda"),
        sa.UniqueConstraint("account", "pair_id", "number", name="uq_agenda_account_pair_id_number"),
    )
    op.create_index("ix_agenda_account_source", "agenda", ["account", "source"])
    op.create_table(
        "questions",
        *_texts("account", "question_id", "pair_id", "schedule_id"),
        sa.Column("outbox_id", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("options", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account", "question_id", name="pk_questions"),
    )
    op.create_index("ix_questions_account_pair_id_asked_at", "questions", ["account", "pair_id", "asked_at"])
    op.create_index("ix_deliveries_account_posted_at", "deliveries", ["account", "posted_at"])
    for index, table, column, condition in (
        ("ix_questions_open", "questions", "asked_at", "closed_at IS NULL"),
        ("ix_agenda_open", "agenda", "pair_id", "done_at IS NULL"),
    ):
        where = sa.text(condition)
        op.create_index(index, table, ["account", column], sqlite_where=where, postgresql_where=where)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]
