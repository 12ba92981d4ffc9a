"""`pause`, `pause until monday` and `resume`; nobody but the client lifts the client's own pause."""

from collections.abc import Mapping
from datetime import datetime, time

from bot.core.command_names import CommandName
from bot.core.occurrences import instant
from bot.core.pairs import PairEvent
from bot.core.rule_phrases import day_in_words, moment_in_words
from bot.core.template import say as fill
from bot.flows.arranging import Arranger
from bot.flows.life import Life
from bot.flows.request import Carry, Request
from bot.ports import Tx


class PauseCommands:
    """Pauses and resumes."""

    def __init__(self, *, life: Life, arranger: Arranger) -> None:
        self._life = life
        self._arranger = arranger

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {CommandName.PAUSE: self.pause, CommandName.RESUME: self.resume}

    async def pause(self, tx: Tx, request: Request) -> str:
        """Stop the prompts, for good or until a day."""
        words, pair, command = request.words, request.pair, request.command
        dated = command.day is not None or command.length is not None
        until = _until(request)
        if dated and (until is None or until <= request.at):
            return words.pause_past
        if pair.paused and (pair.paused_by, pair.paused_until) == (request.role, until):
            return words.already_paused
        await self._life.happen(tx, pair, PairEvent.PAUSE, at=request.at, until=until, by=request.role)
        if until is None:
            return words.paused
        local = until.astimezone(request.zone)
        shown = day_in_words(local.date(), words) if command.day else moment_in_words(local, words)
        return fill(words.paused_until, until=shown)

    async def resume(self, tx: Tx, request: Request) -> str:
        """Let prompts come again, from the next one that is due."""
        words, pair = request.words, request.pair
        if not pair.paused:
            return words.not_paused
        await self._life.happen(tx, pair, PairEvent.RESUME, at=request.at)
        following = await self._arranger.next(tx, pair, at=request.at)
        if following is None:
            return words.resumed
        title, local = following
        return fill(words.resumed_next, title=title, next=moment_in_words(local, words))


def _until(request: Request) -> datetime | None:
    """The instant to which a pause lasts: the beginning of a day, or so long from now."""
    command = request.command
    if command.length is not None:
        return request.at + command.length
    day = command.day.date(request.at.astimezone(request.zone).date()) if command.day else None
    return instant(datetime.combine(day, time()), request.zone) if day else None
