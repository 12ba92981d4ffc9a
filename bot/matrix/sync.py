"""/sync and /messages: what is asked for, and the translation of the answers to our own values.

The translation is one pass that keeps the order and never fails on what other people wrote: an entry of the wrong shape
is dropped and counted, and its neighbours arrive (DESIGN promise 6).
"""

from collections.abc import Callable, Iterator
from typing import Any

import nio  # type: ignore[import-untyped]  # ships annotations without the marker that makes them count
import structlog

from bot.core.batch import HistoryPage, Json, RoomBatch, SyncBatch
from bot.matrix.transport import MEGABYTE, NO_TOKEN, Transport
from bot.matrix.wire import NonsenseError, identifiers, is_identifier, items, mapping

log = structlog.get_logger()

MAX_SYNC = 64 * MEGABYTE
GRACE_SECONDS = 15.0  # on top of the long poll
FIRST_SYNC_SECONDS = 180.0  # a homeserver takes its time over a thousand rooms
LATEST_TIMESTAMP = 253_402_300_799_000  # ms, the end of the year 9999: the last that a datetime can hold

_NOTHING = {"not_types": ["*"]}
# The state that decides who is in a room and whether its settings drifted (DESIGN §6).
_STATE_TYPES = [
    f"m.room.{name}"
    for name in (
        "create", "member", "power_levels", "join_rules", "history_visibility", "guest_access", "encryption",
        "server_acl", "tombstone", "name", "topic",
    )
]  # fmt: skip
FILTER = {
    "presence": _NOTHING,
    "account_data": _NOTHING,
    "room": {
        "ephemeral": _NOTHING,
        "account_data": _NOTHING,
        "state": {"types": _STATE_TYPES, "lazy_load_members": False},  # CRYPTO 29
        "timeline": {"limit": 50, "lazy_load_members": False},
    },
}


class SyncApi(Transport):
    """What has happened: /sync forwards, /messages backwards."""

    async def sync(self, since: str | None, *, timeout: float) -> SyncBatch:
        """Return what happened after `since`, waiting up to `timeout` seconds for it.

        Raises Unreachable or Refusal. Source: specification, "Syncing".
        """
        request = nio.Api.sync(NO_TOKEN, since, int(timeout * 1000), FILTER, set_presence="offline")
        allowance = GRACE_SECONDS if since is not None else FIRST_SYNC_SECONDS
        return await self.call(request, read=translate_sync, timeout=timeout + allowance, limit=MAX_SYNC)

    async def messages(self, room_id: str, *, start: str, limit: int) -> HistoryPage:
        """Return up to `limit` events before the token `start`, newest first (CRYPTO 29).

        Raises Unreachable or Refusal. Source: specification, "GET /rooms/{roomId}/messages".
        """
        request = nio.Api.room_messages(NO_TOKEN, room_id, start, limit=limit)
        return await self.call(request, read=translate_history)


def translate_sync(answer: Any) -> SyncBatch:
    """Translate a decoded answer of /sync; raises NonsenseError when there is no `next_batch` in it."""
    answer = mapping(answer)
    next_batch = answer.get("next_batch")
    if not is_identifier(next_batch):
        raise NonsenseError("no next_batch in the answer")
    lists = mapping(answer.get("device_lists"))
    fallback = answer.get("device_unused_fallback_key_types")
    return SyncBatch(
        next_batch=next_batch,
        to_device=_events(mapping(answer.get("to_device")).get("events"), _is_to_device),
        device_changed=identifiers(lists.get("changed")),
        device_left=identifiers(lists.get("left")),
        one_time_key_counts=_counts(answer.get("device_one_time_keys_count")),
        unused_fallback_keys=identifiers(fallback) if isinstance(fallback, list) else None,
        rooms=tuple(_rooms(mapping(answer.get("rooms")))),
    )


def translate_history(answer: Any) -> HistoryPage:
    """Translate a decoded answer of /messages; raises NonsenseError when there is no list of events in it."""
    answer = mapping(answer)
    if not isinstance(answer.get("chunk"), list):
        raise NonsenseError("no chunk in the answer")
    end = answer.get("end")
    return HistoryPage(events=_events(answer["chunk"], _is_room_event), end=end if is_identifier(end) else None)


def room_events(answer: Any) -> tuple[Json, ...]:
    """Return the room events of a list, such as the answer of /state."""
    return _events(answer, _is_room_event)


def _rooms(rooms: Json) -> Iterator[RoomBatch]:
    for membership in ("join", "leave"):
        for room_id, room in mapping(rooms.get(membership)).items():
            if is_identifier(room_id) and isinstance(room, dict):
                yield _room(room_id, membership, room)
    for room_id, room in mapping(rooms.get("invite")).items():
        if is_identifier(room_id) and isinstance(room, dict):
            yield RoomBatch(
                room_id=room_id,
                membership="invite",
                state=_events(mapping(room.get("invite_state")).get("events"), _is_stripped),
                timeline=(),
                limited=False,
                prev_batch=None,
            )


def _room(room_id: str, membership: str, room: Json) -> RoomBatch:
    timeline = mapping(room.get("timeline"))
    prev_batch = timeline.get("prev_batch")
    return RoomBatch(
        room_id=room_id,
        membership=membership,
        state=_events(mapping(room.get("state")).get("events"), _is_room_event),
        timeline=_events(timeline.get("events"), _is_room_event),
        limited=timeline.get("limited") is True,
        prev_batch=prev_batch if is_identifier(prev_batch) else None,
    )


def _counts(value: Any) -> dict[str, int] | None:
    """Read the one-time key counts; None when the server did not say (CRYPTO 18)."""
    if not isinstance(value, dict):
        return None
    return {name: count for name, count in value.items() if type(count) is int and count >= 0}


def _events(value: Any, accepts: Callable[[Json], bool]) -> tuple[Json, ...]:
    entries = items(value)
    kept = tuple(entry for entry in entries if isinstance(entry, dict) and accepts(entry))
    if len(kept) < len(entries):
        log.warning("sync.dropped", reason="malformed", count=len(entries) - len(kept))
    return kept


def _is_to_device(event: Json) -> bool:
    return is_identifier(event.get("type")) and is_identifier(event.get("sender")) and _has_content(event)


def _is_stripped(event: Json) -> bool:
    return _is_to_device(event) and isinstance(event.get("state_key"), str)


def _is_room_event(event: Json) -> bool:
    """Say whether this is an event of a room; its time, which decides nothing (CRYPTO 14), is made to fit."""
    stamp = event.get("origin_server_ts")
    if type(stamp) is not int or not 0 <= stamp <= LATEST_TIMESTAMP:
        event["origin_server_ts"] = 0
    if not isinstance(event.get("unsigned", {}), dict):
        del event["unsigned"]
    return is_identifier(event.get("event_id")) and _is_to_device(event) and isinstance(event.get("state_key", ""), str)


def _has_content(event: Json) -> bool:
    return isinstance(event.get("content"), dict)
