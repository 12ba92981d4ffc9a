"""What clients have decided about prompts."""

from dataclasses import fields
from typing import Any

from sqlalchemy import bindparam, select

from bot.core.choices import Choice
from bot.store.session import MINE, Session, upsert
from bot.store.tables import choices

_FIELDS = [field.name for field in fields(Choice)]
_OF_PAIR = select(*[choices.c[name] for name in _FIELDS]).where(
    choices.c.account == MINE, choices.c.pair_id == bindparam("of_pair")
)
_SAVE = upsert(choices)


class ChoiceRows:
    """Implements `ports.ChoiceRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of_pair(self, pair_id: str) -> dict[str, Choice]:
        """Return what the client has decided, by prompt."""
        found: dict[str, Choice] = {}
        for row in await self._session.rows(_OF_PAIR, of_pair=pair_id):
            values: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
            found[values["prompt_id"]] = Choice(**values)
        return found

    async def save(self, choice: Choice) -> None:
        """Store a decision in place of the one before."""
        await self._session.write_one(_SAVE, **{name: getattr(choice, name) for name in _FIELDS})
