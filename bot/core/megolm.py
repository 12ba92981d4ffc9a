"""Megolm sessions, who has their keys, and what becomes of an event that is encrypted with one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.core.trust import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboundSession:
    """The session that a room is encrypted with at the moment."""

    room_id: str
    session_id: str
    pickle: bytes
    created_at: datetime
    messages: int  # sent so far
    version: int  # 0: not stored yet


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """One device was given (or is being given) the key of one outbound session."""

    session_id: str
    user_id: str
    device_id: str
    curve25519: str
    index: int  # message index from which the device can read
    wedge: int  # the device's wedge counter at that time (CRYPTO 17)
    acknowledged: bool  # the server has taken the to-device message


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundSession:
    """A session that others (or we ourselves) encrypt with."""

    room_id: str
    session_id: str
    sender: str  # user who owns it, as proven over Olm
    sender_key: str  # curve25519 of the device that sent the key
    sender_ed25519: str
    first_index: int
    pickle: bytes
    own: bool
    backed_up: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """Who may get the keys of a room: the people named in the record (CRYPTO 1)."""

    room_id: str
    people: frozenset[str]  # without the bot
    addressed: str | None = None  # without a signed device of this person the message is held (CRYPTO 6)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Why a room's messages have to wait."""

    room_id: str
    reason: str  # outdated | not_joined | no_device | drift | own_identity | unshared


@dataclass(frozen=True, kw_only=True, slots=True)
class SharePlan:
    """What is still needed before the rooms can be encrypted for."""

    claims: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict
    )  # body of /keys/claim: user -> device -> algorithm
    queued: int = 0  # to-device messages put in the outbox
    held: tuple[Hold, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Encrypted:
    """Content of an `m.room.encrypted` event, its ratchet step stored in the same transaction."""

    room_id: str
    session_id: str
    content: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class UnstoredCrisis:
    """A crisis text whose sessions live in memory only."""

    content: Mapping[str, Any]  # of the `m.room.encrypted` event
    room_key: Mapping[str, Any] = field(repr=False)
    claims: Mapping[str, Mapping[str, str]]  # body of /keys/claim: user -> device -> algorithm


@dataclass(frozen=True, kw_only=True, slots=True)
class Decrypted:
    """A decrypted event, and whether its word counts (CRYPTO 9)."""

    event_type: str
    content: Mapping[str, Any]
    session_id: str
    index: int
    verdict: Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """The key is missing so far: the event is kept and tried again (CRYPTO 36)."""

    session_id: str
    reason: str  # no_key | withheld:<code> | before_first_index


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """The event is forged, replayed or malformed: it never has an effect."""

    reason: str  # replay | sender | room | state_key | malformed
