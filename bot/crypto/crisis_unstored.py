"""Reading and answering a call for help while the store takes no writes: nothing here is stored or used twice.

Stored sessions are read, never stepped: what they decrypt comes again once the store is back (CRYPTO 10, 25).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import vodozemac

from bot.core.batch import Json
from bot.core.megolm import Audience, InboundSession, UnstoredCrisis
from bot.crypto.account import OwnAccount
from bot.crypto.crisis import CLAIM, devices_of
from bot.crypto.megolm_in import RoomKeys, new_session
from bot.crypto.megolm_out import encrypted_content
from bot.crypto.olm import ENCRYPTED, OlmChannel
from bot.crypto.olm_payload import Rejected, read_payload, sending_device
from bot.crypto.ratchets import new_own_session
from bot.crypto.signatures import is_public_key, lookup
from bot.crypto.untrusted_json import check_json
from bot.ports import Tx


class UnstoredCrisisText:
    """Keeps the promise of `crisis` without a store that writes."""

    def __init__(self, own: OwnAccount, channel: OlmChannel, room_keys: RoomKeys) -> None:
        self._own = own
        self._channel = channel
        self._room_keys = room_keys

    async def read(
        self, tx: Tx, to_device: Sequence[Json], room_id: str, event: Json
    ) -> tuple[str, Mapping[str, Any]] | None:
        """Type and content of an encrypted event; its room key may come in the same batch."""
        arrived: dict[str, InboundSession] = {}
        for message in to_device:
            session = await self._room_key(tx, message)
            if session is not None:
                arrived.setdefault(session.session_id, session)
        return await self._room_keys.peek(tx, room_id, event, arrived)

    async def encrypt(self, tx: Tx, audience: Audience, user_id: str, content: Mapping[str, Any]) -> UnstoredCrisis:
        """Encrypt the text under a new session for all devices that `crisis` reaches."""
        own, group = await self._own.own_device(tx), vodozemac.GroupSession()
        room_key = new_own_session(audience.room_id, own, group).room_key(0) or {}
        claims: dict[str, dict[str, str]] = {}
        for device in await devices_of(tx, audience, user_id):
            claims.setdefault(device.user_id, {})[device.device_id] = CLAIM
        sealed = encrypted_content(group, own, audience.room_id, "m.room.message", content)
        return UnstoredCrisis(content=sealed, room_key=room_key, claims=claims)

    async def keys(self, tx: Tx, crisis: UnstoredCrisis, answer: Json) -> Json:
        """The room key for each device that left a one-time key."""
        known = await tx.devices.devices(crisis.claims)
        devices = [
            device
            for user, wanted in crisis.claims.items()
            for device in known.get(user, ())
            if device.device_id in wanted and not device.removed
        ]
        return await self._channel.seal_once(tx, devices, answer, "m.room_key", crisis.room_key)

    async def _room_key(self, tx: Tx, event: Json) -> InboundSession | None:
        """The session in an encrypted `m.room_key` of somebody whose devices are followed; None for anything else."""
        sender, content = lookup(event, "sender"), lookup(event, "content")
        sender_key = lookup(content, "sender_key")
        if lookup(event, "type") != ENCRYPTED or not isinstance(sender, str) or not isinstance(sender_key, str):
            return None
        if sender not in await tx.devices.tracked() or not is_public_key(sender_key):
            return None
        try:
            check_json(content)
        except ValueError:
            return None
        own = await self._own.own_device(tx)
        plaintext = await self._channel.peek(tx, sender_key, lookup(content, "ciphertext", own.curve25519))
        if plaintext is None:
            return None
        device = sending_device((await tx.devices.devices([sender])).get(sender, ()), sender_key)
        payload = read_payload(plaintext, sender=sender, sender_key=sender_key, own=own, device=device)
        if isinstance(payload, Rejected) or payload.event_type != "m.room_key":
            return None
        return new_session(sender, sender_key, payload.ed25519, payload.content)
