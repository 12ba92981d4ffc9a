"""Olm sessions and to-device messages, as they are kept between two transactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class OlmSession:
    """One Olm session with one device."""

    session_id: str
    peer_key: str  # curve25519 of the other device
    pickle: bytes
    last_received: (
        int  # counter of decrypted messages, account-wide: the highest is the one to encrypt with (CRYPTO 16)
    )
    version: int  # 0: not stored yet


@dataclass(frozen=True, kw_only=True, slots=True)
class ToDeviceMessage:
    """One to-device message that has to go out, its content final."""

    message_id: str
    event_type: str
    user_id: str
    device_id: str
    content: Mapping[str, Any]
    session_id: str | None  # the Megolm session whose key it carries; the message waits for its acknowledgement
    wave: str | None  # transaction id of the request it was put in


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyQuestion:
    """A /keys/query: whom to ask about, each with the mark that the answer may clear (CRYPTO 21)."""

    marks: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustNews:
    """Something about a person's keys that the console or the operator has to hear."""

    user_id: str
    kind: str  # pinned | violation | unsigned_device | newly_signed | own_device
    detail: str  # fingerprint, device id or the reason; never content


@dataclass(frozen=True, kw_only=True, slots=True)
class ToDeviceOutcome:
    """What became of one to-device message."""

    kind: str  # room_key | withheld | key_request | verification | dummy | dropped
    reason: str = ""
    sender: str = ""
    readable: tuple[str, ...] = field(default=())  # Megolm session ids that can be read now
    wedged: bool = False  # a new session with the sender's device may be due (CRYPTO 17)
    began: bool = False  # the device began a new session: keys that it was given before may be lost with the old one
    reply: Sequence[ToDeviceMessage] = field(default=())
