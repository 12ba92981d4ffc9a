"""Every table, by noun. All rows belong to an account; a `LargeBinary` column is sealed (CRYPTO 34).

`owner` names the key that seals a row: `pair:<id>` in a pair's room, else `account:<id>`. It is stored with the row, so
that a row opens and is erased by what sealed it, whatever becomes of its room.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    TextClause,
    UniqueConstraint,
    text,
)

from bot.core.agenda import AgendaKind
from bot.core.deliveries import DeliveryState
from bot.core.inbox import InboxState
from bot.core.outbox import OutboxState
from bot.core.pairs import PairState
from bot.core.people import Purpose
from bot.core.records import RecordKind, RecordState
from bot.core.sittings import SittingState
from bot.core.trust import Violation
from bot.store.columns import Day, Document, Instant, Length, Member, Names, Wall, Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

# Conditions of partial indexes: a query uses the index only when it says exactly the same.
UNSENT = text("state IN ('queued', 'encrypted')")
NOT_BACKED_UP = text("NOT backed_up")
OPEN_RECORD = text("state = 'open'")
OPEN_QUESTION = text("closed_at IS NULL")
OPEN_ITEM = text("done_at IS NULL")
TO_REMIND = text("remind_at IS NOT NULL")
PAUSE_ENDS = text("paused_until IS NOT NULL")
OPEN_SITTING = text("state = 'open'")
WAKING = text("wake_at IS NOT NULL")


def _key(name: str) -> Column[Any]:
    return Column(name, Words, primary_key=True)


def _words(name: str) -> Column[Any]:
    return Column(name, Words, nullable=False)


def _maybe(name: str) -> Column[Any]:
    return Column(name, Words)


def _number(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False)


def _yes(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False)


def _sealed(name: str) -> Column[Any]:
    return Column(name, LargeBinary, nullable=False)


def _partial(name: str, condition: TextClause, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


def _table(name: str, *parts: Any) -> Table:
    return Table(name, metadata, _key("account"), *parts)


# --- the account -----------------------------------------------------------------------------------------------------

facts = _table("facts", _key("name"), _sealed("value"))
# Numbers that only go up: positions, marks, numbers in lists.
counters = _table("counters", _key("name"), _number("value"))
marks = _table("marks", _key("key"), Column("at", Instant, nullable=False))
lease = _table("lease", _number("epoch"), _words("holder"), Column("expires_at", Instant, nullable=False))

# --- Olm -------------------------------------------------------------------------------------------------------------

olm_account = _table("olm_account", _sealed("pickle"), _number("version"))
olm_sessions = _table(
    "olm_sessions",
    _key("peer_key"),
    _key("session_id"),
    _sealed("pickle"),
    _number("last_received"),
    _number("version"),
)
olm_seen = _table("olm_seen", _key("hash"), Column("at", Instant, nullable=False))
to_device = _table(
    "to_device",
    _key("message_id"),
    _number("position"),
    _words("event_type"),
    _words("user_id"),
    _words("device_id"),
    _sealed("content"),
    _maybe("session_id"),
    _maybe("wave"),
    Index(None, "account", "position"),
)

# --- other people's keys ---------------------------------------------------------------------------------------------

device_lists = _table("device_lists", _key("user_id"), _number("mark"), _yes("outdated"))
identities = _table(
    "identities",
    _key("user_id"),
    _maybe("pinned_master"),
    Column("pinned_at", Instant),
    _maybe("master"),
    _maybe("self_signing"),
    Column("superseded_self_signing", Names, nullable=False),
    Column("violation", Member(Violation)),
)
devices = _table(
    "devices",
    _key("user_id"),
    _key("device_id"),
    _words("ed25519"),
    _words("curve25519"),
    _yes("signed"),
    Column("first_seen", Instant, nullable=False),
    _yes("dehydrated"),
    _yes("removed"),
    Column("former_ed25519", Names, nullable=False),
    Column("violation", Member(Violation)),
    Index(None, "account", "curve25519"),
)
wedges = _table("wedges", _key("user_id"), _key("device_id"), _number("count"))

# --- Megolm ----------------------------------------------------------------------------------------------------------

megolm_outbound = _table(
    "megolm_outbound",
    _key("room_id"),
    _words("owner"),
    _words("session_id"),
    _sealed("pickle"),
    Column("created_at", Instant, nullable=False),
    _number("messages"),
    _number("version"),
)
megolm_shares = _table(
    "megolm_shares",
    _key("session_id"),
    _key("user_id"),
    _key("device_id"),
    _words("curve25519"),
    _number("index"),
    _number("wedge"),
    _yes("acknowledged"),
)
megolm_withheld = _table(
    "megolm_withheld", _key("session_id"), _key("user_id"), _key("device_id"), _key("code"), _number("index")
)
megolm_inbound = _table(
    "megolm_inbound",
    _key("room_id"),
    _key("session_id"),
    _words("owner"),
    _words("sender"),
    _words("sender_key"),
    _words("sender_ed25519"),
    _number("first_index"),
    _sealed("pickle"),
    _yes("own"),
    _yes("backed_up"),
    Index(None, "account", "session_id"),
    _partial("ix_megolm_inbound_not_backed_up", NOT_BACKED_UP, "account"),
)
# Which event used which index of which session first (CRYPTO 12).
megolm_ledger = _table(
    "megolm_ledger", _key("session_id"), Column("index", BigInteger, primary_key=True), _words("event_id")
)

# --- rooms -----------------------------------------------------------------------------------------------------------

rooms = _table(
    "rooms",
    _key("room_id"),
    Column("purpose", Member(Purpose), nullable=False),
    _maybe("pair_id"),
    _words("therapist"),
    Column("encryption", Document, nullable=False),
    _maybe("hold"),
)
members = _table("members", _key("room_id"), _key("user_id"), _words("membership"))
gaps = _table(
    "gaps",
    _key("room_id"),
    Column("batch", BigInteger, primary_key=True),
    _words("prev_batch"),
    _maybe("last_known"),
    _number("found"),
)
# Which events are something that one person said to the other.
talk = _table(
    "talk",
    _key("event_id"),
    _words("room_id"),
    _words("sender"),
    _number("batch"),
    _number("part"),
    _number("index"),
    Index(None, "account", "room_id", "sender", "batch", "part", "index"),
)

# --- events in and out -----------------------------------------------------------------------------------------------

inbox = _table(
    "inbox",
    _key("event_id"),
    _words("owner"),
    _words("room_id"),
    _words("sender"),
    _words("event_type"),
    _number("batch"),
    _number("part"),
    _number("index"),  # in the timeline; the Megolm index is `message_index`
    Column("state", Member(InboxState), nullable=False),
    Column("event", LargeBinary),
    _words("session_id"),
    _number("message_index"),
    _words("verdict"),
    _words("reason"),
    Index(None, "account", "room_id", "batch", "part", "index"),
    Index(None, "account", "state", "room_id", "batch", "part", "index"),
    Index(None, "account", "session_id"),
)
outbox = _table(
    "outbox",
    _key("outbox_id"),
    _number("position"),
    _words("owner"),
    _words("room_id"),
    _words("event_type"),
    _sealed("content"),
    _words("purpose"),
    Column("created_at", Instant, nullable=False),
    Column("state", Member(OutboxState), nullable=False),
    _maybe("addressed"),
    _maybe("delivery_id"),
    _maybe("record_id"),
    Column("not_after", Instant),
    _maybe("relates_row"),
    _maybe("rel_type"),
    Column("ciphertext", Document),
    _maybe("ciphertext_hash"),
    Column("encrypted_at", Instant),
    _maybe("event_id"),
    Column("attempts", Integer, nullable=False),
    _maybe("hold"),
    Column("media", LargeBinary),
    UniqueConstraint("account", "position"),
    _partial("ix_outbox_unsent", UNSENT, "account", "room_id", "position"),
    Index(None, "account", "room_id", "purpose"),
    Index(None, "account", "state"),
    Index(None, "account", "event_id"),
    Index(None, "account", "ciphertext_hash"),
    Index(None, "account", "delivery_id"),
    Index(None, "account", "record_id"),
)

# --- pairs and what they do ------------------------------------------------------------------------------------------

pairs = _table(
    "pairs",
    _key("pair_id"),
    _number("number"),
    _words("client"),
    _words("therapist"),
    _sealed("client_name"),
    _sealed("therapist_name"),
    _words("timezone"),
    _words("language"),
    _words("country"),
    _words("word"),
    Column("state", Member(PairState), nullable=False),
    _yes("paused"),
    _yes("therapist_gone"),
    Column("created_at", Instant, nullable=False),
    Column("invited_at", Instant),
    _maybe("room_id"),
    _maybe("console_id"),
    _maybe("quiet"),
    Column("daily_cap", Integer),
    Column("paused_until", Instant),
    _maybe("paused_by"),
    UniqueConstraint("account", "number"),
    Index(None, "account", "room_id"),
    _partial("ix_pairs_paused_until", PAUSE_ENDS, "account", "paused_until"),
)
goals = _table(
    "goals",
    _key("pair_id"),
    _key("goal_id"),
    _number("number"),
    _sealed("title"),
    _number("low"),
    _number("high"),
    _words("rhythm"),
    _number("revision"),
    Column("since", Instant, nullable=False),
    UniqueConstraint("account", "pair_id", "number"),
)
schedules = _table(
    "schedules",
    _key("schedule_id"),
    _number("number"),
    _words("pair_id"),
    _words("prompt_id"),
    _words("rule"),
    _maybe("timezone"),
    _maybe("goal_id"),
    Column("created_at", Instant, nullable=False),
    Column("after", Instant, nullable=False),
    _maybe("client_rule"),
    _yes("refused"),
    Column("reminder", Length),
    Column("asked_fit_at", Instant),
    Column("next_due", Instant),  # empty: to be planned
    Column("waited_until", Instant),
    UniqueConstraint("account", "pair_id", "number"),
    Index(None, "account", "next_due"),
)
# The random times of one local day, drawn once.
draws = _table(
    "draws",
    _key("schedule_id"),
    Column("day", Day, primary_key=True),
    _words("pair_id"),
    Column("times", Names, nullable=False),
    Index(None, "account", "pair_id"),
)
# Therapy sessions, and the dates on which one was moved or cancelled (empty).
sessions = _table(
    "sessions",
    _key("series_id"),
    _words("pair_id"),
    _number("number"),
    Column("starts", Wall, nullable=False),
    _words("zone"),
    Column("every_weeks", Integer),  # empty: a single one
    Column("until", Day),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("account", "pair_id", "number"),
)
session_changes = _table(
    "session_changes",
    _key("series_id"),
    Column("planned", Day, primary_key=True),
    _words("pair_id"),
    Column("moved_to", Wall),
    Index(None, "account", "pair_id"),
)
deliveries = _table(
    "deliveries",
    _key("delivery_id"),
    _number("number"),
    _words("pair_id"),
    _words("prompt_id"),
    _number("prompt_version"),
    _words("occurrence"),
    _words("schedule_id"),  # empty: sent by hand
    _maybe("goal_id"),
    Column("due", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("state", Member(DeliveryState), nullable=False),
    _maybe("skip_reason"),
    Column("asked", LargeBinary),
    Column("posted_at", Instant),
    Column("remind_at", Instant),
    Index(None, "account", "pair_id", "due"),
    Index(None, "account", "schedule_id", "state", "due"),
    Index(None, "account", "posted_at"),
    _partial("ix_deliveries_to_remind", TO_REMIND, "account", "remind_at"),
    UniqueConstraint("account", "schedule_id", "occurrence"),  # what makes a second prompt impossible (DESIGN 5)
    UniqueConstraint("account", "pair_id", "number"),
)
sittings = _table(
    "sittings",
    _key("delivery_id"),
    _words("pair_id"),
    Column("state", Member(SittingState), nullable=False),
    _number("steps"),
    Column("path", LargeBinary),  # which steps were asked and skipped tells what was answered; empty: the first one
    Column("row_since", Instant),
    Column("ask_next_at", Instant),
    Column("last_answered_at", Instant),
    Column("later_at", Instant),
    _yes("later_used"),
    Column("expires_at", Instant, nullable=False),
    Column("polls", Document, nullable=False),  # outbox id -> milliseconds since 1970, or null
    Column("wake_at", Instant),
    _partial("ix_sittings_open", OPEN_SITTING, "account", "pair_id"),
    _partial("ix_sittings_waking", WAKING, "account", "wake_at"),
    Index(None, "account", "pair_id"),
)
records = _table(
    "records",
    _key("record_id"),
    _words("pair_id"),
    Column("kind", Member(RecordKind), nullable=False),
    Column("state", Member(RecordState), nullable=False),
    _number("revision"),
    _sealed("content"),
    Column("sources", Names, nullable=False),
    _maybe("delivery_id"),
    _maybe("goal_id"),
    Column("first_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    _yes("late"),
    _maybe("confirmation"),
    _sealed("pieces"),
    Column("undo", LargeBinary),
    Index(None, "account", "pair_id", "first_at"),
    _partial("ix_records_open", OPEN_RECORD, "account"),
    Index(None, "account", "delivery_id"),
)
record_sources = _table("record_sources", _key("event_id"), _key("record_id"), Index(None, "account", "record_id"))

# --- what people asked the bot for -----------------------------------------------------------------------------------

# The stable numbers in the list of prompts; the same for all pairs.
prompt_numbers = _table("prompt_numbers", _key("prompt_id"), _number("number"), UniqueConstraint("account", "number"))
choices = _table(
    "choices",
    _key("pair_id"),
    _key("prompt_id"),
    _yes("refused"),
    _maybe("at_most"),
    Column("changed_at", Instant, nullable=False),
)
agenda = _table(
    "agenda",
    _key("item_id"),
    _words("pair_id"),
    _number("number"),
    Column("kind", Member(AgendaKind), nullable=False),
    _sealed("text"),
    _yes("by_client"),
    _words("source"),
    _words("room_id"),
    Column("created_at", Instant, nullable=False),
    Column("shown_at", Instant),
    Column("done_at", Instant),
    UniqueConstraint("account", "pair_id", "number"),
    Index(None, "account", "source"),
    _partial("ix_agenda_open", OPEN_ITEM, "account", "pair_id"),
)
questions = _table(
    "questions",
    _key("question_id"),
    _words("pair_id"),
    _words("schedule_id"),
    _maybe("outbox_id"),
    Column("asked_at", Instant, nullable=False),
    _sealed("options"),
    Column("answer", LargeBinary),
    Column("closed_at", Instant),
    Index(None, "account", "pair_id", "asked_at"),
    _partial("ix_questions_open", OPEN_QUESTION, "account", "asked_at"),
)

# --- the command line ------------------------------------------------------------------------------------------------

intents = _table(
    "intents",
    _key("intent_id"),
    _words("kind"),
    _sealed("payload"),
    _words("state"),
    Column("result", LargeBinary),
    Column("error", LargeBinary),
    Column("created_at", Instant, nullable=False),
    Index(None, "account", "state"),
)
