"""The one question after three unanswered prompts of a schedule: keep it, move it, fewer, or stop (DESIGN §8).

Asked kindly, at most once in two weeks; a tap or a word answers it, and the answer is carried out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

OPEN_FOR: Final = timedelta(days=3)  # after that nobody takes a stray "keep" for an answer; a tap still counts


class Fit(StrEnum):
    """What the client wants of a schedule."""

    KEEP = "keep"
    MOVE = "move"
    FEWER = "fewer"
    STOP = "stop"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One such question, asked in the room with a poll."""

    question_id: str
    pair_id: str
    schedule_id: str
    outbox_id: str  # the poll's own row
    asked_at: datetime
    options: Mapping[str, Fit] = field(default_factory=dict)  # random answer id -> what it means (CRYPTO 13)
    answer: Fit | None = None
    closed_at: datetime | None = None  # answered, or too old, so that its poll is ended

    def open(self, at: datetime) -> bool:
        """Whether a word alone can answer it."""
        return self.answer is None and self.closed_at is None and at - self.asked_at < OPEN_FOR

    def vote(self, chosen: tuple[str, ...]) -> Fit | None:
        """What a vote means; None when it is one for another poll."""
        return self.options.get(chosen[0]) if len(chosen) == 1 else None
