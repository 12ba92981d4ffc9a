"""What can be named in a room: prompts by title, id or number, goals by title, and in a console the clients."""

from collections.abc import Iterable

from bot.core.choices import GOAL_PROMPT, choice_name
from bot.core.command_forms import command_form
from bot.core.commands import Known, Listed
from bot.core.goals import Goal
from bot.core.people import Pair
from bot.flows.places import Place
from bot.flows.speak import Voice
from bot.ports import Tx

NO_NUMBER = 0  # of goals: the numbers in lists are those of prompts
_GOAL = f"{GOAL_PROMPT}#"


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
        pairs = (place.pair,) if place.pair else clients
        return Known(
            prompts=(*await self.prompts(tx, pairs), *await self._goals(tx, pairs)),
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

    async def prompts(self, tx: Tx, pairs: Iterable[Pair]) -> tuple[Listed, ...]:
        """The prompts of these pairs' languages by number; in every language they are the same ones."""
        titles: dict[str, dict[str, None]] = {}
        for pack in [self._voice.pack(pair) for pair in pairs] or [self._voice.pack(None)]:
            for prompt in pack.prompts.values():
                titles.setdefault(prompt.id, {})[prompt.title] = None
        numbers = await tx.prompt_numbers.of(titles)
        listed = [Listed(id=each, number=numbers[each], names=tuple(found)) for each, found in titles.items()]
        return tuple(sorted(listed, key=lambda each: each.number))

    async def _goals(self, tx: Tx, pairs: Iterable[Pair]) -> tuple[Listed, ...]:
        """The goals of these pairs; two of one title are told apart by the client who is named before them."""
        goals = [goal for pair in pairs for goal in await tx.pairs.goals(pair.pair_id)]
        titles = {choice_name(GOAL_PROMPT, goal): goal.title for goal in goals}
        return tuple(Listed(id=name, number=NO_NUMBER, names=(title,)) for name, title in titles.items())


def named_prompt(name: str) -> str:
    """Return the id of the prompt that a name stands for: a goal's stands for the check-in."""
    return GOAL_PROMPT if name.startswith(_GOAL) else name


def named_goal(name: str, goals: Iterable[Goal]) -> Goal | None:
    """Return the goal that a name stands for; None for a prompt."""
    return next((goal for goal in goals if choice_name(GOAL_PROMPT, goal) == name), None)
