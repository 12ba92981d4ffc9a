"""Device lists, one-time keys, room keys and their backup: what is asked of the homeserver, and when."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import structlog

from bot.core.megolm import Audience, Hold
from bot.core.olm import ToDeviceMessage, TrustNews
from bot.errors import KeyMismatch, Refusal, Unreachable
from bot.flows.places import places_of
from bot.ports import Cipher, Clock, Homeserver, Meter, Store, Tx

log = structlog.get_logger()

TO_DEVICE_AT_A_TIME = 400
REQUESTS_AT_ONCE = 8
ROOMS_TOGETHER = 40  # making their Olm sessions holds the event loop up: 80 devices take 30 ms
BACKUP_AT_A_TIME = 100

Hear = Callable[[Tx, Sequence[TrustNews]], Any]  # an async flow that tells people


class KeyUpkeep:
    """Keeps the keys that are needed to read and to be read."""

    def __init__(
        self, *, store: Store, cipher: Cipher, homeserver: Homeserver, clock: Clock, meter: Meter, hear: Hear
    ) -> None:
        self._store = store
        self._cipher = cipher
        self._homeserver = homeserver
        self._clock = clock
        self._meter = meter
        self._hear = hear
        self._querying = asyncio.Lock()  # one /keys/query in flight (CRYPTO 21)
        self._sharing = asyncio.Lock()
        self._owed: set[str] = set()  # people with devices that may lack keys since the last time that they were shared

    async def refresh(self) -> bool:
        """Ask for every device list that is out of date; True when something was learnt."""
        async with self._querying:
            async with self._store.transaction() as tx:
                question = await self._cipher.key_question(tx)
            if question is None:
                return False
            answer = await self._homeserver.query_keys(tuple(question.marks))
            async with self._store.transaction() as tx:
                news = await self._cipher.key_answer(tx, question, answer, self._clock.real())
                await self._hear(tx, news)
            self._owed |= {each.user_id for each in news if each.kind in ("newly_signed", "pinned")}
            return True

    async def upload(self) -> None:
        """Publish new one-time keys; a batch whose answer was lost is never sent again (CRYPTO 18)."""
        async with self._store.transaction() as tx:
            body = await self._cipher.key_upload(tx, self._clock.real())
        if body is not None:
            try:
                answer = await self._homeserver.upload_keys(body)
            except Refusal as refusal:
                if refusal.status == 400 and "already exists" in str(refusal):
                    raise KeyMismatch(
                        "The homeserver holds other one-time keys under the same names: this database is an old copy, "
                        "or a copy of it runs elsewhere (CRYPTO 18). Stop the other one, or bring back the newest one."
                    ) from None
                raise
            log.info("keys.uploaded", counts=answer.get("one_time_key_counts"))

    async def share(self, audiences: Sequence[Audience]) -> tuple[Hold, ...]:
        """Give the rooms' keys to every device that lacks them, and return the rooms that have to wait."""
        held: list[Hold] = []
        for start in range(0, max(len(audiences), 1), ROOMS_TOGETHER):
            held += await self._share(audiences[start : start + ROOMS_TOGETHER])
        return tuple(held)

    async def _share(self, audiences: Sequence[Audience]) -> tuple[Hold, ...]:
        async with self._sharing:
            async with self._store.transaction() as tx:
                plan = await self._cipher.share(tx, audiences, self._clock.real())
            if plan.claims:
                await self._claim(plan.claims)
                async with self._store.transaction() as tx:
                    plan = await self._cipher.share(tx, audiences, self._clock.real())
            await self.send_to_device()
            return plan.held

    def owe(self, people: Iterable[str]) -> None:
        """Note whose devices may lack keys that they were given, for the next `catch_up`."""
        self._owed.update(people)

    async def catch_up(self) -> None:
        """Give the running keys to devices that lack them, and replace wedged Olm sessions.

        They were signed or confirmed since, or began a new Olm session, as a phone with an old backup does: what was
        said before the next message of the bot is readable then, too (CRYPTO 4, 17).
        """
        owed, self._owed = self._owed, set()
        try:
            await self.share(await self._running(owed) if owed else ())
        except BaseException:
            self._owed |= owed
            raise

    async def _running(self, people: set[str]) -> list[Audience]:
        """The rooms of these people in which a key is in use."""
        async with self._store.transaction() as tx:
            pairs = [pair for user in sorted(people) for pair in await tx.pairs.of_person(user)]
            rooms = {room for pair in pairs for room in (pair.room_id, pair.console_id) if room is not None}
            places = await places_of(tx, await tx.megolm.outbound(rooms))
        return [place.audience(None) for place in places.values() if place.room.hold is None]

    async def claim(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        """Make Olm sessions with these devices and send what waited for them."""
        async with self._sharing:
            await self._claim(wanted)
            await self.send_to_device()

    async def _claim(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        answer = await self._homeserver.claim_keys(wanted)
        async with self._store.transaction() as tx:
            await self._cipher.claimed(tx, wanted, answer, self._clock.real())

    async def send_to_device(self) -> None:
        """Send the to-device outbox: as few requests as one content per device and request allows."""
        while True:
            async with self._store.transaction() as tx:
                unsent = await tx.olm.unsent(TO_DEVICE_AT_A_TIME)
                waves = _waves(unsent)
                for wave, messages in waves.items():
                    fresh = [message.message_id for message in messages if message.wave is None]
                    if fresh:
                        await tx.olm.put_in_wave(wave, fresh)
            if not waves:
                return
            slots = asyncio.Semaphore(REQUESTS_AT_ONCE)
            results = await asyncio.gather(
                *(self._send_wave(slots, wave, messages) for wave, messages in waves.items()), return_exceptions=True
            )
            delivered = [each for result in results if isinstance(result, list) for each in result]
            if delivered:
                async with self._store.transaction() as tx:
                    await tx.olm.acknowledge(delivered)
            for result in results:
                if isinstance(result, BaseException):
                    raise result

    async def _send_wave(self, slots: asyncio.Semaphore, wave: str, messages: Sequence[ToDeviceMessage]) -> list[str]:
        body: dict[str, dict[str, Any]] = {}
        for message in messages:
            body.setdefault(message.user_id, {})[message.device_id] = dict(message.content)
        async with slots:
            try:
                await self._homeserver.send_to_device(messages[0].event_type, wave, body)
            except Refusal as refusal:
                # The same content will be refused for ever: its devices are given the key again when they ask.
                log.warning("to_device.refused", wave=wave, status=refusal.status, errcode=refusal.errcode)
                self._meter.count("failures")
        return [message.message_id for message in messages]

    async def back_up(self) -> None:
        """Send room keys to the account's server-side backup (CRYPTO 24)."""
        while True:
            async with self._store.transaction() as tx:
                version = await tx.facts.read("backup_version")
                batch = await self._cipher.backup_batch(tx, BACKUP_AT_A_TIME) if version else None
            if version is None or batch is None:
                return
            body, session_ids = batch
            try:
                await self._homeserver.put_backup(version, body)
            except (Refusal, Unreachable) as error:
                log.warning("backup.failed", reason=str(error))
                return
            async with self._store.transaction() as tx:
                await tx.megolm.mark_backed_up(session_ids)


def _waves(unsent: Sequence[ToDeviceMessage]) -> dict[str, list[ToDeviceMessage]]:
    """Group messages into requests: one event type and at most one content per device in each.

    Messages that were put in a wave before a crash keep it, so that the homeserver can tell a repetition.
    """
    waves: dict[str, list[ToDeviceMessage]] = {}
    for message in unsent:
        if message.wave is not None:
            waves.setdefault(message.wave, []).append(message)
    fresh = sorted((each for each in unsent if each.wave is None), key=lambda each: each.event_type)
    for _, same_type in groupby(fresh, key=lambda each: each.event_type):
        layers: list[dict[tuple[str, str], ToDeviceMessage]] = []
        depth: dict[tuple[str, str], int] = {}
        for message in same_type:
            device = (message.user_id, message.device_id)
            layer = depth.get(device, 0)
            depth[device] = layer + 1
            if layer == len(layers):
                layers.append({})
            layers[layer][device] = message
        waves |= {secrets.token_hex(12): list(layer.values()) for layer in layers}
    return waves
