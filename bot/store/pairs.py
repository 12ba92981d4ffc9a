"""Pairs and goals."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update

from bot.core.goals import Goal
from bot.core.people import Pair
from bot.errors import PairError
from bot.store.sealing import pair_owner
from bot.store.session import MINE, AnyRow, Session, among, both
from bot.store.tables import PAUSE_ENDS, goals, pairs

_NAMES = ("client_name", "therapist_name")
_PAIR_FIELDS = [field.name for field in fields(Pair)]
_GOAL_FIELDS = [field.name for field in fields(Goal)]

_ADD_PAIR = both(lambda insert: insert(pairs))
_SAVE_PAIR = update(pairs).where(pairs.c.account == MINE, pairs.c.pair_id == bindparam("of_pair"))
_PAIRS = select(*[pairs.c[name] for name in _PAIR_FIELDS]).where(pairs.c.account == MINE).order_by(pairs.c.number)
_PAIR = _PAIRS.where(pairs.c.pair_id == bindparam("of_pair"))
_OF_ROOM = _PAIRS.where(pairs.c.room_id == bindparam("of_room"))
_OF_ROOMS = _PAIRS.where(pairs.c.room_id.in_(among("of_rooms")))
_SOME = _PAIRS.where(pairs.c.pair_id.in_(among("of_pairs")))
_PAUSES_OVER = _PAIRS.where(PAUSE_ENDS, pairs.c.paused_until <= bindparam("of_instant"))
_NEXT_PAUSE_END = select(func.min(pairs.c.paused_until)).where(pairs.c.account == MINE, PAUSE_ENDS)
_OF_PERSON = _PAIRS.where(or_(pairs.c.client == bindparam("of_person"), pairs.c.therapist == bindparam("of_person")))

_ADD_GOAL = both(lambda insert: insert(goals))
_GOALS = (
    select(*[goals.c[name] for name in _GOAL_FIELDS])
    .where(goals.c.account == MINE, goals.c.pair_id == bindparam("of_pair"))
    .order_by(goals.c.number)
)


class PairRows:
    """Implements `ports.PairRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, pair: Pair) -> Pair:
        """Store a new pair and return it with its number, which is never given again.

        Raises SealingError when the pair has no data key yet, StaleRow when its id is taken.
        """
        numbered = replace(pair, number=await self._session.next("pairs"))
        await self._session.write_one(_ADD_PAIR, **self._pair_values(numbered))
        return numbered

    async def save(self, pair: Pair) -> None:
        """Store a pair anew. Raises PairError when it is gone."""
        values = self._pair_values(pair)
        if not await self._session.run(_SAVE_PAIR, of_pair=values.pop("pair_id"), **values):
            raise PairError("This pair does not exist any more.")

    async def get(self, pair_id: str) -> Pair | None:
        """Return a pair."""
        return self._one(await self._session.row(_PAIR, of_pair=pair_id))

    async def of_room(self, room_id: str) -> Pair | None:
        """Return the pair whose own room this is; a console belongs to no single pair."""
        return self._one(await self._session.row(_OF_ROOM, of_room=room_id))

    async def of_rooms(self, room_ids: Iterable[str]) -> tuple[Pair, ...]:
        """Return the pairs whose own rooms these are."""
        if not (wanted := sorted(set(room_ids))):
            return ()
        return tuple([self._pair(row) for row in await self._session.rows(_OF_ROOMS, of_rooms=wanted)])

    async def every(self) -> tuple[Pair, ...]:
        """Return all pairs by number."""
        return tuple([self._pair(row) for row in await self._session.rows(_PAIRS)])

    async def some(self, pair_ids: Iterable[str]) -> Mapping[str, Pair]:
        """Return those of these pairs that there are, by id."""
        if not (wanted := sorted(set(pair_ids))):
            return {}
        found = [self._pair(row) for row in await self._session.rows(_SOME, of_pairs=wanted)]
        return {pair.pair_id: pair for pair in found}

    async def pauses_over(self, at: datetime) -> tuple[Pair, ...]:
        """Return the pairs whose pause was to last until now."""
        return tuple([self._pair(row) for row in await self._session.rows(_PAUSES_OVER, of_instant=at)])

    async def next_pause_end(self) -> datetime | None:
        """Return when the first pause ends by itself."""
        row = await self._session.row(_NEXT_PAUSE_END)
        ends: datetime | None = row[0] if row is not None else None
        return ends

    async def of_person(self, user_id: str) -> tuple[Pair, ...]:
        """Return the pairs in which this person is client or therapist."""
        return tuple([self._pair(row) for row in await self._session.rows(_OF_PERSON, of_person=user_id)])

    async def add_goal(self, pair_id: str, goal: Goal) -> Goal:
        """Store a new goal and return it with its number in the pair."""
        numbered = replace(goal, number=await self._session.next(f"goals:{pair_id}"))
        values = {name: getattr(numbered, name) for name in _GOAL_FIELDS}
        owner, row = pair_owner(pair_id), f"{pair_id}/{goal.goal_id}"
        values["title"] = self._session.seal_text(owner, "goals", row, "title", goal.title)
        await self._session.write_one(_ADD_GOAL, pair_id=pair_id, **values)
        return numbered

    async def goals(self, pair_id: str) -> tuple[Goal, ...]:
        """Return the pair's goals by number."""
        return tuple([self._goal(pair_id, row) for row in await self._session.rows(_GOALS, of_pair=pair_id)])

    def _pair_values(self, pair: Pair) -> dict[str, Any]:
        values = {name: getattr(pair, name) for name in _PAIR_FIELDS}
        for name in _NAMES:
            owner = pair_owner(pair.pair_id)
            values[name] = self._session.seal_text(owner, "pairs", pair.pair_id, name, values[name])
        return values

    def _one(self, row: AnyRow | None) -> Pair | None:
        return None if row is None else self._pair(row)

    def _pair(self, row: AnyRow) -> Pair:
        values: dict[str, Any] = dict(zip(_PAIR_FIELDS, row, strict=True))
        pair_id = values["pair_id"]
        for name in _NAMES:
            values[name] = self._session.open_text(pair_owner(pair_id), "pairs", pair_id, name, values[name])
        return Pair(**values)

    def _goal(self, pair_id: str, row: AnyRow) -> Goal:
        values: dict[str, Any] = dict(zip(_GOAL_FIELDS, row, strict=True))
        place = f"{pair_id}/{values['goal_id']}"
        values["title"] = self._session.open_text(pair_owner(pair_id), "goals", place, "title", values["title"])
        return Goal(**values)
