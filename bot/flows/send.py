"""The way out: each outbox row is encrypted once, made durable, and sent until the homeserver has acknowledged it.

One loop (`Sender.run`) goes round these steps, each transaction serving as many rooms as there are:

    acknowledge what was answered -> encrypt -> PUT, eight at a time -> share the room keys that were missing

An answer to `crisis` goes a way of its own, past every hold and past the rows before it (CRYPTO 10).
Nothing else leaves before the timeline was read up to the present, after a start and after each outage: an event whose
answer was lost may stand there, and only its echo tells (CRYPTO 30); so may one that a copy of this store sent (18).

Nothing encrypted leaves before its ratchet step is stored (CRYPTO 25), rows of one room leave in order, and a room's
key shares leave before the message that needs them (DESIGN §5).
"""

import asyncio
import random
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.core.megolm import Audience, Encrypted, Hold
from bot.core.outbox import OutboxEvent, OutboxState
from bot.core.retry import next_try
from bot.errors import LeaseLost, Refusal, StoreRefused, Unreachable
from bot.flows.crisis_unstored import UnstoredCrisis
from bot.flows.keys import KeyUpkeep
from bot.flows.places import places_of
from bot.flows.posted import posted, unsendable
from bot.ports import Cipher, Clock, Homeserver, Meter, Store, Tx

log = structlog.get_logger()

ROOMS_IN_HAND = 64  # half of them are encrypted at a time: one transaction for many, and the homeserver never waits
REQUESTS_AT_ONCE = 8  # beyond this Synapse only adds latency
ANSWERS_TOGETHER = 32  # acknowledgements in one transaction; as many rooms are in hand meanwhile
ANSWERS_WAIT = 0.5  # seconds that an acknowledgement waits for others
FEW_ROOMS = 8  # whose keys are shared by themselves
ROOMS_AHEAD = 400  # whose keys are shared before it is their turn
HELD_RECHECK = 30.0  # seconds; what ends a hold usually wakes the sender long before
URGENT_KEYS_WAIT = 5.0  # seconds that a crisis answer waits for its keys to be on their way
URGENT_RETRY = 1.0  # seconds
Claims = Mapping[str, Mapping[str, str]]
CLEAR = "m.room.redaction"  # the one event type that Matrix has no encryption for


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the homeserver said to one PUT."""

    row: OutboxEvent
    event_id: str | None = None
    refusal: Refusal | None = None
    unreachable: Unreachable | None = None


class Sender:
    """Sends the outbox."""

    def __init__(
        self,
        *,
        store: Store,
        cipher: Cipher,
        homeserver: Homeserver,
        keys: KeyUpkeep,
        clock: Clock,
        meter: Meter,
        crisis: UnstoredCrisis,
    ) -> None:
        self._store = store
        self._cipher = cipher
        self._homeserver = homeserver
        self._keys = keys
        self._clock = clock
        self._meter = meter
        self._crisis = crisis
        self._awake = asyncio.Event()
        self._in_hand: dict[str, asyncio.Task[None]] = {}  # room -> its PUT
        self._resting: dict[str, float] = {}  # room -> loop time of the next try after a failure
        self._urgent: set[str] = set()  # outbox ids of crisis answers that are being sent
        self._held: dict[str, float] = {}  # room -> loop time at which a hold is looked at again
        self._wakes = 0  # a hold that was found before the last of them is looked at again at once
        self._answers: list[Answer] = []
        self._patience: asyncio.TimerHandle | None = None  # until the answers that came are acknowledged in any case
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._up_to_date = False  # the timeline was read up to the present
        self._stopping = False

    def wake(self) -> None:
        """There may be something to send, or a hold may have ended."""
        self._held.clear()
        self._wakes += 1
        self._awake.set()

    def timeline_read(self, *, up_to_date: bool) -> None:
        """Note whether all that the homeserver has was read; without that only answers to `crisis` are sent."""
        if up_to_date and not self._up_to_date:
            self.wake()
        self._up_to_date = up_to_date

    async def run(self) -> None:
        """Send until `stop`; what is in hand then is finished and acknowledged."""
        failures = 0
        while not self._stopping or self._in_hand or self._urgent or self._answers:
            self._awake.clear()
            try:
                pause = 0.0 if await self._round() else self._next_rest()
                failures = 0
            except LeaseLost:
                raise
            except Exception as error:
                if isinstance(error, Refusal) and error.status == 401:
                    raise
                if isinstance(error, StoreRefused):
                    await self._call_for_help()
                retry_after = error.retry_after if isinstance(error, Unreachable) else None
                pause = next_try(failures, retry_after=retry_after, jitter=random.random()).wait  # noqa: S311 - jitter, no secret
                failures += 1
                log.warning("send.failed", reason=type(error).__name__, wait=round(pause, 1), exc_info=True)
            if pause:
                await self._pause(pause)

    async def _call_for_help(self) -> None:
        """Answer `crisis` all the same while the store takes no writes."""
        try:
            await self._crisis.answer_queued()
        except (StoreRefused, Unreachable) as error:
            log.warning("crisis.unanswered", reason=str(error))

    def stop(self) -> None:
        """Take nothing new in hand."""
        self._stopping = True
        self._awake.set()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._awake.wait()
        except TimeoutError:
            return

    def _next_rest(self) -> float:
        now = asyncio.get_running_loop().time()
        self._resting = {room: until for room, until in self._resting.items() if until > now}
        self._held = {room: until for room, until in self._held.items() if until > now}
        ends = (*self._resting.values(), *self._held.values())
        return min((until - now for until in ends), default=HELD_RECHECK) + 0.001

    async def _round(self) -> bool:
        """Go round once; True when something moved."""
        answers, self._answers = self._answers, []
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        try:
            async with self._store.transaction() as tx:
                await self._acknowledge(tx, answers)
                urgent = [] if self._stopping else await self._take_urgent(tx)
                rows = [] if self._stopping or not self._up_to_date else await self._take(tx)
                audiences = await self._audiences(tx, rows)
                ready = [row for row in rows if _final(row)]
                fresh = [row for row in rows if not _final(row) and row.room_id in audiences]
                ready += await self._encrypt(tx, fresh, audiences)
        except BaseException:
            self._answers = answers + self._answers  # undone with the transaction: acknowledged in the next one
            raise
        for row, claims in urgent:
            self._put(row, self._send_urgent(row, claims))
        for row in ready:
            self._put(row, self._send(row))
        done = {row.outbox_id for row in ready}
        missing = [row for row in fresh if row.outbox_id not in done]
        shared = bool(missing) and await self._share([audiences[row.room_id] for row in missing])
        return bool(urgent or shared)  # what was acknowledged and taken has been followed up, anything else wakes us

    async def _take_urgent(self, tx: Tx) -> list[tuple[OutboxEvent, Claims]]:
        """Encrypt the answers to `crisis`, each under a session of its own."""
        taken: list[tuple[OutboxEvent, Claims]] = []
        for row in await tx.outbox.urgent():
            place = (await places_of(tx, {row.room_id})).get(row.room_id)
            if row.outbox_id in self._urgent or place is None or row.addressed is None:
                continue
            claims: Claims = {}
            if row.state is OutboxState.QUEUED:
                at, audience = self._clock.real(), place.audience(row.addressed)
                result, claims = await self._cipher.crisis(tx, audience, row.addressed, row.content, at)
                row = replace(row, state=OutboxState.ENCRYPTED, ciphertext=result.content, encrypted_at=at)  # noqa: PLW2901 - the row as it is from here on
                await tx.outbox.encrypted([row])
            taken.append((row, claims))
        return taken

    async def _take(self, tx: Tx) -> list[OutboxEvent]:
        """Take the first row of each room that is free, without those whose time has passed."""
        room = ROOMS_IN_HAND - len(self._in_hand)
        if room < ROOMS_IN_HAND // 2:
            return []
        rows: list[OutboxEvent] = []
        for row in await tx.outbox.heads(room, skip_rooms=await self._busy_rooms(tx)):
            if row.state is OutboxState.QUEUED and row.not_after and row.not_after < self._clock.now():
                await unsendable(tx, row, at=self._clock.now())
                self._awake.set()
                continue
            resolved = await _resolve(tx, row)
            if resolved is not None:
                rows.append(resolved)
        return rows

    async def _busy_rooms(self, tx: Tx) -> set[str]:
        """Rooms from which nothing is to be taken now."""
        now = asyncio.get_running_loop().time()
        waits = (*self._resting.items(), *self._held.items())
        busy = set(self._in_hand) | {each for each, until in waits if until > now}
        return busy | {room_id for room_id, *_ in await tx.rooms.gaps()}  # an echo may be among what is missing

    async def _audiences(self, tx: Tx, rows: Sequence[OutboxEvent]) -> Mapping[str, Audience]:
        """Say who may read each row; rooms on hold rest."""
        places = await places_of(tx, {row.room_id for row in rows if not _final(row)})
        open_rooms = {room_id: place for room_id, place in places.items() if place.room.hold is None}
        for row in rows:
            if not _final(row) and row.room_id not in open_rooms:
                self._hold(row.room_id)
        return {
            row.room_id: open_rooms[row.room_id].audience(row.addressed) for row in rows if row.room_id in open_rooms
        }

    async def _encrypt(
        self, tx: Tx, rows: Sequence[OutboxEvent], audiences: Mapping[str, Audience]
    ) -> list[OutboxEvent]:
        """Encrypt what can be encrypted and store it; note on the others why they wait."""
        if not rows:
            return []
        at = self._clock.real()
        results = await self._cipher.encrypt(
            tx, [(audiences[row.room_id], row.event_type, row.content) for row in rows], at
        )
        waiting, ready = [], []
        for row, result in zip(rows, results, strict=True):
            match result:
                case Encrypted():
                    sealed = replace(
                        row, state=OutboxState.ENCRYPTED, ciphertext=result.content, encrypted_at=at, hold=None
                    )
                    ready.append(sealed)
                case Hold(reason=reason) if reason != row.hold:
                    waiting.append(replace(row, hold=reason))
        await tx.outbox.encrypted(ready)
        await tx.outbox.update(waiting)
        return ready

    async def _share(self, audiences: Sequence[Audience]) -> bool:
        """Bring keys to the devices that lack them; rooms that still have to wait rest for a while."""
        wakes = self._wakes
        await self._keys.refresh()
        if len(audiences) > FEW_ROOMS:  # many wait: their keys go in the same few requests
            async with self._store.transaction() as tx:
                rows = await tx.outbox.heads(ROOMS_AHEAD, skip_rooms=await self._busy_rooms(tx))
                others = await self._audiences(tx, rows)
            audiences = list(dict.fromkeys((*audiences, *others.values())))
        held = await self._keys.share(audiences)
        for hold in held:
            if wakes == self._wakes:
                self._hold(hold.room_id)
        return len(held) < len(audiences)

    def _hold(self, room_id: str) -> None:
        self._held[room_id] = asyncio.get_running_loop().time() + HELD_RECHECK

    def _put(self, row: OutboxEvent, sending: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(sending, name=f"put {row.outbox_id}")
        if row.purpose == "crisis":
            self._urgent.add(row.outbox_id)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._in_hand[row.room_id] = task

    async def _send_urgent(self, row: OutboxEvent, claims: Claims) -> None:
        """Send a crisis answer: its keys first, but not for longer than a moment."""
        try:
            async with asyncio.timeout(URGENT_KEYS_WAIT):
                if claims:
                    await self._keys.claim(claims)
                else:
                    await self._keys.send_to_device()
        except (TimeoutError, Refusal, Unreachable) as error:
            log.warning("crisis.keys_late", row=row.outbox_id, reason=type(error).__name__)
        await self._send(row)

    async def _send(self, row: OutboxEvent) -> None:
        """PUT one row and leave the homeserver's answer for the next transaction."""
        answer: Answer
        try:
            async with self._slots:
                if row.event_type == CLEAR:
                    event_id = await self._homeserver.redact(row.room_id, row.content["redacts"], row.outbox_id)
                else:
                    event_id = await self._homeserver.send(
                        row.room_id, "m.room.encrypted", row.outbox_id, row.ciphertext or {}
                    )
            answer = Answer(row=row, event_id=event_id)
        except Refusal as refusal:
            answer = Answer(row=row, refusal=refusal)
        except Unreachable as unreachable:
            answer = Answer(row=row, unreachable=unreachable)
        except Exception as error:
            log.exception("send.broken", row=row.outbox_id)
            answer = Answer(row=row, unreachable=Unreachable(type(error).__name__))
        if answer.unreachable is not None and row.purpose == "crisis":
            await asyncio.sleep(URGENT_RETRY)
        self._answers.append(answer)
        if row.purpose == "crisis":
            self._urgent.discard(row.outbox_id)
        else:
            del self._in_hand[row.room_id]
        if len(self._answers) >= ANSWERS_TOGETHER or not self._in_hand or row.purpose == "crisis":
            self._awake.set()
        elif self._patience is None:  # one transaction for several; how long they wait is not up to the slowest
            self._patience = asyncio.get_running_loop().call_later(ANSWERS_WAIT, self._awake.set)

    @property
    def busy(self) -> bool:
        """Whether so much is being sent that the homeserver has little time for anything else."""
        return len(self._in_hand) >= REQUESTS_AT_ONCE

    async def _acknowledge(self, tx: Tx, answers: Sequence[Answer]) -> None:
        sent = {answer.row.outbox_id: answer.event_id for answer in answers if answer.event_id is not None}
        await tx.outbox.sent(sent)
        await posted(tx, [answer.row for answer in answers if answer.event_id is not None], at=self._clock.now())
        self._meter.count("events_sent", len(sent))
        await tx.outbox.update([await self._unsent(tx, answer) for answer in answers if answer.event_id is None])

    async def _unsent(self, tx: Tx, answer: Answer) -> OutboxEvent:
        row = answer.row
        known = await tx.outbox.get(row.outbox_id)
        if known is not None and known.state is OutboxState.SENT:  # the answer was lost, the echo had come
            return known
        if answer.refusal is not None:
            return await self._refused(tx, row, answer.refusal)
        wait = next_try(
            row.attempts,
            retry_after=answer.unreachable.retry_after if answer.unreachable else None,
            jitter=random.random(),  # noqa: S311 - jitter, no secret
        ).wait
        self._resting[row.room_id] = asyncio.get_running_loop().time() + wait
        return replace(row, attempts=row.attempts + 1)

    async def _refused(self, tx: Tx, row: OutboxEvent, refusal: Refusal) -> OutboxEvent:
        """Park what is too large, stop without a valid token, hold the room for anything else (CRYPTO 31)."""
        log.error("send.refused", room=row.room_id, row=row.outbox_id, status=refusal.status, errcode=refusal.errcode)
        self._meter.count("failures")
        if refusal.status == 401:
            raise refusal
        if refusal.status in (403, 404) and row.event_type != CLEAR:
            await tx.rooms.hold(row.room_id, f"refused:{refusal.status}")
            return replace(row, attempts=row.attempts + 1, hold=f"refused:{refusal.status}")
        return replace(row, state=OutboxState.PARKED, hold=f"refused:{refusal.status}")


def _final(row: OutboxEvent) -> bool:
    """Say whether what goes over the wire is fixed already."""
    return row.state is OutboxState.ENCRYPTED or row.event_type == CLEAR


async def _resolve(tx: Tx, row: OutboxEvent) -> OutboxEvent | None:
    """Fill in the event id of the earlier event that this row edits, ends, answers or redacts."""
    if row.relates_row is None or row.state is not OutboxState.QUEUED:
        return row
    target = await tx.outbox.get(row.relates_row)
    if target is None or target.event_id is None:  # what it refers to was never sent: nothing to edit or end
        await tx.outbox.update([replace(row, state=OutboxState.DROPPED)])
        return None
    if row.rel_type == "redacts":
        return replace(row, content={**row.content, "redacts": target.event_id})
    if row.rel_type == "m.in_reply_to":
        return replace(row, content={**row.content, "m.relates_to": {"m.in_reply_to": {"event_id": target.event_id}}})
    relation = {"rel_type": row.rel_type, "event_id": target.event_id}
    return replace(row, content={**row.content, "m.relates_to": relation})
