"""What the therapist's console is told: who is who, who came and went, whose devices cannot read."""

from datetime import datetime

import structlog

from bot.core.people import Pair
from bot.core.wording import say as fill
from bot.flows.places import Place, place_of
from bot.flows.speak import Voice, say
from bot.ports import Tx

log = structlog.get_logger()


class Console:
    """Speaks in therapists' consoles."""

    def __init__(self, *, voice: Voice) -> None:
        self._voice = voice

    async def place(self, tx: Tx, therapist: str) -> Place | None:
        """Return the console of a therapist, None before it exists."""
        for room in await tx.rooms.every():
            if room.pair_id is None and room.therapist == therapist:
                return await place_of(tx, room.room_id)
        return None

    async def welcome(self, tx: Tx, therapist: str, *, at: datetime) -> None:
        """Say first what the console is for; it waits there until the therapist can read it."""
        place = await self.place(tx, therapist)
        if place is not None and await tx.facts.once(f"welcome:{place.room.room_id}", at, every_seconds=0):
            await say(tx, place, self._voice.words(place).console_welcome, at=at, purpose="welcome")

    async def tell(self, tx: Tx, pair: Pair, key: str, *, at: datetime, **values: str) -> None:
        """Say the wording's text `key` about a pair in its therapist's console."""
        place = await self.place(tx, pair.therapist)
        if place is None:
            log.warning("console.missing", pair=pair.pair_id, text=key)
            return
        template = getattr(self._voice.words(place), key)
        await say(tx, place, fill(template, room=pair.word, client=pair.client_name, **values), at=at)

    async def tell_once(
        self, tx: Tx, pair: Pair, key: str, *, about: str, every_seconds: int, at: datetime, **values: str
    ) -> None:
        """Say it, but about the same thing at most once in `every_seconds` (0: ever)."""
        if await tx.facts.once(f"told:{key}:{about}", at, every_seconds=every_seconds):
            await self.tell(tx, pair, key, at=at, **values)
