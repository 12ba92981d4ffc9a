"""`help`, `help more` and `crisis`: where help is now, and what can be asked of the bot."""

from collections.abc import Mapping

from bot.core.command_names import CommandName
from bot.core.people import Pair
from bot.core.permissions import Where
from bot.core.template import say as fill
from bot.core.trust import fingerprint_groups
from bot.core.wording import Wording
from bot.flows.crisis import answer_crisis
from bot.flows.names import Names
from bot.flows.request import Carry, Request
from bot.flows.speak import Voice
from bot.ports import Tx


class HelpCommands:
    """Helps."""

    def __init__(self, *, voice: Voice, names: Names) -> None:
        self._voice = voice
        self._names = names

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {
            CommandName.HELP: self.help,
            CommandName.HELP_MORE: self.help_more,
            CommandName.CRISIS: self.crisis,
        }

    async def crisis(self, tx: Tx, request: Request) -> str:
        """Give the numbers to call, at once."""
        event = request.event
        await answer_crisis(tx, request.place, event.event_id, event.sender, self._voice, at=request.at)
        return ""

    async def help(self, tx: Tx, request: Request) -> str:
        """Begin with the crisis line, then the everyday commands."""
        words, line = request.words, self._voice.crisis_line(request.place)
        if request.where is Where.CONSOLE:
            clients = await self._names.clients(tx, request.place)
            pairs = "\n".join([await self._pair_line(tx, words, pair) for pair in clients])
            return fill(words.console_help, crisis_line=line, fingerprint=self._voice.fingerprint, pairs=pairs)
        template = words.help if request.by_client else words.help_therapist
        return fill(template, crisis_line=line, fingerprint=self._voice.fingerprint)

    async def help_more(self, _tx: Tx, request: Request) -> str:
        """List the other commands, below the same first line."""
        words = request.words
        console = request.where is Where.CONSOLE
        template = (
            words.console_help_more
            if console
            else words.help_more
            if request.by_client
            else (words.help_therapist_more)
        )
        return fill(template, crisis_line=self._voice.crisis_line(request.place))

    async def _pair_line(self, tx: Tx, words: Wording, pair: Pair) -> str:
        identity = (await tx.devices.identities([pair.client])).get(pair.client)
        pinned = fingerprint_groups(identity.pinned_master) if identity and identity.pinned_master else "–"
        return fill(
            words.console_pair,
            number=pair.number,
            room=pair.word,
            client=pair.client_name,
            state=pair.standing.shown,
            fingerprint=pinned,
        )
