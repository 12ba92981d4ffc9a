"""Every table, by noun; those of keys stand in `key_tables`.

All rows belong to an account; a `LargeBinary` column is sealed (CRYPTO 34).

`owner` names the key that seals a row: `pair:<id>` in a pair's room, else `account:<id>`. It is stored with the row, so
that a row opens and is erased by what sealed it, whatever becomes of its room.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
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
from bot.store import key_tables  # noqa: F401 - they belong to the same metadata
from bot.store.columns import Day, Document, Instant, Length, Member, Names, Wall
from bot.store.table_parts import key, maybe, number, partial, sealed, table, words, yes

# Conditions of partial indexes: a query uses the index only when it says exactly the same.
UNSENT = text("state IN ('queued', 'encrypted')")
OPEN_RECORD = text("state = 'open'")
OPEN_QUESTION = text("closed_at IS NULL")
OPEN_ITEM = text("done_at IS NULL")
TO_REMIND = text("remind_at IS NOT NULL")
PAUSE_ENDS = text("paused_until IS NOT NULL")
OPEN_SITTING = text("state = 'open'")
WAKING = text("wake_at IS NOT NULL")

# --- the account -----------------------------------------------------------------------------------------------------

facts = table("facts", key("name"), sealed("value"))
# Numbers that only go up: positions, marks, numbers in lists.
counters = table("counters", key("name"), number("value"))
marks = table("marks", key("key"), Column("at", Instant, nullable=False))
lease = table("lease", number("epoch"), words("holder"), Column("expires_at", Instant, nullable=False))

# --- rooms -----------------------------------------------------------------------------------------------------------

rooms = table(
    "rooms",
    key("room_id"),
    Column("purpose", Member(Purpose), nullable=False),
    maybe("pair_id"),
    words("therapist"),
    Column("encryption", Document, nullable=False),
    maybe("hold"),
)
members = table("members", key("room_id"), key("user_id"), words("membership"))
gaps = table(
    "gaps",
    key("room_id"),
    Column("batch", BigInteger, primary_key=True),
    words("prev_batch"),
    maybe("last_known"),
    number("found"),
)
# Which events are something that one person said to the other.
talk = table(
    "talk",
    key("event_id"),
    words("room_id"),
    words("sender"),
    number("batch"),
    number("part"),
    number("index"),
    Index(None, "account", "room_id", "sender", "batch", "part", "index"),
)

# --- events in and out -----------------------------------------------------------------------------------------------

inbox = table(
    "inbox",
    key("event_id"),
    words("owner"),
    words("room_id"),
    words("sender"),
    words("event_type"),
    number("batch"),
    number("part"),
    number("index"),  # in the timeline; the Megolm index is `message_index`
    Column("state", Member(InboxState), nullable=False),
    Column("event", LargeBinary),
    words("session_id"),
    number("message_index"),
    words("verdict"),
    words("reason"),
    Index(None, "account", "room_id", "batch", "part", "index"),
    Index(None, "account", "state", "room_id", "batch", "part", "index"),
    Index(None, "account", "session_id"),
)
outbox = table(
    "outbox",
    key("outbox_id"),
    number("position"),
    words("owner"),
    words("room_id"),
    words("event_type"),
    sealed("content"),
    words("purpose"),
    Column("created_at", Instant, nullable=False),
    Column("state", Member(OutboxState), nullable=False),
    maybe("addressed"),
    maybe("delivery_id"),
    maybe("record_id"),
    Column("not_after", Instant),
    maybe("relates_row"),
    maybe("rel_type"),
    Column("ciphertext", Document),
    maybe("ciphertext_hash"),
    Column("encrypted_at", Instant),
    maybe("event_id"),
    Column("attempts", Integer, nullable=False),
    maybe("hold"),
    Column("media", LargeBinary),
    UniqueConstraint("account", "position"),
    partial("ix_outbox_unsent", UNSENT, "account", "room_id", "position"),
    Index(None, "account", "room_id", "purpose"),
    Index(None, "account", "state"),
    Index(None, "account", "event_id"),
    Index(None, "account", "ciphertext_hash"),
    Index(None, "account", "delivery_id"),
    Index(None, "account", "record_id"),
)

# --- pairs and what they do ------------------------------------------------------------------------------------------

pairs = table(
    "pairs",
    key("pair_id"),
    number("number"),
    words("client"),
    words("therapist"),
    sealed("client_name"),
    sealed("therapist_name"),
    words("timezone"),
    words("language"),
    words("country"),
    words("word"),
    Column("state", Member(PairState), nullable=False),
    yes("paused"),
    yes("therapist_gone"),
    Column("created_at", Instant, nullable=False),
    Column("invited_at", Instant),
    maybe("room_id"),
    maybe("console_id"),
    maybe("quiet"),
    Column("daily_cap", Integer),
    Column("paused_until", Instant),
    maybe("paused_by"),
    UniqueConstraint("account", "number"),
    Index(None, "account", "room_id"),
    partial("ix_pairs_paused_until", PAUSE_ENDS, "account", "paused_until"),
)
goals = table(
    "goals",
    key("pair_id"),
    key("goal_id"),
    number("number"),
    sealed("title"),
    number("low"),
    number("high"),
    words("rhythm"),
    number("revision"),
    Column("since", Instant, nullable=False),
    UniqueConstraint("account", "pair_id", "number"),
)
schedules = table(
    "schedules",
    key("schedule_id"),
    number("number"),
    words("pair_id"),
    words("prompt_id"),
    words("rule"),
    maybe("timezone"),
    maybe("goal_id"),
    Column("created_at", Instant, nullable=False),
    Column("after", Instant, nullable=False),
    maybe("client_rule"),
    yes("refused"),
    Column("reminder", Length),
    Column("asked_fit_at", Instant),
    Column("next_due", Instant),  # empty: to be planned
    Column("waited_until", Instant),
    UniqueConstraint("account", "pair_id", "number"),
    Index(None, "account", "next_due"),
)
# The random times of one local day, drawn once.
draws = table(
    "draws",
    key("schedule_id"),
    Column("day", Day, primary_key=True),
    words("pair_id"),
    Column("times", Names, nullable=False),
    Index(None, "account", "pair_id"),
)
# Therapy sessions, and the dates on which one was moved or cancelled (empty).
sessions = table(
    "sessions",
    key("series_id"),
    words("pair_id"),
    number("number"),
    Column("starts", Wall, nullable=False),
    words("zone"),
    Column("every_weeks", Integer),  # empty: a single one
    Column("until", Day),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("account", "pair_id", "number"),
)
session_changes = table(
    "session_changes",
    key("series_id"),
    Column("planned", Day, primary_key=True),
    words("pair_id"),
    Column("moved_to", Wall),
    Index(None, "account", "pair_id"),
)
deliveries = table(
    "deliveries",
    key("delivery_id"),
    number("number"),
    words("pair_id"),
    words("prompt_id"),
    number("prompt_version"),
    words("occurrence"),
    words("schedule_id"),  # empty: sent by hand
    maybe("goal_id"),
    Column("due", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("state", Member(DeliveryState), nullable=False),
    maybe("skip_reason"),
    Column("asked", LargeBinary),
    Column("posted_at", Instant),
    Column("remind_at", Instant),
    Index(None, "account", "pair_id", "due"),
    Index(None, "account", "schedule_id", "state", "due"),
    Index(None, "account", "posted_at"),
    partial("ix_deliveries_to_remind", TO_REMIND, "account", "remind_at"),
    UniqueConstraint("account", "schedule_id", "occurrence"),  # what makes a second prompt impossible (DESIGN 5)
    UniqueConstraint("account", "pair_id", "number"),
)
sittings = table(
    "sittings",
    key("delivery_id"),
    words("pair_id"),
    Column("state", Member(SittingState), nullable=False),
    number("steps"),
    Column("path", LargeBinary),  # which steps were asked and skipped tells what was answered; empty: the first one
    Column("row_since", Instant),
    Column("ask_next_at", Instant),
    Column("last_answered_at", Instant),
    Column("later_at", Instant),
    yes("later_used"),
    Column("expires_at", Instant, nullable=False),
    Column("polls", Document, nullable=False),  # outbox id -> milliseconds since 1970, or null
    Column("wake_at", Instant),
    partial("ix_sittings_open", OPEN_SITTING, "account", "pair_id"),
    partial("ix_sittings_waking", WAKING, "account", "wake_at"),
    Index(None, "account", "pair_id"),
)
records = table(
    "records",
    key("record_id"),
    words("pair_id"),
    Column("kind", Member(RecordKind), nullable=False),
    Column("state", Member(RecordState), nullable=False),
    number("revision"),
    sealed("content"),
    Column("sources", Names, nullable=False),
    maybe("delivery_id"),
    maybe("goal_id"),
    Column("first_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    yes("late"),
    maybe("confirmation"),
    sealed("pieces"),
    Column("undo", LargeBinary),
    Index(None, "account", "pair_id", "first_at"),
    partial("ix_records_open", OPEN_RECORD, "account"),
    Index(None, "account", "delivery_id"),
)
record_sources = table("record_sources", key("event_id"), key("record_id"), Index(None, "account", "record_id"))

# --- what people asked the bot for -----------------------------------------------------------------------------------

# The stable numbers in the list of prompts; the same for all pairs.
prompt_numbers = table("prompt_numbers", key("prompt_id"), number("number"), UniqueConstraint("account", "number"))
choices = table(
    "choices",
    key("pair_id"),
    key("prompt_id"),
    yes("refused"),
    maybe("at_most"),
    Column("changed_at", Instant, nullable=False),
)
agenda = table(
    "agenda",
    key("item_id"),
    words("pair_id"),
    number("number"),
    Column("kind", Member(AgendaKind), nullable=False),
    sealed("text"),
    yes("by_client"),
    words("source"),
    words("room_id"),
    Column("created_at", Instant, nullable=False),
    Column("shown_at", Instant),
    Column("done_at", Instant),
    UniqueConstraint("account", "pair_id", "number"),
    Index(None, "account", "source"),
    partial("ix_agenda_open", OPEN_ITEM, "account", "pair_id"),
)
questions = table(
    "questions",
    key("question_id"),
    words("pair_id"),
    words("schedule_id"),
    maybe("outbox_id"),
    Column("asked_at", Instant, nullable=False),
    sealed("options"),
    Column("answer", LargeBinary),
    Column("closed_at", Instant),
    Index(None, "account", "pair_id", "asked_at"),
    partial("ix_questions_open", OPEN_QUESTION, "account", "asked_at"),
)

# --- the command line ------------------------------------------------------------------------------------------------

intents = table(
    "intents",
    key("intent_id"),
    words("kind"),
    sealed("payload"),
    words("state"),
    Column("result", LargeBinary),
    Column("error", LargeBinary),
    Column("created_at", Instant, nullable=False),
    Index(None, "account", "state"),
)
