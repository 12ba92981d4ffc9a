"""The rooms that the bot is responsible for, with the people who belong there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.core.megolm import Audience
from bot.core.people import ManagedRoom, Pair, Purpose
from bot.ports import Tx

Role = Literal["client", "therapist", "stranger"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A managed room and, for a pair room, its pair."""

    room: ManagedRoom
    pair: Pair | None

    @property
    def people(self) -> frozenset[str]:
        """The people named in the record, without the bot (CRYPTO 1)."""
        return frozenset({self.pair.client, self.pair.therapist} if self.pair else {self.room.therapist})

    @property
    def addressed(self) -> str:
        """The person without whom nothing is sent here (CRYPTO 6)."""
        return self.pair.client if self.pair else self.room.therapist

    def role(self, user_id: str) -> Role:
        """Say who this is in the room."""
        if self.pair and user_id == self.pair.client:
            return "client"
        return "therapist" if user_id == self.room.therapist else "stranger"

    def audience(self, addressed: str | None) -> Audience:
        """Return who may get this room's keys."""
        return Audience(room_id=self.room.room_id, people=self.people, addressed=addressed)


async def place_of(tx: Tx, room_id: str) -> Place | None:
    """Return the managed room, None for any other room."""
    room = await tx.rooms.get(room_id)
    if room is None:
        return None
    pair = await tx.pairs.of_room(room_id) if room.purpose is Purpose.PAIR else None
    return Place(room=room, pair=pair)


async def places_of(tx: Tx, room_ids: Iterable[str]) -> Mapping[str, Place]:
    """Return the managed rooms among `room_ids`, with two reads for any number of them."""
    rooms = await tx.rooms.among(room_ids)
    of_pairs = [room.room_id for room in rooms if room.purpose is Purpose.PAIR]
    pairs = {pair.room_id: pair for pair in await tx.pairs.of_rooms(of_pairs)}
    return {room.room_id: Place(room=room, pair=pairs.get(room.room_id)) for room in rooms}
