"""The numbers by which people name prompts: given once, in the order in which prompts were first seen."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from bot.store.session import MINE, Session, both
from bot.store.tables import prompt_numbers

_ALL = select(prompt_numbers.c.prompt_id, prompt_numbers.c.number).where(prompt_numbers.c.account == MINE)
_ADD = both(lambda insert: insert(prompt_numbers))


class PromptNumberRows:
    """Implements `ports.PromptNumberRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of(self, prompt_ids: Iterable[str]) -> Mapping[str, int]:
        """Return each prompt's number; one that has none gets the next free one, in the order given."""
        known: dict[str, int] = {row[0]: row[1] for row in await self._session.rows(_ALL)}
        wanted = tuple(prompt_ids)
        for prompt_id in wanted:
            if prompt_id not in known:
                known[prompt_id] = max(known.values(), default=0) + 1
                await self._session.write_one(_ADD, prompt_id=prompt_id, number=known[prompt_id])
        return {prompt_id: known[prompt_id] for prompt_id in wanted}
