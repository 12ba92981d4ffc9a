"""A practice in the real store, without a homeserver: what is in the outbox has arrived when `arrive` says so."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.deliveries import Delivery, DeliveryState
from bot.core.inbox import InboxEvent, InboxState, TimelinePosition
from bot.core.outbox import OutboxEvent, OutboxState
from bot.core.pairs import PairEvent, PairState
from bot.core.people import ManagedRoom, Pair, Purpose, Schedule
from bot.core.practice import Practice as Known
from bot.core.prompts import parse_prompt
from bot.flows.agenda import Agenda
from bot.flows.arranging import Arranger
from bot.flows.console import Console
from bot.flows.deliver import Deliverer
from bot.flows.fit_question import FitQuestions
from bot.flows.library import Library
from bot.flows.life import Life
from bot.flows.posted import posted
from bot.flows.recording import Recorder
from bot.flows.remind import Reminders
from bot.flows.schedules import Changed, Schedules
from bot.flows.sitting import Sittings
from bot.flows.speak import Voice
from bot.flows.timetable import Timetable
from bot.packs import read_pack
from bot.ports import Tx
from bot.resource import resource
from bot.store.database import Database
from tests.store.keyring import Keyring

EVERY_KIND = parse_prompt((Path(__file__).parent / "every-kind.yaml").read_text(), source="every-kind.yaml")


def _without_times() -> Library:
    """The English pack, whose prompts leave grace and expiry to the schedule, and a prompt with every kind of step."""
    pack = read_pack(resource("prompts") / "en")
    leave = {"grace": None, "expires": None}
    prompts = {name: prompt.model_copy(update=leave) for name, prompt in pack.prompts.items()}
    packs = {"en": replace(pack, prompts={**prompts, EVERY_KIND.id: EVERY_KIND})}
    return Library(packs, read=lambda: packs)


VOICE = Voice(
    packs=Library(_without_times(), read=_without_times),
    practice=Known(name="The practice", line="555 0100", country="DE", language="en", timezone="Europe/Berlin"),
    own_user="@bot:hs",
    fingerprint="ABCD",
)
BERLIN = ZoneInfo("Europe/Berlin")


def berlin(text: str) -> datetime:
    """A local time in Berlin such as "2026-11-23 20:00"; that was a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


class Counter:
    """Implements `ports.Meter`."""

    def count(self, name: str, by: int = 1) -> None:
        """Count nothing."""


def echo(row: OutboxEvent, batch: int) -> InboxEvent:
    """The bot's own event as /sync brings it back."""
    return InboxEvent(
        event_id=row.event_id or "",
        room_id=row.room_id,
        sender=VOICE.own_user,
        event_type=row.event_type,
        position=TimelinePosition(batch=batch, part=1, index=0),
        state=InboxState.DONE,
        event={},
    )


class Conversations(Sittings):
    """The real ones, and some that tests make up: pair -> until when its client is let finish."""

    busy: dict[str, datetime]

    async def busy_until(self, tx: Tx, pair_ids: Iterable[str], *, at: datetime) -> Mapping[str, datetime]:
        """Return who is in the middle of something."""
        wanted = set(pair_ids)
        made_up = {pair_id: until for pair_id, until in self.busy.items() if pair_id in wanted and until > at}
        return {**await super().busy_until(tx, wanted, at=at), **made_up}


@dataclass
class Practice:
    """Pairs, schedules and the flows that look at them."""

    store: Database
    busy: dict[str, datetime] = field(default_factory=dict)  # pair -> until when its client is let finish
    life: Life = field(default_factory=lambda: Life(voice=VOICE, console=Console(voice=VOICE)))
    schedules: Schedules = field(default_factory=lambda: Schedules(pack_of=VOICE.pack))

    def __post_init__(self) -> None:
        self.recorder = Recorder(voice=VOICE, meter=Counter())
        self.sittings = Conversations(voice=VOICE, recorder=self.recorder)
        self.sittings.busy = self.busy
        self.deliverer = Deliverer(voice=VOICE, meter=Counter(), sittings=self.sittings)
        self.arranger = Arranger(voice=VOICE, schedules=self.schedules)
        self.agenda = Agenda(voice=VOICE, console=Console(voice=VOICE))
        self.fit = FitQuestions(voice=VOICE, arranger=self.arranger, schedules=self.schedules)
        self.timetable = Timetable(
            store=self.store,
            deliverer=self.deliverer,
            reminders=Reminders(voice=VOICE),
            life=self.life,
            agenda=self.agenda,
            fit=self.fit,
        )

    async def pair(self, pair_id: str = "p1", *, at: datetime, **changes: Any) -> Pair:
        """Add a pair that is together in its room."""
        room_id = f"!{pair_id}:hs"
        known = Pair(
            pair_id=pair_id,
            number=0,
            client=f"@{pair_id}:hs",
            therapist="@lee:hs",
            client_name="Alex",
            therapist_name="Lee",
            timezone="Europe/Berlin",
            language="en",
            country="DE",
            word="heron",
            state=PairState.ACTIVE,
            paused=False,
            therapist_gone=False,
            created_at=at,
            room_id=room_id,
        )
        async with self.store.transaction() as tx:
            room = ManagedRoom(room_id=room_id, purpose=Purpose.PAIR, pair_id=pair_id, therapist="@lee:hs")
            await tx.rooms.add(room)
            return await tx.pairs.add(replace(known, **changes))

    async def schedule(self, pair: Pair, rule: str, *, at: datetime, prompt_id: str = "mood", **more: Any) -> Changed:
        """Add a schedule."""
        async with self.store.transaction() as tx:
            return await self.schedules.add(tx, pair, prompt_id=prompt_id, rule=rule, at=at, **more)

    async def happen(self, pair: Pair, event: PairEvent, *, at: datetime, **more: Any) -> Pair:
        """Let something happen to a pair."""
        async with self.store.transaction() as tx:
            known = await tx.pairs.get(pair.pair_id)
            assert known is not None
            await self.life.happen(tx, known, event, at=at, **more)
            changed = await tx.pairs.get(pair.pair_id)
            assert changed is not None
            return changed

    async def look(self, at: datetime) -> datetime | None:
        """Do what is due, and let it arrive."""
        reached = await self.timetable.look(at=at)
        if reached.posted:
            await self.arrive(at)
        return reached.next_due

    async def run(self, start: datetime, until: datetime) -> None:
        """Wake at each instant that is due, as the alarm does."""
        at: datetime | None = start
        while at is not None and at <= until:
            following = await self.look(at)
            at = max(following, at + timedelta(milliseconds=1)) if following else None

    async def arrive(self, at: datetime) -> list[OutboxEvent]:
        """Have everything in the outbox acknowledged by the homeserver; return it."""
        async with self.store.transaction() as tx:
            rows = list(await tx.outbox.heads(1000))
            arrived = list(rows)
            while rows:
                sent = [replace(row, state=OutboxState.SENT, event_id=f"${row.outbox_id}") for row in rows]
                await tx.outbox.update(sent)
                await tx.inbox.add_all([echo(row, await tx.inbox.next_batch()) for row in sent])
                await posted(tx, sent, at=at)
                rows = list(await tx.outbox.heads(1000))
                arrived += rows
            return arrived

    async def answer(self, delivery: Delivery) -> None:
        """Let the client answer."""
        async with self.store.transaction() as tx:
            known = await tx.deliveries.get(delivery.delivery_id)
            assert known is not None
            await tx.deliveries.save(replace(known, state=DeliveryState.ANSWERED))

    async def deliveries(self, pair: Pair) -> list[Delivery]:
        """Return what was decided for a pair, in the order in which it was due."""
        async with self.store.transaction() as tx:
            return sorted(await tx.deliveries.recent(pair.pair_id, 10_000), key=lambda each: (each.due, each.number))

    async def told(self, pair: Pair) -> list[tuple[str, str]]:
        """Return what became of each occurrence: its local due time in the pair's zone, and its end."""
        zone = ZoneInfo(pair.timezone)
        return [
            (f"{each.due.astimezone(zone):%d. %H:%M}", each.skip_reason or each.state.value)
            for each in await self.deliveries(pair)
        ]

    async def current(self, schedule: Schedule) -> Schedule:
        """Return a schedule as it is stored."""
        async with self.store.transaction() as tx:
            found = await tx.schedules.get(schedule.schedule_id)
        assert found is not None
        return found


@asynccontextmanager
async def practice(directory: Path) -> AsyncIterator[Practice]:
    """Open a practice in a new database."""
    store = await Database.open(f"sqlite:///{directory}/interlude.db", account="@bot:hs", sealers=Keyring())
    try:
        yield Practice(store=store)
    finally:
        await store.close()
