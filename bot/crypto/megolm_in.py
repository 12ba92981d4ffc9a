"""Room keys that arrive, and the room events that are read with them (CRYPTO 9, 11, 12, 36)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
import vodozemac

from bot.core.batch import Json
from bot.core.megolm import Decrypted, InboundSession, Refused, Unreadable
from bot.core.people import Purpose
from bot.core.trust import Verdict, word_counts
from bot.crypto.ratchets import ALGORITHM, PICKLE_KEY, device_of, ratchet_of
from bot.crypto.untrusted_json import check_json, is_name, read_json
from bot.crypto.withheld_notices import withheld_code
from bot.ports import Tx

log = structlog.get_logger()

_RELATION = "m.relates_to"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wire:
    """What matters of an `m.room.encrypted` event."""

    event_id: str
    sender: str
    session_id: str
    ciphertext: str


class RoomKeys:
    """The sessions that the people of a room encrypt with, and their events."""

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id

    async def accept(
        self, tx: Tx, sender: str, sender_key: str, sender_ed25519: str, content: Mapping[str, Any], at: datetime
    ) -> tuple[str, ...]:
        """Take the content of an `m.room_key` whose Olm message has passed its checks; the session ids now readable.

        A key for a room in whose record the sender does not stand, of another owner, or with another ratchet than the
        known one is refused and logged; nothing is raised (CRYPTO 11).
        """
        row = new_session(sender, sender_key, sender_ed25519, content)
        if row is None:
            return _refuse(sender, "malformed", at)
        if sender == self._user_id or sender not in await _people(tx, row.room_id):
            return _refuse(sender, "not_in_record", at)
        known = await tx.megolm.inbound(row.room_id, row.session_id)
        if known is not None:
            if _owner(known) != _owner(row):
                return _refuse(sender, "other_owner", at)
            if not _connects(known, row):
                return _refuse(sender, "other_ratchet", at)
            if row.first_index >= known.first_index:
                return ()
        await tx.megolm.save_inbound([row])
        return (row.session_id,)

    async def decrypt(
        self, tx: Tx, room_id: str, event: Json, people: frozenset[str]
    ) -> Decrypted | Unreadable | Refused:
        """Read a room event of one of these people, or our own; nothing is raised, whatever the event holds.

        The content comes without `m.relates_to`: only the one outside the ciphertext counts, and it is the caller's.
        The keys that the event names itself are not used (CRYPTO 11). The same event may be read again, another event
        never with the same index (CRYPTO 12).
        """
        wire = _wire(room_id, event)
        if isinstance(wire, Refused):
            return wire
        if wire.sender not in people and wire.sender != self._user_id:
            return Refused(reason="sender")
        row = await tx.megolm.inbound(room_id, wire.session_id)
        if row is None:
            code = await withheld_code(tx, room_id, wire.session_id)
            return Unreadable(session_id=wire.session_id, reason=f"withheld:{code}" if code else "no_key")
        opened = Refused(reason="sender") if row.sender != wire.sender else _open(row, wire.ciphertext)
        if not isinstance(opened, _Plain):
            return opened
        return await self._settled(tx, row, wire.event_id, opened)

    async def peek(
        self, tx: Tx, room_id: str, event: Json, arrived: Mapping[str, InboundSession]
    ) -> tuple[str, Mapping[str, Any]] | None:
        """Type and content of an event, nothing stored; `arrived` are sessions that are not stored yet, by their id."""
        wire = _wire(room_id, event)
        if isinstance(wire, Refused):
            return None
        row = await tx.megolm.inbound(room_id, wire.session_id) or arrived.get(wire.session_id)
        if row is None or row.room_id != room_id or row.sender != wire.sender:
            return None
        opened = _open(row, wire.ciphertext)
        return (opened.event_type, opened.content) if isinstance(opened, _Plain) else None

    async def _settled(self, tx: Tx, row: InboundSession, event_id: str, plain: "_Plain") -> Decrypted | Refused:
        """Enter the event into the replay ledger and judge it; only what passed every other check gets that far."""
        first = await tx.megolm.claim_index(row.session_id, plain.index, event_id)
        if first != event_id:
            log.warning("room_event.replay", room=row.room_id, sender=row.sender, event_id=event_id, first=first)
            return Refused(reason="replay")
        return Decrypted(
            event_type=plain.event_type,
            content=plain.content,
            session_id=row.session_id,
            index=plain.index,
            verdict=await self._verdict(tx, row),
        )

    async def _verdict(self, tx: Tx, row: InboundSession) -> Verdict:
        if row.own:
            return Verdict.TRUSTED
        devices = await tx.devices.devices([row.sender])
        identities = await tx.devices.identities([row.sender])
        return word_counts(device_of(row, devices.get(row.sender, ())), identities.get(row.sender))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plain:
    """A decrypted event that is what it should be."""

    event_type: str
    content: dict[str, Any]
    index: int


def _refuse(sender: str, reason: str, at: datetime) -> tuple[str, ...]:
    log.info("room_key.refused", sender=sender, reason=reason, at=at.isoformat())
    return ()


def _owner(row: InboundSession) -> tuple[bool, str, str, str]:
    return row.own, row.sender, row.sender_key, row.sender_ed25519


async def _people(tx: Tx, room_id: str) -> frozenset[str]:
    """Who stands in the record of a room (CRYPTO 1); nobody for a room that is not ours."""
    room = await tx.rooms.get(room_id)
    if room is None:
        return frozenset()
    if room.purpose is Purpose.CONSOLE:
        return frozenset({room.therapist})
    pair = await tx.pairs.of_room(room_id)
    return frozenset() if pair is None else frozenset({pair.client, pair.therapist})


def new_session(sender: str, sender_key: str, sender_ed25519: str, content: Mapping[str, Any]) -> InboundSession | None:
    """The session in an `m.room_key`, None if it is malformed or its id is not that of its key."""
    room_id, session_id, key = (content.get(part) for part in ("room_id", "session_id", "session_key"))
    if content.get("algorithm") != ALGORITHM or not is_name(room_id) or not is_name(session_id):
        return None
    if not isinstance(room_id, str) or not isinstance(key, str):
        return None
    try:
        ratchet = vodozemac.InboundGroupSession(vodozemac.SessionKey(key))
    except ValueError:
        return None
    if ratchet.session_id != session_id:
        return None
    return InboundSession(
        room_id=room_id,
        session_id=ratchet.session_id,
        sender=sender,
        sender_key=sender_key,
        sender_ed25519=sender_ed25519,
        first_index=ratchet.first_known_index,
        pickle=ratchet.pickle(PICKLE_KEY).encode("ascii"),
        own=False,
    )


def _connects(known: InboundSession, new: InboundSession) -> bool:
    """Whether both are the same ratchet, seen at the later of their first indices."""
    later = max(known.first_index, new.first_index)
    ours, theirs = ratchet_of(known).export_at(later), ratchet_of(new).export_at(later)
    return ours is not None and theirs is not None and ours.to_base64() == theirs.to_base64()


def _wire(room_id: str, event: Mapping[str, Any]) -> _Wire | Refused:
    content = event.get("content")
    if "state_key" in event:
        return Refused(reason="state_key")
    if event.get("room_id", room_id) != room_id:
        return Refused(reason="room")
    if not isinstance(content, Mapping) or content.get("algorithm") != ALGORITHM or not _storable(event):
        return Refused(reason="malformed")
    event_id, sender = event.get("event_id"), event.get("sender")
    session_id, ciphertext = content.get("session_id"), content.get("ciphertext")
    if not (is_name(event_id) and is_name(sender) and is_name(session_id)) or not isinstance(ciphertext, str):
        return Refused(reason="malformed")
    return _Wire(event_id=str(event_id), sender=str(sender), session_id=str(session_id), ciphertext=ciphertext)


def _storable(event: Mapping[str, Any]) -> bool:
    """An event that cannot be read yet is stored whole."""
    try:
        check_json(event)
    except ValueError:
        return False
    return True


def _open(row: InboundSession, ciphertext: str) -> _Plain | Unreadable | Refused:
    try:
        message = vodozemac.MegolmMessage.from_base64(ciphertext)
        if message.message_index() < row.first_index:
            return Unreadable(session_id=row.session_id, reason="before_first_index")
        opened = ratchet_of(row).decrypt(message)
        return _plain(row.room_id, read_json(bytes(opened.plaintext)), opened.message_index)
    except ValueError:  # UnicodeError and all of vodozemac's are ValueErrors
        return Refused(reason="malformed")


def _plain(room_id: str, payload: object, index: int) -> _Plain | Refused:
    """Hold a decrypted event to what it may be; inside, a relation and state have no place (CRYPTO 12)."""
    if not isinstance(payload, dict):
        return Refused(reason="malformed")
    if payload.get("room_id") != room_id:
        return Refused(reason="room")
    if "state_key" in payload:
        return Refused(reason="state_key")
    event_type, content = payload.get("type"), payload.get("content")
    if not is_name(event_type) or not isinstance(content, dict):
        return Refused(reason="malformed")
    inside = {name: value for name, value in content.items() if name != _RELATION}
    return _Plain(event_type=str(event_type), content=inside, index=index)
