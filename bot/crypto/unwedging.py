"""Olm sessions that have to be replaced, because something sent in one of them could not be read (CRYPTO 17).

A wish names a device with which a new session is wanted. It is stored, so that a crash forgets none, and made at most
hourly for each device.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

import structlog

from bot.core.trust import Device
from bot.ports import Tx

log = structlog.get_logger()

_FACT = "unwedge"
_EVERY_SECONDS = 3600


async def note_wish(tx: Tx, device: Device, at: datetime) -> None:
    """Wish for a new session with a device whose message could not be read; `at` is real time.

    Only devices that count are listened to: without a signature anybody can cause failures.
    """
    if device.removed or not device.signed or device.violation is not None:
        return
    if not await tx.facts.once(f"unwedge:{device.user_id}:{device.device_id}", at, every_seconds=_EVERY_SECONDS):
        return
    wishes = await read_wishes(tx)
    await _write(tx, wishes | {(device.user_id, device.device_id)})
    log.info("olm.wedged", user=device.user_id, device=device.device_id)


async def read_wishes(tx: Tx) -> frozenset[tuple[str, str]]:
    """The (user, device) pairs with which a new session is wanted."""
    text = await tx.facts.read(_FACT)
    return frozenset() if text is None else frozenset((user, device) for user, device in json.loads(text))


async def drop_wishes(tx: Tx, devices: Iterable[tuple[str, str]]) -> None:
    """Forget wishes that were fulfilled or cannot be."""
    await _write(tx, await read_wishes(tx) - frozenset(devices))


def as_claims(wishes: Iterable[tuple[str, str]], algorithm: str) -> Mapping[str, Mapping[str, str]]:
    """The body of `/keys/claim` for these devices."""
    claims: dict[str, dict[str, str]] = {}
    for user, device in sorted(wishes):
        claims.setdefault(user, {})[device] = algorithm
    return claims


async def _write(tx: Tx, wishes: frozenset[tuple[str, str]]) -> None:
    await tx.facts.write(_FACT, json.dumps(sorted(wishes)) if wishes else None)
