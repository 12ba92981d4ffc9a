"""kill -9 at any moment loses nothing and doubles nothing (DESIGN promises 4 and 5)."""

import asyncio
import itertools
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest

from bot.core.deliveries import DeliveryState
from bot.core.events import CHECKIN, ENTRY, PROMPT
from bot.core.outbox import OutboxState
from bot.core.records import RecordState
from bot.demo.person import Event
from bot.instance import open_instance
from tests.e2e.conftest import NewPractice
from tests.e2e.practice_life import PROMPTS, Client, Practice, question_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

STOPS_WITHIN = 5.0  # seconds from SIGTERM to the end of the process: what the README promises
CALM = 3.0  # seconds without the line or the message that a kill waits for
RECORDS = (ENTRY, CHECKIN)


class Killer:
    """Kills the bot again and again, at moments that its seed decides."""

    def __init__(self, practice: Practice, *, kills: int, seed: int) -> None:
        self.practice = practice
        self.kills = 0
        self.moments: Counter[str] = Counter()
        self._wanted = kills
        self._random = random.Random(seed)
        self._homeserver_ends = {kills // 2: practice.homeserver.kill}
        if kills >= 10:
            self._homeserver_ends[3 * kills // 4] = practice.homeserver.stop
        self._killed = asyncio.Event()
        self._start_takes = 1.0  # seconds, as last measured

    async def run(self) -> None:
        """Kill the running bot, and each one that follows; the last one is left running."""
        bot = self.practice.bot
        for moment in itertools.islice(self._moments(), self._wanted):
            self.moments[moment.__name__] += 1
            await moment()
            await bot.kill()
            self.kills += 1
            self._killed.set()
            await bot.start()
            if self.kills in self._homeserver_ends:
                await self._started()
                await self.practice.unreachable_during(self._restart_homeserver)
        await self._started()

    async def reached(self, kills: int) -> None:
        """Wait until there were this many kills."""
        while self.kills < kills:
            self._killed.clear()
            await self._killed.wait()

    def _moments(self) -> Iterator[Callable[[], Awaitable[None]]]:
        every = [self.soon, self.starting, self.decided, self.carried_out, self.prompt_seen, self.answer_sent]
        while True:
            yield from self._random.sample(every, len(every))

    async def _started(self) -> None:
        self._start_takes = await self.practice.bot.started()

    async def _restart_homeserver(self) -> None:
        await self._homeserver_ends[self.kills]()
        await self.practice.homeserver.restart()

    # The moments. A random delay is no wait for anything: it is the moment itself.

    async def soon(self) -> None:
        """Some time after the bot has started."""
        await self._started()
        await asyncio.sleep(self._random.uniform(0.05, 1.5))

    async def starting(self) -> None:
        """While it opens its database, takes the lease and checks its keys."""
        await asyncio.sleep(self._random.uniform(0.4, 1.0) * self._start_takes)

    async def decided(self) -> None:
        """Before the transaction that decided to ask is committed, or right after."""
        await self._at_line("delivery.decided")

    async def carried_out(self) -> None:
        """When a request was carried out and nothing of it is sent."""
        await self._at_line("intent.done")

    async def prompt_seen(self) -> None:
        """When the homeserver has a prompt and the bot may not know it."""
        await self._at_news(lambda event: PROMPT in event["content"])

    async def answer_sent(self) -> None:
        """While an answer is read, or its record is on its way."""
        await self._started()
        before = self.practice.answered
        with suppress(TimeoutError):
            await self.practice.seen.until(lambda: self.practice.answered > before or None, timeout=CALM)
        await asyncio.sleep(self._random.uniform(0.0, 0.3))

    async def _at_line(self, event: str) -> None:
        bot = self.practice.bot
        await self._started()
        before = len(bot.logged(event))
        with suppress(TimeoutError):
            await bot.until(lambda: len(bot.logged(event)) > before or None, timeout=CALM)

    async def _at_news(self, fits: Callable[[Event], bool]) -> None:
        seen = self.practice.seen
        await self._started()
        before = len(seen.events)
        with suppress(TimeoutError):
            await seen.until(lambda: any(map(fits, seen.events[before:])) or None, timeout=CALM)


async def live_through(practice: Practice, *, rounds: int, kills: int, seed: int) -> None:
    """Let every client be asked `rounds` times and answer, while the bot is killed `kills` times."""
    killer = Killer(practice, kills=kills, seed=seed)

    async def live(client: Client, first: int) -> None:
        for number in range(rounds):
            await killer.reached(number * kills // rounds)
            await practice.ask_and_answer(client, PROMPTS[(first + number) % len(PROMPTS)])

    async with asyncio.TaskGroup() as group:
        group.create_task(killer.run())
        for first, client in enumerate(practice.clients):
            group.create_task(live(client, first))
    print(f"{killer.kills} kills: {dict(killer.moments)}")
    await practice.settled()


async def check_rooms(practice: Practice, *, rounds: int) -> None:
    """Make sure that each room holds each prompt and each record once, as the therapist's client reads it."""
    for client in practice.clients:
        events = [event for event in await practice.therapist.timeline(client.room) if event["state_key"] is None]
        assert [event for event in events if event["failure"]] == []
        questions = [question_of(event) for event in events if PROMPT in event["content"]]
        assert Counter(questions) == Counter(client.answers.keys())
        assert len(client.by_delivery) == rounds
        records = [event for event in events if event["type"] in RECORDS]
        assert [event["content"]["revision"] for event in records] == [1] * rounds
        assert {event["content"]["delivery_id"]: sources_of(event) for event in records} == client.by_delivery
        confirmed = [reply_of(event) for event in events if event["sender"] == practice.bot_user and reply_of(event)]
        answered = [target for target in confirmed if target in client.answers.values()]
        assert Counter(answered) == Counter(answers[-1] for answers in client.by_delivery.values())


def sources_of(record: Event) -> list[str]:
    """Return the messages that a record was made from."""
    content = record["content"]
    if record["type"] == CHECKIN:
        return list(content["sources"])
    return [source for answer in content["answers"] for source in answer["sources"]]


def reply_of(event: Event) -> str | None:
    """Return the message that an event replies to."""
    relation = event["relates_to"] or {}
    target: str | None = relation.get("m.in_reply_to", {}).get("event_id")
    return target


async def check_database(practice: Practice, *, rounds: int) -> None:
    """Make sure that the database agrees with the rooms and that nothing is left to do."""
    async with open_instance(practice.bot.data_dir) as instance, instance.database.transaction() as tx:
        counts = await tx.outbox.counts()
        assert set(counts) == {OutboxState.SENT}
        assert await tx.intents.queued() == ()
        assert await tx.rooms.gaps() == ()
        for client in practice.clients:
            assert {(await tx.intents.get(each)).state for each in client.asked} == {"done"}  # type: ignore[union-attr]  # it was left there
            deliveries = await tx.deliveries.recent(client.pair_id, limit=10 * rounds)
            assert [each.state for each in deliveries] == [DeliveryState.ANSWERED] * rounds
            records = await tx.records.newest(client.pair_id, limit=10 * rounds)
            assert {each.delivery_id: list(each.sources) for each in records} == client.by_delivery
            assert [(each.state, each.revision) for each in records] == [(RecordState.RECORDED, 1)] * rounds


async def stop_and_check(practice: Practice, *, rounds: int) -> None:
    """End the bot in good order and count everything."""
    status, took = await practice.bot.terminate()
    assert (status, took < STOPS_WITHIN) == (0, True), took
    assert practice.bot.errors() == []
    await check_rooms(practice, rounds=rounds)
    await check_database(practice, rounds=rounds)


def new_seed() -> int:
    """Return the seed of this run, and say it; INTERLUDE_KILL_SEED repeats one."""
    seed = int(os.environ.get("INTERLUDE_KILL_SEED", "0")) or random.randrange(1, 1_000_000)
    print(f"INTERLUDE_KILL_SEED={seed}")
    return seed


async def test_a_bot_that_is_killed_five_times_asks_and_records_thirty_times(new_practice: NewPractice) -> None:
    """30 prompts, each question answered, 5 kills, one of the homeserver: each question once, and 30 records."""
    practice = await new_practice(2)
    await live_through(practice, rounds=15, kills=5, seed=new_seed())
    await stop_and_check(practice, rounds=15)


@pytest.mark.slow
async def test_a_bot_that_is_killed_again_and_again_asks_and_records_two_hundred_times(
    new_practice: NewPractice,
) -> None:
    """200 prompts, 30 kills, two restarts of the homeserver: each question once, and 200 records."""
    practice = await new_practice(10)
    await live_through(practice, rounds=20, kills=30, seed=new_seed())
    await stop_and_check(practice, rounds=20)
