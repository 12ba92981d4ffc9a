"""Sessions in chat: booked, moved, cancelled by either of the two. Only prompts move with them."""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.core.command_names import CommandName
from bot.core.rule_phrases import moment_in_words
from bot.core.sessions import SessionPlan
from bot.core.spoken_times import moment_after, moment_near
from bot.core.template import say as fill
from bot.errors import ScheduleError
from bot.flows.request import Carry, Request
from bot.flows.sessions import Booking, add_sessions, cancel_booking, coming_sessions, end_series, move_booking
from bot.ports import Tx

LISTED = 3


class SessionCommands:
    """Keeps sessions; `changed` is called after each change."""

    def __init__(self, *, changed: Callable[[], None]) -> None:
        self._changed = changed

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {
            CommandName.SESSION: self._changing(self.book),
            CommandName.SESSIONS: self.show,
            CommandName.SESSION_MOVE: self._changing(self.move),
            CommandName.SESSION_CANCEL: self._changing(self.cancel),
            CommandName.SESSION_END: self._changing(self.end),
        }

    def _changing(self, carry: Carry) -> Carry:
        async def carried(tx: Tx, request: Request) -> str | None:
            self._changed()
            return await carry(tx, request)

        return carried

    async def book(self, tx: Tx, request: Request) -> str:
        """Note when the two meet, once or every so many weeks."""
        words, moment, wall = request.words, request.command.moment, _wall(request)
        if moment is None or wall is None:
            return words.session_past
        plan = SessionPlan(first=wall, weeks=moment.every_weeks)
        try:
            await add_sessions(tx, request.pair, plan, at=request.at)
        except ScheduleError:
            return fill(words.session_known, when=moment_in_words(wall, words))
        template = {None: words.session_once, 1: words.session_weekly}.get(plan.weeks, words.session_every_weeks)
        noted = fill(template, when=moment_in_words(wall, words), count=plan.weeks or 0)
        return f"{noted} {words.session_only_prompts}"

    async def show(self, tx: Tx, request: Request) -> str:
        """Say when the next ones are."""
        words = request.words
        found = await coming_sessions(tx, request.pair, at=request.at, count=LISTED)
        if not found:
            return words.session_none
        return fill(words.session_list, when="; ".join(_shown(each, request) for each in found))

    async def move(self, tx: Tx, request: Request) -> str:
        """Move the next one."""
        words, moment = request.words, request.command.moment
        found = await coming_sessions(tx, request.pair, at=request.at, count=1)
        if not found or moment is None:
            return words.session_none
        was = found[0].session.starts.astimezone(request.zone)
        wall = moment_near(moment, was, request.at.astimezone(request.zone))
        if wall is None:
            return words.session_past
        try:
            moved = await move_booking(tx, request.pair, found[0], _in_its_zone(wall, request, found[0]), at=request.at)
        except ScheduleError:
            return words.session_past
        said = fill(words.session_moved, old=_shown(found[0], request), new=_shown(moved, request))
        return f"{said} {words.session_only_prompts}"

    async def cancel(self, tx: Tx, request: Request) -> str:
        """Cancel the next one; a series goes on."""
        words = request.words
        found = await coming_sessions(tx, request.pair, at=request.at, count=2)
        if not found:
            return words.session_none
        await cancel_booking(tx, request.pair, found[0], at=request.at)
        said = fill(words.session_cancelled, when=_shown(found[0], request))
        if len(found) > 1:
            said += " " + fill(words.session_next, when=_shown(found[1], request))
        return f"{said} {words.session_only_prompts}"

    async def end(self, tx: Tx, request: Request) -> str:
        """Let the series of the next one end; what has been stays."""
        found = await coming_sessions(tx, request.pair, at=request.at, count=1)
        if not found:
            return request.words.session_none
        await end_series(tx, request.pair, found[0].booked, at=request.at)
        return f"{request.words.session_ended} {request.words.session_only_prompts}"


def _wall(request: Request) -> datetime | None:
    """The wall time that was meant, in the client's zone; None for one in the past."""
    moment = request.command.moment
    return moment_after(moment, request.at.astimezone(request.zone)) if moment else None


def _in_its_zone(wall: datetime, request: Request, booking: Booking) -> datetime:
    """The same instant on the wall clock by which the sessions were agreed on."""
    here = wall.replace(tzinfo=request.zone)
    return here.astimezone(booking.session.local.tzinfo).replace(tzinfo=None)


def _shown(booking: Booking, request: Request) -> str:
    return moment_in_words(booking.session.starts.astimezone(request.zone), request.words)
