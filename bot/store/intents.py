"""What the command line asks of the running bot."""

from dataclasses import fields
from typing import Any

from sqlalchemy import bindparam, select, update

from bot.core.people import Intent
from bot.errors import StaleRow
from bot.store.session import MINE, AnyRow, Session, both
from bot.store.tables import intents

_FIELDS = [field.name for field in fields(Intent)]
_ALL = (
    select(*[intents.c[name] for name in _FIELDS])
    .where(intents.c.account == MINE)
    .order_by(intents.c.created_at, intents.c.intent_id)
)
_this_intent = intents.c.intent_id == bindparam("of_intent")
_ADD = both(lambda insert: insert(intents))
_SAVE = update(intents).where(intents.c.account == MINE, _this_intent)
_GET = _ALL.where(_this_intent)
_QUEUED = _ALL.where(intents.c.state == "queued")


class IntentRows:
    """Implements `ports.IntentRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, intent: Intent) -> None:
        """Store a new intent. Raises StaleRow for an id that is there already."""
        await self._session.write_one(_ADD, **self._values(intent))

    async def save(self, intent: Intent) -> None:
        """Store an intent anew. Raises StaleRow when it is gone."""
        values = self._values(intent)
        if not await self._session.run(_SAVE, of_intent=values.pop("intent_id"), **values):
            raise StaleRow("This intent is gone.")

    async def get(self, intent_id: str) -> Intent | None:
        """Return an intent."""
        row = await self._session.row(_GET, of_intent=intent_id)
        return None if row is None else self._intent(row)

    async def queued(self) -> tuple[Intent, ...]:
        """Return the intents that nobody has carried out, oldest first."""
        return tuple([self._intent(row) for row in await self._session.rows(_QUEUED)])

    def _values(self, intent: Intent) -> dict[str, Any]:
        values = {name: getattr(intent, name) for name in _FIELDS}
        session, row = self._session, intent.intent_id
        values["payload"] = session.seal_document(session.owner, "intents", row, "payload", intent.payload)
        result, error = intent.result, intent.error
        values["result"] = session.seal_document(session.owner, "intents", row, "result", result) if result else None
        values["error"] = session.seal_text(session.owner, "intents", row, "error", error) if error else None
        return values

    def _intent(self, row: AnyRow) -> Intent:
        values: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
        session, row_id = self._session, values["intent_id"]
        for name in ("payload", "result"):
            values[name] = session.open_document(session.owner, "intents", row_id, name, values[name])
        sealed = values["error"]
        values["error"] = "" if sealed is None else session.open_text(session.owner, "intents", row_id, "error", sealed)
        return Intent(**values)
