"""A homeserver that replays and floods, and sessions that are really broken (CRYPTO 16, 17; DESIGN promise 6)."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import vodozemac

from bot.demo.homeserver import LocalHomeserver
from tests.attacks.attacker import Attacker, Json, pre_key_body
from tests.attacks.proxy import RAW, Proxy
from tests.attacks.scene import Scene
from tests.attacks.scene import scene as open_scene
from tests.running_bot import RunningBot

COUNT = itertools.count(1)
MEGABYTE = 1024 * 1024


@dataclass
class Flooded:
    """A pair whose homeserver is hostile."""

    scene: Scene
    proxy: Proxy

    async def inject(self, events: list[Json]) -> None:
        """Put to-device messages into the next answer of /sync, and wait until the bot has lived through it."""
        client, room = self.scene.client, self.scene.room
        await self.scene.ask()
        self.proxy.inject = events
        words = f"after {next(COUNT)}"
        await client.share(room)
        await client.say(room, words)
        await self.scene.answered(words)
        assert not self.proxy.inject


@pytest_asyncio.fixture(loop_scope="session")
async def flooded(homeserver: LocalHomeserver, tmp_path: Path) -> AsyncIterator[Flooded]:
    proxy = Proxy(homeserver.url)
    await proxy.start()
    bot = RunningBot(tmp_path, homeserver, localpart=f"flooded{next(COUNT)}", url=proxy.url)
    await bot.start()
    async with open_scene(bot, homeserver) as scene:
        yield Flooded(scene, proxy)
    await bot.stop()
    await proxy.stop()


async def standing(scene: Scene) -> tuple[Any, ...]:
    """What a replay must not change: sessions and their number, the wedge counter, open wishes for new sessions."""
    client = scene.client
    async with scene.bot.store.transaction() as tx:
        sessions = (await tx.olm.sessions([client.curve25519]))[client.curve25519]
        wedges = await tx.devices.wedges([client.user_id])
        wishes = await tx.facts.read("unwedge")
    return {session.session_id for session in sessions}, dict(wedges), wishes


async def test_a_thousand_replays_change_nothing(flooded: Flooded) -> None:
    """Recorded pre-key and normal messages, a thousand times: no session, no claim, no unwedging."""
    scene, proxy, client = flooded.scene, flooded.proxy, flooded.scene.client
    client.begin(client.bot, await client.claim())
    recorded = [client.message(client.bot, "m.dummy", {})]
    await client.put_to_device("m.room.encrypted", recorded[0]["content"])
    await scene.still_works("a pre-key message was recorded")
    recorded.append(client.message(client.bot, "m.dummy", {}))
    await client.put_to_device("m.room.encrypted", recorded[1]["content"])
    assert {each["content"]["ciphertext"][client.bot.curve25519]["type"] for each in recorded} == {0, 1}
    await scene.still_works("and a normal one")
    before, claims = await standing(scene), len(proxy.sent("/keys/claim"))
    for _ in range(4):
        await flooded.inject(recorded * 125)
    assert await standing(scene) == before
    assert len(proxy.sent("/keys/claim")) == claims
    assert not [each for each in client.to_device if each["type"] == "m.dummy"]


@pytest.mark.parametrize(
    "raw",
    [b"[" * (MEGABYTE // 2) + b"]" * (MEGABYTE // 2), b'{"a":' * 150_000 + b"1" + b"}" * 150_000, b"9" * MEGABYTE],
    ids=["lists", "objects", "a number"],
)
async def test_a_megabyte_of_nested_json_is_survived(flooded: Flooded, raw: bytes) -> None:
    """What Synapse would not let through comes from the server itself; its neighbours in the batch are read."""
    client = flooded.scene.client
    flooded.proxy.raw = raw
    await flooded.inject(
        [
            {"type": "m.room.encrypted", "sender": client.user_id, "content": {"deep": RAW}},
            {"type": "m.room.encrypted", "sender": client.user_id, "content": RAW},
            {"type": RAW, "sender": client.user_id, "content": {}},
        ]
    )


async def test_after_the_peer_begins_a_new_session_the_key_is_shared_again(flooded: Flooded) -> None:
    """The client lost its sessions (an old backup of a phone) and begins a new one: the running key comes again."""
    scene, client = flooded.scene, flooded.scene.client
    await scene.still_works("before the loss")
    await scene.quiet()
    async with scene.bot.store.transaction() as tx:
        running = (await tx.megolm.outbound([scene.room]))[scene.room].session_id
    client.sessions.clear()
    client.room_keys.clear()
    client.begin(client.bot, await client.claim())
    before = client.room_key_count
    await client.put_olm("m.dummy", {})
    await client.until(lambda: running in client.room_keys)  # nobody has to say anything for it
    assert client.room_key_count > before
    await scene.still_works("after the loss")
    assert not [each for each in client.to_device if each["type"] == "unreadable"]


async def test_an_unreadable_message_makes_the_bot_begin_a_new_session(flooded: Flooded) -> None:
    """Once an hour and device: a new session with `m.dummy`, and the running key once more (CRYPTO 17)."""
    scene, client = flooded.scene, flooded.scene.client
    await scene.still_works("before the broken message")
    await scene.quiet()
    before = client.room_key_count
    for _ in range(3):
        await client.put_to_device("m.room.encrypted", unreadable(client))
    await client.until(lambda: [each for each in client.to_device if each["type"] == "m.dummy"])
    await scene.still_works("after the broken message")
    await scene.quiet()
    assert client.room_key_count == before + 1
    assert len([each for each in client.to_device if each["type"] == "m.dummy"]) == 1


def unreadable(client: Attacker) -> Json:
    """An Olm message of this device, for a one-time key that the bot never had."""
    session = client.account.create_outbound_session(
        vodozemac.Curve25519PublicKey.from_base64(client.bot.curve25519), vodozemac.Account().curve25519_key
    )
    return {
        "algorithm": "m.olm.v1.curve25519-aes-sha2",
        "sender_key": client.curve25519,
        "ciphertext": {client.bot.curve25519: pre_key_body(session.encrypt(b"{}"))},
    }
