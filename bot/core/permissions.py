"""Who may do what: one table of role × place × how the pair stands × command (issue "Prompts and schedules").

Rules of the table:
- Everybody gets help and the crisis numbers, everywhere and always (DESIGN 2.7).
- The client moves, thins out, pauses and refuses; the therapist sets up. Neither does the other's part.
- The therapist cannot lift a client's pause, refusal or "fewer"; the client may lift a pause of the therapist.
- What only one of the two can mean is conversation when the other writes it, unless it is plainly a command: then a
  sentence says who can do it, or how.
- What is answered stays in the room: the console shows nothing of it, and sends people there.
- When the work is over, the room answers only calls for help; the console says that it is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from bot.core.command_names import CommandName
from bot.core.pairs import PairState, Standing

Role = Literal["client", "therapist"]


class Where(StrEnum):
    """Where it was written."""

    ROOM = "room"  # the room of the two
    CONSOLE = "console"  # a therapist and the bot


class Stand(StrEnum):
    """How the pair stands, as far as commands go."""

    AWAITED = "awaited"  # the client has not joined, or was removed and may come back
    RUNNING = "running"
    PAUSED = "paused"
    THERAPIST_GONE = "therapist_gone"
    OVER = "over"


class Because(StrEnum):
    """Why something is refused; each is a sentence in `bot.yaml`."""

    THERAPISTS = "refused_therapists"  # the therapist sets this up
    CLIENTS = "refused_clients"  # the client decides this
    PAUSE_IS_CLIENTS = "refused_pause_is_clients"
    CLIENT_REFUSED = "refused_client_refused"  # the client wants none of this prompt
    CONSOLE_ONLY = "refused_console_only"
    ROOM_ONLY = "refused_room_only"
    NOT_JOINED = "refused_not_joined"
    PAUSED = "refused_paused"
    THERAPIST_GONE = "refused_therapist_gone"
    OVER = "refused_over"


@dataclass(frozen=True, slots=True)
class Refused:
    """It is a command, but not for this person, here or now."""

    because: Because


class Verdict(StrEnum):
    """What becomes of a command that is not refused."""

    ALLOWED = "allowed"
    CONVERSATION = "conversation"


Cell = Verdict | Refused
Key = tuple[Role, Where, Stand, CommandName]

_YES, _TALK = Verdict.ALLOWED, Verdict.CONVERSATION
_C = CommandName
_THERAPISTS, _CLIENTS = Refused(Because.THERAPISTS), Refused(Because.CLIENTS)
_CONSOLE, _ROOM = Refused(Because.CONSOLE_ONLY), Refused(Because.ROOM_ONLY)

# While prompts run: the client, the therapist in the room, the therapist in the console.
_RUNNING: Final[Mapping[CommandName, tuple[Cell, Cell, Cell]]] = {
    _C.HELP: (_YES, _YES, _YES),
    _C.HELP_MORE: (_YES, _YES, _YES),
    _C.CRISIS: (_YES, _YES, _YES),
    _C.PROGRESS: (_YES, _YES, _ROOM),
    _C.SKIP: (_YES, _TALK, _TALK),
    _C.BACK: (_YES, _TALK, _TALK),
    _C.STOP: (_YES, _TALK, _TALK),
    _C.LATER: (_YES, _TALK, _TALK),
    _C.WHY: (_YES, _TALK, _TALK),
    _C.AGAIN: (_YES, _TALK, _TALK),
    _C.UNDO: (_YES, _TALK, _TALK),
    _C.DONE: (_YES, _TALK, _TALK),
    _C.JOURNAL: (_YES, _TALK, _TALK),
    _C.START: (_YES, _TALK, _TALK),
    _C.NEXT: (_YES, _YES, _YES),
    _C.PAUSE: (_YES, _YES, _YES),
    _C.RESUME: (_YES, _YES, _YES),
    _C.MOVE: (_YES, _TALK, _TALK),
    _C.MOVE_PROMPT: (_YES, _CLIENTS, _CLIENTS),
    _C.FEWER: (_YES, _TALK, _TALK),
    _C.FEWER_PROMPT: (_YES, _CLIENTS, _CLIENTS),
    _C.KEEP: (_YES, _TALK, _TALK),
    _C.STOP_PROMPT: (_YES, _YES, _YES),
    _C.RESUME_PROMPT: (_YES, _CLIENTS, _CLIENTS),
    _C.TIMEZONE: (_YES, _CLIENTS, _CLIENTS),
    _C.PROMPTS: (_THERAPISTS, _YES, _YES),
    _C.TRY: (_TALK, _CONSOLE, _YES),
    _C.SEND: (_THERAPISTS, _YES, _YES),
    _C.SCHEDULE: (_THERAPISTS, _YES, _YES),
    _C.SCHEDULES: (_YES, _YES, _YES),
    _C.SESSION: (_YES, _YES, _YES),
    _C.SESSIONS: (_YES, _YES, _YES),
    _C.SESSION_MOVE: (_YES, _YES, _YES),
    _C.SESSION_CANCEL: (_YES, _YES, _YES),
    _C.SESSION_END: (_YES, _YES, _YES),
    _C.ASK: (_YES, _TALK, _TALK),
    _C.BRING: (_YES, _YES, _YES),
    _C.AGENDA: (_YES, _YES, _YES),
    _C.AGENDA_DONE: (_TALK, _YES, _YES),
    _C.TRUST: (_TALK, _TALK, _YES),
}
_ALWAYS = frozenset({_C.HELP, _C.HELP_MORE, _C.CRISIS})
# In a console also when the work with a client is over: they change nothing for anybody.
_NOTHING_CHANGES = frozenset({*_ALWAYS, _C.TRUST, _C.PROMPTS, _C.TRY, _C.AGENDA})
# What differs from "running", by how the pair stands; for everybody who may do it at all.
_NOT_NOW: Final[Mapping[Stand, Mapping[CommandName, Because]]] = {
    Stand.AWAITED: {_C.SEND: Because.NOT_JOINED},
    Stand.RUNNING: {},
    Stand.PAUSED: {_C.SEND: Because.PAUSED},
    Stand.THERAPIST_GONE: {
        _C.SEND: Because.THERAPIST_GONE,
        _C.ASK: Because.THERAPIST_GONE,
        _C.BRING: Because.THERAPIST_GONE,
    },
}
_THERAPIST_CANNOT_LIFT = frozenset({_C.PAUSE, _C.RESUME})
_NEEDS_CONSENT = frozenset({_C.SEND, _C.SCHEDULE})


def _cell(role: Role, where: Where, stand: Stand, name: CommandName) -> Cell:
    column = 0 if role == "client" else 1 if where is Where.ROOM else 2
    cell = _RUNNING[name][column]
    if stand is Stand.OVER:
        return _over(where, name, cell)
    if cell is not _YES:
        return cell
    because = _NOT_NOW[stand].get(name)
    return Refused(because) if because else cell


def _over(where: Where, name: CommandName, cell: Cell) -> Cell:
    if where is Where.ROOM:
        return cell if name in _ALWAYS else _TALK
    return Refused(Because.OVER) if cell is not _TALK and name not in _NOTHING_CHANGES else cell


_WRITERS: Final[tuple[tuple[Role, Where], ...]] = (
    ("client", Where.ROOM),
    ("therapist", Where.ROOM),
    ("therapist", Where.CONSOLE),
)
TABLE: Final[Mapping[Key, Cell]] = {
    (role, where, stand, name): _cell(role, where, stand, name)
    for role, where in _WRITERS
    for stand in Stand
    for name in CommandName
}


def permit(
    role: Role,
    where: Where,
    stand: Stand,
    name: CommandName,
    *,
    client_paused: bool = False,
    client_refused: bool = False,
) -> Cell:
    """Look up one cell, and what only the client can lift.

    `client_paused`: the pause is the client's own. `client_refused`: the client wants none of the prompt that is named.
    """
    cell = TABLE[role, where, stand, name]
    if cell is _YES and role == "therapist":
        if client_paused and name in _THERAPIST_CANNOT_LIFT:
            return Refused(Because.PAUSE_IS_CLIENTS)
        if client_refused and name in _NEEDS_CONSENT:
            return Refused(Because.CLIENT_REFUSED)
    return cell


def stand_of(standing: Standing) -> Stand:
    """Return how a pair stands, as far as commands go."""
    if not standing.live:
        return Stand.OVER
    if standing.state is not PairState.ACTIVE:
        return Stand.AWAITED
    if standing.therapist_gone:
        return Stand.THERAPIST_GONE
    return Stand.PAUSED if standing.paused else Stand.RUNNING
