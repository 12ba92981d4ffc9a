"""One prompt at one occurrence: due, posted, answered or skipped, each exactly once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

BY_HAND: Final = "hand:"  # begins the occurrence of a prompt that somebody sent by hand
BY_CLIENT: Final = "client:"  # begins the occurrence of a prompt that the client started


class DeliveryState(StrEnum):
    """due -> posted -> answered | expired; due -> skipped."""

    DUE = "due"  # queued in the outbox, not acknowledged yet
    POSTED = "posted"
    ANSWERED = "answered"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A prompt for one occurrence of a schedule, or sent by hand."""

    delivery_id: str
    pair_id: str
    prompt_id: str
    prompt_version: int
    occurrence: str  # key of the occurrence; for a prompt sent by hand the id of the intent
    schedule_id: str | None
    goal_id: str | None
    due: datetime
    expires_at: datetime
    state: DeliveryState
    skip_reason: str | None = None
    # The question asked back: {question: outbox id, event_id, text, step}.
    asked: Mapping[str, str] = field(default_factory=dict)
    posted_at: datetime | None = None
    remind_at: datetime | None = None  # when it is shown once more, if nobody has answered
    number: int = 0  # given by the store, increasing per pair

    @property
    def by_client(self) -> bool:
        """Whether the client began it: no cap counts it, and it notifies nobody."""
        return self.occurrence.startswith(BY_CLIENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstPost:
    """What counts towards the daily cap: one occurrence, however many goals it asked about."""

    pair_id: str
    schedule_id: str | None
    due: datetime
