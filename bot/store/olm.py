"""The account's Olm account, its sessions, the hashes of processed ciphertexts and the to-device outbox."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_, update

from bot.core.olm import OlmSession, ToDeviceMessage
from bot.errors import StaleRow
from bot.store.key_tables import megolm_shares, olm_account, olm_seen, olm_sessions, to_device
from bot.store.session import MINE, AnyRow, Session, among, both, unless_known, upsert

_ACCOUNT = select(olm_account.c.pickle, olm_account.c.version).where(olm_account.c.account == MINE)
_NEW_ACCOUNT = unless_known(olm_account)
_SAVE_ACCOUNT = (
    update(olm_account)
    .where(olm_account.c.account == MINE, olm_account.c.version == bindparam("of_version"))
    .values(pickle=bindparam("new_pickle"), version=bindparam("new_version"))
)
_of_peers = (olm_sessions.c.account == MINE, olm_sessions.c.peer_key.in_(among("of_peers")))
_SESSIONS = (
    select(olm_sessions).where(*_of_peers).order_by(olm_sessions.c.last_received.desc(), olm_sessions.c.session_id)
)
_VERSIONS = (
    select(olm_sessions.c.peer_key, olm_sessions.c.session_id, olm_sessions.c.version)
    .where(*_of_peers, olm_sessions.c.session_id.in_(among("of_sessions")))
    .with_for_update()
)
_SAVE_SESSIONS = upsert(olm_sessions)
_DROP_SESSIONS = delete(olm_sessions).where(*_of_peers)
_SEEN = unless_known(olm_seen)
_FORGET_SEEN = delete(olm_seen).where(olm_seen.c.account == MINE, olm_seen.c.at < bindparam("of_instant"))
_QUEUE = both(lambda insert: insert(to_device))
_UNSENT = (
    select(to_device).where(to_device.c.account == MINE).order_by(to_device.c.position).limit(bindparam("of_limit"))
)
_of_messages = (to_device.c.account == MINE, to_device.c.message_id.in_(among("of_messages")))
_WAVE = update(to_device).where(*_of_messages).values(wave=bindparam("new_wave"))
_SHARES_DONE = (
    update(megolm_shares)
    .where(
        megolm_shares.c.account == MINE,
        tuple_(megolm_shares.c.session_id, megolm_shares.c.user_id, megolm_shares.c.device_id).in_(
            select(to_device.c.session_id, to_device.c.user_id, to_device.c.device_id).where(
                *_of_messages, to_device.c.session_id.is_not(None)
            )
        ),
    )
    .values(acknowledged=True)
)
_ACKNOWLEDGE = delete(to_device).where(*_of_messages)


class OlmRows:
    """Implements `ports.OlmRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def account(self) -> tuple[bytes, int]:
        """Return the account's pickle and version; empty and 0 before the first `save_account`."""
        session = self._session
        row = await session.row(_ACCOUNT)
        if row is None:
            return b"", 0
        sealed, version = row
        return session.open(session.owner, "olm_account", "", "pickle", sealed, version=version), version

    async def save_account(self, pickle: bytes, version: int) -> None:
        """Store the pickle as version + 1. Raises StaleRow where another version is stored (CRYPTO 26)."""
        session = self._session
        sealed = session.seal(session.owner, "olm_account", "", "pickle", pickle, version=version + 1)
        if version == 0:
            written = await session.write_one(_NEW_ACCOUNT, pickle=sealed, version=1)
        else:
            written = await session.run(_SAVE_ACCOUNT, of_version=version, new_pickle=sealed, new_version=version + 1)
        if not written:
            raise StaleRow

    async def sessions(self, peer_keys: Sequence[str]) -> Mapping[str, tuple[OlmSession, ...]]:
        """Return sessions by peer key, the one that last decrypted something first (CRYPTO 16)."""
        if not peer_keys:
            return {}
        found: dict[str, list[OlmSession]] = defaultdict(list)
        for row in await self._session.rows(_SESSIONS, of_peers=peer_keys):
            found[row.peer_key].append(self._session_from(row))
        return {peer: tuple(sessions) for peer, sessions in found.items()}

    async def save_sessions(self, sessions: Sequence[OlmSession]) -> None:
        """Store each as version + 1. Raises StaleRow where another version is stored (CRYPTO 26)."""
        if not sessions:
            return
        stored = await self._session.rows(
            _VERSIONS,
            of_peers=[session.peer_key for session in sessions],
            of_sessions=[session.session_id for session in sessions],
        )
        versions = {(peer, session_id): version for peer, session_id, version in stored}
        if any(versions.get((each.peer_key, each.session_id), 0) != each.version for each in sessions):
            raise StaleRow
        await self._session.write(_SAVE_SESSIONS, [self._row_of(session) for session in sessions])

    async def drop_sessions(self, peer_keys: Sequence[str]) -> None:
        """Forget all sessions with these devices."""
        if peer_keys:
            await self._session.run(_DROP_SESSIONS, of_peers=peer_keys)

    async def first_sight(self, ciphertext_hash: str, at: datetime) -> bool:
        """Note the hash of an Olm ciphertext; False when it was processed before (CRYPTO 16)."""
        return bool(await self._session.write_one(_SEEN, hash=ciphertext_hash, at=at))

    async def forget_sights(self, before: datetime) -> None:
        """Drop the hashes of ciphertexts that were processed before an instant."""
        await self._session.run(_FORGET_SEEN, of_instant=before)

    async def queue(self, messages: Sequence[ToDeviceMessage]) -> None:
        """Put messages at the end of the to-device outbox. Raises StaleRow for an id that is there already."""
        if not messages:
            return
        session = self._session
        last = await session.next("to_device", by=len(messages))
        rows = []
        for position, message in enumerate(messages, start=last - len(messages) + 1):
            content = session.seal_document(session.owner, "to_device", message.message_id, "content", message.content)
            rows.append(
                {
                    "message_id": message.message_id,
                    "position": position,
                    "event_type": message.event_type,
                    "user_id": message.user_id,
                    "device_id": message.device_id,
                    "content": content,
                    "session_id": message.session_id,
                    "wave": message.wave,
                }
            )
        await session.write(_QUEUE, rows)

    async def unsent(self, limit: int) -> tuple[ToDeviceMessage, ...]:
        """Return messages that nobody has acknowledged, in the order in which they were queued."""
        return tuple(self._message(row) for row in await self._session.rows(_UNSENT, of_limit=limit))

    async def put_in_wave(self, wave: str, message_ids: Sequence[str]) -> None:
        """Note the transaction id of the request that these messages go out with."""
        if message_ids:
            await self._session.run(_WAVE, new_wave=wave, of_messages=message_ids)

    async def acknowledge(self, message_ids: Sequence[str]) -> None:
        """Drop sent messages and mark the shares that they carried as acknowledged."""
        if message_ids:
            await self._session.run(_SHARES_DONE, of_messages=message_ids)
            await self._session.run(_ACKNOWLEDGE, of_messages=message_ids)

    def _session_from(self, row: AnyRow) -> OlmSession:
        _, peer_key, session_id, sealed, last_received, version = row
        session = self._session
        place = f"{peer_key}/{session_id}"
        return OlmSession(
            session_id=session_id,
            peer_key=peer_key,
            pickle=session.open(session.owner, "olm_sessions", place, "pickle", sealed, version=version),
            last_received=last_received,
            version=version,
        )

    def _row_of(self, each: OlmSession) -> dict[str, Any]:
        session, version = self._session, each.version + 1
        place = f"{each.peer_key}/{each.session_id}"
        return {
            "peer_key": each.peer_key,
            "session_id": each.session_id,
            "pickle": session.seal(session.owner, "olm_sessions", place, "pickle", each.pickle, version=version),
            "last_received": each.last_received,
            "version": version,
        }

    def _message(self, row: AnyRow) -> ToDeviceMessage:
        session = self._session
        content = session.open_document(session.owner, "to_device", row.message_id, "content", row.content)
        return ToDeviceMessage(
            message_id=row.message_id,
            event_type=row.event_type,
            user_id=row.user_id,
            device_id=row.device_id,
            content=content,
            session_id=row.session_id,
            wave=row.wave,
        )
