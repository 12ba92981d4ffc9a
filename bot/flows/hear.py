"""What the bot learns about people's keys, and who has to hear of it (CRYPTO 3, 5, 6)."""

from collections.abc import Sequence

import structlog

from bot.core.inbox import InboxState
from bot.core.olm import TrustNews
from bot.core.people import Pair
from bot.core.wording import say as fill
from bot.flows.console import Console
from bot.flows.places import Place, place_of
from bot.flows.receive import Receiver
from bot.flows.repeat import repeat_open
from bot.flows.speak import Voice, say
from bot.ports import Clock, Tx

log = structlog.get_logger()

DAY = 86_400


class Hearing:
    """Passes on what was learnt."""

    def __init__(self, *, voice: Voice, console: Console, receiver: Receiver, clock: Clock) -> None:
        self._voice = voice
        self._console = console
        self._receiver = receiver
        self._clock = clock

    async def hear(self, tx: Tx, news: Sequence[TrustNews]) -> None:
        """Tell whom it concerns, and let what waited for a signature take effect."""
        newly_signed: set[str] = set()
        for each in news:
            log.info("trust.news", user=each.user_id, kind=each.kind)
            for pair in await tx.pairs.of_person(each.user_id):
                await self._tell(tx, pair, each)
            if each.kind in ("newly_signed", "pinned"):
                newly_signed.add(each.user_id)
        for user in newly_signed:
            await self._catch_up(tx, user)

    async def _tell(self, tx: Tx, pair: Pair, news: TrustNews) -> None:
        at = self._clock.real()
        client = news.user_id == pair.client
        person = pair.client_name if client else pair.therapist_name
        about = f"{news.user_id}:{news.detail}"
        if news.kind == "violation":
            key = "console_new_key" if client else "console_new_key_therapist"
            await self._console.tell_once(
                tx, pair, key, about=about, every_seconds=DAY, at=at, person=person, user=news.user_id
            )
        elif news.kind == "unsigned_device":
            await self._console.tell_once(
                tx, pair, "console_cannot_read", about=about, every_seconds=DAY, at=at, person=person
            )
            await self._tell_room(tx, pair, person, about)

    async def _tell_room(self, tx: Tx, pair: Pair, person: str, about: str) -> None:
        place = await self._place(tx, pair)
        if place is None or not await tx.facts.once(f"told:device:{about}", self._clock.real(), every_seconds=DAY):
            return
        members = (await tx.rooms.members([place.room.room_id])).get(place.room.room_id, {})
        if members.get(pair.client) == "join":
            text = fill(self._voice.words(place).device_cannot_read, person=person)
            await say(tx, place, text, at=self._clock.real())

    async def _catch_up(self, tx: Tx, user: str) -> None:
        """A device can read and be heard now: what it said counts, and an open prompt is shown once more."""
        for pair in await tx.pairs.of_person(user):
            place = await self._place(tx, pair)
            if place is None:
                continue
            await self._receiver.reread(tx, InboxState.UNTRUSTED, room_id=place.room.room_id)
            if user == pair.client:
                await repeat_open(tx, place, pair, self._voice, at=self._clock.now())
        console = await self._console.place(tx, user)
        if console is not None:
            await self._receiver.reread(tx, InboxState.UNTRUSTED, room_id=console.room.room_id)

    async def _place(self, tx: Tx, pair: Pair) -> Place | None:
        return await place_of(tx, pair.room_id) if pair.room_id else None
