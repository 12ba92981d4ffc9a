"""When an outbound Megolm session must be replaced (CRYPTO 22)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

_MS: Final = timedelta(milliseconds=1)


class RotationReason(StrEnum):
    """What ends a session at once, whatever its age (CRYPTO 22, 33)."""

    DEPARTURE = "departure"  # somebody left, was removed, declined, or lost the invitation
    LIMITED_SYNC = "limited_sync"  # a membership other than join came with a gap in the timeline
    DEVICE_REMOVED = "device_removed"
    DEVICE_LOST_TRUST = "device_lost_trust"
    VIOLATION = "violation"
    HISTORY_VISIBILITY = "history_visibility"
    ENCRYPTION_CHANGED = "encryption_changed"
    RESTORED = "restored"
    DRIFT = "drift"
    CLOCK_BEHIND = "clock_behind"
    USED_ONCE = "used_once"  # the session of a crisis text (CRYPTO 10)


@dataclass(frozen=True, kw_only=True, slots=True)
class RotationSettings:
    """How long one session may be used."""

    period: timedelta
    messages: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionAge:
    """How long and how often a session was used."""

    created_at: datetime
    messages: int  # encrypted with it so far


OURS: Final = RotationSettings(period=timedelta(days=7), messages=100)
FLOOR: Final = RotationSettings(period=timedelta(hours=1), messages=1)


def rotation_settings(encryption: Mapping[str, object]) -> RotationSettings:
    """The stricter of ours and the room's `m.room.encryption` content, not below the floor (CRYPTO 22).

    A value that is no whole number counts as absent.
    """
    period = _stricter(encryption.get("rotation_period_ms"), ours=OURS.period // _MS, floor=FLOOR.period // _MS)
    messages = _stricter(encryption.get("rotation_period_msgs"), ours=OURS.messages, floor=FLOOR.messages)
    return RotationSettings(period=period * _MS, messages=messages)


def _stricter(value: object, *, ours: int, floor: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return ours
    return max(floor, min(value, ours))


def must_rotate(
    session: SessionAge, settings: RotationSettings, at: datetime, *, reasons: Collection[RotationReason] = ()
) -> bool:
    """Whether the next message needs a new session: worn out by messages or age, or ended by a reason (CRYPTO 22).

    A clock more than five minutes behind the session's creation rotates as well (CRYPTO 33).
    """
    age = at - session.created_at
    return (
        bool(reasons) or session.messages >= settings.messages or age >= settings.period or age < timedelta(minutes=-5)
    )
