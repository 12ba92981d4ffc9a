"""From the start of the process to a bot that is ready again."""

import asyncio
import time
from dataclasses import dataclass

from tests.bench.lag import Lag
from tests.bench.town import Town, start


@dataclass(frozen=True, kw_only=True, slots=True)
class Restart:
    """One restart on the same data."""

    seconds: float  # from opening the database to the first batch of /sync on record
    cpu: float  # seconds
    full_sync: bool  # whether /sync began without a token
    blocked: float


async def restart(town: Town) -> Restart:
    """Stop the bot and start it again."""
    bot = town.bot
    bot.store.lease = None
    await bot.stop()
    began, cpu = time.perf_counter(), time.process_time()
    async with Lag() as lag:
        await start(bot)
        async with asyncio.timeout(60):
            while not bot.service.ready:  # noqa: ASYNC110 - readiness is polled by whoever asks for it
                await asyncio.sleep(0.002)
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    return Restart(seconds=seconds, cpu=used, full_sync=bot.service._since is None, blocked=lag.worst)
