"""The one question after three unanswered prompts of a schedule: keep it, move it, fewer, or stop (DESIGN §8).

Asked kindly, at most once in two weeks; a tap or a word answers it, and the answer is carried out. It comes half-way
between the third prompt and the next one, so that it is in nobody's way, and never in quiet hours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from bot.core.quiet import QuietHours, is_quiet

OPEN_FOR: Final = timedelta(days=3)  # then its poll is ended, and no stray word is taken for an answer any more
FARTHEST: Final = timedelta(days=3)  # from the third prompt


class Fit(StrEnum):
    """What the client wants of a schedule."""

    KEEP = "keep"
    MOVE = "move"
    FEWER = "fewer"
    STOP = "stop"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One such question: first planned, then asked in the room with a poll."""

    question_id: str
    pair_id: str
    schedule_id: str
    asked_at: datetime  # when it is, or was, asked
    outbox_id: str | None = None  # the poll's own row; None: not asked yet
    options: Mapping[str, Fit] = field(default_factory=dict)  # random answer id -> what it means (CRYPTO 13)
    answer: Fit | None = None
    closed_at: datetime | None = None  # answered, too old, or not to be asked any more

    @property
    def open(self) -> bool:
        """Whether a word alone can answer it."""
        return self.outbox_id is not None and self.answer is None and self.closed_at is None

    @property
    def wakes_at(self) -> datetime:
        """When something is to be done about it: ask it, or end its poll."""
        return self.asked_at if self.outbox_id is None else self.asked_at + OPEN_FOR

    def vote(self, chosen: tuple[str, ...]) -> Fit | None:
        """Return what a vote means; None when it is one for another poll."""
        return self.options.get(chosen[0]) if chosen else None


def ask_at(newest: datetime, following: datetime, zone: ZoneInfo, quiet: QuietHours | None) -> datetime:
    """Return when to ask: half-way to the following prompt, at most three days on, after the quiet hours."""
    at = newest + min((following - newest) / 2, FARTHEST)
    if quiet is None or not is_quiet(quiet, at, zone):
        return at
    local = at.astimezone(zone)
    overnight = quiet.ends <= quiet.starts and local.time() >= quiet.starts
    day = local.date() + timedelta(days=overnight)
    return datetime.combine(day, quiet.ends, tzinfo=zone).astimezone(UTC)
