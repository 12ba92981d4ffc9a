"""Power cuts, clones and restored databases: no Megolm index ever carries two different messages (CRYPTO 18, 25)."""

import asyncio
import itertools
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import vodozemac

from bot.demo.homeserver import LocalHomeserver
from bot.errors import KeyMismatch
from bot.flows.intents import intent
from tests.attacks.proxy import Proxy, Request
from tests.attacks.scene import Scene
from tests.attacks.scene import scene as open_scene
from tests.running_bot import RunningBot

COUNT = itertools.count(1)
Used = dict[tuple[str, int], set[str]]


@asynccontextmanager
async def proxied(homeserver: LocalHomeserver, directory: Path) -> AsyncIterator[tuple[RunningBot, Proxy]]:
    """A running bot behind a proxy; the test stops it where it wants."""
    proxy = Proxy(homeserver.url)
    await proxy.start()
    bot = RunningBot(directory, homeserver, localpart=f"copied{next(COUNT)}", url=proxy.url)
    await bot.start()
    try:
        yield bot, proxy
    finally:
        await proxy.stop()


def copy(directory: Path, to: Path) -> None:
    """Keep the data directory as a power cut would leave it at this moment."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(directory, to)


def restore(directory: Path, copied: Path) -> None:
    """Bring a kept state back in place of the newer one."""
    shutil.rmtree(directory)
    shutil.copytree(copied, directory)


def used(proxy: Proxy) -> Used:
    """Each (session, index) that the bot put on the wire, with its ciphertexts."""
    found: Used = defaultdict(set)
    for request in proxy.sent("/send/m.room.encrypted/"):
        ciphertext = request.body["ciphertext"]
        index = vodozemac.MegolmMessage.from_base64(ciphertext).message_index()
        found[request.body["session_id"], index].add(ciphertext)
    return found


async def test_a_power_cut_at_any_message_uses_no_index_twice(homeserver: LocalHomeserver, tmp_path: Path) -> None:
    """What is lost is everything after the last commit before a PUT: the message that goes out is in it already."""
    data, cut = tmp_path / "data", tmp_path / "cut"
    data.mkdir()
    async with proxied(homeserver, data) as (bot, proxy), open_scene(bot, homeserver) as scene:
        await scene.still_works("before the cuts")
        for number in range(6):
            await scene.quiet()
            dark = asyncio.Event()

            async def power_cut(request: Request, dark: asyncio.Event = dark) -> None:
                if "/send/" in request.path and not dark.is_set():
                    copy(data, cut)
                    dark.set()

            # From the cut on the bot's own writes are lost; its message does or does not reach the server.
            proxy.before = power_cut
            proxy.lose_answer = lambda _request, dark=dark: dark.is_set()
            if number % 2:
                proxy.refuse = lambda _request, dark=dark: dark.is_set()
            asking = asyncio.create_task(bot.send_prompt(scene.pair, "evening-reflection"))
            await asyncio.wait_for(dark.wait(), 15)
            await asyncio.wait([asking])
            await bot.stop()
            proxy.before = proxy.refuse = proxy.lose_answer = None
            restore(data, cut)
            await bot.start()
            await scene.client.say(scene.room, f"after cut {number}")
            await scene.answered(f"after cut {number}")
        wire = used(proxy)
        assert len(wire) > 12
        assert {len(ciphertexts) for ciphertexts in wire.values()} == {1}
        await scene.client.sync()
        prompts = [each for each in scene.client.heard(scene.room) if "care.interlude.prompt" in each["content"]]
        assert len(prompts) == 7
        await bot.stop()


async def test_a_copy_from_before_the_last_start_is_refused(homeserver: LocalHomeserver, tmp_path: Path) -> None:
    """The homeserver has seen more starts than the copy knows of: it sends nothing."""
    data, old = tmp_path / "data", tmp_path / "old"
    data.mkdir()
    async with proxied(homeserver, data) as (bot, proxy):
        await bot.stop()
        copy(data, old)
        await bot.start()
        await bot.stop()
        restore(data, old)
        sent = len(proxy.sent("/send"))
        with pytest.raises(KeyMismatch, match="has been started 2 times"):
            await bot.start()
        await bot.store.close()
        await bot.server.close()
        assert len(proxy.sent("/send")) == sent


@pytest.mark.parametrize("waiting", [False, True], ids=["sent later", "waiting in the copy"])
async def test_a_copy_from_within_the_last_run_stops_before_it_sends(
    homeserver: LocalHomeserver, tmp_path: Path, *, waiting: bool
) -> None:
    """The start counter cannot tell, but the room shows the running session at indices that the copy never reached;
    also where the copy knows the message, which it had not encrypted yet.
    """
    data, old = tmp_path / "data", tmp_path / "old"
    data.mkdir()
    async with proxied(homeserver, data) as (bot, proxy), open_scene(bot, homeserver) as scene:
        await scene.still_works("in the copy")
        await scene.quiet()
        if waiting:
            await hold(bot, scene, "refused:403")
            await bot.send_prompt(scene.pair, "evening-reflection")
            copy(data, old)
            await hold(bot, scene, None)
            bot.service._sender.wake()
        else:
            copy(data, old)
            await scene.still_works("only in the room")
        await scene.quiet()
        await bot.stop()
        before = used(proxy)
        restore(data, old)
        await queue_prompt(bot, scene)
        await bot.start()
        with pytest.raises(KeyMismatch, match="Another copy"):
            await asyncio.wait_for(ended(bot), 15)
        assert used(proxy) == before


async def hold(bot: RunningBot, scene: Scene, reason: str | None) -> None:
    """Let the pair's room wait, or go on."""
    async with bot.store.transaction() as tx:
        await tx.rooms.hold(scene.room, reason)


async def queue_prompt(bot: RunningBot, scene: Scene) -> None:
    """Let something wait to be sent as soon as the bot starts."""
    await bot.open()
    await hold(bot, scene, None)
    payload = {"pair_id": scene.pair.pair_id, "prompt_id": "evening-reflection"}
    async with bot.store.transaction() as tx:
        await tx.intents.add(intent("prompt_send", payload, at=datetime.now(UTC)))
    await bot.close()


async def ended(bot: RunningBot) -> None:
    """Wait for the bot to end by itself, and raise what ended it."""
    task, bot._task = bot._task, None
    assert task is not None
    try:
        await task
    finally:
        await bot.close()
