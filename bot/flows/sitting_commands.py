"""What a client says to the open question and the open journal: skip, again, undo, done, journal."""

from collections.abc import Mapping
from dataclasses import replace

from bot.core.command_names import CommandName
from bot.core.template import say as fill
from bot.flows.answering import Answering, Asked, asked_of
from bot.flows.journal import Journal
from bot.flows.repeat import repeat
from bot.flows.request import Carry, Request
from bot.flows.speak import Voice
from bot.ports import Tx


class SittingCommands:
    """Acts on what is open."""

    def __init__(self, *, voice: Voice, answering: Answering, journal: Journal) -> None:
        self._voice = voice
        self._answering = answering
        self._journal = journal

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {
            CommandName.UNDO: self.undo,
            CommandName.JOURNAL: self.journal,
            CommandName.DONE: self.done,
            CommandName.AGAIN: self.again,
            CommandName.SKIP: self.skip,
        }

    async def undo(self, tx: Tx, request: Request) -> str | None:
        """Take the last record back."""
        said = await self._answering.undo(tx, request.place, at=request.at)
        return said or (request.words.nothing_to_undo if request.command.explicit else None)

    async def journal(self, tx: Tx, request: Request) -> str:
        """Open the journal."""
        return await self._journal.start(tx, request.place, at=request.at)

    async def done(self, tx: Tx, request: Request) -> str | None:
        """Close the journal."""
        record = await self._journal.open_of(tx, request.place)
        if record is None:
            return request.words.journal_empty if request.command.explicit else None
        return await self._journal.done(tx, request.place, record, at=request.at)

    async def again(self, tx: Tx, request: Request) -> str:
        """Show the open question once more."""
        current = await self._current(tx, request)
        if current is None:
            return request.words.no_open_prompt
        await repeat(tx, request.place, current, self._voice, at=request.at)
        return ""

    async def skip(self, tx: Tx, request: Request) -> str | None:
        """Leave the open question out."""
        current = await self._current(tx, request)
        if current is None:
            return request.words.nothing_to_skip if request.command.explicit else None
        await tx.deliveries.save(replace(current.delivery, expires_at=request.at))
        return fill(request.words.skipped, title=current.open.title)

    async def _current(self, tx: Tx, request: Request) -> Asked | None:
        """Return the newest unanswered, unexpired prompt."""
        asked = await asked_of(tx, request.pair, self._voice.pack(request.pair).prompts)
        waiting = [each for each in asked if each.record is None and request.at < each.delivery.expires_at]
        return max(waiting, key=lambda each: each.open.order, default=None)
