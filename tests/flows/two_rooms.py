"""A client, a therapist and the bot in their rooms, without a homeserver: what people say takes effect at once."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from bot.core.goals import Goal
from bot.core.inbox import InboxEvent, InboxState, TimelinePosition
from bot.core.outbox import OutboxEvent, OutboxState
from bot.core.pairs import PairState
from bot.core.people import ManagedRoom, Pair, Purpose
from bot.core.posting import POLL_START
from bot.flows.library import Library
from bot.flows.places import place_of
from bot.flows.posted import posted
from bot.flows.talk import Talk, build_talk
from bot.packs import read_packs
from bot.ports import Cipher
from bot.resource import resource
from bot.store.database import Database
from tests.flows.practice import VOICE as IN_ENGLISH
from tests.flows.practice import Counter, berlin, echo
from tests.store.keyring import Keyring

CLIENT, THERAPIST, ROOM, CONSOLE = "@alex:hs", "@lee:hs", "!alex:hs", "!console:hs"
PACKS = read_packs(resource("prompts"))
VOICE = replace(IN_ENGLISH, packs=Library(PACKS, read=lambda: PACKS))
MESSAGE, VOTE = "m.room.message", "org.matrix.msc3381.poll.response"
MONDAY_NOON = berlin("2026-11-30 12:00")


@dataclass
class StandingClock:
    """Implements `ports.Clock`; it goes on when a test says so."""

    at: datetime = MONDAY_NOON

    def now(self) -> datetime:
        """The time."""
        return self.at

    def real(self) -> datetime:
        """The same."""
        return self.at


@dataclass
class Rooms:
    """Two people and what they hear; every message is at the clock's time."""

    store: Database
    clock: StandingClock
    talk: Talk
    events: int = 0
    sent: list[OutboxEvent] = field(default_factory=list)  # all that has arrived, in order

    async def client(self, text: str, **more: Any) -> list[str]:
        """Let the client write in the room of the two; return what the bot says to it, everywhere."""
        return await self.say(CLIENT, ROOM, text, **more)

    async def therapist(self, text: str, **more: Any) -> list[str]:
        """Let the therapist write in the room of the two."""
        return await self.say(THERAPIST, ROOM, text, **more)

    async def console(self, text: str, **more: Any) -> list[str]:
        """Let the therapist write in the console."""
        return await self.say(THERAPIST, CONSOLE, text, **more)

    async def say(self, sender: str, room: str, text: str, *, reply_to: str | None = None) -> list[str]:
        """Let somebody write a message."""
        relation = {"m.in_reply_to": {"event_id": reply_to}} if reply_to else {}
        return await self.event(sender, room, MESSAGE, {"msgtype": "m.text", "body": text}, relation)

    async def vote(self, poll: OutboxEvent, label: str) -> list[str]:
        """Let the client tap an answer."""
        answers = poll.content[POLL_START]["answers"]
        chosen = next(each["id"] for each in answers if each["org.matrix.msc1767.text"] == label)
        relation = {"rel_type": "m.reference", "event_id": poll.event_id}
        return await self.event(CLIENT, ROOM, VOTE, {VOTE: {"answers": [chosen]}}, relation)

    async def edit(self, sender: str, room: str, original: str, text: str) -> list[str]:
        """Let somebody edit a message."""
        content = {"msgtype": "m.text", "body": f"* {text}", "m.new_content": {"msgtype": "m.text", "body": text}}
        return await self.event(sender, room, MESSAGE, content, {"rel_type": "m.replace", "event_id": original})

    async def redact(self, sender: str, room: str, original: str) -> list[str]:
        """Let somebody delete a message."""
        return await self.event(sender, room, "m.room.redaction", {"redacts": original}, {}, session="")

    @property
    def last_event(self) -> str:
        """The id of what was said last."""
        return f"$said{self.events}"

    async def event(
        self,
        sender: str,
        room: str,
        kind: str,
        content: Mapping[str, Any],
        relation: Mapping[str, Any],
        *,
        session: str = "megolm",
    ) -> list[str]:
        """Let an event take effect as the receiver does; return what the bot says to it."""
        self.events += 1
        already = len(self.sent)
        async with self.store.transaction() as tx:
            event = InboxEvent(
                event_id=self.last_event,
                room_id=room,
                sender=sender,
                event_type=kind,
                position=TimelinePosition(batch=await tx.inbox.next_batch(), part=1, index=0),
                state=InboxState.PENDING,
                event={"type": kind, "content": content, "relates_to": relation},
                session_id=session,
                verdict="trusted",
                reason="edit" if relation.get("rel_type") == "m.replace" else "",
            )
            await tx.inbox.add(event)
            place = await place_of(tx, room)
            assert place is not None
            await self.talk.settler.settle(tx, place, event, at=self.clock.at)
            await tx.inbox.settle(replace(event, state=InboxState.DONE))
        await self.arrive()
        return [shown(row) for row in self.sent[already:] if row.event_type in (MESSAGE, POLL_START)]

    async def arrive(self) -> None:
        """Have everything in the outbox acknowledged by the homeserver."""
        async with self.store.transaction() as tx:
            while rows := list(await tx.outbox.heads(100)):
                sent = [replace(row, state=OutboxState.SENT, event_id=f"${row.outbox_id}") for row in rows]
                await tx.outbox.update(sent)
                await tx.inbox.add_all([echo(row, await tx.inbox.next_batch()) for row in sent])
                await posted(tx, sent, at=self.clock.at)
                self.sent += sent
            urgent = [
                replace(row, state=OutboxState.SENT, event_id=f"${row.outbox_id}") for row in await tx.outbox.urgent()
            ]
            await tx.outbox.update(urgent)
            self.sent += urgent

    async def pass_to(self, until: str) -> list[str]:
        """Let time pass in Berlin, waking at each instant that is due; return what the bot says meanwhile."""
        already, end = len(self.sent), berlin(until)
        while True:
            for _ in range(2):  # what has just arrived may have consequences
                reached = await self.talk.timetable.look(at=self.clock.at)
                async with self.store.transaction() as tx:
                    sitting = await self.talk.sittings.due(tx, at=self.clock.at)
                await self.arrive()
            upcoming = [each for each in (reached.next_due, sitting) if each is not None]
            following = min(upcoming, default=end)
            if following >= end:
                self.clock.at = end
                await self.talk.timetable.look(at=end)
                await self.arrive()
                return [shown(row) for row in self.sent[already:] if row.event_type in (MESSAGE, POLL_START)]
            self.clock.at = max(following, self.clock.at + timedelta(milliseconds=1))

    async def pair(self) -> Pair:
        """The pair as it stands."""
        async with self.store.transaction() as tx:
            found = await tx.pairs.get("p1")
        assert found is not None
        return found

    async def goal(self, title: str) -> Goal:
        """Agree on a goal."""
        made = Goal(
            goal_id=title.lower(),
            number=0,
            title=title,
            low=0,
            high=10,
            rhythm="fri 18:00",
            revision=1,
            since=self.clock.at,
        )
        async with self.store.transaction() as tx:
            return await tx.pairs.add_goal("p1", made)

    async def change(self, **changes: Any) -> None:
        """Store the pair with other fields."""
        changed = replace(await self.pair(), **changes)
        async with self.store.transaction() as tx:
            await tx.pairs.save(changed)


def shown(row: OutboxEvent) -> str:
    """What a message says; the answers of a poll below its question."""
    if row.event_type == POLL_START:
        return str(row.content["org.matrix.msc1767.text"])
    new = row.content.get("m.new_content")
    return str((new or row.content)["body"])


@asynccontextmanager
async def rooms(directory: Path, *, language: str = "en") -> AsyncIterator[Rooms]:
    """Open the rooms of a pair in a new database."""
    store = await Database.open(f"sqlite:///{directory}/interlude.db", account="@bot:hs", sealers=Keyring())
    clock = StandingClock()
    no_keys = cast(Cipher, None)  # only `trust` asks it
    talk = build_talk(store=store, cipher=no_keys, clock=clock, meter=Counter(), voice=VOICE)
    async with store.transaction() as tx:
        await tx.rooms.add(ManagedRoom(room_id=ROOM, purpose=Purpose.PAIR, pair_id="p1", therapist=THERAPIST))
        await tx.rooms.add(ManagedRoom(room_id=CONSOLE, purpose=Purpose.CONSOLE, pair_id=None, therapist=THERAPIST))
        await tx.pairs.add(new_pair(language=language))
    try:
        yield Rooms(store=store, clock=clock, talk=talk)
    finally:
        await store.close()


def new_pair(pair_id: str = "p1", **changes: Any) -> Pair:
    """A pair that is together in its room."""
    known = Pair(
        pair_id=pair_id,
        number=0,
        client=CLIENT,
        therapist=THERAPIST,
        client_name="Alex",
        therapist_name="Dr. Lee",
        timezone="Europe/Berlin",
        language="en",
        country="DE",
        word="heron",
        state=PairState.ACTIVE,
        paused=False,
        therapist_gone=False,
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
        room_id=ROOM,
        console_id=CONSOLE,
    )
    return replace(known, **changes)
