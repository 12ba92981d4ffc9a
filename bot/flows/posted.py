"""What follows when an outbox row has reached the room, or can no longer be sent."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import structlog

from bot.core.deliveries import DeliveryState
from bot.core.outbox import OutboxEvent, OutboxState
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
