"""A message that may be a command: read, looked up in the table of permissions, and handed to whoever carries it out.

An answer is one quiet notice (DESIGN §7); in a console it names the client whom it is about.
"""

from collections.abc import Mapping
from datetime import datetime

from bot.core.command_names import CommandName
from bot.core.commands import Command, Known, Miss, could_be_command, parse_command
from bot.core.inbox import InboxEvent
from bot.core.people import Pair
from bot.core.permissions import Because, Refused, Role, Stand, Verdict, Where, permit, stand_of
from bot.core.template import say as fill
from bot.flows.names import Names
from bot.flows.places import Place
from bot.flows.request import Carry, Request
from bot.flows.speak import Voice, say
from bot.ports import Tx

# In a console these are about nobody, or about all.
NO_CLIENT_NEEDED = frozenset(
    {
        CommandName.HELP,
        CommandName.HELP_MORE,
        CommandName.CRISIS,
        CommandName.TRUST,
        CommandName.PROMPTS,
        CommandName.TRY,
    }
)


class Commands:
    """Takes commands."""

    def __init__(self, *, voice: Voice, names: Names, carriers: Mapping[CommandName, Carry]) -> None:
        self._voice = voice
        self._names = names
        self._carriers = carriers

    async def take(self, tx: Tx, place: Place, event: InboxEvent, text: str, *, at: datetime) -> bool:
        """Carry a message out if it is a command; False when it is conversation."""
        words, console = self._voice.words(place), place.pair is None
        if not console and not could_be_command(text, words.grammar, self._names.starts(place)):
            return False
        known = await self._names.known(tx, place)
        found = parse_command(text, words.grammar, known, alone=console)
        if found is None:
            return False
        if isinstance(found, Miss):
            if place.pair is None or place.pair.standing.live:
                await say(tx, place, self._missed(place, found, known), at=at)
            return True
        return await self._carry_out(tx, await self._request(tx, place, event, found, at), known, text)

    async def _request(self, tx: Tx, place: Place, event: InboxEvent, command: Command, at: datetime) -> Request:
        role: Role = "client" if place.role(event.sender) == "client" else "therapist"
        return Request(
            place=place,
            role=role,
            command=command,
            event=event,
            at=at,
            words=self._voice.words(place),
            about=place.pair or await self._client(tx, place, command),
        )

    async def _client(self, tx: Tx, place: Place, command: Command) -> Pair | None:
        """The client that is named in a console, or the only one there."""
        pairs = await self._names.clients(tx, place)
        if command.client is not None:
            return next((pair for pair in pairs if pair.pair_id == command.client), None)
        live = [pair for pair in pairs if pair.standing.live] or list(pairs)
        return live[0] if len(live) == 1 else None

    async def _carry_out(self, tx: Tx, request: Request, known: Known, text: str) -> bool:
        name, about = request.command.name, request.about
        if about is None and name not in NO_CLIENT_NEEDED:
            await say(tx, request.place, _which(request, known), at=request.at)
            return True
        verdict = permit(
            request.role,
            request.where,
            stand_of(about.standing) if about else Stand.RUNNING,
            name,
            client_paused=bool(about and about.paused and about.paused_by == "client"),
            client_refused=await _client_refused(tx, request),
        )
        if isinstance(verdict, Refused):
            await self._answer(tx, request, self._refusal(request, verdict.because))
            return True
        carry = self._carriers.get(name)
        said = await carry(tx, request) if carry and verdict is Verdict.ALLOWED else None
        if said is not None:
            await self._answer(tx, request, said)
        elif request.command.explicit and (about is None or about.standing.live):
            word = text.strip().lstrip("!！").split()[0]
            await self._answer(tx, request, fill(request.words.help_miss, word=word))
        return said is not None or request.command.explicit

    async def _answer(self, tx: Tx, request: Request, text: str) -> None:
        if text and request.about and request.where is Where.CONSOLE and request.command.name not in NO_CLIENT_NEEDED:
            text = fill(request.words.console_about, client=request.about.client_name, text=text)
        if text:
            await say(tx, request.place, text, at=request.at)

    def _refusal(self, request: Request, because: Because) -> str:
        client = request.about.client_name if request.about else ""
        prompt = self._voice.pack(request.about).prompts.get(request.command.prompt or "")
        sentence = getattr(request.words, because.value)
        title = prompt.title if prompt else ""
        return fill(sentence, client=client, title=title, practice=self._voice.practice.line)

    def _missed(self, place: Place, miss: Miss, known: Known) -> str:
        """Return the one sentence for what was meant for the bot and is no command."""
        words = self._voice.words(place)
        if miss.no_such_client:
            return fill(words.console_no_such_client, clients=_clients(known))
        example = words.examples.get(miss.near) if miss.near else None
        return fill(words.help_usage, example=example) if example else fill(words.help_miss, word=miss.word)


async def _client_refused(tx: Tx, request: Request) -> bool:
    prompt = request.command.prompt
    if prompt is None or request.about is None or request.by_client:
        return False
    choice = (await tx.choices.of_pair(request.about.pair_id)).get(prompt)
    return choice is not None and choice.refused


def _which(request: Request, known: Known) -> str:
    """Ask for whom a command in a console was meant."""
    if not known.clients:
        return request.words.console_no_clients
    first = min(known.clients, key=lambda client: client.number)
    return fill(request.words.console_which, clients=_clients(known), name=first.names[0])


def _clients(known: Known) -> str:
    return ", ".join(f"{client.names[0]} ({client.names[1]})" for client in known.clients)
