"""A client in the room: what is typed, tapped, edited and deleted goes through the flows, in the real store."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.core.events import ENTRY, PROMPT
from bot.core.inbox import InboxEvent, InboxState, TimelinePosition
from bot.core.messages import edit, incoming
from bot.core.outbox import OutboxEvent
from bot.core.people import Pair
from bot.core.posting import POLL_START
from bot.core.records import Record
from bot.core.sittings import Sitting, Turn
from bot.flows.answering import Answering
from bot.flows.conversation import Conversation
from bot.flows.places import Place, place_of
from bot.flows.sitting import Sittings
from bot.ports import Tx
from tests.flows.practice import VOICE, Practice

NUMBERS = itertools.count(1)
VOTE = "org.matrix.msc3381.poll.response"


@dataclass
class Room:
    """One pair's room."""

    practice: Practice
    pair: Pair
    arrived: list[OutboxEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin again with nothing but the database."""
        self.sittings = Sittings(voice=VOICE, recorder=self.practice.recorder)
        self.answering = Answering(voice=VOICE, recorder=self.practice.recorder, sittings=self.sittings)
        self.conversation = Conversation(voice=VOICE, sittings=self.sittings)

    async def ask(self, prompt_id: str, at: datetime) -> OutboxEvent:
        """Have a prompt sent by hand; return its first question."""
        async with self.practice.store.transaction() as tx:
            await self.practice.deliverer.send_now(tx, self.pair, prompt_id, key=f"i{next(NUMBERS)}", at=at)
        return (await self.arrive(at))[-1]

    async def start(self, prompt_id: str, at: datetime) -> OutboxEvent:
        """Have the client start a prompt."""
        async with self.practice.store.transaction() as tx:
            prompt = VOICE.pack(self.pair).prompts[prompt_id]
            assert await self.conversation.start(tx, await self._place(tx), prompt, at=at) == ""
        return (await self.arrive(at))[-1]

    async def say(self, text: str, at: datetime, *, reply_to: str | None = None) -> str:
        """Have the client write something; return its event id."""
        relation = {"m.in_reply_to": {"event_id": reply_to}} if reply_to else {}
        return await self._send("m.room.message", {"msgtype": "m.text", "body": text}, relation, at)

    async def photo(self, at: datetime, *, caption: str = "a photo", reply_to: str | None = None) -> str:
        """Have the client send a picture."""
        content = {"msgtype": "m.image", "body": caption, "filename": "p.jpg", "file": {"url": "mxc://hs/photo"}}
        relation = {"m.in_reply_to": {"event_id": reply_to}} if reply_to else {}
        return await self._send("m.room.message", content, relation, at)

    async def vote(self, poll: OutboxEvent, option: str, at: datetime) -> str:
        """Have the client tap an option of a poll."""
        answers = poll.content[PROMPT]["options"]
        (answer,) = [answer for answer, its_option in answers.items() if its_option == option]
        return await self._send(VOTE, {VOTE: {"answers": [answer]}}, {"event_id": poll.event_id}, at)

    async def edit(self, target: str, text: str, at: datetime) -> None:
        """Have the client edit a message."""
        content = {"msgtype": "m.text", "body": "*", "m.new_content": {"msgtype": "m.text", "body": text}}
        event = self._event("m.room.message", content, {"rel_type": "m.replace", "event_id": target})
        found = edit(event, from_client=True)
        assert found is not None
        async with self.practice.store.transaction() as tx:
            record = await tx.records.of_source(target)
            assert record is not None
            await self.answering.edited(tx, await self._place(tx), record, found[1], event, at=at)
        await self.arrive(at)

    async def redact(self, target: str, at: datetime) -> None:
        """Have the client delete a message."""
        async with self.practice.store.transaction() as tx:
            record = await tx.records.of_source(target)
            await self.answering.redacted(tx, await self._place(tx), record, target, at=at)
        await self.arrive(at)

    async def undo(self, at: datetime) -> str | None:
        """Have the client write `undo`."""
        async with self.practice.store.transaction() as tx:
            said = await self.answering.undo(tx, await self._place(tx), at=at)
        await self.arrive(at)
        return said

    async def turn(self, turn: Turn, at: datetime, *, until: datetime | None = None) -> str | None:
        """Have the client write `skip`, `back`, `stop`, `later` or `done`; return what the bot says to it."""
        async with self.practice.store.transaction() as tx:
            said = await self.conversation.turn(tx, await self._place(tx), turn, at=at, until=until)
        await self.arrive(at)
        return said

    async def again(self, at: datetime) -> str | None:
        """Have the client write `again`."""
        async with self.practice.store.transaction() as tx:
            said = await self.conversation.again(tx, await self._place(tx), at=at)
        await self.arrive(at)
        return said

    async def why(self, at: datetime) -> str | None:
        """Have the client write `why`."""
        async with self.practice.store.transaction() as tx:
            return await self.conversation.why(tx, await self._place(tx), at=at)

    async def therapist_writes(self) -> None:
        """Have the therapist say something to the client."""
        event = replace(self._event("m.room.message", {}, {}), sender=self.pair.therapist)
        async with self.practice.store.transaction() as tx:
            await tx.inbox.note_talk(replace(event, position=await self._position(tx)))

    async def wait(self, at: datetime) -> datetime | None:
        """Let time pass, and do what it brings; return when there is more."""
        async with self.practice.store.transaction() as tx:
            following = await self.sittings.due(tx, at=at)
        await self.arrive(at)
        return following

    async def busy(self, at: datetime) -> Mapping[str, datetime]:
        """Return until when a new prompt waits."""
        async with self.practice.store.transaction() as tx:
            return await self.sittings.busy_until(tx, [self.pair.pair_id], at=at)

    async def arrive(self, at: datetime) -> list[OutboxEvent]:
        """Have what the bot sent arrive in the room."""
        async with self.practice.store.transaction() as tx:
            waiting = [row.outbox_id for row in await tx.outbox.queued(self.pair.room_id or "")]
        await self.practice.arrive(at)
        async with self.practice.store.transaction() as tx:
            found = {row.outbox_id: row for row in await tx.outbox.some(waiting)}
        new = [found[each] for each in waiting]
        self.arrived += new
        return new

    def asked(self) -> list[str]:
        """Return the steps that were asked, in order."""
        return [str(row.content[PROMPT]["step"]) for row in self.arrived if PROMPT in row.content]

    def question(self) -> OutboxEvent:
        """Return the question that was asked last."""
        return next(row for row in reversed(self.arrived) if PROMPT in row.content)

    def entries(self) -> list[dict[str, Any]]:
        """Return the entries that were posted."""
        return [dict(row.content) for row in self.arrived if row.event_type == ENTRY]

    def answers(self) -> dict[str, tuple[Any, str | None]]:
        """Return value and text of each step in the newest entry."""
        return {each["step"]: (each["value"], each["text"]) for each in self.entries()[-1]["answers"]}

    def told(self) -> list[str]:
        """Return what the bot said, neither questions nor records."""
        told = [row for row in self.arrived if row.event_type == "m.room.message" and PROMPT not in row.content]
        return [str(row.content["body"]) for row in told]

    def polls(self) -> list[OutboxEvent]:
        """Return the polls that were posted."""
        return [row for row in self.arrived if row.event_type == POLL_START]

    def of_purpose(self, purpose: str) -> list[OutboxEvent]:
        """Return what was sent for a purpose."""
        return [row for row in self.arrived if row.purpose == purpose]

    async def record(self) -> Record:
        """Return the newest record."""
        async with self.practice.store.transaction() as tx:
            return (await tx.records.newest(self.pair.pair_id))[0]

    async def sitting(self) -> Sitting:
        """Return the sitting of the newest delivery."""
        async with self.practice.store.transaction() as tx:
            (newest, *_) = await tx.deliveries.recent(self.pair.pair_id)
            return (await tx.sittings.of_deliveries([newest.delivery_id]))[newest.delivery_id]

    async def _send(self, kind: str, content: Mapping[str, Any], relation: Mapping[str, Any], at: datetime) -> str:
        async with self.practice.store.transaction() as tx:
            event = replace(self._event(kind, content, relation), position=await self._position(tx))
            await tx.inbox.add(event)
            said = incoming(event, from_client=True)
            assert said is not None
            await self.answering.take(tx, await self._place(tx), said, event, at=at)
        await self.arrive(at)
        return event.event_id

    async def _position(self, tx: Tx) -> TimelinePosition:
        return TimelinePosition(batch=await tx.inbox.next_batch(), part=1, index=0)

    def _event(self, kind: str, content: Mapping[str, Any], relation: Mapping[str, Any]) -> InboxEvent:
        number = next(NUMBERS)
        return InboxEvent(
            event_id=f"$said{number}",
            room_id=self.pair.room_id or "",
            sender=self.pair.client,
            event_type=kind,
            position=TimelinePosition(batch=0, part=1, index=0),
            state=InboxState.PENDING,
            event={"type": kind, "content": dict(content), "relates_to": dict(relation)},
            session_id="s",
            index=number,
        )

    async def _place(self, tx: Tx) -> Place:
        place = await place_of(tx, self.pair.room_id or "")
        assert place is not None
        return place
