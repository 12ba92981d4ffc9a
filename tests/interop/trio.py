"""A pair and its bot, as tests look at them."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.clock import SystemClock
from bot.core.events import CHECKIN, ENTRY, PROMPT
from bot.core.people import Pair
from bot.core.posting import POLL_START
from bot.core.trust import fingerprint_groups
from bot.demo.person import Event, Person
from tests.conftest import SignedPerson
from tests.running_bot import RunningBot

MESSAGE = "m.room.message"


class MovableClock(SystemClock):
    """The machine's clock, whose `now` a test can move forward; `real` stays real."""

    def __init__(self) -> None:
        super().__init__()
        self._moved = timedelta(0)

    def now(self) -> datetime:
        """Return the moved time."""
        return super().now() + self._moved

    def move(self, by: timedelta) -> None:
        """Let this much time pass at once."""
        self._moved += by


@dataclass
class Trio:
    """A pair in its room; `of_client` and `of_therapist` hold what they log in with."""

    bot: RunningBot
    pair: Pair
    of_client: SignedPerson
    of_therapist: SignedPerson
    room: str
    console: str
    asked: set[str] = field(default_factory=set)  # answers to questions of `settled`

    @property
    def client(self) -> Person:
        """The client on the first device."""
        return self.of_client.person

    @property
    def therapist(self) -> Person:
        """The therapist on the first device."""
        return self.of_therapist.person

    def pass_time(self, **by: float) -> None:
        """Move the bot's clock forward (`hours=1`) and let it look at what is due."""
        clock = self.bot.clock
        assert isinstance(clock, MovableClock)
        clock.move(timedelta(**by))
        self.bot.look_again()

    async def last(self, person: Person | None = None, room: str | None = None) -> str:
        """Return the newest event that a person (the client) has: a mark for `since`."""
        events = await (person or self.client).timeline(room or self.room)
        return str(events[-1]["event_id"])

    async def ask(self, prompt_id: str) -> Event:
        """Have a prompt sent by hand; return the event with the question as the client reads it."""
        before = await self.last()
        await self.bot.send_prompt(self.pair, prompt_id)
        kind = POLL_START if prompt_id in ("mood", "one-tap") else MESSAGE
        return await self.client.wait_for(
            self.room, type=kind, sender=self.bot.user_id, contains=prompt_id, since=before
        )

    async def settled(self, person: Person | None = None, room: str | None = None) -> str:
        """Wait until the bot has dealt with all that was sent before; return the id of its answer to our question.

        A `!` word that is no command is answered, and rooms are served in order.
        """
        asker, word = person or self.client, secrets.token_hex(4)
        sent = await asker.send_text(room or self.room, f"!{word}")
        said = await asker.wait_for(room or self.room, sender=self.bot.user_id, contains=word, since=sent)
        self.asked.add(said["event_id"])
        return str(said["event_id"])

    async def said(self, since: str, *, until: str | None = None, person: Person | None = None) -> list[Event]:
        """Return what the bot sent after `since`, once all is settled; the answer that ends the wait is left out."""
        end = until or await self.settled(person)
        events = await (person or self.client).timeline(self.room)
        ids = [event["event_id"] for event in events]
        between = events[ids.index(since) + 1 : ids.index(end)]
        mine = [event for event in between if event["sender"] == self.bot.user_id]
        return [event for event in mine if event["type"] != "m.room.redaction" and event["event_id"] not in self.asked]

    async def entry(self, since: str, *, person: Person | None = None) -> Event:
        """Wait for the next entry, as the therapist reads it."""
        reader = person or self.therapist
        return await reader.wait_for(self.room, type=ENTRY, sender=self.bot.user_id, since=since)

    async def notice(self, contains: str, *, since: str | None = None) -> Event:
        """Wait for what the bot says to the client."""
        return await self.client.wait_for(
            self.room, type=MESSAGE, sender=self.bot.user_id, contains=contains, since=since
        )

    async def told(self, contains: str, *, since: str | None = None) -> Event:
        """Wait for what the bot says in the console."""
        return await self.therapist.wait_for(
            self.console, type=MESSAGE, sender=self.bot.user_id, contains=contains, since=since
        )


async def meet(bot: RunningBot, of_client: SignedPerson, of_therapist: SignedPerson) -> Trio:
    """Add a pair and let both join."""
    client, therapist = of_client.person, of_therapist.person
    pair = await bot.pair(client.user_id, therapist.user_id)
    assert pair.room_id
    assert pair.console_id
    trio = Trio(
        bot=bot,
        pair=pair,
        of_client=of_client,
        of_therapist=of_therapist,
        room=pair.room_id,
        console=pair.console_id,
    )
    for person, room in ((client, trio.room), (therapist, trio.room), (therapist, trio.console)):
        if room in {joined["room"] for joined in await person.joined_rooms()}:
            continue
        await person.wait_for_invitation(room=room)
        await person.join(room)
    await trio.notice("Welcome")
    await trio.told("This room is only for you and me")
    return trio


def records_in(events: Iterable[Event]) -> list[Event]:
    """Return the entries and check-ins among events."""
    return [event for event in events if event["type"] in (ENTRY, CHECKIN)]


def spoken_in(events: Iterable[Event]) -> list[str]:
    """Return what the bot said in words: neither records nor prompts."""
    return [
        str(event["content"].get("body"))
        for event in events
        if event["type"] == MESSAGE and PROMPT not in event["content"]
    ]


def answer_of(entry: Event) -> dict[str, object]:
    """Return the one answer of an entry."""
    (answer,) = entry["content"]["answers"]
    found: dict[str, object] = answer
    return found


def shown_fingerprint(key: str) -> str:
    """Return a fingerprint as people compare it."""
    return fingerprint_groups(key)
