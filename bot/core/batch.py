"""What one answer of the homeserver's /sync holds, before anything is decided about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomBatch:
    """What happened in one room."""

    room_id: str
    membership: str  # our own: join, invite or leave
    state: tuple[Json, ...]  # state at the start of the timeline, as far as it changed
    timeline: tuple[Json, ...]  # wire events, oldest first
    limited: bool  # events are missing before the timeline
    prev_batch: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncBatch:
    """One answer of /sync, in the order in which it has to be processed (CRYPTO 28)."""

    next_batch: str
    to_device: tuple[Json, ...]
    device_changed: tuple[str, ...]
    device_left: tuple[str, ...]
    one_time_key_counts: Mapping[str, int] | None  # None: the server did not say
    unused_fallback_keys: Sequence[str] | None
    rooms: tuple[RoomBatch, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryPage:
    """One answer of /messages, newest event first."""

    events: tuple[Json, ...]
    end: str | None  # None: there is no more
