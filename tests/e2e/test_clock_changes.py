"""The real bot through the nights in which clocks change, six hundred times as fast as they pass."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from bot.core.events import PROMPT
from bot.core.people import Schedule
from bot.demo.person import Event
from bot.instance import open_instance
from tests.e2e.conftest import NewPractice
from tests.e2e.practice_life import Client, Practice

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

SPEED = 600
BEFORE = datetime(2027, 3, 1, tzinfo=UTC)
ZONES = ("America/New_York", "Europe/Berlin")
CLOCKS = ("01:30", "02:30")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def practice(new_practice: NewPractice) -> AsyncIterator[Practice]:
    """Two pairs, one in New York and one in Berlin, with a prompt at 01:30 and one at 02:30; the bot is stopped."""
    practice = await new_practice(2)
    await practice.bot.terminate()
    for client, zone in zip(practice.clients, ZONES, strict=True):
        # At this speed a minute is a tenth of a second: late by that is nothing that quiet hours should catch.
        await practice.bot.command("pair", "set", client.pair_id, "--timezone", zone, "--quiet", "none")
    async with open_instance(practice.bot.data_dir) as instance, instance.database.transaction() as tx:
        for known in await tx.schedules.every():
            await tx.schedules.remove(known.schedule_id)
        for client in practice.clients:
            for clock in CLOCKS:
                await tx.schedules.add(_daily(client, clock))
    yield practice
    assert practice.bot.errors() == []


def _daily(client: Client, clock: str) -> Schedule:
    return Schedule(
        schedule_id=f"{client.pair_id}-{clock}",
        number=0,
        pair_id=client.pair_id,
        prompt_id="evening-reflection",
        rule=f"daily {clock}",
        timezone=None,
        goal_id=None,
        created_at=BEFORE,
        after=BEFORE,
        reminder=timedelta(),
    )


# In the order of time: simulated time does not go back. Each night begins before 01:30 and ends after 03:30.
@pytest.mark.parametrize(
    ("whose", "begins", "ends", "comes"),
    [
        (0, "2027-03-14T01:20-05:00", "2027-03-14T03:50-04:00", {"01:30": "06:30", "02:30": "07:30"}),
        (1, "2027-03-28T01:20+01:00", "2027-03-28T03:50+02:00", {"01:30": "00:30", "02:30": "01:30"}),
        (1, "2027-10-31T01:20+02:00", "2027-10-31T02:50+01:00", {"01:30": "23:30", "02:30": "00:30"}),
        (0, "2027-11-07T01:20-04:00", "2027-11-07T02:50-05:00", {"01:30": "05:30", "02:30": "07:30"}),
    ],
    ids=["New York springs forward", "Berlin springs forward", "Berlin falls back", "New York falls back"],
)
async def test_each_prompt_comes_once_in_the_night(
    practice: Practice, whose: int, begins: str, ends: str, comes: dict[str, str]
) -> None:
    """02:30 that does not exist comes at 03:30; a time that comes twice brings its prompt at the first."""
    start, end = (datetime.fromisoformat(each).astimezone(UTC) for each in (begins, ends))
    client = practice.clients[whose]
    await practice.bot.start("--simulate", f"{start.isoformat()}@{SPEED}")
    await practice.bot.started()
    async with open_instance(practice.bot.data_dir) as instance:
        while await instance.now() < end:  # noqa: ASYNC110 - another process's simulated time has no event to await
            await asyncio.sleep(0.2)

    def arrived() -> list[tuple[str, datetime]] | None:
        blocks = [event["content"][PROMPT] for event in _prompts(practice, client)]
        found = [(block["occurrence"], datetime.fromisoformat(block["due"])) for block in blocks]
        here = sorted(each for each in found if start <= each[1] <= end)
        return here if len(here) >= len(comes) else None

    there = await practice.seen.until(arrived)
    assert [(occurrence[-5:], f"{due.astimezone(UTC):%H:%M}") for occurrence, due in there] == sorted(comes.items())
    await practice.settled()  # nothing more is on its way
    assert arrived() == there
    await practice.bot.terminate()
    async with open_instance(practice.bot.data_dir) as instance, instance.database.transaction() as tx:
        decided = [each for each in await tx.deliveries.recent(client.pair_id, 100) if start <= each.due <= end]
    assert [each.state.value for each in decided] == ["posted", "posted"]
    # Half a second at this speed; a busy machine takes longer than an idle one.
    assert all(each.posted_at and each.posted_at - each.due < timedelta(minutes=30) for each in decided)


def _prompts(practice: Practice, client: Client) -> list[Event]:
    """All posts of prompts that a client has read in the room, each as often as it stands there."""
    seen = [event for event in practice.seen.events if event["room"] == client.room and PROMPT in event["content"]]
    return [event for event in seen if event["who"] == client.person.who]
