"""What is on record: entries of prompts, journal entries and goal check-ins, each in revisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class RecordKind(StrEnum):
    """What a record is of."""

    ENTRY = "entry"
    CHECKIN = "checkin"
    JOURNAL = "journal"


class RecordState(StrEnum):
    """Where a record stands."""

    OPEN = "open"  # a journal entry or a sitting that still goes on: not in the room yet
    RECORDED = "recorded"
    REMOVED = "removed"  # by redaction or `undo`: the value is gone, the trail stays


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """What one message brought to a record; stored as JSON."""

    source: str  # event id
    step: str = ""  # the step that it answers; empty in a journal, and in records from when a prompt had one step
    value: str | int | None = None
    text: str | None = None
    media: Mapping[str, Any] | None = None  # an `events.Media` as JSON
    session_id: str = ""  # Megolm session and index: a lower index never overrides a higher one (CRYPTO 13)
    index: int = -1
    late: bool = False  # it came after the time for its question


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """The newest revision of one answer, with everything that its event in the room carries."""

    record_id: str
    pair_id: str
    kind: RecordKind
    state: RecordState
    revision: int
    content: Mapping[str, Any]  # the body of the care.interlude event
    sources: tuple[str, ...]  # event ids of its pieces, for `of_source`
    delivery_id: str | None
    goal_id: str | None
    first_at: datetime
    changed_at: datetime
    late: bool = False
    confirmation: str | None = None  # outbox id of the confirmation that a correction edits
    pieces: tuple[Piece, ...] = ()  # in the order in which they came; `content` is made from them
    undo: tuple[Piece, ...] | None = None  # what `undo` goes back to: () takes the record back, None: nothing to undo
