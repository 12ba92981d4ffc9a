"""The homeserver did it and its answer was lost: after any restart it has been done exactly once (CRYPTO 18, 30)."""

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bot.core.inbox import InboxState
from bot.core.rooms import NONCE
from bot.demo.homeserver import LocalHomeserver
from tests.attacks.attacker import Attacker
from tests.attacks.proxy import Proxy, Request
from tests.attacks.scene import scene as open_scene
from tests.running_bot import RunningBot

COUNT = itertools.count(1)


@dataclass
class Behind:
    """A bot behind a proxy, on a homeserver of this file's own."""

    bot: RunningBot
    proxy: Proxy
    homeserver: LocalHomeserver
    directory: Path


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_homeserver(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[LocalHomeserver, Path]]:
    directory = tmp_path_factory.mktemp("forgetful")
    synapse = LocalHomeserver()
    await synapse.start(directory)
    yield synapse, directory
    await synapse.stop()


@pytest_asyncio.fixture
async def behind(own_homeserver: tuple[LocalHomeserver, Path], tmp_path: Path) -> AsyncIterator[Behind]:
    homeserver, directory = own_homeserver
    proxy = Proxy(homeserver.url)
    await proxy.start()
    bot = RunningBot(tmp_path, homeserver, localpart=f"behind{next(COUNT)}", url=proxy.url)
    await bot.start()
    yield Behind(bot=bot, proxy=proxy, homeserver=homeserver, directory=directory)
    await bot.stop()
    await proxy.stop()


class LostOnce:
    """Loses the answer to the first request that fits, and from then on all of /sync, so that no echo helps."""

    def __init__(self, proxy: Proxy, part: str, method: str = "PUT") -> None:
        self.part, self.method = part, method
        self.lost: Request | None = None
        self.proxy = proxy
        proxy.lose_answer = self.loses
        proxy.refuse = self.refuses

    def loses(self, request: Request) -> bool:
        if self.lost is not None:
            return True  # a long poll was under way
        if self.part in request.path and request.method == self.method:
            assert request.status == 200, request
            self.lost = request
            return True
        return False

    def refuses(self, request: Request) -> bool:
        """After the loss the bot is cut off."""
        return self.lost is not None

    def heal(self) -> None:
        self.proxy.lose_answer = self.proxy.refuse = None


def forget_transactions(directory: Path) -> None:
    """Let Synapse, which is stopped, forget which transaction ids it has seen."""
    with sqlite3.connect(directory / "homeserver.db") as database:
        tables = [row[0] for row in database.execute("select name from sqlite_master where name like 'event_txn_id%'")]
        counts = [
            database.execute(f"delete from {table}").rowcount
            for table in tables
            if not table.endswith(("_index", "_id", "_ts", "_txn")) or table == "event_txn_id_device_id"
        ]
    database.close()
    assert sum(counts) > 0


async def outbox(bot: RunningBot) -> Mapping[str, int]:
    """How many rows are in each state."""
    async with bot.store.transaction() as tx:
        return await tx.outbox.counts()


async def test_a_message_whose_answer_was_lost_stands_there_once(behind: Behind) -> None:
    """PUT answered into the void, its transaction forgotten by the server, both restarted: one event, one record of it,
    and the room goes on.
    """
    bot, proxy = behind.bot, behind.proxy
    async with open_scene(bot, behind.homeserver) as scene:
        await scene.still_works("before the loss")
        lost = LostOnce(proxy, "/send/m.room.encrypted/")
        await bot.send_prompt(scene.pair, "evening-reflection")
        await scene.client.until(lambda: lost.lost)
        await bot.stop()
        await behind.homeserver.stop()
        forget_transactions(behind.directory)
        await behind.homeserver.restart()
        lost.heal()
        await bot.start()
        assert lost.lost
        await scene.client.say(scene.room, "answered after the loss")
        await scene.answered("answered after the loss")
        await scene.client.sync()
        prompts = [each for each in scene.client.heard(scene.room) if "care.interlude.prompt" in each["content"]]
        assert len(prompts) == 2
        assert len({each["event_id"] for each in prompts}) == 2
        again = [each for each in proxy.sent("/send/") if each.path == lost.lost.path and each.status == 200]
        assert len(again) == 1


async def test_a_lost_answer_within_a_run_is_no_second_event(behind: Behind) -> None:
    """The echo came before the failure: the row stays sent, whatever the failed request says."""
    bot, proxy = behind.bot, behind.proxy
    async with open_scene(bot, behind.homeserver) as scene:
        losses = iter(range(3))
        proxy.lose_answer = lambda request: "/send/m.room" in request.path and next(losses, None) is not None
        await scene.still_works("through three losses")
        proxy.lose_answer = None
        await scene.still_works("after three losses")
        await scene.client.sync()
        events = scene.client.heard(scene.room)
        assert len([each for each in events if "care.interlude.prompt" in each["content"]]) == 2
        assert len([each for each in events if "through three losses" in str(each["content"])]) == 1
        async with asyncio.timeout(15):
            while set(await outbox(bot)) != {"sent"}:
                await scene.client.sync(timeout=0.2)


async def test_keys_whose_answer_was_lost_arrive_and_do_no_harm(behind: Behind) -> None:
    """sendToDevice answered into the void, both restarted: the message is read, the key is there, the outbox empty."""
    bot, proxy = behind.bot, behind.proxy
    async with open_scene(bot, behind.homeserver) as scene:
        await scene.still_works("before")
        async with bot.store.transaction() as tx:
            await tx.megolm.drop_outbound([scene.room])
        lost = LostOnce(proxy, "/sendToDevice/m.room.encrypted/")
        await bot.send_prompt(scene.pair, "evening-reflection")
        await scene.client.until(lambda: lost.lost)
        await bot.stop()
        await behind.homeserver.restart()
        lost.heal()
        await bot.start()
        await scene.client.say(scene.room, "read after all")
        await scene.answered("read after all")
        prompts = [each for each in scene.client.heard(scene.room) if "care.interlude.prompt" in each["content"]]
        assert len(prompts) == 2
        assert not scene.client.unread
        await scene.still_works("and it goes on")
        async with bot.store.transaction() as tx:
            assert not await tx.olm.unsent(10)


async def test_a_room_whose_answer_was_lost_is_found_by_its_nonce(behind: Behind) -> None:
    """createRoom answered into the void, the bot restarted: one room, no second one, and people are invited to it."""
    bot, proxy = behind.bot, behind.proxy
    client = await Attacker.register(behind.homeserver, "client")
    therapist = await Attacker.register(behind.homeserver, "therapist")
    try:
        lost = LostOnce(proxy, "/createRoom", "POST")
        with pytest.raises(TimeoutError):
            await bot.pair(client.user_id, therapist.user_id, timeout=1.5)
        assert lost.lost
        await bot.stop()
        lost.heal()
        await bot.start()

        await therapist.until(lambda: len(therapist.invited) == 2)
        rooms = await bot.server.joined_rooms()
        created = [request for request in proxy.sent("/createRoom") if request.status == 200]
        assert len(rooms) == 2
        assert len(created) == 2
        assert len({request.body["creation_content"][NONCE] for request in created}) == 2
        assert lost.lost.answer["room_id"] in rooms
    finally:
        await client.close()
        await therapist.close()


async def test_a_key_claimed_from_a_lost_upload_still_decrypts(behind: Behind) -> None:
    """/keys/upload answered into the void, clients claim from it, the bot restarted: every claimed key decrypts, and no
    batch is sent twice.
    """
    bot, proxy = behind.bot, behind.proxy
    async with open_scene(bot, behind.homeserver) as scene:
        await scene.still_works("before")
        lost = LostOnce(proxy, "/keys/upload", "POST")
        while lost.lost is None:  # used-up keys make the bot upload new ones
            await scene.client.claim()
        await bot.stop()
        claimed = [await scene.client.claim() for _ in range(30)]
        fresh = {key["key"] for key in lost.lost.body["one_time_keys"].values()}
        assert fresh & {key["key"] for key in claimed}
        for key in claimed:
            scene.client.begin(scene.client.bot, key)
            await scene.client.share(scene.room)
            await scene.client.say(scene.room, "said under a key of the lost batch")
        lost.heal()
        await bot.start()
        await scene.still_works("after the lost upload")
        async with bot.store.transaction() as tx:
            waiting = await tx.inbox.waiting(InboxState.UNREADABLE, room_id=scene.room)
        assert not waiting
        batches = [
            frozenset(key["key"] for key in request.body["one_time_keys"].values())
            for request in proxy.sent("/keys/upload")
            if request.body.get("one_time_keys")
        ]
        assert len(batches) == len(set(batches))
        assert sum(map(len, batches)) == len(frozenset().union(*batches))
