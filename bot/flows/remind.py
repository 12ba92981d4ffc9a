"""Reminders: a prompt that nobody has answered is shown once more, quietly (DESIGN 8)."""

from dataclasses import replace
from datetime import datetime

import structlog

from bot.core.deliveries import Delivery, DeliveryState
from bot.core.planning import REMINDER_GRACE, reminds
from bot.core.wording import say as fill
from bot.flows.asked import gathered
from bot.flows.places import place_of
from bot.flows.repeat import repeat
from bot.flows.speak import Voice
from bot.ports import Tx

log = structlog.get_logger()

TOGETHER = 100  # in one transaction


class Reminders:
    """Posts reminders."""

    def __init__(self, *, voice: Voice) -> None:
        self._voice = voice

    async def due(self, tx: Tx, *, at: datetime) -> datetime | None:
        """Post or drop the reminders that are due by `at`, so many at a time; return when there are more."""
        found = await tx.deliveries.to_remind(at, limit=TOGETHER)
        for delivery in found:
            await tx.deliveries.save(replace(delivery, remind_at=None))  # once, whatever becomes of it
            posted = await self._remind(tx, delivery, at)
            log.info("reminder.decided", delivery=delivery.delivery_id, posted=posted)
        return at if len(found) == TOGETHER else await tx.deliveries.next_reminder(at)

    async def _remind(self, tx: Tx, delivery: Delivery, at: datetime) -> bool:
        pair = await tx.pairs.get(delivery.pair_id)
        if pair is None or pair.room_id is None or not await _unanswered(tx, delivery, at):
            return False
        if not reminds(pair, due=delivery.remind_at or at, expires_at=delivery.expires_at, at=at):
            return False
        place = await place_of(tx, pair.room_id)
        found = next(iter(await gathered(tx, pair, self._voice.pack(pair), [delivery])), None)
        if place is None or place.room.hold is not None or found is None or not found.waits(at):
            return False
        intro = fill(self._voice.words(place).reminder, title=found.title)
        await repeat(tx, place, found, self._voice, at=at, intro=intro, not_after=at + REMINDER_GRACE)
        return True


async def _unanswered(tx: Tx, delivery: Delivery, at: datetime) -> bool:
    """Tell whether a prompt has stood in its room for a while, and nobody has said anything to it."""
    if delivery.state is not DeliveryState.POSTED or delivery.posted_at is None:
        return False
    return at - delivery.posted_at >= REMINDER_GRACE and not await tx.records.of_deliveries([delivery.delivery_id])
