"""Messages on their way into rooms: each ratchet step is stored in the transaction that makes it (CRYPTO 25, 26)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import vodozemac

from bot.core.megolm import Audience, Encrypted, Hold, OutboundSession
from bot.crypto.account import OwnAccount
from bot.crypto.identity import OwnDevice
from bot.crypto.ratchets import ALGORITHM, PICKLE_KEY
from bot.crypto.recipients import Recipients, View, load_view
from bot.crypto.sharing import failed_claims, no_olm_fact
from bot.ports import Tx

_RELATION = "m.relates_to"


@dataclass(kw_only=True, slots=True)
class _Room:
    """One room's session while messages are encrypted: lives as long as the transaction."""

    row: OutboundSession
    group: vodozemac.GroupSession
    messages: int

    def to_row(self) -> OutboundSession:
        pickle = self.group.pickle(PICKLE_KEY).encode("ascii")
        return replace(self.row, pickle=pickle, messages=self.messages)


class MegolmOut:
    """Encrypts for rooms."""

    def __init__(self, own: OwnAccount) -> None:
        self._own = own

    async def encrypt(
        self, tx: Tx, messages: Sequence[tuple[Audience, str, Mapping[str, Any]]], at: datetime
    ) -> tuple[Encrypted | Hold, ...]:
        """Encrypt each (audience, type, content), in order; members, lists, trust and shares are checked once more.

        A room that is held once stays held for the rest of the call, so that its order is kept. `m.relates_to` goes
        outside the ciphertext only (specification, "Forming relationships between events").
        """
        view = await load_view(tx, self._own.user_id, [audience for audience, _, _ in messages])
        unreachable = await self._without_olm(tx, view, messages)
        unnoticed = await _unnoticed(tx, view, messages)
        own = await self._own.own_device(tx)
        rooms: dict[str, _Room] = {}
        held: dict[str, Hold] = {}
        results: list[Encrypted | Hold] = []
        for audience, event_type, content in messages:
            room_id = audience.room_id
            hold = held.get(room_id) or _objection(view, audience, rooms.get(room_id), unreachable, at)
            if hold is None and room_id in unnoticed:
                hold = Hold(room_id=room_id, reason="unshared")
            if hold is not None:
                held[room_id] = hold
                results.append(hold)
                continue
            room = rooms.get(room_id) or rooms.setdefault(room_id, _unpickled(view.sessions[room_id]))
            results.append(_encrypt(room, own, event_type, content))
        await tx.megolm.save_outbound([room.to_row() for room in rooms.values()])
        return tuple(results)

    async def _without_olm(
        self, tx: Tx, view: View, messages: Sequence[tuple[Audience, str, Mapping[str, Any]]]
    ) -> frozenset[tuple[str, str]]:
        """Devices of these rooms that lack a key because they left no one-time key: they hold nobody up (CRYPTO 2)."""
        lacking = {
            (device.user_id, device.device_id): device
            for audience in {audience for audience, _, _ in messages}
            if (session := view.sessions.get(audience.room_id)) is not None
            and isinstance(recipients := view.judge(audience), Recipients)
            for device in view.lacking(session, recipients)
        }
        failed = await failed_claims(tx) if lacking else {}
        return frozenset([key for key, device in lacking.items() if no_olm_fact(device) in failed])


async def _unnoticed(tx: Tx, view: View, messages: Sequence[tuple[Audience, str, Mapping[str, Any]]]) -> frozenset[str]:
    """Rooms where a device without a key has not been told yet that it gets none (CRYPTO 2)."""
    found = set()
    for audience in {audience for audience, _, _ in messages}:
        session, recipients = view.sessions.get(audience.room_id), view.judge(audience)
        if session is None or isinstance(recipients, Hold):
            continue
        for device in recipients.untrusted:
            if await tx.megolm.withheld_index(session.session_id, device.user_id, device.device_id) is None:
                found.add(audience.room_id)
    return frozenset(found)


def encrypted_content(
    group: vodozemac.GroupSession, own: OwnDevice, room_id: str, event_type: str, content: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of an `m.room.encrypted` event. Source: specification, "m.megolm.v1.aes-sha2"."""
    inside = {name: value for name, value in content.items() if name != _RELATION}
    payload = {"type": event_type, "content": inside, "room_id": room_id}
    plaintext = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    outside = {_RELATION: content[_RELATION]} if _RELATION in content else {}
    return {
        "algorithm": ALGORITHM,
        "sender_key": own.curve25519,
        "device_id": own.device_id,
        "session_id": group.session_id,
        "ciphertext": group.encrypt(plaintext).to_base64(),
        **outside,
    }


def _unpickled(row: OutboundSession) -> _Room:
    group = vodozemac.GroupSession.from_pickle(row.pickle.decode("ascii"), PICKLE_KEY)
    return _Room(row=row, group=group, messages=row.messages)


def _encrypt(room: _Room, own: OwnDevice, event_type: str, content: Mapping[str, Any]) -> Encrypted:
    sealed = encrypted_content(room.group, own, room.row.room_id, event_type, content)
    room.messages += 1
    return Encrypted(room_id=room.row.room_id, session_id=room.row.session_id, content=sealed)


def _objection(
    view: View, audience: Audience, room: _Room | None, unreachable: frozenset[tuple[str, str]], at: datetime
) -> Hold | None:
    recipients = view.judge(audience)
    if isinstance(recipients, Hold):
        return recipients
    session = view.sessions.get(audience.room_id)
    if session is None:
        return Hold(room_id=audience.room_id, reason="unshared")
    current = session if room is None else replace(session, messages=room.messages)
    lacking = [d for d in view.lacking(session, recipients) if (d.user_id, d.device_id) not in unreachable]
    if lacking or view.unacknowledged(session) or view.expired(current, recipients, at):
        return Hold(room_id=audience.room_id, reason="unshared")
    if audience.addressed is not None and not _reads(view, session, recipients, audience.addressed):
        return Hold(room_id=audience.room_id, reason="no_device")
    return None


def _reads(view: View, session: OutboundSession, recipients: Recipients, addressed: str) -> bool:
    """Whether the addressed person has a device that was given this session's key (CRYPTO 6)."""
    return any(
        device.user_id == addressed and not device.dehydrated and view.share_of(session.session_id, device) is not None
        for device in recipients.trusted
    )
