"""The bot as a process: it is away for a while, it is told to stop, it is started twice."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from bot.core.events import CHECKIN, ENTRY, PROMPT
from bot.core.outbox import OutboxState
from bot.instance import open_instance
from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import NewPractice
from tests.e2e.practice_life import Client, Practice, Question

pytestmark = pytest.mark.asyncio(loop_scope="session")

STOPS_WITHIN = 5.0  # seconds from SIGTERM to the end of the process
MORE_THAN_A_TIMELINE = 60  # events; one answer of /sync holds 50 of a room


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def practice(new_practice: NewPractice) -> AsyncIterator[Practice]:
    """One pair; each test leaves the bot running. No test makes the bot log an error."""
    practice = await new_practice(1)
    yield practice
    assert practice.bot.errors() == []


@pytest.fixture(scope="module")
def client(practice: Practice) -> Client:
    """The practice's client."""
    return practice.clients[0]


async def ask(practice: Practice, client: Client, prompt_id: str) -> None:
    """Have a prompt sent and wait until the client sees it."""
    known = set(practice.seen.prompts(client.person, client.room))
    client.asked.append(await practice.bot.ask_for_prompt(client.pair_id, prompt_id))
    await practice.seen.until(lambda: set(practice.seen.prompts(client.person, client.room)) - known or None)


async def start(practice: Practice) -> None:
    """Start the bot and wait until it serves."""
    await practice.bot.start()
    await practice.bot.started()


async def in_hand(practice: Practice) -> None:
    """Wait until an event is encrypted and so on its way."""
    async with open_instance(practice.bot.data_dir) as instance, asyncio.timeout(30):
        counts: Mapping[str, int] = {}
        while OutboxState.ENCRYPTED not in counts:
            await asyncio.sleep(0.05)  # another process's row has no event to await
            async with instance.database.transaction() as tx:
                counts = await tx.outbox.counts()


async def test_an_answer_sent_while_the_bot_is_away_is_recorded_when_it_is_back(
    practice: Practice, client: Client
) -> None:
    """A vote that comes after the bot has stopped goes on soon after its next start, and is on record in the end."""
    await ask(practice, client, "mood")
    status, took = await practice.bot.terminate()
    assert (status, took < STOPS_WITHIN) == (0, True), took
    vote = await practice.answer_next(client)
    await start(practice)
    number = await practice.answer_next(client)
    entry = await practice.therapist.wait_for(client.room, type=ENTRY, since=vote)
    assert [answer["sources"] for answer in entry["content"]["answers"]] == [[vote], [number]]


async def test_an_answer_in_a_gap_is_recorded_before_what_came_after_it(practice: Practice, client: Client) -> None:
    """Sixty messages later the homeserver leaves an answer out of the timeline: the bot reads it all the same."""
    await ask(practice, client, "goal-checkin")
    await practice.bot.kill()
    answer = await client.person.send_text(client.room, "7, we went to the lake")
    for number in range(MORE_THAN_A_TIMELINE):
        await practice.therapist.send_text(client.room, f"Thought number {number}.")
    await start(practice)
    checkin = await practice.therapist.wait_for(client.room, type=CHECKIN, since=answer)
    assert (checkin["content"]["value"], checkin["content"]["sources"]) == (7, [answer])
    assert practice.bot.logged("gap.filled")
    await practice.settled()
    assert len(practice.seen.records(practice.therapist, client.room)) == 2


async def test_sigterm_in_the_middle_of_work_loses_and_doubles_nothing(practice: Practice, client: Client) -> None:
    """What is in hand is finished, the rest is done after the next start, and the end comes within five seconds."""
    bot, before = practice.bot, set(practice.seen.prompts(client.person, client.room))
    for _ in range(10):
        await bot.ask_for_prompt(client.pair_id, "evening-reflection")
    await bot.until(lambda: bot.logged("delivery.decided") or None)
    status, took = await bot.terminate()
    assert (status, took < STOPS_WITHIN) == (0, True), took
    await start(practice)

    def new() -> set[Question]:
        return set(practice.seen.prompts(client.person, client.room)) - before

    await practice.seen.until(lambda: len(new()) >= 10 or None)
    await practice.settled()
    events = await practice.therapist.timeline(client.room)
    assert len([event for event in events if PROMPT in event["content"]]) == len(before) + 10


async def test_sigterm_ends_the_bot_while_the_homeserver_does_not_answer(practice: Practice, client: Client) -> None:
    """A homeserver that hangs with a request in hand does not hold the end up, and nothing is lost by it."""
    bot, process = practice.bot, practice.homeserver._process
    before = set(practice.seen.prompts(client.person, client.room))
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        await bot.ask_for_prompt(client.pair_id, "mood")
        await in_hand(practice)
        status, took = await bot.terminate()
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert (status, took < STOPS_WITHIN) == (0, True), took
    await start(practice)
    await practice.seen.until(lambda: set(practice.seen.prompts(client.person, client.room)) - before or None)
    await practice.settled()
    events = await practice.therapist.timeline(client.room)
    assert len([event for event in events if PROMPT in event["content"]]) == len(before) + 1


async def test_sigterm_ends_a_bot_that_still_waits_for_its_homeserver(practice: Practice) -> None:
    """A bot that was started before its homeserver waits for it, and stops when it is told to."""
    await practice.bot.terminate()
    await practice.unreachable_during(practice.homeserver.stop)
    try:
        await practice.bot.start()
        await practice.bot.until(lambda: practice.bot.logged("start.unreachable") or None)
        status, took = await practice.bot.terminate()
    finally:
        await practice.unreachable_during(practice.homeserver.restart)
    assert (status, took < STOPS_WITHIN) == (0, True), took
    await start(practice)


async def test_a_second_run_on_the_same_data_refuses(practice: Practice) -> None:
    """One line says who drives this bot; the first one goes on undisturbed."""
    second = BotProcess(practice.bot.data_dir)
    await second.start()
    try:
        assert await second.ended() == 1
    finally:
        await second.close()
    said = [line["text"] for line in second.lines if not line["event"]]
    assert len(said) == 1
    assert said[0].startswith("interlude: ")
    assert "drives this bot until" in said[0]
    assert not [line for line in second.lines if line["event"]]
    await practice.settled()


async def test_a_killed_bot_is_followed_at_once(practice: Practice, client: Client) -> None:
    """The lease of a process that is gone from this machine is taken over before it runs out."""
    async with open_instance(practice.bot.data_dir) as instance:
        assert await instance.is_running()
        await practice.bot.kill()
        assert not await instance.is_running()
    await start(practice)
    await ask(practice, client, "mood")


@pytest.mark.slow
async def test_a_prompt_that_falls_due_while_the_bot_is_away_comes_once(practice: Practice, client: Client) -> None:
    """It is posted late, by the first process or by the one that follows after a kill, and not by both."""
    bot, before = practice.bot, set(practice.seen.prompts(client.person, client.room))
    due = (datetime.now(UTC) + timedelta(seconds=75)).replace(second=0, microsecond=0)
    rule = f"daily {due:%H:%M}"
    pair = ("--pair", client.pair_id)
    await bot.command("schedule", "add", *pair, "--prompt", "mood", "--rule", rule, "--timezone", "UTC")
    await bot.kill()
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds())  # nothing but the clock says when it is due
    await bot.start()
    await bot.until(lambda: bot.logged("delivery.decided") or None)
    await bot.kill()
    await start(practice)
    await practice.seen.until(lambda: set(practice.seen.prompts(client.person, client.room)) - before or None)
    await practice.settled()
    events = await practice.therapist.timeline(client.room)
    assert len([event for event in events if PROMPT in event["content"]]) == len(before) + 1
