"""`pause`, `pause until monday` and `resume`; nobody but the client lifts the client's own pause."""

from collections.abc import Mapping

from bot.core.command_names import CommandName
from bot.core.pairs import PairEvent
from bot.flows.life import Life
from bot.flows.request import Carry, Request
from bot.ports import Tx


class PauseCommands:
    """Pauses and resumes."""

    def __init__(self, *, life: Life) -> None:
        self._life = life

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {CommandName.PAUSE: self.pause, CommandName.RESUME: self.resume}

    async def pause(self, tx: Tx, request: Request) -> str:
        """Stop the prompts."""
        if request.pair.paused:
            return request.words.already_paused
        await self._life.happen(tx, request.pair, PairEvent.PAUSE, at=request.at)
        return request.words.paused

    async def resume(self, tx: Tx, request: Request) -> str:
        """Let prompts come again, from the next one that is due."""
        if not request.pair.paused:
            return request.words.not_paused
        await self._life.happen(tx, request.pair, PairEvent.RESUME, at=request.at)
        return request.words.resumed
