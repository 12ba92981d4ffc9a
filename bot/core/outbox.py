"""Events on their way into a room, and the few states they pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class OutboxState(StrEnum):
    """queued -> encrypted -> sent; queued -> dropped; encrypted -> parked."""

    QUEUED = "queued"  # content sealed, not yet encrypted: may still be withdrawn
    ENCRYPTED = "encrypted"  # ciphertext and ratchet step are stored: it is resolved, never withdrawn (CRYPTO 31)
    SENT = "sent"
    DROPPED = "dropped"  # not sent because its time had passed or its pair had ended
    PARKED = "parked"  # the server refuses it for good (413)


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxEvent:
    """One event that the bot sends into a room, in the room's order."""

    outbox_id: str  # also the transaction id of the PUT
    room_id: str
    event_type: str  # m.room.redaction is sent in clear with `redacts` as its content
    content: Mapping[str, Any]
    purpose: str  # prompt | record | confirmation | notice | crisis | welcome | poll_end | redaction
    created_at: datetime
    state: OutboxState = OutboxState.QUEUED
    position: int = 0  # given by the store, increasing per account
    addressed: str | None = None  # the person who must be able to read it, else it is held
    delivery_id: str | None = None  # the prompt that this event posts
    record_id: str | None = None  # the record that this event carries or confirms
    not_after: datetime | None = None  # dropped instead of sent when it is later than this
    relates_row: str | None = (
        None  # outbox id of an earlier event: its event id is filled in when this one is encrypted
    )
    rel_type: str | None = None  # m.replace (edit), m.reference (poll end) or redacts
    ciphertext: Mapping[str, Any] | None = None
    encrypted_at: datetime | None = None
    event_id: str | None = None
    attempts: int = 0
    hold: str | None = None  # why it waits: outdated | no_device | drift | refused | …
    media: Mapping[str, Any] = field(default_factory=dict)
