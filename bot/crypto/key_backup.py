"""Room keys on their way into the account's server-side backup (CRYPTO 24)."""

from collections.abc import Mapping
from typing import Any

from bot.core.megolm import InboundSession
from bot.core.trust import Device, Identity, word_counts
from bot.crypto.backup_cipher import BackedUpSession, encrypt_session
from bot.crypto.ratchets import device_of, ratchet_of
from bot.ports import Tx

PUBLIC_KEY = "backup_public_key"
VERSION = "backup_version"


async def backup_batch(tx: Tx, limit: int) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """The body of `PUT /room_keys/keys` for up to `limit` sessions, and the session ids to mark once it was taken.

    None while there is nothing to back up or no backup yet: its version is in the fact `backup_version`.
    """
    public_key = await tx.facts.read(PUBLIC_KEY)
    if public_key is None or await tx.facts.read(VERSION) is None:
        return None
    rows = await tx.megolm.not_backed_up(limit)
    if not rows:
        return None
    senders = {row.sender for row in rows}
    devices, identities = await tx.devices.devices(senders), await tx.devices.identities(senders)
    rooms: dict[str, dict[str, Any]] = {}
    for row in rows:
        verified = row.own or _trusted(row, devices, identities)
        sessions = rooms.setdefault(row.room_id, {"sessions": {}})["sessions"]
        sessions[row.session_id] = encrypt_session(public_key, _exported(row), verified=verified)
    return {"rooms": rooms}, tuple(row.session_id for row in rows)


def _trusted(
    row: InboundSession, devices: Mapping[str, tuple[Device, ...]], identities: Mapping[str, Identity]
) -> bool:
    return word_counts(device_of(row, devices.get(row.sender, ())), identities.get(row.sender)).counts


def _exported(row: InboundSession) -> BackedUpSession:
    exported = ratchet_of(row).export_at(row.first_index)
    if exported is None:  # the row's index is that of its ratchet
        raise ValueError("A stored session does not reach its own first index.")
    return BackedUpSession(
        session_key=exported.to_base64(), sender_key=row.sender_key, sender_ed25519=row.sender_ed25519
    )
