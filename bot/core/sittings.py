"""A sitting: the conversation about one delivery, one step at a time. One table says where each turn leads.

Rules of the table:
- A sitting goes forward: what follows is the next step behind the current one that has no answer, was not skipped, and
  whose `when` holds for the answers of that moment. Where nothing follows, the sitting ends.
- Only `back` and an answer taken back go to a step that was asked before. What is corrected in any other way changes
  the record and nothing here: no question comes twice for it.
- Words and media may come in a row: the next step is asked once it has been quiet for a while; a value goes on at once.
- `later` puts a sitting off once. An answer to it ends that, as its time does.
- The end is the end: whatever is answered after it is a revision of the record.
- Who answered within the last half hour is let finish, also when the time for the question is over.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.core.conditions import Values, holds
from bot.core.prompts import Step

QUIET: Final = timedelta(seconds=20)  # after the last message of a row the next step is asked (DESIGN 7)
IN_A_ROW: Final = timedelta(minutes=3)  # from the first message of a row
LET_FINISH: Final = timedelta(minutes=30)
PUT_OFF: Final = timedelta(hours=2)  # how long `later` means, and how long a sitting stays once it is back
POLL_QUIET: Final = timedelta(minutes=10)  # after the last vote its poll is ended (DESIGN 7)


class SittingState(StrEnum):
    """How far a sitting has come."""

    OPEN = "open"
    DONE = "done"
    STOPPED = "stopped"  # by the client, or skipped as a whole
    EXPIRED = "expired"


class Standing(StrEnum):
    """Where a sitting stands, as the table sees it."""

    ASKED = "asked"  # the current step waits for its answer
    ROW = "row"  # it has one; more may follow before the next step is asked
    AWAY = "away"  # put off
    ENDED = "ended"


class Turn(StrEnum):
    """What happens to a sitting."""

    VALUE = "value"  # the current step has its answer
    ROW = "row"  # the current step has an answer, and more may come
    QUIET = "quiet"  # nothing came for a while
    DONE = "done"  # the client ends a row
    SKIP = "skip"
    BACK = "back"
    STOP = "stop"
    LATER = "later"
    RETURN = "return"  # the time that `later` gave has come
    EXPIRE = "expire"


class Refusal(StrEnum):
    """Why the client's word changes nothing."""

    NOTHING_OPEN = "nothing_open"
    NOTHING_BEFORE = "nothing_before"  # `back` at the first step
    LATER_USED = "later_used"  # it comes back only once
    NO_ROW = "no_row"  # `done` while nothing has been said


@dataclass(frozen=True, kw_only=True, slots=True)
class Sitting:
    """The conversation about one delivery."""

    delivery_id: str
    pair_id: str
    expires_at: datetime  # an unfinished sitting is closed then, unless somebody is in the middle of it
    steps: int = 1  # how many the prompt has
    state: SittingState = SittingState.OPEN
    step: str | None = None  # the current step; of an ended sitting the last one
    asked: tuple[str, ...] = ()  # step ids in the order in which they were first asked
    skipped: frozenset[str] = frozenset()
    replaces: bool = False  # the next answer to `step` takes the place of what is on record: `back` went there
    row: str | None = None  # the step that takes what is sent in a row
    row_since: datetime | None = None
    ask_next_at: datetime | None = None  # the row of `step` is over then
    last_answered_at: datetime | None = None
    later_at: datetime | None = None  # put off until then
    later_used: bool = False
    polls: Mapping[str, datetime | None] = field(default_factory=dict)  # outbox id of each open poll -> its own end

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.state is SittingState.OPEN

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        if not self.open:
            return Standing.ENDED
        if self.later_at is not None:
            return Standing.AWAY
        return Standing.ASKED if self.ask_next_at is None else Standing.ROW

    @property
    def closes_at(self) -> datetime:
        """When it is closed unfinished, and answers begin to be late."""
        busy = _busy_until(self)
        return self.expires_at if busy is None else max(self.expires_at, busy)

    @property
    def wake_at(self) -> datetime | None:
        """When something is to be done about it; None: never again."""
        due = [self.poll_ends(poll) for poll in self.polls]
        if self.open:
            due += [self.closes_at, *(at for at in (self.ask_next_at, self.later_at) if at is not None)]
        return min(due, default=None)

    def poll_ends(self, poll: str) -> datetime:
        """When a poll is ended: ten minutes after the last vote, or when the time for its question is over."""
        ends = self.polls[poll]
        return self.closes_at if ends is None else min(ends, self.closes_at)

    def busy(self, *, at: datetime) -> bool:
        """Whether the client is in the middle of it."""
        busy = _busy_until(self)
        return busy is not None and at < busy

    def takes_more(self, step: str, *, at: datetime) -> bool:
        """Whether what is sent now joins the last answer to this step."""
        if self.row != step or self.row_since is None:
            return False
        waits = self.standing is Standing.ROW and self.step == step
        return waits or timedelta(0) <= at - self.row_since <= IN_A_ROW


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """What a sitting goes by: the prompt's steps, and the answers so far."""

    steps: Sequence[Step]
    values: Values  # a key for each answered step; None: in words or with media

    def place(self, step: str | None) -> int:
        """Return where a step stands in the prompt; -1 for one that is not there, as after a change of the file."""
        return next((place for place, each in enumerate(self.steps) if each.id == step), -1)

    def applies(self, step: Step) -> bool:
        """Whether a step is to be asked at all, by the answers so far."""
        return step.when is None or holds(step.when, self.values)

    def asks(self, step: str | None) -> bool:
        """Whether a step is in the prompt and to be asked, by the answers so far."""
        return any(each.id == step and self.applies(each) for each in self.steps)


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """Where a turn leads: the sitting after it, and the step whose question is to be posted now."""

    sitting: Sitting
    ask: str | None = None
    refused: Refusal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scene:
    sitting: Sitting
    script: Script
    at: datetime
    until: datetime | None  # of `later`


def begun(
    delivery_id: str, pair_id: str, steps: Sequence[Step], *, expires_at: datetime, poll: str | None = None
) -> Sitting:
    """Return a sitting whose first step is being asked; `poll` is the outbox id of its poll, if it is one."""
    first = steps[0].id
    return Sitting(
        delivery_id=delivery_id,
        pair_id=pair_id,
        expires_at=expires_at,
        steps=len(steps),
        step=first,
        asked=(first,),
        polls={poll: None} if poll else {},
    )


def turned(sitting: Sitting, turn: Turn, script: Script, *, at: datetime, until: datetime | None = None) -> Move:
    """Take one turn to its cell of the table. `until`: when a sitting that is put off comes back."""
    return TABLE[sitting.standing, turn](_Scene(sitting=sitting, script=script, at=at, until=until))


def answered(sitting: Sitting, step: str, script: Script, *, in_a_row: bool, at: datetime) -> Move:
    """Return what an answer to a step leads to; `script` holds the answer already.

    An answer to any other than the current step changes the record alone: nothing is asked for it.
    """
    noted = replace(sitting, last_answered_at=at, skipped=sitting.skipped - {step})
    if in_a_row and sitting.row != step:
        noted = replace(noted, row=step, row_since=at)
    elif not in_a_row:
        noted = replace(noted, row=None, row_since=None)
    if not sitting.open or step != sitting.step:
        return Move(sitting=noted)
    return turned(replace(noted, replaces=False), Turn.ROW if in_a_row else Turn.VALUE, script, at=at)


def taken_back(sitting: Sitting, step: str, script: Script, *, at: datetime) -> Move:
    """Return what follows when `undo` has taken an answer back: a step without one is asked again."""
    if step in script.values:
        return Move(sitting=sitting)
    silent = replace(sitting, row=None, row_since=None)  # no passing remark takes the place of what was taken back
    if not sitting.open:
        return Move(sitting=silent)
    if script.asks(step):
        return Move(sitting=_at(silent, step), ask=step)
    return turned(silent, Turn.VALUE, script, at=at) if step == sitting.step else Move(sitting=silent)


def emptied(sitting: Sitting, step: str, script: Script) -> Sitting:
    """Return the sitting when a redaction took an answer: the current step waits again, its question still stands."""
    if step in script.values:
        return sitting
    silent = replace(sitting, row=None, row_since=None) if sitting.row == step else sitting
    return replace(silent, ask_next_at=None) if step == sitting.step else silent


def due(sitting: Sitting, *, at: datetime) -> Turn | None:
    """Return the turn that time has brought."""
    if sitting.open and sitting.closes_at <= at:
        return Turn.EXPIRE
    if sitting.standing is Standing.AWAY and sitting.later_at is not None and sitting.later_at <= at:
        return Turn.RETURN
    if sitting.standing is Standing.ROW and sitting.ask_next_at is not None and sitting.ask_next_at <= at:
        return Turn.QUIET
    return None


def voted(sitting: Sitting, poll: str, *, at: datetime) -> Sitting:
    """Return the sitting after a vote in one of its polls."""
    return replace(sitting, polls={**sitting.polls, poll: at + POLL_QUIET}) if poll in sitting.polls else sitting


def polls_over(sitting: Sitting, *, at: datetime) -> tuple[Sitting, tuple[str, ...]]:
    """Return the sitting without the polls whose time is over, and these."""
    over = tuple(poll for poll in sitting.polls if sitting.poll_ends(poll) <= at)
    return replace(sitting, polls={poll: ends for poll, ends in sitting.polls.items() if poll not in over}), over


def busy_until(sittings: Iterable[Sitting], *, at: datetime) -> datetime | None:
    """Return how long a new prompt waits for a client who is in the middle of one; None: not at all."""
    found = [until for each in sittings if (until := _busy_until(each)) is not None and until > at]
    return max(found, default=None)


def _busy_until(sitting: Sitting) -> datetime | None:
    if sitting.steps < 2 or not sitting.open or sitting.later_at is not None or sitting.last_answered_at is None:
        return None
    return sitting.last_answered_at + LET_FINISH


def _go_on(scene: _Scene) -> Move:
    """Ask what follows, or end."""
    sitting, script = scene.sitting, scene.script
    behind = script.steps[_here(sitting, script) + 1 :]
    for step in behind:
        if step.id not in script.values and step.id not in sitting.skipped and script.applies(step):
            asked = sitting.asked if step.id in sitting.asked else (*sitting.asked, step.id)
            return Move(sitting=replace(_at(sitting, step.id), asked=asked), ask=step.id)
    return _end(scene, SittingState.DONE if script.values else SittingState.STOPPED)


def _wait(scene: _Scene) -> Move:
    """Let more come before what follows is asked; where nothing follows, the sitting ends and the row goes on."""
    moved = _go_on(scene)
    if moved.ask is None:
        return moved
    return Move(sitting=replace(scene.sitting, ask_next_at=scene.at + QUIET, later_at=None))


def _skip(scene: _Scene) -> Move:
    """Leave the current step out; what it has already, from before a `back`, stays."""
    sitting = scene.sitting
    if sitting.step is not None and sitting.step not in scene.script.values:
        sitting = replace(sitting, skipped=sitting.skipped | {sitting.step})
    return _go_on(replace(scene, sitting=sitting))


def _back(scene: _Scene) -> Move:
    """Ask the step before once more."""
    sitting, script = scene.sitting, scene.script
    before = script.steps[: max(_here(sitting, script), 0)]
    for step in reversed(before):
        if step.id in sitting.asked and script.applies(step):
            moved = replace(_at(sitting, step.id), replaces=step.id in script.values, row=None, row_since=None)
            return Move(sitting=replace(moved, skipped=sitting.skipped - {step.id}), ask=step.id)
    return Move(sitting=sitting, refused=Refusal.NOTHING_BEFORE)


def _put_off(scene: _Scene) -> Move:
    sitting, until = scene.sitting, scene.until or scene.at + PUT_OFF
    if sitting.later_used:
        return Move(sitting=sitting, refused=Refusal.LATER_USED)
    away = replace(sitting, later_at=until, later_used=True, ask_next_at=None, row=None, row_since=None)
    return Move(sitting=replace(away, expires_at=max(sitting.expires_at, until + PUT_OFF)))


def _come_back(scene: _Scene) -> Move:
    """Ask the current step once more; what follows, when it had its answer before it was put off."""
    sitting = scene.sitting
    answered_before = sitting.step in scene.script.values and not sitting.replaces
    if sitting.step is None or answered_before or not scene.script.asks(sitting.step):
        return _go_on(scene)
    return Move(sitting=replace(sitting, later_at=None), ask=sitting.step)


def _stop(scene: _Scene) -> Move:
    return _end(scene, SittingState.STOPPED)


def _expire(scene: _Scene) -> Move:
    return _end(scene, SittingState.EXPIRED)


def _end(scene: _Scene, state: SittingState) -> Move:
    ended = replace(scene.sitting, state=state, ask_next_at=None, later_at=None, replaces=False)
    return Move(sitting=ended if state is SittingState.DONE else replace(ended, row=None, row_since=None))


def _end_row(scene: _Scene) -> Move:
    """Take nothing more for the last answer of a sitting that has ended."""
    sitting = scene.sitting
    if sitting.row is None or not sitting.takes_more(sitting.row, at=scene.at):
        return Move(sitting=sitting, refused=Refusal.NOTHING_OPEN)
    return Move(sitting=replace(sitting, row=None, row_since=None))


def _nothing(scene: _Scene) -> Move:
    return Move(sitting=scene.sitting)


def _refuse(refusal: Refusal) -> "_Act":
    def refused(scene: _Scene) -> Move:
        return Move(sitting=scene.sitting, refused=refusal)

    return refused


def _at(sitting: Sitting, step: str) -> Sitting:
    """Return the sitting with its question at another step."""
    return replace(sitting, step=step, replaces=False, ask_next_at=None, later_at=None)


def _here(sitting: Sitting, script: Script) -> int:
    """Return the current step's place; that of the last one asked when the file does not have it any more."""
    place = script.place(sitting.step)
    return place if place >= 0 else max((script.place(step) for step in sitting.asked), default=-1)


_Act = Callable[[_Scene], Move]

_S, _T = Standing, Turn
_OPEN: Mapping[Turn, _Act] = {
    _T.VALUE: _go_on,
    _T.ROW: _wait,
    _T.QUIET: _nothing,
    _T.DONE: _refuse(Refusal.NO_ROW),
    _T.SKIP: _skip,
    _T.BACK: _back,
    _T.STOP: _stop,
    _T.LATER: _put_off,
    _T.RETURN: _nothing,
    _T.EXPIRE: _expire,
}
_NOT_OPEN = _refuse(Refusal.NOTHING_OPEN)
_ROWS: Mapping[Standing, Mapping[Turn, _Act]] = {
    _S.ASKED: _OPEN,
    _S.ROW: {**_OPEN, _T.QUIET: _go_on, _T.DONE: _go_on, _T.SKIP: _go_on},
    _S.AWAY: {**_OPEN, _T.LATER: _refuse(Refusal.LATER_USED), _T.RETURN: _come_back},
    _S.ENDED: {
        **dict.fromkeys(Turn, _nothing),
        **dict.fromkeys((_T.DONE, _T.SKIP, _T.STOP), _end_row),
        **dict.fromkeys((_T.BACK, _T.LATER), _NOT_OPEN),
    },
}
TABLE: Final[Mapping[tuple[Standing, Turn], _Act]] = {
    (standing, turn): act for standing, row in _ROWS.items() for turn, act in row.items()
}
