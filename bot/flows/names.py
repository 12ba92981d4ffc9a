"""What can be named in a room: prompts by title, id or number, and in a console the therapist's clients."""

from bot.core.command_forms import command_form
from bot.core.commands import Known, Listed
from bot.core.people import Pair
from bot.flows.places import Place
from bot.flows.speak import Voice
from bot.ports import Tx


class Names:
    """Gathers names."""

    def __init__(self, *, voice: Voice) -> None:
        self._voice = voice

    def starts(self, place: Place) -> dict[str, str]:
        """The whole messages that start a prompt in a pair's room."""
        if place.pair is None:
            return {}
        prompts = self._voice.pack(place.pair).prompts.values()
        return {command_form(start): prompt.id for prompt in prompts for start in prompt.starts}

    async def known(self, tx: Tx, place: Place) -> Known:
        """Everything that has a name here."""
        clients = () if place.pair else await self.clients(tx, place)
        return Known(
            prompts=await self.prompts(tx, [place.pair] if place.pair else clients),
            starts=self.starts(place),
            clients=tuple(
                Listed(id=pair.pair_id, number=pair.number, names=(pair.client_name, pair.word, pair.client))
                for pair in clients
            ),
        )

    async def clients(self, tx: Tx, place: Place) -> tuple[Pair, ...]:
        """The pairs of the therapist whose console this is."""
        pairs = await tx.pairs.of_person(place.room.therapist)
        return tuple(pair for pair in pairs if pair.therapist == place.room.therapist)

    async def prompts(self, tx: Tx, pairs: tuple[Pair, ...] | list[Pair]) -> tuple[Listed, ...]:
        """The prompts of these pairs' languages, by number; in every language they are the same ones."""
        titles: dict[str, dict[str, None]] = {}
        for pack in [self._voice.pack(pair) for pair in pairs] or [self._voice.pack(None)]:
            for prompt in pack.prompts.values():
                titles.setdefault(prompt.id, {})[prompt.title] = None
        numbers = await tx.prompt_numbers.of(titles)
        listed = [Listed(id=each, number=numbers[each], names=tuple(found)) for each, found in titles.items()]
        return tuple(sorted(listed, key=lambda each: each.number))
