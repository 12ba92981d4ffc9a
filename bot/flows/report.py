"""What people are told about events that have no effect: unreadable, untrusted, forged or sent in clear."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.core.inbox import InboxState
from bot.core.megolm import Decrypted
from bot.core.people import Pair
from bot.core.wording import say as fill
from bot.flows.console import Console
from bot.flows.crisis import answer_crisis, calls_for_help
from bot.flows.places import Place
from bot.flows.speak import Voice, say
from bot.ports import Clock, Tx

UNREADABLE = "unreadable_since"  # fact by room: when the first message came that cannot be read
KEY_MAY_BE_LATE = timedelta(seconds=20)
HOUR = 3600
DAY = 24 * HOUR


class Reporter:
    """Reports; each thing once in a while, never for each event."""

    def __init__(self, *, voice: Voice, console: Console, clock: Clock) -> None:
        self._voice = voice
        self._console = console
        self._clock = clock

    async def untrusted(self, tx: Tx, place: Place, event_id: str, sender: str, event: Decrypted) -> None:
        """A device that its owner has not signed: its words have no effect, a call for help excepted (CRYPTO 9, 10)."""
        if await self._help_needed(tx, place, event_id, sender, event.event_type, event.content):
            return
        at = self._clock.real()
        if not await tx.facts.once(f"untrusted:{event.session_id}", at, every_seconds=DAY):
            return
        await say(tx, place, self._voice.words(place).device_word_ignored, at=at)
        if place.pair:
            await self._tell(tx, place.pair, "console_untrusted_word", sender, about=event.session_id, every=DAY)

    async def unreadable(self, tx: Tx, place: Place) -> None:
        """A message whose key is missing: it may only be late, so that nothing is said yet."""
        fact = f"{UNREADABLE}:{place.room.room_id}"
        if await tx.facts.read(fact) is None:
            await tx.facts.write(fact, self._clock.real().isoformat())

    async def still_unreadable(self, tx: Tx, place: Place) -> None:
        """Ask for messages again whose key has not come within a moment, at most once an hour (CRYPTO 36)."""
        fact, at = f"{UNREADABLE}:{place.room.room_id}", self._clock.real()
        since = await tx.facts.read(fact)
        if since is None or at - datetime.fromisoformat(since) < KEY_MAY_BE_LATE:
            return
        await tx.facts.write(fact, None)
        waiting = await tx.inbox.waiting(InboxState.UNREADABLE, room_id=place.room.room_id, limit=1)
        if waiting and await tx.facts.once(f"asked_again:{place.room.room_id}", at, every_seconds=HOUR):
            await say(tx, place, self._voice.words(place).send_again, at=at)

    async def forged(self, tx: Tx, place: Place, sender: str, reason: str) -> None:
        """Somebody tampered with a message; the console is told (CRYPTO 12)."""
        if place.pair:
            about = f"{place.room.room_id}:{reason}"
            await self._tell(tx, place.pair, "console_forged", sender, about=about, every=HOUR, what=reason)

    async def in_clear(self, tx: Tx, place: Place, sender: str, event: Mapping[str, Any]) -> None:
        """A message that was not encrypted: not recorded, and said so (CRYPTO 15)."""
        if await self._help_needed(tx, place, event["event_id"], sender, event["type"], event["content"]):
            return
        at = self._clock.real()
        if await tx.facts.once(f"clear:{place.room.room_id}", at, every_seconds=HOUR):
            await say(tx, place, self._voice.words(place).plain_text_not_recorded, at=at)
        if place.pair:
            await self._tell(tx, place.pair, "console_plain_text", sender, about=place.room.room_id, every=HOUR)

    async def verification(self, tx: Tx, sender: str) -> None:
        """Somebody tried to verify the bot: the fingerprint is named where that person reads it (CRYPTO 8)."""
        at = self._clock.real()
        if not await tx.facts.once(f"verification:{sender}", at, every_seconds=HOUR):
            return
        for pair in await tx.pairs.of_person(sender):
            place = await self._console.place(tx, sender) if sender == pair.therapist else await self._room(tx, pair)
            if place is not None:
                text = fill(self._voice.words(place).verification_cancelled, fingerprint=self._voice.fingerprint)
                await say(tx, place, text, at=at)
                return

    async def _room(self, tx: Tx, pair: Pair) -> Place | None:
        room = await tx.rooms.get(pair.room_id) if pair.room_id else None
        return Place(room=room, pair=pair) if room else None

    async def _tell(self, tx: Tx, pair: Pair, key: str, sender: str, *, about: str, every: int, **values: str) -> None:
        person = pair.client_name if sender == pair.client else pair.therapist_name
        await self._console.tell_once(
            tx, pair, key, about=about, every_seconds=every, at=self._clock.real(), person=person, **values
        )

    async def _help_needed(
        self,
        tx: Tx,
        place: Place,
        event_id: str,
        sender: str,
        event_type: str,
        content: Mapping[str, Any],
    ) -> bool:
        """Answer a client's call for help from whatever device and in whatever form (CRYPTO 10)."""
        if not calls_for_help(place, sender, event_type, content, self._voice):
            return False
        await answer_crisis(tx, place, event_id, sender, self._voice, at=self._clock.real())
        return True
