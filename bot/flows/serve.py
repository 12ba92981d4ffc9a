"""The running bot: one task per duty, and what wakes which.

sync -> (commit) -> sender, keys, gaps, schedules
keys learnt -> sender        schedule due -> sender        request of the operator -> sender
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from bot.core.batch import SyncBatch
from bot.errors import StoreRefused, Unreachable
from bot.flows.consequences import Consequences
from bot.flows.crisis_unstored import UnstoredCrisis
from bot.flows.deliver import Deliverer
from bot.flows.duty import Duty
from bot.flows.gap import GapFiller
from bot.flows.intents import Intents
from bot.flows.journal import Journal
from bot.flows.keys import KeyUpkeep
from bot.flows.receive import Receiver
from bot.flows.send import Sender
from bot.flows.sitting import Sittings
from bot.flows.timetable import Timetable
from bot.flows.watch import Watch
from bot.ports import Alarm, Clock, Homeserver, Store

log = structlog.get_logger()

LONG_POLL = 30.0  # seconds
ECHOES_TOGETHER = 0.25  # seconds
LOOK_FOR_REQUESTS = 1.0
LOOK_FOR_SCHEDULES = 5.0  # the command line may have added one
LOOK_AHEAD = 45.0
KEYS_AHEAD = timedelta(minutes=2)
READY_WITHIN = timedelta(seconds=90)
STORE_RETRY = 1.0  # seconds
FINISH_WITHIN = 2.5  # seconds; with the end of the process itself SIGTERM takes less than five
CANCEL_WITHIN = 0.5


class Service:
    """Runs the duties together; when one of them ends with an error, all end."""

    def __init__(  # noqa: PLR0913 - everything that runs is named once
        self,
        *,
        store: Store,
        homeserver: Homeserver,
        clock: Clock,
        alarm: Alarm,
        receiver: Receiver,
        sender: Sender,
        keys: KeyUpkeep,
        gaps: GapFiller,
        deliverer: Deliverer,
        timetable: Timetable,
        sittings: Sittings,
        journal: Journal,
        intents: Intents,
        watch: Watch,
        crisis: UnstoredCrisis,
    ) -> None:
        self._store = store
        self._homeserver = homeserver
        self._clock = clock
        self._alarm = alarm
        self._receiver = receiver
        self._sender = sender
        self._keys = keys
        self._gaps = gaps
        self._deliverer = deliverer
        self._timetable = timetable
        self._conversations = sittings
        self._journal = journal
        self._intents = intents
        self._watch = watch
        self._crisis = crisis
        self._stopped = asyncio.Event()
        self._last_sync: datetime | None = None
        self._since: str | None = None
        self._upload_due = False
        self._up_to_date = False
        self._sync = Duty("sync", self._sync_once, every=0.0)
        self._key_duty = Duty("keys", self._keep_keys, every=60.0)
        self._gap_duty = Duty("gaps", self._fill_gaps, every=60.0)
        self._backup = Duty("backup", self._keys.back_up, every=30.0)
        self._requests = Duty("requests", self._carry_out, every=LOOK_FOR_REQUESTS)
        self._watching = Duty("watch", self._watch_over, every=30.0)
        self._schedule = Duty("schedules", self._deliver, every=LOOK_FOR_SCHEDULES)
        self._sittings = Duty("sittings", self._lead_sittings, every=60.0)
        self._ahead = Duty("keys ahead", self._share_ahead, every=LOOK_AHEAD)
        self._rings: dict[str, datetime | None] = {}

    @property
    def ready(self) -> bool:
        """Whether the homeserver answered a /sync within the last 90 seconds and its batch was stored."""
        return self._last_sync is not None and self._clock.real() - self._last_sync < READY_WITHIN

    async def run(self) -> None:
        """Run until `stop`, or until a duty ends with an error, which is raised."""
        async with self._store.transaction() as tx:
            self._since = await tx.facts.read("since")
            if self._since is None:  # nothing tells what changed before (CRYPTO 21)
                await tx.devices.mark_outdated(await tx.devices.tracked())
        await self._receiver.retry_failed()
        sender = asyncio.create_task(self._sender.run(), name="sender")
        duties = [asyncio.create_task(duty.run(), name=duty.name) for duty in self._duties()]
        waker = asyncio.create_task(self._wake_on_alarm(), name="alarm")
        stop = asyncio.create_task(self._stopped.wait(), name="stop")
        try:
            await asyncio.wait([sender, waker, stop, *duties], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end(sender, [waker, stop], duties)
        _raise_first([sender, *duties])

    def stop(self) -> None:
        """Finish what is in hand and end."""
        self._stopped.set()

    def _duties(self) -> Sequence[Duty]:
        return (
            self._sync,
            self._key_duty,
            self._gap_duty,
            self._backup,
            self._requests,
            self._watching,
            self._schedule,
            self._sittings,
            self._ahead,
        )

    async def _end(
        self, sender: asyncio.Task[None], others: list[asyncio.Task[object]], duties: list[asyncio.Task[None]]
    ) -> None:
        """Let transactions and requests in hand finish; a long poll is simply dropped."""
        for duty in self._duties():
            duty.stop()
        self._sender.stop()
        for task in [*others, duties[0]]:
            task.cancel()
        _, late = await asyncio.wait([sender, *others, *duties], timeout=FINISH_WITHIN)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=CANCEL_WITHIN)

    async def _sync_once(self) -> None:
        """Ask only with a committed token, and only after that commit (CRYPTO 25)."""
        try:
            batch = await self._homeserver.sync(self._since, timeout=LONG_POLL if self._up_to_date else 0.0)
        except Unreachable:
            self._timeline_read(up_to_date=False)
            raise
        try:
            todo = await asyncio.shield(self._apply(batch))
        except StoreRefused as error:
            self._timeline_read(up_to_date=False)
            log.warning("sync.not_stored", reason=str(error))
            await self._crisis.answer(batch)
            await asyncio.sleep(STORE_RETRY)  # often, for somebody may call for help
            return
        if todo.lists_changed:  # before anything is encrypted for what may be an old list
            with suppress(Unreachable):
                await self._keys.refresh()
        self._timeline_read(up_to_date=True)
        self._follow_up(todo)
        if any(room.limited for room in batch.rooms):
            self._gap_duty.wake()
        if self._sender.busy:  # each echo would be an answer of its own, and the homeserver would send fewer messages
            await asyncio.sleep(ECHOES_TOGETHER)

    def _follow_up(self, todo: Consequences) -> None:
        """Wake whoever has something to do now that a batch is committed."""
        if todo.upload_keys:
            self._upload_due = True
        self._keys.owe(todo.began)
        if todo.about_keys:
            self._key_duty.wake()
        if todo.beyond_echoes:
            self._sender.wake()
        if todo.disturbed:
            self._watching.wake()
        if todo.said or todo.disturbed:
            self._sittings.wake()

    def _timeline_read(self, *, up_to_date: bool) -> None:
        self._up_to_date = up_to_date
        self._sender.timeline_read(up_to_date=up_to_date)

    async def _apply(self, batch: SyncBatch) -> Consequences:
        todo = await self._receiver.apply(batch)
        self._since = batch.next_batch
        self._last_sync = self._clock.real()
        return todo

    async def _keep_keys(self) -> None:
        while await self._keys.refresh():
            self._sender.wake()
        if self._upload_due:
            self._upload_due = False
            try:
                await self._keys.upload()
            except Unreachable:
                self._upload_due = True
                raise
        await self._keys.catch_up()
        await self._keys.send_to_device()
        self._backup.wake()

    async def _fill_gaps(self) -> None:
        if await self._gaps.fill():
            self._sittings.wake()
            self._sender.wake()

    async def _carry_out(self) -> None:
        if await self._intents.carry_out():
            self._schedule.wake()
            self._key_duty.wake()
            self._sender.wake()

    async def _watch_over(self) -> None:
        if await self._watch.look():
            self._sender.wake()

    async def _deliver(self) -> None:
        """Post what is due, and set the alarm for the next instant."""
        reached = await self._timetable.look(at=self._clock.now())
        if reached.next_due != self._rings.get("prompt"):
            self._ring("prompt", reached.next_due)
        if reached.posted:
            self._sittings.wake()
            self._sender.wake()

    async def _share_ahead(self) -> None:
        """Share the keys of the rooms whose prompts are due soon, so that the due minute is for sending (CRYPTO 23)."""
        at = self._clock.now()
        async with self._store.transaction() as tx:
            audiences = await self._deliverer.rooms_due(tx, after=at, until=at + KEYS_AHEAD)
        if audiences:
            await self._keys.refresh()
            await self._keys.share(audiences)

    async def _lead_sittings(self) -> None:
        """Ask what follows a row of words, end sittings and polls in time, and journals in which nobody writes."""
        at = self._clock.now()
        async with self._store.transaction() as tx:
            sitting = await self._conversations.due(tx, at=at)
            silent = await self._journal.close_silent(tx, at=at)
        self._ring("sitting", min((each for each in (sitting, silent) if each), default=None))
        self._sender.wake()

    def _ring(self, what: str, at: datetime | None) -> None:
        self._rings[what] = at
        self._alarm.set(min((each for each in self._rings.values() if each), default=None))

    async def _wake_on_alarm(self) -> None:
        while True:
            await self._alarm.wait()
            self._schedule.wake()
            self._sittings.wake()


def _raise_first(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error
