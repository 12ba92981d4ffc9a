"""The bot's own messages as /sync brings them back: after a prompt to every room they come by the hundred.

Those whose outbox row is known are taken together. The rest goes the way of all events, one by one.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.core.batch import SyncBatch
from bot.core.inbox import InboxEvent, InboxState, TimelinePosition
from bot.core.outbox import OutboxState
from bot.flows.places import Place
from bot.flows.posted import posted
from bot.ports import Tx


async def take_echoes(
    tx: Tx, batch: SyncBatch, number: int, places: Mapping[str, Place], *, own_user: str, at: datetime
) -> frozenset[str]:
    """Acknowledge outbox rows by their own echoes (CRYPTO 30), and return the ids of the events that were taken."""
    echoes = dict(_echoes(batch, number, places, own_user))
    taken: list[InboxEvent] = []
    late = []
    for row in await tx.outbox.some(echoes):
        event = echoes[row.outbox_id]
        if event.room_id != row.room_id:
            continue
        if row.state is OutboxState.QUEUED and event.event_type == "m.room.encrypted":
            continue  # not encrypted by this store: maybe by a copy of it (CRYPTO 18)
        taken.append(event)
        if row.state in (OutboxState.ENCRYPTED, OutboxState.QUEUED):
            late.append(row)
    await posted(tx, late, at=at)
    await tx.outbox.sent({row.outbox_id: echoes[row.outbox_id].event_id for row in late})
    await tx.inbox.add_all(taken)
    return frozenset(event.event_id for event in taken)


def _echoes(
    batch: SyncBatch, number: int, places: Mapping[str, Place], own_user: str
) -> Iterator[tuple[str, InboxEvent]]:
    """Our own events that carry a transaction id, by this id: it is the id of an outbox row."""
    for room in batch.rooms:
        for index, event in enumerate(room.timeline):
            txn_id = _transaction_id(event)
            if room.room_id in places and event["sender"] == own_user and txn_id is not None:
                position = TimelinePosition(batch=number, part=1, index=index)
                yield (
                    txn_id,
                    InboxEvent(
                        event_id=event["event_id"],
                        room_id=room.room_id,
                        sender=own_user,
                        event_type=event["type"],
                        position=position,
                        state=InboxState.DONE,
                        event={},
                    ),
                )


def _transaction_id(event: Mapping[str, Any]) -> str | None:
    txn_id = (event.get("unsigned") or {}).get("transaction_id")
    return txn_id if isinstance(txn_id, str) and "state_key" not in event else None
