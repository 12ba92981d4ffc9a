"""To-device messages on their way in: each is taken on its own, and a bad one is dropped with a reason (DESIGN §4).

sender of a pair? -> size and form -> decrypt -> checks of the specification -> room key, dummy; the rest is dropped
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import structlog

from bot.core.olm import ToDeviceOutcome
from bot.core.trust import Device, fingerprint_groups
from bot.crypto.account import OwnAccount
from bot.crypto.key_requests import KeyRequests
from bot.crypto.olm import ALGORITHM, ENCRYPTED, OlmChannel, Opened, reply_to
from bot.crypto.olm_payload import Payload, Rejected, read_payload, sending_device
from bot.crypto.signatures import is_public_key, lookup
from bot.crypto.untrusted_json import check_json, is_name
from bot.crypto.unwedging import note_wish
from bot.crypto.withheld import EVENT_TYPE as WITHHELD
from bot.crypto.withheld import NO_OLM
from bot.crypto.withheld_notices import note_notice
from bot.ports import Tx

log = structlog.get_logger()

_VERIFICATION = "m.key.verification."
_VERIFICATION_BEGINS = ("m.key.verification.request", "m.key.verification.start")
_ASK_AGAIN_SECONDS = 3600


class RoomKeyIntake(Protocol):
    """Takes the content of an `m.room_key` that has passed all checks, and returns the session ids now readable."""

    async def accept(
        self, tx: Tx, sender: str, sender_key: str, sender_ed25519: str, content: Mapping[str, Any], at: datetime
    ) -> tuple[str, ...]: ...


class ToDeviceIntake:
    """Takes to-device messages from the people of all pairs."""

    def __init__(
        self, own: OwnAccount, channel: OlmChannel, room_keys: RoomKeyIntake, key_requests: KeyRequests
    ) -> None:
        self._own = own
        self._channel = channel
        self._room_keys = room_keys
        self._key_requests = key_requests

    async def take(self, tx: Tx, event: object, at: datetime) -> ToDeviceOutcome:
        """Process one message; whatever it holds, nothing is raised but the database's own errors.

        `at` is real time (CRYPTO 33). Messages in `reply` are for the caller to queue.
        """
        sender, event_type, content = (lookup(event, name) for name in ("sender", "type", "content"))
        if not (isinstance(sender, str) and is_name(sender)):
            return _dropped("", "malformed")
        if sender == self._own.user_id:
            return _dropped(sender, "own_user")  # the bot's other devices get nothing and say nothing (CRYPTO 7)
        if sender not in await tx.devices.tracked():
            return _dropped(sender, "stranger")  # before anything is decrypted (CRYPTO 17)
        if not (
            isinstance(event_type, str) and is_name(event_type) and isinstance(content, Mapping) and _sane(content)
        ):
            return _dropped(sender, "malformed")
        if event_type == ENCRYPTED:
            return await self._encrypted(tx, sender, content, at)
        return await self._clear(tx, sender, event_type, content, at)

    async def _clear(
        self, tx: Tx, sender: str, event_type: str, content: Mapping[str, Any], at: datetime
    ) -> ToDeviceOutcome:
        """Messages that Matrix sends in clear."""
        if event_type == "m.room_key_request":
            return await self._key_requests.take(tx, sender, content, at)
        if event_type == WITHHELD:
            return await self._withheld(tx, sender, content, at)
        if event_type in _VERIFICATION_BEGINS:
            return await self._verification(tx, sender, content)
        return _dropped(sender, "verification" if event_type.startswith(_VERIFICATION) else "clear")

    async def _encrypted(self, tx: Tx, sender: str, content: Mapping[str, Any], at: datetime) -> ToDeviceOutcome:
        own = await self._own.own_device(tx)
        sender_key, ciphertext = content.get("sender_key"), content.get("ciphertext")
        if content.get("algorithm") != ALGORITHM or not (isinstance(sender_key, str) and is_public_key(sender_key)):
            return _dropped(sender, "malformed")
        if not isinstance(ciphertext, Mapping) or own.curve25519 not in ciphertext:
            return _dropped(sender, "not_for_us")
        device = await _device_of(tx, sender, sender_key)
        opened = await self._channel.decrypt(tx, device, sender_key, ciphertext[own.curve25519], at)
        if not isinstance(opened, Opened):
            if opened.wedged and device is not None:
                await note_wish(tx, device, at)
            return replace(_dropped(sender, opened.reason), wedged=opened.wedged)
        payload = read_payload(opened.plaintext, sender=sender, sender_key=sender_key, own=own, device=device)
        if isinstance(payload, Rejected):
            return _dropped(sender, f"payload_{payload.reason}")
        outcome = await self._payload(tx, sender, sender_key, payload, at)
        return replace(outcome, began=opened.began and device is not None)

    async def _payload(self, tx: Tx, sender: str, sender_key: str, payload: Payload, at: datetime) -> ToDeviceOutcome:
        if not payload.known_device:
            await _ask_for_devices(tx, sender, at)
        if payload.event_type == "m.room_key":
            # Kept also while the device list does not show the device yet: its words wait for that (CRYPTO 9).
            readable = await self._room_keys.accept(tx, sender, sender_key, payload.ed25519, payload.content, at)
            return ToDeviceOutcome(kind="room_key", sender=sender, readable=readable)
        if payload.event_type == "m.dummy":
            return ToDeviceOutcome(kind="dummy", sender=sender)
        # Forwarded keys, key bundles and secrets are never asked for, so never taken (CRYPTO 8).
        return _dropped(sender, "unwanted")

    async def _withheld(self, tx: Tx, sender: str, content: Mapping[str, Any], at: datetime) -> ToDeviceOutcome:
        """Note why somebody sent no key; who could not begin an Olm session is offered one."""
        code, sender_key = content.get("code"), content.get("sender_key")
        if code == NO_OLM and isinstance(sender_key, str):
            device = await _device_of(tx, sender, sender_key)
            if device is not None:
                await note_wish(tx, device, at)
            return ToDeviceOutcome(kind="withheld", sender=sender, reason=NO_OLM, wedged=True)
        if not await note_notice(tx, sender, content):
            return _dropped(sender, "withheld")
        return ToDeviceOutcome(kind="withheld", sender=sender, reason=str(code))

    async def _verification(self, tx: Tx, sender: str, content: Mapping[str, Any]) -> ToDeviceOutcome:
        """Cancel at once, with a sentence that says what to compare instead (CRYPTO 8)."""
        device_id, transaction_id = content.get("from_device"), content.get("transaction_id")
        if not (isinstance(device_id, str) and is_name(device_id) and is_name(transaction_id)):
            return _dropped(sender, "malformed")
        seeds = await self._own.seeds(tx)
        shown = "" if seeds is None else f": {fingerprint_groups(seeds.master.public_key)}"
        reply = reply_to(
            sender,
            device_id,
            "m.key.verification.cancel",
            {
                "transaction_id": transaction_id,
                "code": "m.user",
                "reason": f"This bot does not compare emoji; please compare its fingerprint{shown}",
            },
        )
        return ToDeviceOutcome(kind="verification", sender=sender, reply=(reply,))


async def _device_of(tx: Tx, sender: str, sender_key: str) -> Device | None:
    return sending_device((await tx.devices.devices([sender])).get(sender, ()), sender_key)


async def _ask_for_devices(tx: Tx, sender: str, at: datetime) -> None:
    """A device that no list shows: ask for the person's list again, at most hourly."""
    if await tx.facts.once(f"unknown_device:{sender}", at, every_seconds=_ASK_AGAIN_SECONDS):
        await tx.devices.mark_outdated([sender])


def _sane(content: Mapping[str, Any]) -> bool:
    try:
        check_json(content)
    except ValueError:
        return False
    return True


def _dropped(sender: str, reason: str) -> ToDeviceOutcome:
    log.info("to_device.refused", sender=sender, reason=reason)
    return ToDeviceOutcome(kind="dropped", sender=sender, reason=reason)
