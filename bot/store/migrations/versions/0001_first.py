"""The first schema.

Each column stands as `name:kind`; `!` marks the primary key, `?` what may be missing. Names of constraints and indexes
follow from tables and columns, as in `tables`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_KINDS = {
    "text": sa.Text,
    "bigint": sa.BigInteger,
    "integer": sa.Integer,
    "boolean": sa.Boolean,
    "bytes": sa.LargeBinary,
}
_TABLES = {
    "facts": "account:text! name:text! value:bytes",
    "counters": "account:text! name:text! value:bigint",
    "marks": "account:text! key:text! at:bigint",
    "lease": "account:text! epoch:bigint holder:text expires_at:bigint",
    "olm_account": "account:text! pickle:bytes version:bigint",
    "olm_sessions": """
        account:text! peer_key:text! session_id:text! pickle:bytes last_received:bigint version:bigint
    """,
    "olm_seen": "account:text! hash:text! at:bigint",
    "to_device": """
        account:text! message_id:text! position:bigint event_type:text user_id:text device_id:text content:bytes
        session_id:text? wave:text?
    """,
    "device_lists": "account:text! user_id:text! mark:bigint outdated:boolean",
    "identities": """
        account:text! user_id:text! pinned_master:text? pinned_at:bigint? master:text? self_signing:text?
        superseded_self_signing:text violation:text?
    """,
    "devices": """
        account:text! user_id:text! device_id:text! ed25519:text curve25519:text signed:boolean
        first_seen:bigint dehydrated:boolean removed:boolean former_ed25519:text violation:text?
    """,
    "wedges": "account:text! user_id:text! device_id:text! count:bigint",
    "megolm_outbound": """
        account:text! room_id:text! owner:text session_id:text pickle:bytes created_at:bigint messages:bigint
        version:bigint
    """,
    "megolm_shares": """
        account:text! session_id:text! user_id:text! device_id:text! curve25519:text index:bigint wedge:bigint
        acknowledged:boolean
    """,
    "megolm_withheld": "account:text! session_id:text! user_id:text! device_id:text! code:text! index:bigint",
    "megolm_inbound": """
        account:text! room_id:text! session_id:text! owner:text sender:text sender_key:text sender_ed25519:text
        first_index:bigint pickle:bytes own:boolean backed_up:boolean
    """,
    "megolm_ledger": "account:text! session_id:text! index:bigint! event_id:text",
    "rooms": "account:text! room_id:text! purpose:text pair_id:text? therapist:text encryption:text hold:text?",
    "members": "account:text! room_id:text! user_id:text! membership:text",
    "gaps": "account:text! room_id:text! batch:bigint! prev_batch:text last_known:text? found:bigint",
    "talk": "account:text! event_id:text! room_id:text sender:text batch:bigint part:bigint index:bigint",
    "inbox": """
        account:text! event_id:text! owner:text room_id:text sender:text event_type:text batch:bigint
        part:bigint index:bigint state:text event:bytes? session_id:text message_index:bigint verdict:text
        reason:text
    """,
    "outbox": """
        account:text! outbox_id:text! position:bigint owner:text room_id:text event_type:text content:bytes
        purpose:text created_at:bigint state:text addressed:text? delivery_id:text? record_id:text?
        not_after:bigint? relates_row:text? rel_type:text? ciphertext:text? ciphertext_hash:text?
        encrypted_at:bigint? event_id:text? attempts:integer hold:text? media:bytes?
    """,
    "pairs": """
        account:text! pair_id:text! number:bigint client:text therapist:text client_name:bytes
        therapist_name:bytes timezone:text language:text country:text word:text state:text paused:boolean
        therapist_gone:boolean created_at:bigint invited_at:bigint? room_id:text? console_id:text?
    """,
    "goals": """
        account:text! pair_id:text! goal_id:text! number:bigint title:bytes low:bigint high:bigint rhythm:text
        revision:bigint since:bigint
    """,
    "schedules": """
        account:text! schedule_id:text! number:bigint pair_id:text prompt_id:text rule:text timezone:text?
        goal_id:text? created_at:bigint after:bigint
    """,
    "deliveries": """
        account:text! delivery_id:text! number:bigint pair_id:text prompt_id:text prompt_version:bigint
        occurrence:text schedule_id:text goal_id:text? due:bigint expires_at:bigint state:text skip_reason:text?
        options:bytes? asked:bytes? poll_ended:boolean last_vote_at:bigint? posted_at:bigint?
    """,
    "records": """
        account:text! record_id:text! pair_id:text kind:text state:text revision:bigint content:bytes
        sources:text delivery_id:text? goal_id:text? first_at:bigint changed_at:bigint late:boolean
        confirmation:text? pieces:bytes undo:bytes?
    """,
    "record_sources": "account:text! event_id:text! record_id:text!",
    "intents": """
        account:text! intent_id:text! kind:text payload:bytes state:text result:bytes? error:bytes?
        created_at:bigint
    """,
}
_UNIQUE = (
    ("outbox", "account position"),
    ("pairs", "account number"),
    ("goals", "account pair_id number"),
    ("schedules", "account pair_id number"),
    ("deliveries", "account pair_id number"),
    ("deliveries", "account schedule_id occurrence"),
)
_INDEXES = (
    ("to_device", "account position"),
    ("devices", "account curve25519"),
    ("megolm_inbound", "account session_id"),
    ("talk", "account room_id sender batch part index"),
    ("inbox", "account room_id batch part index"),
    ("inbox", "account session_id"),
    ("inbox", "account state room_id batch part index"),
    ("outbox", "account ciphertext_hash"),
    ("outbox", "account delivery_id"),
    ("outbox", "account event_id"),
    ("outbox", "account record_id"),
    ("outbox", "account room_id purpose"),
    ("outbox", "account state"),
    ("pairs", "account room_id"),
    ("records", "account delivery_id"),
    ("records", "account pair_id first_at"),
    ("record_sources", "account record_id"),
    ("intents", "account state"),
)
_PARTIAL_INDEXES = (
    ("ix_megolm_inbound_not_backed_up", "megolm_inbound", "account", "NOT backed_up"),
    ("ix_outbox_unsent", "outbox", "account room_id position", "state IN ('queued', 'encrypted')"),
    (
        "ix_deliveries_open_poll",
        "deliveries",
        "account",
        "posted_at IS NOT NULL AND NOT poll_ended AND options IS NOT NULL",
    ),
    ("ix_records_open", "records", "account", "state = 'open'"),
)


def upgrade() -> None:
    """Make all tables."""
    for table, columns in _TABLES.items():
        _create(table, columns.split())
    for table, columns in _INDEXES:
        names = columns.split()
        op.create_index("_".join(("ix", table, *names)), table, names)
    for index, table, columns, condition in _PARTIAL_INDEXES:
        where = sa.text(condition)
        op.create_index(index, table, columns.split(), sqlite_where=where, postgresql_where=where)


def _create(table: str, columns: list[str]) -> None:
    unique = [names.split() for its_table, names in _UNIQUE if its_table == table]
    op.create_table(
        table,
        *[_column(column) for column in columns],
        sa.PrimaryKeyConstraint(*[c.partition(":")[0] for c in columns if c.endswith("!")], name=f"pk_{table}"),
        *[sa.UniqueConstraint(*names, name="_".join(("uq", table, *names))) for names in unique],
    )


def _column(written: str) -> sa.Column[object]:
    name, _, kind = written.partition(":")
    return sa.Column(name, _KINDS[kind.rstrip("!?")](), nullable=kind.endswith("?"))
