"""`crisis` while the database takes no writes (CRYPTO 10); nothing else is sent."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.homeserver import LocalHomeserver
from tests.attacks.proxy import Proxy
from tests.attacks.scene import Scene
from tests.attacks.scene import scene as open_scene
from tests.running_bot import RunningBot

COUNT = itertools.count(1)


@pytest.fixture(scope="module")
def proxies() -> list[Proxy]:
    """The proxy of this file, once it stands."""
    return []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(
    tmp_path_factory: pytest.TempPathFactory, homeserver: LocalHomeserver, proxies: list[Proxy]
) -> AsyncIterator[RunningBot]:
    """A bot whose requests are seen."""
    proxy = Proxy(homeserver.url)
    await proxy.start()
    proxies.append(proxy)
    directory: Path = tmp_path_factory.mktemp("refused")
    bot = RunningBot(directory, homeserver, localpart=f"refused{next(COUNT)}", url=proxy.url)
    await bot.start()
    yield bot
    await bot.stop()
    await proxy.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(bot: RunningBot, homeserver: LocalHomeserver) -> AsyncIterator[Scene]:
    """A pair of that bot's."""
    async with open_scene(bot, homeserver) as scene:
        await scene.still_works("before the refusal")
        yield scene


async def switch(bot: RunningBot, statement: str) -> None:
    """Change how the bot's own connection behaves."""
    await bot.store._outside_transaction((f"PRAGMA {statement}",))


READ_ONLY = ("query_only = ON", "query_only = OFF")
FULL = ("max_page_count = 1", "max_page_count = 1073741823")
CALLS = [
    (READ_ONLY, "known session"),
    (READ_ONLY, "new session"),
    (READ_ONLY, "clear"),
    (READ_ONLY, "unsigned device"),
    (FULL, "new session"),
]


@pytest.mark.parametrize(("refusal", "how"), CALLS, ids=[f"{how} {refusal[0]}" for refusal, how in CALLS])
async def test_crisis_is_answered_without_a_store(
    scene: Scene, proxies: list[Proxy], homeserver: LocalHomeserver, refusal: tuple[str, str], how: str
) -> None:
    """From any device and in any form, readable within seconds; one event, and the room works again afterwards."""
    bot, client, room = scene.bot, scene.client, scene.room
    caller = await client.another(homeserver) if how == "unsigned device" else client
    caller.bot = client.bot
    if caller is not client:
        await scene.still_works("the other device is seen")
    await scene.quiet()
    mark, sent = client.mark(room), len(proxies[0].sent("/send/"))
    await switch(bot, refusal[0])
    try:
        if how in ("new session", "unsigned device"):
            caller.begin(client.bot, await caller.claim())
            await caller.share(room)
        if how == "clear":
            await caller.put(room, {"msgtype": "m.text", "body": "help me"}, "m.room.message")
        else:
            await caller.say(room, "help me")
        for device in {caller, client}:
            after = mark if device is client else 0
            shown = await device.hears(room, "112", after=after, timeout=8)
            assert "wire" in shown
        await asyncio.sleep(2.5)  # the same batch comes again meanwhile; what must not happen has no event to await
        events = proxies[0].sent("/send/")[sent:]
        assert len(events) == 1
        assert len(client.heard(room, after=mark)) == 1
    finally:
        await switch(bot, refusal[1])
    await scene.still_works(f"after: {how}")
    if caller is not client:
        await caller.close()
