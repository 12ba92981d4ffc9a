"""Health and metrics, asked over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
import pytest_asyncio

from bot.demo.homeserver import free_port
from bot.errors import ConfigurationError, StoreRefused
from bot.web import health as health_module
from bot.web.health import Health
from bot.web.metrics import Metrics
from bot.web.server import WebServer, build_app


class Bot:
    """What a bot would answer."""

    def __init__(self) -> None:
        self.synced = True
        self.refuses = False
        self.hangs = False

    async def write(self) -> None:
        """Write into the database."""
        if self.hangs:
            await asyncio.Event().wait()
        if self.refuses:
            raise StoreRefused

    async def depth(self) -> Mapping[str, float]:
        """Read the gauges."""
        await self.write()
        return {"outbox_depth": 3, "outbox_parked": 0, "room_holds": 1}


@pytest.fixture
def bot() -> Bot:
    """A bot that is well."""
    return Bot()


@pytest.fixture
def metrics(bot: Bot) -> Metrics:
    """Its numbers."""
    return Metrics(read=bot.depth)


@pytest_asyncio.fixture
async def url(bot: Bot, metrics: Metrics) -> AsyncIterator[str]:
    """Its pages."""
    port = free_port()
    health = Health(checks={"sync": lambda: bot.synced}, probes={"database": bot.write})
    server = WebServer(build_app(health, metrics), host="127.0.0.1", port=port)
    await server.start()
    yield f"http://127.0.0.1:{port}"
    await server.stop()


async def get(address: str) -> tuple[int, str]:
    """The status and the text of a page."""
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return answer.status, await answer.text()


async def test_a_living_bot_says_so(url: str) -> None:
    """Being alive depends on nothing else."""
    assert await get(f"{url}/health/live") == (200, '{"live": true}')


async def test_a_ready_bot_says_so(url: str) -> None:
    """All checks hold and all probes work."""
    assert await get(f"{url}/health/ready") == (200, '{"ready": true, "missing": []}')


async def test_what_is_missing_is_named(url: str, bot: Bot) -> None:
    """A bot that is not ready says what it lacks, with status 503."""
    bot.synced, bot.refuses = False, True
    assert await get(f"{url}/health/ready") == (503, '{"ready": false, "missing": ["sync", "database"]}')


async def test_a_probe_that_hangs_is_a_missing_one(url: str, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever for an answer about health."""
    monkeypatch.setattr(health_module, "PROBE_SECONDS", 0.1)
    bot.hangs = True
    assert await get(f"{url}/health/ready") == (503, '{"ready": false, "missing": ["database"]}')


async def test_counters_and_gauges_are_shown(url: str, metrics: Metrics) -> None:
    """Counters go up, gauges are read when somebody looks, and every number exists from the start."""
    metrics.count("events_sent")
    metrics.count("events_sent", 2)
    metrics.sync_took(0.25)
    status, page = await get(f"{url}/metrics")
    assert status == 200
    numbers = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    assert numbers["interlude_events_sent_total"] == "3.0"
    assert numbers["interlude_records_total"] == "0.0"
    assert numbers["interlude_outbox_depth"] == "3.0"
    assert numbers["interlude_room_holds"] == "1.0"
    assert numbers["interlude_sync_seconds_sum"] == "0.25"


async def test_numbers_have_no_labels(url: str) -> None:
    """A label could carry a name; the process is not named either."""
    _, page = await get(f"{url}/metrics")
    assert not [line for line in page.splitlines() if "{" in line]


async def test_numbers_without_a_database(url: str, bot: Bot) -> None:
    """A database that does not answer is a plain 503."""
    bot.refuses = True
    assert (await get(f"{url}/metrics"))[0] == 503


def test_a_counter_is_named_by_the_code(metrics: Metrics) -> None:
    """New names of the code work; what comes from outside does not."""
    metrics.count("journals_opened")
    with pytest.raises(ValueError, match="name"):
        metrics.count("@alex:example.org")


async def test_a_taken_port_is_explained(url: str, metrics: Metrics) -> None:
    """The sentence says which setting to change."""
    port = int(url.rsplit(":", 1)[1])
    server = WebServer(build_app(Health(checks={}, probes={}), metrics), host="127.0.0.1", port=port)
    with pytest.raises(ConfigurationError, match=r"\[web\]"):
        await server.start()
