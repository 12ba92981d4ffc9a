"""What follows when an outbox row has reached the room, or can no longer be sent."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from bot.core.deliveries import DeliveryState
from bot.core.lateness import SkipReason
from bot.core.outbox import OutboxEvent, OutboxState
from bot.core.quiet import is_quiet
from bot.ports import Tx

log = structlog.get_logger()

# Why a message was held -> the reason that is put on record when its grace ends (DESIGN §8).
SKIPPED = {
    "not_joined": "not_joined",
    "no_device": "trust",
    "outdated": "trust",
    "unshared": "trust",
    "own_identity": "trust",
    "drift": "drift",
    "refused": "refused",
}


# A message that leaves later than this is late: within it even a great number of prompts has left.
LEAVES_WITHIN = timedelta(minutes=5)


async def dropped(tx: Tx, row: OutboxEvent, *, at: datetime) -> bool:
    """Drop a queued row that comes too late: after its time, or into quiet hours; tell whether it was."""
    if row.not_after is not None and row.not_after < at:
        await unsendable(tx, row, at=at)
        return True
    if row.not_after is None or row.delivery_id is None or at - row.created_at < LEAVES_WITHIN:
        return False
    delivery = await tx.deliveries.get(row.delivery_id)
    # Later questions of a conversation come whenever it goes on, and what somebody asked for comes at any hour.
    chosen_by_bot = delivery is not None and delivery.schedule_id is not None
    if delivery is None or not chosen_by_bot or not (delivery.state is DeliveryState.DUE or row.purpose == "repeat"):
        return False
    pair = await tx.pairs.get(delivery.pair_id)
    if pair is None or not is_quiet(pair.quiet_hours, at, ZoneInfo(pair.timezone)):
        return False
    await unsendable(tx, row, at=at, reason=None if row.hold else SkipReason.QUIET.value)
    return True


async def posted(tx: Tx, rows: Iterable[OutboxEvent], *, at: datetime) -> None:
    """Note which prompts stand in their rooms now."""
    prompts = [row.delivery_id for row in rows if row.purpose == "prompt" and row.delivery_id is not None]
    await tx.deliveries.posted(prompts, at=at)


async def unsendable(tx: Tx, row: OutboxEvent, *, at: datetime, reason: str | None = None) -> None:
    """Drop a row whose time has passed and put on record why its prompt was skipped."""
    await tx.outbox.update([replace(row, state=OutboxState.DROPPED)])
    log.info("outbox.dropped", row=row.outbox_id, purpose=row.purpose, hold=row.hold, at=at.isoformat())
    if row.purpose != "prompt" or row.delivery_id is None:
        return
    delivery = await tx.deliveries.get(row.delivery_id)
    if delivery is not None and delivery.state is DeliveryState.DUE:
        room = await tx.rooms.get(row.room_id)
        held = (room.hold if room else None) or row.hold or ""
        why = reason or SKIPPED.get(held.partition(":")[0], "late")
        await tx.deliveries.save(replace(delivery, state=DeliveryState.SKIPPED, skip_reason=why))
