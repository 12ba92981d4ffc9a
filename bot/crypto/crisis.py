"""The crisis text: a fixed public text that reaches a person on any device of theirs (CRYPTO 10)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
import vodozemac

from bot.core.megolm import Audience, Encrypted, Share
from bot.core.trust import Device, word_counts
from bot.crypto.account import OwnAccount
from bot.crypto.megolm_out import encrypted_content
from bot.crypto.olm import ENCRYPTED, OlmChannel, to_device
from bot.crypto.ratchets import OwnSession, new_own_session
from bot.ports import Tx

log = structlog.get_logger()

_WAITING = "crisis_waiting"  # fact: [session, room, user, device] of keys that wait for an Olm session
CLAIM = "signed_curve25519"
_PRESENT = ("join", "invite")


class CrisisText:
    """Encrypts a text under a session that is used once, so that its key opens nothing else."""

    def __init__(self, own: OwnAccount, olm: OlmChannel) -> None:
        self._own = own
        self._olm = olm

    async def encrypt(
        self, tx: Tx, audience: Audience, user_id: str, content: Mapping[str, Any], at: datetime
    ) -> tuple[Encrypted, Mapping[str, Mapping[str, str]]]:
        """Encrypt the text for all devices of one person of the audience, and the trusted ones of the others present.

        The second value is the claim for devices without an Olm session; `claimed` sends them the key. Nothing that
        holds other messages back holds this one: neither drift nor an outdated list. Nobody outside the audience gets
        a key.
        """
        own, group = await self._own.own_device(tx), vodozemac.GroupSession()
        session = new_own_session(audience.room_id, own, group)
        devices = await devices_of(tx, audience, user_id)
        sealed = encrypted_content(group, own, audience.room_id, "m.room.message", content)
        await tx.megolm.save_inbound([session.to_row()])
        without = await self._give(tx, [(session, device) for device in devices])
        if without:
            waiting = [[group.session_id, audience.room_id, device.user_id, device.device_id] for _, device in without]
            await _save_waiting(tx, [*await _waiting(tx), *waiting])
        claims: dict[str, dict[str, str]] = {}
        for _, device in without:
            claims.setdefault(device.user_id, {})[device.device_id] = CLAIM
        log.info("crisis.encrypted", room=audience.room_id, devices=len(devices), at=at.isoformat())
        return Encrypted(room_id=audience.room_id, session_id=group.session_id, content=sealed), claims

    async def claimed(self, tx: Tx, wanted: Mapping[str, Mapping[str, str]]) -> None:
        """Send the keys that waited for these devices; a device that left no one-time key is given up."""
        waiting = await _waiting(tx)
        asked = [entry for entry in waiting if entry[3] in wanted.get(entry[2], {})]
        if not asked:
            return
        devices = await tx.devices.devices({entry[2] for entry in asked})
        items: list[tuple[OwnSession, Device]] = []
        for session_id, room_id, user_id, device_id in asked:
            row = await tx.megolm.inbound(room_id, session_id)
            device = next((each for each in devices.get(user_id, ()) if each.device_id == device_id), None)
            if row is not None and device is not None and not device.removed:
                items.append((OwnSession.from_row(row), device))
        for _, device in await self._give(tx, items):
            log.warning("crisis.no_olm", user=device.user_id, device=device.device_id)
        await _save_waiting(tx, [entry for entry in waiting if entry not in asked])

    async def _give(self, tx: Tx, items: Sequence[tuple[OwnSession, Device]]) -> list[tuple[OwnSession, Device]]:
        """Queue each key for its device; the ones without an Olm session are returned."""
        keys = [(device, "m.room_key", session.room_key(0) or {}) for session, device in items]
        pairs = list(zip(items, await self._olm.encrypt(tx, keys), strict=True))
        given = [(session.row.session_id, device, sealed) for (session, device), sealed in pairs if sealed is not None]
        await tx.megolm.save_shares(
            [
                Share(
                    session_id=session_id,
                    user_id=device.user_id,
                    device_id=device.device_id,
                    curve25519=device.curve25519,
                    index=0,
                    wedge=0,
                    acknowledged=False,
                )
                for session_id, device, _ in given
            ]
        )
        await tx.olm.queue([to_device(device, ENCRYPTED, sealed, session_id) for session_id, device, sealed in given])
        return [item for item, sealed in pairs if sealed is None]


async def devices_of(tx: Tx, audience: Audience, user_id: str) -> list[Device]:
    """All devices of one person of the audience, and the trusted ones of the others present."""
    members = (await tx.rooms.members([audience.room_id])).get(audience.room_id, {})
    present = {user for user in audience.people if members.get(user) in _PRESENT}
    people = present | ({user_id} & audience.people)
    devices, identities = await tx.devices.devices(people), await tx.devices.identities(people)
    return [
        device
        for user in sorted(people)
        for device in _shown(devices.get(user, ()))
        if user == user_id or word_counts(device, identities.get(user)).counts
    ]


def _shown(devices: Iterable[Device]) -> list[Device]:
    return [device for device in devices if not device.removed]


async def _waiting(tx: Tx) -> list[list[str]]:
    entries: list[list[str]] = json.loads(await tx.facts.read(_WAITING) or "[]")
    return entries


async def _save_waiting(tx: Tx, entries: Sequence[Sequence[str]]) -> None:
    await tx.facts.write(_WAITING, json.dumps(list(entries)) if entries else None)
