"""A client and a therapist who work together, and the rooms that they have with the bot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.core.pairs import PairState, Standing


class Purpose(StrEnum):
    """What a managed room is for."""

    PAIR = "pair"
    CONSOLE = "console"


@dataclass(frozen=True, kw_only=True, slots=True)
class ManagedRoom:
    """A room that the bot made and is responsible for. The bot is a member of no other."""

    room_id: str
    purpose: Purpose
    pair_id: str | None
    therapist: str
    encryption: Mapping[str, Any] = field(default_factory=dict)  # content of m.room.encryption as last seen
    hold: str | None = None  # why nothing is sent here: drift:<what> | refused:<status>


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A client and a therapist."""

    pair_id: str
    number: int  # stable number in lists
    client: str  # Matrix user id
    therapist: str
    client_name: str
    therapist_name: str
    timezone: str  # IANA
    language: str
    country: str  # ISO 3166 alpha-2, for crisis numbers
    word: str  # the everyday word in the room's name
    state: PairState
    paused: bool
    therapist_gone: bool
    created_at: datetime
    invited_at: datetime | None = None
    room_id: str | None = None
    console_id: str | None = None

    @property
    def standing(self) -> Standing:
        """How the pair stands, for the table in `pairs`."""
        return Standing(state=self.state, paused=self.paused, therapist_gone=self.therapist_gone)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A prompt that comes at a rule's occurrences."""

    schedule_id: str
    number: int
    pair_id: str
    prompt_id: str
    rule: str
    timezone: str | None  # None: the pair's
    goal_id: str | None
    created_at: datetime
    after: datetime  # occurrences up to this instant are decided


@dataclass(frozen=True, kw_only=True, slots=True)
class Intent:
    """Something that the command line asks the running bot to do."""

    intent_id: str
    kind: str
    payload: Mapping[str, Any]
    state: str  # queued | done | failed
    result: Mapping[str, Any]
    error: str
    created_at: datetime
