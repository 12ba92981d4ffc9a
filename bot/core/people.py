"""A client and a therapist who work together, and the rooms that they have with the bot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.core.pairs import PairState, Standing
from bot.core.quiet import DEFAULT_QUIET, QuietHours, parse_quiet
from bot.core.sessions import SessionSeries

DAILY_CAP = 3  # first posts per local day, unless the pair says otherwise (DESIGN 8)


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
    quiet: str | None = None  # "21:30-07:30" in local time, "none" for no quiet hours; None: the default
    daily_cap: int | None = None  # None: the default
    paused_until: datetime | None = None  # while paused: when prompts go on by themselves
    paused_by: str | None = None  # while paused: client | therapist | operator

    @property
    def standing(self) -> Standing:
        """How the pair stands, for the table in `pairs`."""
        return Standing(state=self.state, paused=self.paused, therapist_gone=self.therapist_gone)

    @property
    def quiet_hours(self) -> QuietHours | None:
        """When the bot chooses no time by itself."""
        return DEFAULT_QUIET if self.quiet is None else parse_quiet(self.quiet)

    @property
    def cap(self) -> int:
        """How many prompts come on one local day at most, counted across schedules."""
        return DAILY_CAP if self.daily_cap is None else self.daily_cap


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
    client_rule: str | None = None  # what the client thinned it out or moved it to; stands before the therapist's
    refused: bool = False  # by the client, for good: it never comes
    reminder: timedelta | None = None  # after how long without an answer; nothing at all: none; None: the default
    asked_fit_at: datetime | None = None  # when the client was last asked whether it still fits
    next_due: datetime | None = None  # when it is due or is to be planned again; None: at once
    waited_until: datetime | None = None  # so long a due occurrence has let another conversation finish: no lateness

    @property
    def effective_rule(self) -> str:
        """The rule that counts: the client's own, where there is one."""
        return self.client_rule or self.rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """The random times of one schedule on one local day."""

    schedule_id: str
    pair_id: str
    day: date
    times: tuple[datetime, ...]  # aware, on the wall clock of the zone in which they were drawn


@dataclass(frozen=True, kw_only=True, slots=True)
class BookedSeries:
    """Therapy sessions that a pair has agreed on."""

    pair_id: str
    number: int  # stable in the pair's list
    series: SessionSeries
    created_at: datetime


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
