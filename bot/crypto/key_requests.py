"""Requests for a room key: the device that was given it once may have it again (CRYPTO 8)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from bot.core.olm import ToDeviceOutcome
from bot.core.trust import Device, word_counts
from bot.crypto.olm import ENCRYPTED, OlmChannel, to_device
from bot.crypto.ratchets import OwnSession
from bot.crypto.signatures import lookup
from bot.ports import Tx

log = structlog.get_logger()

_EVERY_SECONDS = 3600


class KeyRequests:
    """Answers `m.room_key_request`."""

    def __init__(self, channel: OlmChannel) -> None:
        self._channel = channel

    async def take(self, tx: Tx, sender: str, content: Mapping[str, Any], at: datetime) -> ToDeviceOutcome:
        """Reply with the key at the index from which this device was given it, at most once an hour.

        Who was not given the session, and who has lost trust since, gets nothing. Source: specification, "Key
        requests".
        """
        if content.get("action") != "request":
            return _dropped(sender, "cancelled")
        session_id, room_id = lookup(content, "body", "session_id"), lookup(content, "body", "room_id")
        device_id = content.get("requesting_device_id")
        if not (isinstance(session_id, str) and isinstance(room_id, str) and isinstance(device_id, str)):
            return _dropped(sender, "malformed")
        given = await _given_to(tx, sender, device_id, session_id)
        if given is None:
            return _dropped(sender, "not_shared")
        device, index = given
        noted = f"key_request:{session_id}:{sender}:{device_id}"
        if not await tx.facts.once(noted, at, every_seconds=_EVERY_SECONDS):
            return _dropped(sender, "too_often")
        return await self._again(tx, room_id, session_id, device, index)

    async def _again(self, tx: Tx, room_id: str, session_id: str, device: Device, index: int) -> ToDeviceOutcome:
        row = await tx.megolm.inbound(room_id, session_id)
        key = OwnSession.from_row(row).room_key(index) if row is not None and row.own else None
        (encrypted,) = await self._channel.encrypt(tx, [(device, "m.room_key", key)]) if key is not None else (None,)
        if encrypted is None:
            return _dropped(device.user_id, "no_key")
        log.info("room_key.repeated", user=device.user_id, device=device.device_id, session=session_id)
        message = to_device(device, ENCRYPTED, encrypted, session_id)
        return ToDeviceOutcome(kind="key_request", sender=device.user_id, reply=(message,))


async def _given_to(tx: Tx, sender: str, device_id: str, session_id: str) -> tuple[Device, int] | None:
    """The asking device and the index from which it can read, if it was given this session and may still have it."""
    share = await tx.megolm.share_of(session_id, sender, device_id)
    if share is None:
        return None
    identity = (await tx.devices.identities([sender])).get(sender)
    devices = (await tx.devices.devices([sender])).get(sender, ())
    device = next((each for each in devices if each.device_id == device_id), None)
    if device is None or device.curve25519 != share.curve25519 or not word_counts(device, identity).counts:
        return None
    return device, share.index


def _dropped(sender: str, reason: str) -> ToDeviceOutcome:
    return ToDeviceOutcome(kind="dropped", sender=sender, reason=f"key_request_{reason}")
