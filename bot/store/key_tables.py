"""The tables of keys: Olm, other people's devices, Megolm. What `tables` says of rows and seals holds here too."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    text,
)

from bot.core.trust import Violation
from bot.store.columns import Instant, Member, Names
from bot.store.table_parts import key, maybe, number, partial, sealed, table, words, yes

# A query uses the partial index only when it says exactly the same.
NOT_BACKED_UP = text("NOT backed_up")

# --- Olm -------------------------------------------------------------------------------------------------------------

olm_account = table("olm_account", sealed("pickle"), number("version"))
olm_sessions = table(
    "olm_sessions",
    key("peer_key"),
    key("session_id"),
    sealed("pickle"),
    number("last_received"),
    number("version"),
)
olm_seen = table("olm_seen", key("hash"), Column("at", Instant, nullable=False))
to_device = table(
    "to_device",
    key("message_id"),
    number("position"),
    words("event_type"),
    words("user_id"),
    words("device_id"),
    sealed("content"),
    maybe("session_id"),
    maybe("wave"),
    Index(None, "account", "position"),
)

# --- other people's keys ---------------------------------------------------------------------------------------------

device_lists = table("device_lists", key("user_id"), number("mark"), yes("outdated"))
identities = table(
    "identities",
    key("user_id"),
    maybe("pinned_master"),
    Column("pinned_at", Instant),
    maybe("master"),
    maybe("self_signing"),
    Column("superseded_self_signing", Names, nullable=False),
    Column("violation", Member(Violation)),
)
devices = table(
    "devices",
    key("user_id"),
    key("device_id"),
    words("ed25519"),
    words("curve25519"),
    yes("signed"),
    Column("first_seen", Instant, nullable=False),
    yes("dehydrated"),
    yes("removed"),
    Column("former_ed25519", Names, nullable=False),
    Column("violation", Member(Violation)),
    Index(None, "account", "curve25519"),
)
wedges = table("wedges", key("user_id"), key("device_id"), number("count"))

# --- Megolm ----------------------------------------------------------------------------------------------------------

megolm_outbound = table(
    "megolm_outbound",
    key("room_id"),
    words("owner"),
    words("session_id"),
    sealed("pickle"),
    Column("created_at", Instant, nullable=False),
    number("messages"),
    number("version"),
)
megolm_shares = table(
    "megolm_shares",
    key("session_id"),
    key("user_id"),
    key("device_id"),
    words("curve25519"),
    number("index"),
    number("wedge"),
    yes("acknowledged"),
)
megolm_withheld = table(
    "megolm_withheld", key("session_id"), key("user_id"), key("device_id"), key("code"), number("index")
)
megolm_inbound = table(
    "megolm_inbound",
    key("room_id"),
    key("session_id"),
    words("owner"),
    words("sender"),
    words("sender_key"),
    words("sender_ed25519"),
    number("first_index"),
    sealed("pickle"),
    yes("own"),
    yes("backed_up"),
    Index(None, "account", "session_id"),
    partial("ix_megolm_inbound_not_backed_up", NOT_BACKED_UP, "account"),
)
# Which event used which index of which session first (CRYPTO 12).
megolm_ledger = table(
    "megolm_ledger", key("session_id"), Column("index", BigInteger, primary_key=True), words("event_id")
)
