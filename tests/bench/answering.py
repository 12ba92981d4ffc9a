"""From an answer to its check-in: a client's number goes into the room, the bot's event comes back."""

import asyncio
import secrets
import time
from collections.abc import Sequence

from bot.core.events import CHECKIN
from bot.core.people import Pair
from tests.bench.prompting import LONGEST, Sent, at_rest, noted
from tests.bench.town import Town, Townsperson

PACE = 0.2  # seconds from one answer to the next


async def answers_to_checkins(town: Town, *, answers: int) -> list[float]:
    """Ask some clients about their goals, let each answer, and return the seconds to each check-in.

    They are counted from the homeserver's acknowledgement of the answer to its acknowledgement of the check-in.
    """
    pairs = town.pairs[:answers]
    await _get_ready(town, pairs)
    bot = town.bot
    async with bot.store.transaction() as tx:
        for pair in pairs:
            at = bot.clock.now()
            await bot.service._deliverer.send_now(tx, pair, "goal-checkin", key=secrets.token_hex(8), at=at)
    bot.service._sender.wake()
    await at_rest(bot)
    answered: dict[str, float] = {}
    async with noted(bot) as sent:
        for pair in pairs:
            await town.people[pair.client].say(str(pair.room_id), "7")
            answered[str(pair.room_id)] = time.perf_counter()
            await asyncio.sleep(PACE)  # the pace is the point: answers come one by one
        took = await _checkins(town, sent, answered)
    await at_rest(bot)
    return took


async def _get_ready(town: Town, pairs: Sequence[Pair]) -> None:
    """Give the bot a room key of each client that has not given it one in this run."""
    for pair in pairs:
        client: Townsperson = town.people[pair.client]
        if not client.sessions:
            await client.meet(town.bot.user_id, town.bot.device_id)
            await client.share(str(pair.room_id))


async def _checkins(town: Town, sent: Sent, answered: dict[str, float]) -> list[float]:
    """Wait for one check-in in each room."""
    took: dict[str, float] = {}
    looked = 0
    async with asyncio.timeout(LONGEST):
        while len(took) < len(answered):
            await sent.until(looked + 1)
            for room, row_id, at in sent.at[looked:]:
                looked += 1
                async with town.bot.store.transaction() as tx:
                    row = await tx.outbox.get(row_id)
                if row is not None and row.event_type == CHECKIN:
                    took.setdefault(room, at - answered[room])
    return list(took.values())
