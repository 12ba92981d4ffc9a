"""A prompt to every room: due at once, through the bot's own schedules, outbox and encryption."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.people import Schedule
from tests.bench.lag import Lag
from tests.bench.town import Town
from tests.running_bot import RunningBot

PROMPT = "evening-reflection"
QUIET = 0.3  # seconds without anything happening
LONGEST = 120.0  # seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class FanOut:
    """One message to each of many rooms."""

    rooms: int
    seconds: float  # from the due instant until the homeserver has acknowledged the last one
    cpu: float  # seconds, everything that follows included: own echoes, acknowledgements, key backup
    blocked: float = 0.0  # seconds by the clock
    busiest: float = 0.0  # seconds of the loop's own CPU

    @property
    def rate(self) -> float:
        """Rooms per second."""
        return self.rooms / self.seconds

    @property
    def cpu_each(self) -> float:
        """Milliseconds of CPU a message."""
        return self.cpu / self.rooms * 1000


@dataclass
class Sent:
    """Notes what the bot sent, at the instant at which the homeserver's answer was there."""

    at: list[tuple[str, str, float]] = field(default_factory=list)  # room, transaction id, instant
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, count: int) -> float:
        """Wait for so many and return when the last one came."""
        async with asyncio.timeout(LONGEST):
            while len(self.at) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.at[count - 1][2]


@asynccontextmanager
async def noted(bot: RunningBot) -> AsyncIterator[Sent]:
    """Note what the bot sends within the block."""
    sent, send = Sent(), bot.server.send

    async def noting(room_id: str, event_type: str, txn_id: str, content: Mapping[str, Any]) -> str:
        event_id = await send(room_id, event_type, txn_id, content)
        sent.at.append((room_id, txn_id, time.perf_counter()))
        sent.changed.set()
        return event_id

    bot.server.send = noting  # type: ignore[method-assign]  # a measuring point in front of the real one
    try:
        yield sent
    finally:
        bot.server.send = send  # type: ignore[method-assign]  # the real one again


async def at_rest(bot: RunningBot, *, echoes: int = 0) -> None:
    """Wait until the bot has nothing left to do, and has seen this many events by /sync."""
    async with asyncio.timeout(LONGEST):
        while True:
            async with bot.store.transaction() as tx:
                counts = await tx.outbox.counts()
                waiting = counts.get("queued", 0) + counts.get("encrypted", 0) + len(await tx.olm.unsent(1))
                waiting += len(await tx.megolm.not_backed_up(1))
            if not waiting and bot.counts.seen.get("events_received", 0) >= echoes:
                break
            bot._raise_if_ended()
            await asyncio.sleep(QUIET)
    await asyncio.sleep(QUIET)


async def forget_keys(town: Town) -> None:
    """Make the next message a first one: no room has a session, no device an Olm session."""
    async with town.bot.store.transaction() as tx:
        await tx.megolm.drop_outbound(town.rooms)
        devices = await tx.devices.devices(town.people)
        await tx.olm.drop_sessions([device.curve25519 for each in devices.values() for device in each])


async def fan_out(town: Town, *, prepare: Callable[[], Awaitable[None]] | None = None) -> FanOut:
    """Let every pair's prompt be due now and measure until it is in every room.

    With `prepare` the schedules are known before: it is awaited between.
    """
    bot = town.bot
    await at_rest(bot)
    due = datetime.now(UTC)
    schedules = _schedules(town, due)
    bot.clock.now = lambda: due - timedelta(seconds=90)  # type: ignore[method-assign]  # time stands still before
    try:
        async with bot.store.transaction() as tx:
            for known in await tx.schedules.every():
                await tx.schedules.remove(known.schedule_id)
            for schedule in schedules:
                await tx.schedules.add(schedule)
        if prepare is not None:
            await prepare()
        await at_rest(bot)
    finally:
        del bot.clock.now  # the class's own again
    seen = bot.counts.seen.get("events_received", 0)
    async with noted(bot) as sent, Lag() as lag:
        began, cpu = time.perf_counter(), time.process_time()
        bot.service._schedule.wake()
        ended = await sent.until(len(town.pairs))
        await at_rest(bot, echoes=seen + len(town.pairs))
        used = time.process_time() - cpu
    return FanOut(rooms=len(town.pairs), seconds=ended - began, cpu=used, blocked=lag.worst, busiest=lag.busiest)


def _schedules(town: Town, due: datetime) -> list[Schedule]:
    """One daily schedule for each pair whose time is this minute."""
    schedules = []
    for pair in town.pairs:
        local = due.astimezone(ZoneInfo(pair.timezone))
        schedules.append(
            Schedule(
                schedule_id=secrets.token_hex(8),
                number=0,
                pair_id=pair.pair_id,
                prompt_id=PROMPT,
                rule=f"daily {local:%H:%M}",
                timezone=None,
                goal_id=None,
                created_at=due,
                after=due - timedelta(seconds=due.second + 90),
            )
        )
    return schedules
