"""Room events that have arrived, and how far each has come."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class InboxState(StrEnum):
    """How far an event has come."""

    PENDING = "pending"  # readable and trusted; its effects wait for a gap before it to be filled
    DONE = "done"
    UNREADABLE = "unreadable"  # waits for its key
    UNTRUSTED = "untrusted"  # waits for its device to be signed (CRYPTO 9)
    FAILED = "failed"  # its handler failed; tried again after an upgrade (CRYPTO 28)
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class TimelinePosition:
    """Where an event stands in its room: events of a filled gap come before those of the batch that had the gap."""

    batch: int
    part: int  # 0: found in the gap before the batch, 1: the batch's own timeline
    index: int

    @property
    def order(self) -> int:
        """The position as one number, for comparing events of one room."""
        return (self.batch * 2 + self.part) * 100_000 + self.index


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxEvent:
    """One event of a managed room."""

    event_id: str
    room_id: str
    sender: str
    event_type: str  # the decrypted type once it is known, else the one on the wire
    position: TimelinePosition
    state: InboxState
    event: dict[str, Any]  # decrypted: {type, content, relates_to}; unreadable: the wire event. Emptied when done
    session_id: str = ""
    index: int = -1  # Megolm message index
    verdict: str = ""
    reason: str = ""
