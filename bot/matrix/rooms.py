"""Rooms: creating them, who is in them, and what is sent into them."""

import json
from collections.abc import Mapping
from typing import Any

import nio  # type: ignore[import-untyped]  # ships annotations without the marker that makes them count

from bot.core.batch import Json
from bot.matrix.sync import room_events
from bot.matrix.transport import NO_TOKEN, Transport, path
from bot.matrix.wire import NonsenseError, identifiers, mapping, required

_event_id = required("event_id")


class RoomsApi(Transport):
    """Every method raises Unreachable or Refusal. Source: specification, "Rooms" and "Events"."""

    async def create_room(self, body: Json) -> str:
        """Create a room from a body of /createRoom and return its id; has no transaction id (CRYPTO 30)."""
        return await self.call(("POST", path("createRoom"), json.dumps(body)), read=required("room_id"))

    async def joined_rooms(self) -> tuple[str, ...]:
        """Return the rooms that the bot is in."""
        return await self.call(
            nio.Api.joined_rooms(NO_TOKEN), read=lambda answer: identifiers(mapping(answer).get("joined_rooms"))
        )

    async def members(self, room_id: str) -> Mapping[str, str]:
        """Return everybody that the room knows and their membership (invite, join, leave, ban, knock)."""
        return await self.call(("GET", path("rooms", room_id, "members")), read=_members)

    async def state(self, room_id: str) -> Mapping[tuple[str, str], Json]:
        """Return the content of each state event of the room by (type, state key)."""
        return await self.call(nio.Api.room_get_state(NO_TOKEN, room_id), read=_state)

    async def set_state(self, room_id: str, event_type: str, state_key: str, content: Mapping[str, Any]) -> str:
        """Set a piece of the room's state and return the event id."""
        request = nio.Api.room_put_state(NO_TOKEN, room_id, event_type, dict(content), state_key)
        return await self.call(request, read=_event_id)

    async def send(self, room_id: str, event_type: str, txn_id: str, content: Mapping[str, Any]) -> str:
        """Send an event and return its id; the same transaction id again returns the same id (CRYPTO 30)."""
        request = nio.Api.room_send(NO_TOKEN, room_id, event_type, dict(content), txn_id)
        return await self.call(request, read=_event_id)

    async def redact(self, room_id: str, event_id: str, txn_id: str) -> str:
        """Redact an event and return the id of the redaction."""
        return await self.call(nio.Api.room_redact(NO_TOKEN, room_id, event_id, txn_id), read=_event_id)

    async def invite(self, room_id: str, user_id: str) -> None:
        """Invite a person."""
        await self.call(nio.Api.room_invite(NO_TOKEN, room_id, user_id), read=mapping)

    async def kick(self, room_id: str, user_id: str) -> None:
        """Remove a person, or withdraw the invitation."""
        await self.call(nio.Api.room_kick(NO_TOKEN, room_id, user_id), read=mapping)

    async def leave(self, room_id: str) -> None:
        """Leave the room, or decline its invitation."""
        await self.call(nio.Api.room_leave(NO_TOKEN, room_id), read=mapping)

    async def read_marker(self, room_id: str, event_id: str) -> None:
        """Show that the bot has read up to this event."""
        await self.call(nio.Api.room_read_markers(NO_TOKEN, room_id, event_id, event_id), read=mapping)


def _members(answer: Any) -> dict[str, str]:
    members = {}
    for event in room_events(mapping(answer).get("chunk")):
        membership = event["content"].get("membership")
        if event["type"] == "m.room.member" and "state_key" in event and isinstance(membership, str):
            members[event["state_key"]] = membership
    if not members:  # we are a member ourselves: an empty answer would end a pair by mistake
        raise NonsenseError("no members in the answer")
    return members


def _state(answer: Any) -> dict[tuple[str, str], Json]:
    events = room_events(answer)
    if not events:  # every room has a creation event: an empty answer would pass for a drift
        raise NonsenseError("no state in the answer")
    return {(event["type"], event["state_key"]): event["content"] for event in events if "state_key" in event}
