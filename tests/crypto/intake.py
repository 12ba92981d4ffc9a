"""A bot that takes to-device messages, and a client's phone that sends them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.core.olm import ToDeviceOutcome
from bot.crypto.identity import OwnDevice
from bot.store.database import Database
from tests.crypto.peers import CLIENT, NOW, Bot, Peer, create_bot, introduce, open_store, own_device, uploaded_keys

ROOM = "!console"
KEY = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "session_id": "S", "session_key": "K"}


class World:
    """A bot that knows a client's phone, and the phone with a session to it."""

    def __init__(self, store: Database, bot: Bot, own: OwnDevice) -> None:
        self.store = store
        self.bot = bot
        self.own = own
        self.phone = Peer(CLIENT, "PHONE")

    async def take(self, event: object, at: Any = NOW) -> ToDeviceOutcome:
        async with self.store.transaction() as tx:
            return await self.bot.intake.take(tx, event, at)

    async def begin(self, *peers: Peer) -> None:
        """Let each of these devices make a session from a fresh key of the bot."""
        keys = await uploaded_keys(self.store, self.bot)
        for peer, key in zip(peers, keys, strict=False):
            peer.begin(self.own, key)

    async def wedge(self) -> int:
        async with self.store.transaction() as tx:
            return (await tx.devices.wedges([CLIENT])).get((CLIENT, "PHONE"), 0)

    async def due(self) -> dict[str, Any]:
        async with self.store.transaction() as tx:
            return dict(await self.bot.channel.unwedge_due(tx))

    async def alive(self) -> bool:
        """Whether the next good message of the phone is taken."""
        return (await self.take(self.phone.message(self.own, "m.room_key", KEY))).kind == "room_key"


@asynccontextmanager
async def open_world(directory: Path) -> AsyncIterator[World]:
    """A world on a new store."""
    store = await open_store(directory)
    bot = await create_bot(store)
    world = World(store, bot, await own_device(store, bot))
    await introduce(store, world.phone)
    await world.begin(world.phone)
    yield world
    await store.close()
