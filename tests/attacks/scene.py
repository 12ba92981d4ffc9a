"""Where the attacks happen: a running bot and a pair whose client and therapist are clients of our own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.core.events import ENTRY
from bot.core.people import Pair
from bot.core.records import Record
from bot.demo.homeserver import LocalHomeserver
from tests.attacks.attacker import Attacker, attacker
from tests.running_bot import RunningBot


@dataclass
class Scene:
    """A pair in its room, everybody signed and joined; the client is the attacker."""

    bot: RunningBot
    pair: Pair
    client: Attacker
    therapist: Attacker
    room: str
    console: str

    async def ask(self, prompt: str = "evening-reflection") -> dict[str, Any]:
        """Let the bot post a prompt, and return it as the client reads it."""
        mark = self.client.mark(self.room)
        await self.bot.send_prompt(self.pair, prompt)

        def posted() -> Any:
            shown = self.client.heard(self.room, after=mark)
            return next((event for event in shown if "care.interlude.prompt" in event["content"]), None)

        return dict(await self.client.until(posted))

    async def answered(self, text: str) -> Record:
        """Wait until these words are on record: the bot lives and reads the room up to here."""
        await self.client.until(lambda: self.client.heard(self.room, text, kind=ENTRY))
        for record in await self.bot.records(self.pair):
            if text in str(record.content):
                return record
        raise AssertionError("the entry in the room is on no record")

    async def still_works(self, text: str) -> Record:
        """Ask, answer in the honest way and wait for the record: everything sent before has been dealt with."""
        await self.ask()
        await self.client.say(self.room, text)
        return await self.answered(text)

    async def told(self, text: str) -> dict[str, Any]:
        """Wait until the console says this."""
        return await self.therapist.hears(self.console, text)

    async def quiet(self) -> None:
        """Wait until nothing is on its way any more."""
        async with asyncio.timeout(15):
            while True:
                async with self.bot.store.transaction() as tx:
                    counts = await tx.outbox.counts()
                if not set(counts) & {"queued", "encrypted"}:
                    break
                await self.client.sync(timeout=0.2)
        await self.client.sync()

    async def contents(self) -> str:
        """Everything that is on record, as one text."""
        return " ".join(str(record.content) for record in await self.bot.records(self.pair))


@asynccontextmanager
async def scene(bot: RunningBot, homeserver: LocalHomeserver, *, client_name: str = "Alex") -> AsyncIterator[Scene]:
    """Make a pair whose people are attackers, joined and greeted."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(attacker(homeserver, "mallory"))
        therapist = await stack.enter_async_context(attacker(homeserver, "lee"))
        pair = await bot.pair(client.user_id, therapist.user_id, client_name=client_name)
        assert pair.room_id
        assert pair.console_id
        await therapist.join(pair.console_id)
        await therapist.join(pair.room_id)
        await client.join(pair.room_id)
        for person in (client, therapist):
            await person.meet(bot.user_id, bot.device_id)
            await person.hears(pair.room_id, "Welcome")
            await person.share(pair.room_id)
        yield Scene(
            bot=bot,
            pair=pair,
            client=client,
            therapist=therapist,
            room=pair.room_id,
            console=pair.console_id,
        )
