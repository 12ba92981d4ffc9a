"""Olm: what reaches this device from one other device, and what goes to one.

Sessions are rows that are loaded, stepped and stored in one transaction. Nothing stays in memory, so that a rollback
takes every ratchet back with it (CRYPTO 26).
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog
import vodozemac

from bot.core.olm import OlmSession, ToDeviceMessage
from bot.core.trust import Device
from bot.crypto.account import OwnAccount
from bot.crypto.canonical import from_unpadded, unpadded
from bot.crypto.ratchets import PICKLE_KEY
from bot.crypto.signatures import lookup, signature_ok
from bot.crypto.unwedging import as_claims, drop_wishes, read_wishes
from bot.ports import Tx

log = structlog.get_logger()

ALGORITHM = "m.olm.v1.curve25519-aes-sha2"
ENCRYPTED = "m.room.encrypted"
LARGEST_CIPHERTEXT = 64 * 1024  # characters of base64
_ONE_TIME_KEY = "signed_curve25519"
_RECEIVED = "olm_received"  # fact: how many times a session was made or decrypted something
_SESSIONS_KEPT = 8  # per device; the specification asks for four (CRYPTO 16)
_PRE_KEY, _NORMAL = 0, 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A message of another device in clear."""

    plaintext: bytes = field(repr=False)
    began: bool = False  # it began a new session


@dataclass(frozen=True, kw_only=True, slots=True)
class Unopened:
    """Why a message could not be decrypted."""

    reason: str  # malformed | replay | no_session | undecryptable

    @property
    def wedged(self) -> bool:
        """Whether a new session would help: not for a replay, not for noise (CRYPTO 16, 17)."""
        return self.reason in ("no_session", "undecryptable")


class OlmChannel:
    """Encrypts for single devices and decrypts what they send."""

    def __init__(self, own: OwnAccount) -> None:
        self._own = own

    async def decrypt(
        self, tx: Tx, device: Device | None, sender_key: str, message: object, at: datetime
    ) -> Opened | Unopened:
        """Decrypt one `{type, body}` of a ciphertext and store the stepped session.

        `device` is the sender's device with this key, as far as it is known: a new session raises its wedge counter.
        """
        parsed = _parse(message)
        if parsed is None:
            return Unopened(reason="malformed")
        if not await tx.olm.first_sight(_fingerprint(sender_key, parsed), at):
            return Unopened(reason="replay")
        sessions = (await tx.olm.sessions([sender_key])).get(sender_key, ())
        pre_key = parsed.to_pre_key()
        live = [(row, _unpickle(row)) for row in sessions]
        if pre_key is not None:
            live = [(row, session) for row, session in live if session.session_matches(pre_key)]
            if not live:
                return await self._new_inbound(tx, device, sender_key, pre_key, sessions)
        for row, session in live:
            try:
                plaintext = session.decrypt(parsed)
            except ValueError:
                continue
            await self._store(tx, row, session)
            return Opened(plaintext=plaintext)
        return Unopened(reason="undecryptable" if sessions else "no_session")

    async def _new_inbound(
        self,
        tx: Tx,
        device: Device | None,
        sender_key: str,
        pre_key: vodozemac.PreKeyMessage,
        sessions: Sequence[OlmSession],
    ) -> Opened | Unopened:
        loaded = await self._own.load(tx)
        try:
            identity_key = vodozemac.Curve25519PublicKey.from_base64(sender_key)
            session, plaintext = loaded.account.create_inbound_session(identity_key, pre_key)
        except ValueError:
            return Unopened(reason="undecryptable")
        await self._own.save(tx, loaded)  # the one-time key is used up in the same transaction (CRYPTO 18)
        await self._add(tx, [(sender_key, session)], {sender_key: sessions})
        if device is not None:
            await tx.devices.raise_wedge(device.user_id, device.device_id)
        log.info("olm.session_received", session=session.session_id)
        return Opened(plaintext=plaintext, began=True)

    async def encrypt(
        self, tx: Tx, items: Sequence[tuple[Device, str, Mapping[str, Any]]]
    ) -> tuple[dict[str, Any] | None, ...]:
        """Encrypt each (device, event type, content) and return the contents of `m.room.encrypted` in the same order.

        None stands for a device with which there is no session. Several items may be for one device.
        """
        if not items:
            return ()
        stored = await tx.olm.sessions(sorted({device.curve25519 for device, _, _ in items}))
        rows = {peer_key: sessions[0] for peer_key, sessions in stored.items() if sessions}
        if not rows:
            return (None,) * len(items)
        live = {peer_key: _unpickle(row) for peer_key, row in rows.items()}
        own = await self._own.own_device(tx)
        common = await self._common(tx)
        contents = tuple(
            _sealed(live[device.curve25519], own.curve25519, device, {**common, "type": event_type, "content": content})
            if device.curve25519 in live
            else None
            for device, event_type, content in items
        )
        await tx.olm.save_sessions([_stepped(row, live[peer_key]) for peer_key, row in rows.items()])
        return contents

    async def claimed(
        self, tx: Tx, wanted: Mapping[str, Mapping[str, str]], answer: Mapping[str, Any]
    ) -> frozenset[tuple[str, str]]:
        """Make a session with each device whose claimed key its own ed25519 key signed (CRYPTO 20).

        Returns the (user, device) pairs that have a new session. A device that was to be unwedged is sent `m.dummy` in
        it, and gets the running room keys once more (CRYPTO 17).
        """
        loaded = await self._own.load(tx)
        devices = await tx.devices.devices(wanted)
        made: list[tuple[Device, vodozemac.Session]] = []
        for user_id, device_ids in wanted.items():
            for device in devices.get(user_id, ()):
                if device.device_id in device_ids and not device.removed:
                    session = _outbound(loaded.account, device, answer)
                    if session is not None:
                        made.append((device, session))
        stored = await tx.olm.sessions(sorted({device.curve25519 for device, _ in made}))
        await self._add(tx, [(device.curve25519, session) for device, session in made], stored)
        await self._settle_wishes(tx, wanted, answer, [device for device, _ in made])
        return frozenset((device.user_id, device.device_id) for device, _ in made)

    async def peek(self, tx: Tx, sender_key: str, message: object) -> bytes | None:
        """Decrypt one `{type, body}` and store nothing: the same message can be decrypted again."""
        parsed = _parse(message)
        if parsed is None:
            return None
        pre_key = parsed.to_pre_key()
        for row in (await tx.olm.sessions([sender_key])).get(sender_key, ()):
            session = _unpickle(row)
            if pre_key is None or session.session_matches(pre_key):
                with suppress(ValueError):
                    return session.decrypt(parsed)
        if pre_key is None:
            return None
        with suppress(ValueError):
            identity_key = vodozemac.Curve25519PublicKey.from_base64(sender_key)
            return (await self._own.load(tx)).account.create_inbound_session(identity_key, pre_key)[1]
        return None

    async def seal_once(
        self, tx: Tx, devices: Sequence[Device], answer: object, event_type: str, content: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """Encrypt for each device in a session from its claimed key that is used this once and stored nowhere.

        Returns user -> device -> content of `m.room.encrypted`; a device that left no key is missing.
        """
        account = (await self._own.load(tx)).account
        own_key, common = (await self._own.own_device(tx)).curve25519, await self._common(tx)
        sealed: dict[str, dict[str, Any]] = {}
        for device in devices:
            session = _outbound(account, device, answer)
            if session is not None:
                payload = {**common, "type": event_type, "content": content}
                sealed.setdefault(device.user_id, {})[device.device_id] = _sealed(session, own_key, device, payload)
        return sealed

    async def _common(self, tx: Tx) -> dict[str, Any]:
        """What every payload says about its sender."""
        own = await self._own.own_device(tx)
        return {
            "sender": own.user_id,
            "keys": {"ed25519": own.ed25519},
            # The stable name alone: Rust clients take both names for one field and refuse a second value.
            "sender_device_keys": await self._own.device_keys(tx),
        }

    async def unwedge_due(self, tx: Tx) -> Mapping[str, Mapping[str, str]]:
        """The body of `/keys/claim` for devices that need a new session (CRYPTO 17); empty when there are none."""
        return as_claims(await read_wishes(tx), _ONE_TIME_KEY)

    async def _settle_wishes(
        self, tx: Tx, wanted: Mapping[str, Mapping[str, str]], answer: Mapping[str, Any], made: Sequence[Device]
    ) -> None:
        wishes = await read_wishes(tx)
        asked = {(user, device) for user, devices in wanted.items() for device in devices} & wishes
        if not asked:
            return
        fulfilled = [device for device in made if (device.user_id, device.device_id) in asked]
        contents = await self.encrypt(tx, [(device, "m.dummy", {}) for device in fulfilled])
        await tx.olm.queue(
            [
                to_device(device, ENCRYPTED, content)
                for device, content in zip(fulfilled, contents, strict=True)
                if content is not None
            ]
        )
        failures = answer.get("failures")
        unreachable = frozenset(failures) if isinstance(failures, Mapping) else frozenset()
        for device in fulfilled:
            await tx.devices.raise_wedge(device.user_id, device.device_id)
        done = {(device.user_id, device.device_id) for device in fulfilled}
        await drop_wishes(tx, {each for each in asked if each in done or each[0].partition(":")[2] not in unreachable})

    async def _store(self, tx: Tx, row: OlmSession, session: vodozemac.Session) -> None:
        number = await tx.facts.increment(_RECEIVED)
        await tx.olm.save_sessions([replace(_stepped(row, session), last_received=number)])

    async def _add(
        self, tx: Tx, made: Sequence[tuple[str, vodozemac.Session]], stored: Mapping[str, Sequence[OlmSession]]
    ) -> None:
        """Store new sessions (peer key, session) as those to encrypt with: making one counts as hearing from the device
        (specification, "m.olm.v1.curve25519-aes-sha2"). `stored` are the sessions so far.
        """
        if not made:
            return
        number = await tx.facts.increment(_RECEIVED)
        rows: list[OlmSession] = []
        full: list[str] = []
        for peer_key, session in made:
            pickle = session.pickle(PICKLE_KEY).encode("ascii")
            rows.append(
                OlmSession(
                    session_id=session.session_id, peer_key=peer_key, pickle=pickle, last_received=number, version=0
                )
            )
            others = stored.get(peer_key, ())
            if len(others) >= _SESSIONS_KEPT:
                full.append(peer_key)
                rows += [replace(other, version=0) for other in others[: _SESSIONS_KEPT - 1]]
        if full:
            await tx.olm.drop_sessions(full)
        await tx.olm.save_sessions(rows)


def to_device(
    device: Device, event_type: str, content: Mapping[str, Any], session_id: str | None = None
) -> ToDeviceMessage:
    """A message for the to-device outbox; `session_id` is the Megolm session whose key it carries."""
    return replace(reply_to(device.user_id, device.device_id, event_type, content), session_id=session_id)


def reply_to(user_id: str, device_id: str, event_type: str, content: Mapping[str, Any]) -> ToDeviceMessage:
    """A message to a device that need not be known."""
    return ToDeviceMessage(
        message_id=secrets.token_hex(16),
        event_type=event_type,
        user_id=user_id,
        device_id=device_id,
        content=content,
        session_id=None,
        wave=None,
    )


def _parse(message: object) -> vodozemac.AnyOlmMessage | None:
    kind, body = lookup(message, "type"), lookup(message, "body")
    if type(kind) is not int or kind not in (_PRE_KEY, _NORMAL):
        return None
    if not isinstance(body, str) or len(body) > LARGEST_CIPHERTEXT:
        return None
    try:
        return vodozemac.AnyOlmMessage.from_parts(kind, from_unpadded(body))
    except ValueError:
        return None


def _fingerprint(sender_key: str, message: vodozemac.AnyOlmMessage) -> str:
    """What a replay is known by: a hash of the message as parsed, so that no other spelling passes (CRYPTO 16)."""
    kind, body = message.to_parts()
    return hashlib.sha256(f"{sender_key}|{kind}|".encode() + body).hexdigest()


def _unpickle(row: OlmSession) -> vodozemac.Session:
    return vodozemac.Session.from_pickle(row.pickle.decode("ascii"), PICKLE_KEY)


def _stepped(row: OlmSession, session: vodozemac.Session) -> OlmSession:
    return replace(row, pickle=session.pickle(PICKLE_KEY).encode("ascii"))


def _sealed(session: vodozemac.Session, own_key: str, device: Device, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Encrypt one payload. Source: specification, "m.olm.v1.curve25519-aes-sha2"."""
    addressed = {**payload, "recipient": device.user_id, "recipient_keys": {"ed25519": device.ed25519}}
    plaintext = json.dumps(addressed, separators=(",", ":"), ensure_ascii=False).encode()
    kind, body = session.encrypt(plaintext).to_parts()
    return {
        "algorithm": ALGORITHM,
        "sender_key": own_key,
        "ciphertext": {device.curve25519: {"type": kind, "body": unpadded(body)}},
    }


def _outbound(account: vodozemac.Account, device: Device, answer: object) -> vodozemac.Session | None:
    """A session from the claimed key of one device; None when it gave none or did not sign it (CRYPTO 20)."""
    keys = lookup(answer, "one_time_keys", device.user_id, device.device_id)
    if not isinstance(keys, Mapping):
        return None
    for key_id, key in keys.items():
        if not isinstance(key_id, str) or not key_id.startswith(f"{_ONE_TIME_KEY}:"):
            continue
        public = lookup(key, "key")
        if not isinstance(public, str) or not signature_ok(
            key, device.user_id, f"ed25519:{device.device_id}", device.ed25519
        ):
            log.warning("olm.claim_refused", user=device.user_id, device=device.device_id)
            continue
        try:
            return account.create_outbound_session(
                vodozemac.Curve25519PublicKey.from_base64(device.curve25519),
                vodozemac.Curve25519PublicKey.from_base64(public),
            )
        except ValueError:
            log.warning("olm.claim_unusable", user=device.user_id, device=device.device_id)
    return None
