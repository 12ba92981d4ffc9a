"""The life of a pair: one table says what happens to it (DESIGN 6).

Rules of the table:
- The state follows the client. Whether prompts are paused and whether the therapist is gone are two flags beside it,
  so that whoever leaves and comes back while paused finds the pair paused.
- Prompts run only while the client is there, the therapist is not gone and nobody has paused.
- What the homeserver reports is never refused. What a person asks of a pair that is over is refused with a sentence.
- Every departure rotates the keys, in every state (CRYPTO 22).
- The bot never invites anybody again; whom the therapist lets in again is welcome again.
- A step of provisioning may be reported twice: after a crash it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.core.lateness import SkipReason
from bot.errors import PairError

OVERDUE_AFTER: Final = timedelta(days=3)


class PairState(StrEnum):
    """Where the client stands."""

    PROVISIONING = "provisioning"  # the rooms are being made
    INVITING = "inviting"  # the invitations are being sent
    INVITED = "invited"
    ACTIVE = "active"  # the client is in the room
    REMOVED = "removed"  # by the therapist, who may let the client in again
    DECLINED = "declined"
    LEFT = "left"
    DEACTIVATED = "deactivated"  # the client's account is gone
    WITHDRAWN = "withdrawn"  # ended before the client joined
    ENDED = "ended"  # the room stays readable, crisis still answers
    LOST = "lost"  # the bot was taken out of the room


class PairEvent(StrEnum):
    """What happens to a pair."""

    ROOMS_CREATED = "rooms_created"
    INVITATIONS_SENT = "invitations_sent"
    CLIENT_OVERDUE = "client_overdue"  # three days without joining
    THERAPIST_OVERDUE = "therapist_overdue"
    CLIENT_JOINED = "client_joined"
    CLIENT_DECLINED = "client_declined"
    CLIENT_LEFT = "client_left"
    CLIENT_REMOVED = "client_removed"
    CLIENT_DEACTIVATED = "client_deactivated"
    THERAPIST_JOINED = "therapist_joined"
    THERAPIST_DECLINED = "therapist_declined"
    THERAPIST_LEFT = "therapist_left"
    THERAPIST_DEACTIVATED = "therapist_deactivated"
    STRANGER_CAME = "stranger_came"  # joined or was invited
    STRANGER_WENT = "stranger_went"
    BOT_REMOVED = "bot_removed"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"


class Effect(StrEnum):
    """What the flows do about it."""

    SEND_INVITATIONS = "send_invitations"
    WITHDRAW_INVITATION = "withdraw_invitation"  # the client's, if one is open
    WELCOME = "welcome"  # once per pair: whoever comes back is not welcomed twice
    STOP_PROMPTS = "stop_prompts"
    RESUME_PROMPTS = "resume_prompts"  # from now on, never what was missed
    ROTATE_KEYS = "rotate_keys"
    TELL_CLIENT_THERAPIST_GONE = "tell_client_therapist_gone"  # with the practice's contact
    TELL_CLIENT_ENDED = "tell_client_ended"
    TELL_CONSOLE_CLIENT_OVERDUE = "tell_console_client_overdue"
    TELL_CONSOLE_THERAPIST_OVERDUE = "tell_console_therapist_overdue"
    TELL_CONSOLE_DECLINED = "tell_console_declined"
    TELL_CONSOLE_LEFT = "tell_console_left"
    TELL_CONSOLE_REMOVED = "tell_console_removed"
    TELL_CONSOLE_DEACTIVATED = "tell_console_deactivated"
    TELL_CONSOLE_BACK = "tell_console_back"
    TELL_CONSOLE_DRIFT = "tell_console_drift"
    TELL_CONSOLE_ROOM_LOST = "tell_console_room_lost"
    TELL_CONSOLE_ENDED = "tell_console_ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a pair stands."""

    state: PairState
    paused: bool = False
    therapist_gone: bool = False  # left, declined or deactivated; not merely "has not joined yet"

    @property
    def prompts_run(self) -> bool:
        """Whether prompts are sent."""
        return not blockers(self)

    @property
    def live(self) -> bool:
        """Whether the pair is running or may run without anybody starting it anew: it excludes a second one."""
        return self.state in _LIVE

    @property
    def crisis_answered(self) -> bool:
        """Whether `crisis` is answered in the room, also after the end (DESIGN 6)."""
        return self.state not in {PairState.PROVISIONING, PairState.LOST}

    @property
    def shown(self) -> str:
        """One word for lists: the state, or what keeps an active pair from prompts."""
        if self.state is not PairState.ACTIVE:
            return self.state.value
        return "therapist gone" if self.therapist_gone else "paused" if self.paused else "active"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What an event does: how the pair stands after it, and what to do about it."""

    standing: Standing
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A cell of the table in which a person is told why not."""

    sentence: str


Cell = tuple[PairState, tuple[Effect, ...]] | Refusal
_Row = dict[PairEvent, Cell]

_S, _E, _F = PairState, PairEvent, Effect
_LIVE = frozenset({_S.PROVISIONING, _S.INVITING, _S.INVITED, _S.ACTIVE, _S.REMOVED})
_OVER = Refusal("This pair has ended. Start a new one with `interlude pair add`.")
_COMES: Cell = (_S.ACTIVE, (_F.WELCOME, _F.RESUME_PROMPTS, _F.TELL_CLIENT_THERAPIST_GONE))
_COMES_BACK: Cell = (
    _S.ACTIVE,
    (_F.TELL_CONSOLE_BACK, _F.WELCOME, _F.RESUME_PROMPTS, _F.TELL_CLIENT_THERAPIST_GONE),
)


def _anywhere(state: PairState) -> _Row:
    """What an event does where the state's own row does not say otherwise."""
    stays: Cell = (state, ())
    departure: Cell = (state, (_F.ROTATE_KEYS,))
    return {
        **dict.fromkeys(PairEvent, stays),
        _E.CLIENT_DECLINED: departure,
        _E.CLIENT_LEFT: departure,
        _E.CLIENT_REMOVED: departure,
        _E.CLIENT_DEACTIVATED: departure,
        _E.THERAPIST_DECLINED: departure,
        _E.THERAPIST_LEFT: departure,
        _E.THERAPIST_DEACTIVATED: departure,
        _E.STRANGER_CAME: (state, (_F.TELL_CONSOLE_DRIFT,)),
        _E.STRANGER_WENT: departure,
        _E.BOT_REMOVED: (_S.LOST, (_F.STOP_PROMPTS, _F.TELL_CONSOLE_ROOM_LOST)),
        _E.END: (_S.ENDED, (_F.WITHDRAW_INVITATION, _F.ROTATE_KEYS, _F.TELL_CONSOLE_ENDED)),
    }


_CLIENT_GOES: _Row = {
    _E.CLIENT_DECLINED: (_S.DECLINED, (_F.STOP_PROMPTS, _F.ROTATE_KEYS, _F.TELL_CONSOLE_DECLINED)),
    _E.CLIENT_LEFT: (_S.LEFT, (_F.STOP_PROMPTS, _F.ROTATE_KEYS, _F.TELL_CONSOLE_LEFT)),
    _E.CLIENT_REMOVED: (_S.REMOVED, (_F.STOP_PROMPTS, _F.ROTATE_KEYS, _F.TELL_CONSOLE_REMOVED)),
    _E.CLIENT_DEACTIVATED: (_S.DEACTIVATED, (_F.STOP_PROMPTS, _F.ROTATE_KEYS, _F.TELL_CONSOLE_DEACTIVATED)),
}
_AWAITED: _Row = {
    **_CLIENT_GOES,
    _E.CLIENT_JOINED: _COMES,
    _E.END: (_S.WITHDRAWN, (_F.WITHDRAW_INVITATION, _F.ROTATE_KEYS, _F.TELL_CONSOLE_ENDED)),
}
_OUT: _Row = {
    _E.CLIENT_JOINED: _COMES_BACK,
    _E.CLIENT_DEACTIVATED: (_S.DEACTIVATED, (_F.ROTATE_KEYS, _F.TELL_CONSOLE_DEACTIVATED)),
}
_THERAPIST_GOES: Cell = (_S.ACTIVE, (_F.STOP_PROMPTS, _F.ROTATE_KEYS, _F.TELL_CLIENT_THERAPIST_GONE))
_FINISHED: _Row = {_E.PAUSE: _OVER, _E.RESUME: _OVER, _E.END: _OVER}

_ROWS: dict[PairState, _Row] = {
    _S.PROVISIONING: {
        _E.ROOMS_CREATED: (_S.INVITING, (_F.SEND_INVITATIONS,)),
        _E.INVITATIONS_SENT: Refusal("The rooms of this pair do not exist yet."),
        _E.END: (_S.WITHDRAWN, ()),
    },
    _S.INVITING: {**_AWAITED, _E.INVITATIONS_SENT: (_S.INVITED, ())},
    _S.INVITED: {
        **_AWAITED,
        _E.CLIENT_OVERDUE: (_S.INVITED, (_F.TELL_CONSOLE_CLIENT_OVERDUE,)),
        _E.THERAPIST_OVERDUE: (_S.INVITED, (_F.TELL_CONSOLE_THERAPIST_OVERDUE,)),
    },
    _S.ACTIVE: {
        **_CLIENT_GOES,
        _E.THERAPIST_JOINED: (_S.ACTIVE, (_F.RESUME_PROMPTS,)),
        _E.THERAPIST_DECLINED: _THERAPIST_GOES,
        _E.THERAPIST_LEFT: _THERAPIST_GOES,
        _E.THERAPIST_DEACTIVATED: _THERAPIST_GOES,
        _E.THERAPIST_OVERDUE: (_S.ACTIVE, (_F.TELL_CONSOLE_THERAPIST_OVERDUE,)),
        _E.PAUSE: (_S.ACTIVE, (_F.STOP_PROMPTS,)),
        _E.RESUME: (_S.ACTIVE, (_F.RESUME_PROMPTS,)),
        _E.END: (_S.ENDED, (_F.STOP_PROMPTS, _F.TELL_CLIENT_ENDED, _F.TELL_CONSOLE_ENDED)),
    },
    _S.REMOVED: _OUT,
    _S.DECLINED: _OUT,
    _S.LEFT: _OUT,
    _S.DEACTIVATED: {_E.CLIENT_JOINED: _COMES_BACK},
    _S.WITHDRAWN: {
        **_FINISHED,
        # The end and a step of provisioning, or the client's acceptance, crossed on the way.
        _E.INVITATIONS_SENT: (_S.WITHDRAWN, (_F.WITHDRAW_INVITATION, _F.ROTATE_KEYS)),
        _E.CLIENT_JOINED: (_S.ENDED, (_F.TELL_CLIENT_ENDED,)),
        _E.BOT_REMOVED: (_S.WITHDRAWN, ()),
    },
    _S.ENDED: {**_FINISHED, _E.BOT_REMOVED: (_S.ENDED, ())},
    _S.LOST: {_E.BOT_REMOVED: (_S.LOST, ()), _E.END: (_S.ENDED, (_F.TELL_CONSOLE_ENDED,))},
}

TABLE: Final[Mapping[tuple[PairState, PairEvent], Cell]] = {
    (state, event): cell for state, row in _ROWS.items() for event, cell in {**_anywhere(state), **row}.items()
}

_THERAPIST_GONE: Final[Mapping[PairEvent, bool]] = {
    _E.THERAPIST_JOINED: False,
    _E.THERAPIST_DECLINED: True,
    _E.THERAPIST_LEFT: True,
    _E.THERAPIST_DEACTIVATED: True,
}
_PAUSED: Final[Mapping[PairEvent, bool]] = {_E.PAUSE: True, _E.RESUME: False}


def step(standing: Standing, event: PairEvent) -> Step:
    """Take one event to its cell of the table; the flags then decide which of the cell's effects are due.

    Raises PairError with the sentence to show when a person asks for what the pair no longer offers.
    """
    cell = TABLE[standing.state, event]
    if isinstance(cell, Refusal):
        raise PairError(cell.sentence)
    state, effects = cell
    after = Standing(
        state=state,
        paused=_PAUSED.get(event, standing.paused),
        therapist_gone=_THERAPIST_GONE.get(event, standing.therapist_gone),
    )
    return Step(standing=after, effects=tuple(effect for effect in effects if _due(effect, standing, after)))


def _due(effect: Effect, before: Standing, after: Standing) -> bool:
    match effect:
        case Effect.STOP_PROMPTS:
            return before.prompts_run and not after.prompts_run
        case Effect.RESUME_PROMPTS:
            return after.prompts_run and not before.prompts_run
        case Effect.TELL_CLIENT_THERAPIST_GONE:
            told = before.therapist_gone and before.state is PairState.ACTIVE
            return after.therapist_gone and not told
        case _:
            return True


def blockers(standing: Standing) -> frozenset[SkipReason]:
    """Why this pair gets no prompt now; empty when it does."""
    found = set()
    if standing.state in {PairState.ENDED, PairState.WITHDRAWN}:
        found.add(SkipReason.ENDED)
    elif standing.state is PairState.LOST:
        found.add(SkipReason.REFUSED)
    elif standing.state is not PairState.ACTIVE or standing.therapist_gone:
        found.add(SkipReason.NOT_JOINED)
    if standing.paused:
        found.add(SkipReason.PAUSED)
    return frozenset(found)


def overdue(invited_at: datetime, at: datetime) -> bool:
    """Whether somebody invited at `invited_at`, who has not joined, is to be named (DESIGN 6: three days)."""
    return at - invited_at >= OVERDUE_AFTER
