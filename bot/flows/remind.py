"""Reminders: a prompt that nobody has answered is shown once more, quietly (DESIGN 8)."""

from dataclasses import replace
from datetime import datetime

import structlog

from bot.core.deliveries import Delivery, DeliveryState
from bot.core.planning import REMINDER_GRACE, reminds
from bot.core.sittings import Standing
from bot.core.wording import say as fill
from bot.flows.asked import Asked, gathered
from bot.flows.deliver import Reached
from bot.flows.places import place_of
from bot.flows.repeat import repeat
from bot.flows.speak import Voice
from bot.ports import Tx

log = structlog.get_logger()

TOGETHER = 20  # in one transaction


class Reminders:
    """Posts reminders."""

    def __init__(self, *, voice: Voice) -> None:
        self._voice = voice

    async def due(self, tx: Tx, *, at: datetime) -> Reached:
        """Post or drop the reminders that are due by `at`, so many at a time."""
        following, posts = await tx.deliveries.next_reminder(), 0
        if following is None or following > at:
            return Reached(posted=0, next_due=following)
        for delivery in await tx.deliveries.to_remind(at, limit=TOGETHER):
            await tx.deliveries.save(replace(delivery, remind_at=None))  # once, whatever becomes of it
            posted = await self._remind(tx, delivery, at)
            posts += posted
            log.info("reminder.decided", delivery=delivery.delivery_id, posted=posted)
        return Reached(posted=posts, next_due=await tx.deliveries.next_reminder())

    async def _remind(self, tx: Tx, delivery: Delivery, at: datetime) -> bool:
        pair = await tx.pairs.get(delivery.pair_id)
        if pair is None or pair.room_id is None or not _stands(delivery, at):
            return False
        if not reminds(pair, due=delivery.remind_at or at, expires_at=delivery.expires_at, at=at):
            return False
        place = await place_of(tx, pair.room_id)
        found = await gathered(tx, pair, self._voice.pack(pair), [delivery])
        if place is None or place.room.hold is not None or not found or not _untouched(found[0], at):
            return False
        intro = fill(self._voice.words(place).reminder, title=found[0].title)
        await repeat(tx, place, found[0], self._voice, at=at, intro=intro, not_after=at + REMINDER_GRACE)
        return True


def _stands(delivery: Delivery, at: datetime) -> bool:
    """Tell whether a prompt has stood in its room for a while and is not answered."""
    posted_at = delivery.posted_at if delivery.state is DeliveryState.POSTED else None
    return posted_at is not None and at - posted_at >= REMINDER_GRACE


def _untouched(asked: Asked, at: datetime) -> bool:
    """Tell whether the client has not done anything with a prompt: not answered, skipped, put off or stopped it."""
    sitting = asked.sitting
    return asked.is_open(at) and sitting.standing is Standing.ASKED and not sitting.later_used and not sitting.skipped
