"""Single values of the account."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select

from bot.store.session import MINE, Session, unless_known, upsert
from bot.store.tables import facts, marks

_READ = select(facts.c.value).where(facts.c.account == MINE, facts.c.name == bindparam("of_name"))
_BEGINNING = select(facts.c.name, facts.c.value).where(
    facts.c.account == MINE, facts.c.name >= bindparam("of_first"), facts.c.name < bindparam("of_end")
)
_WRITE = upsert(facts)
_REMOVE = delete(facts).where(facts.c.account == MINE, facts.c.name == bindparam("of_name"))
_MARK = unless_known(marks)
_REMARK = (
    marks.update()
    .where(marks.c.account == MINE, marks.c.key == bindparam("of_key"), marks.c.at <= bindparam("of_latest"))
    .values(at=bindparam("new_at"))
)


class FactRows:
    """Implements `ports.Facts`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def read(self, name: str) -> str | None:
        """Return a value, None when there is none."""
        session = self._session
        row = await session.row(_READ, of_name=name)
        return None if row is None else session.open_text(session.owner, "facts", name, "value", row[0])

    async def beginning(self, prefix: str) -> Mapping[str, str]:
        """Return the values whose names begin like this, by the rest of the name."""
        session = self._session
        last = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        rows = await session.rows(_BEGINNING, of_first=prefix, of_end=last)
        return {
            name.removeprefix(prefix): session.open_text(session.owner, "facts", name, "value", sealed)
            for name, sealed in rows
        }

    async def write(self, name: str, value: str | None) -> None:
        """Store a value; None removes it."""
        session = self._session
        if value is None:
            await session.run(_REMOVE, of_name=name)
            return
        sealed = session.seal_text(session.owner, "facts", name, "value", value)
        await session.write_one(_WRITE, name=name, value=sealed)

    async def increment(self, name: str) -> int:
        """Raise a number by one and return it; one that is not stored yet becomes 1."""
        number = int(await self.read(name) or 0) + 1
        await self.write(name, str(number))
        return number

    async def once(self, key: str, at: datetime, *, every_seconds: int) -> bool:
        """Say whether `key` was not noted within the last `every_seconds` (0: ever), and note it."""
        if await self._session.write_one(_MARK, key=key, at=at):
            return True
        if every_seconds == 0:
            return False
        latest = at - timedelta(seconds=every_seconds)
        return bool(await self._session.run(_REMARK, of_key=key, of_latest=latest, new_at=at))
