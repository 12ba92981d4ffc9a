"""The composition root: everything that a running bot consists of is made here, once, and handed what it uses."""

import asyncio
import gc
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import structlog

from bot.clock import SimulatedClock, Simulation, SystemClock, parse_simulate
from bot.core.batch import SyncBatch
from bot.core.retry import next_try
from bot.core.trust import fingerprint_groups
from bot.crypto.cipher import build_cipher
from bot.crypto.own_identity import OwnIdentity
from bot.errors import ConfigurationError, LeaseLost, PackError, StoreRefused, Unreachable
from bot.flows.library import Library
from bot.flows.serve import Service
from bot.flows.speak import Voice
from bot.flows.start import check_own_keys, check_token, count_start, note_clock
from bot.instance import Instance, open_instance
from bot.matrix.homeserver import NioHomeserver
from bot.scheduler import Alarm
from bot.service import build_service
from bot.store.lease import Lease, acquire, release, renew, this_process
from bot.web.health import Health
from bot.web.metrics import Metrics
from bot.web.server import WebServer, build_app

log = structlog.get_logger()

LEASE = timedelta(seconds=30)
RENEW_EVERY = 10.0  # seconds

RunningClock = SystemClock | SimulatedClock
Result = TypeVar("Result")


class MeasuredServer(NioHomeserver):
    """Notes how long each answer of /sync took to process: the time until the next question."""

    def __init__(self, url: str, *, user_id: str, access_token: str, metrics: Metrics) -> None:
        super().__init__(url, user_id=user_id, access_token=access_token)
        self._metrics = metrics
        self._answered: float | None = None

    async def sync(self, since: str | None, *, timeout: float) -> SyncBatch:
        """Ask for news, for up to `timeout` seconds."""
        if self._answered is not None:
            self._metrics.sync_took(time.monotonic() - self._answered)
            self._answered = None
        batch = await super().sync(since, timeout=timeout)
        self._answered = time.monotonic()
        return batch


async def run(data_dir: Path, *, simulate: str | None = None) -> None:
    """Run the bot of the instance in `data_dir` until SIGTERM or SIGINT.

    Raises ConfigurationError, KeyMismatch, LeaseLost, and every error that ends a duty.
    """
    async with AsyncExitStack() as stack:
        instance = await stack.enter_async_context(open_instance(data_dir))
        simulation = _simulation(instance, simulate)
        await asyncio.to_thread(instance.vault.open_all)
        metrics = Metrics(read=_gauges(instance))
        server = await _server(instance, metrics)
        stack.push_async_callback(server.close)
        system = await instance.clock()
        lease = await acquire(instance.database, holder=this_process(), at=system.real(), ttl=LEASE)
        instance.database.lease = lease
        clock: RunningClock = system
        if simulation is not None:
            simulation = replace(simulation, began=system.now())
            clock = SimulatedClock(simulation, system=system)
        stack.push_async_callback(_give_back, instance, lease, clock)
        keeper = LeaseKeeper(instance, lease, clock, simulation)
        await keeper.note()
        alarm = Alarm(clock)
        alarm.start()
        stack.callback(alarm.stop)
        own = instance.settings.homeserver
        service = build_service(
            store=instance.database,
            cipher=build_cipher(own.user_id, own.device_id),
            homeserver=server,
            clock=clock,
            alarm=alarm,
            meter=metrics,
            voice=await _voice(instance),
        )
        health = _health(instance, clock, service, keeper)
        await _serve_pages(stack, instance, health, metrics)
        await _until_stopped(instance, server, service, keeper)


class LeaseKeeper:
    """Renews the lease and notes the time, every ten seconds."""

    def __init__(self, instance: Instance, lease: Lease, clock: RunningClock, simulation: Simulation | None) -> None:
        self._database = instance.database
        self._lease = lease
        self._clock = clock
        self._simulation = str(simulation) if simulation else None

    @property
    def held(self) -> bool:
        """Whether the lease has not run out."""
        return self._lease.expires_at > self._clock.real()

    async def note(self) -> None:
        """Note the time, and act on a clock that went back."""
        await note_clock(self._database, self._clock, behind=self._clock.behind, simulation=self._simulation)

    async def keep(self) -> None:
        """Renew until cancelled. Raises LeaseLost when another process has taken over."""
        while True:
            await asyncio.sleep(RENEW_EVERY)
            try:
                self._lease = await renew(self._database, self._lease, at=self._clock.real(), ttl=LEASE)
                await self.note()
            except StoreRefused as error:
                # Whoever takes over raises the epoch; until then there is nothing better to do than to go on.
                log.warning("lease.not_renewed", reason=str(error))


def _simulation(instance: Instance, text: str | None) -> Simulation | None:
    if text is None:
        return None
    if not instance.settings.homeserver.on_loopback:
        raise ConfigurationError("--simulate is for a homeserver on this machine: real people live in real time.")
    return parse_simulate(text)


async def _server(instance: Instance, metrics: Metrics) -> MeasuredServer:
    known = instance.settings.homeserver
    return MeasuredServer(known.url, user_id=known.user_id, access_token=await instance.access_token(), metrics=metrics)


def _gauges(instance: Instance) -> Callable[[], Awaitable[Mapping[str, float]]]:
    async def read() -> Mapping[str, float]:
        async with instance.database.transaction() as tx:
            counts = await tx.outbox.counts()
            holds = sum(room.hold is not None for room in await tx.rooms.every())
        waiting = counts.get("queued", 0) + counts.get("encrypted", 0)
        return {"outbox_depth": waiting, "outbox_parked": counts.get("parked", 0), "room_holds": holds}

    return read


async def _voice(instance: Instance) -> Voice:
    own = instance.settings.homeserver
    packs = instance.packs()
    try:
        instance.checked_packs()
    except PackError as error:  # each file is right in itself, so the bot can work while somebody mends them
        log.warning("prompts.disagree", mistakes=str(error).splitlines())
    async with instance.database.transaction() as tx:
        fingerprint = await OwnIdentity(own.user_id, own.device_id).fingerprint(tx)
    return Voice(
        packs=Library(packs, read=instance.checked_packs),
        practice=instance.settings.as_met(),
        own_user=own.user_id,
        fingerprint=fingerprint_groups(fingerprint),
    )


def _health(instance: Instance, clock: RunningClock, service: Service, keeper: LeaseKeeper) -> Health:
    async def write() -> None:
        async with instance.database.transaction() as tx:
            await tx.facts.write("probe", clock.real().isoformat())

    return Health(checks={"lease": lambda: keeper.held, "sync": lambda: service.ready}, probes={"database": write})


async def _serve_pages(stack: AsyncExitStack, instance: Instance, health: Health, metrics: Metrics) -> None:
    known = instance.settings.web
    if known.port:
        pages = WebServer(build_app(health, metrics), host=known.host, port=known.port)
        await pages.start()
        stack.push_async_callback(pages.stop)


async def _until_stopped(instance: Instance, server: NioHomeserver, service: Service, keeper: LeaseKeeper) -> None:
    """Check the start, then serve, while the lease is kept; the first of them to end ends all."""
    stop, serving = asyncio.Event(), asyncio.Event()
    async with _signals(stop):
        work = asyncio.create_task(_check_and_serve(instance, server, service, serving), name="service")
        keep = asyncio.create_task(keeper.keep(), name="lease")
        stopped = asyncio.create_task(stop.wait(), name="signal")
        try:
            await asyncio.wait([work, keep, stopped], return_when=asyncio.FIRST_COMPLETED)
            log.info("run.stopping", asked=stopped.done())
        finally:
            service.stop()
            stopped.cancel()
            if not serving.is_set():
                work.cancel()  # it waits for the homeserver
            await asyncio.wait([work])
            keep.cancel()
            await asyncio.wait([keep])
    for task in (keep, work):
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


async def _check_and_serve(instance: Instance, server: NioHomeserver, service: Service, serving: asyncio.Event) -> None:
    own, store = instance.settings.homeserver, instance.database
    identity = OwnIdentity(own.user_id, own.device_id)
    await _patiently(lambda: check_token(server, user_id=own.user_id, device_id=own.device_id))
    others = await _patiently(
        lambda: check_own_keys(store, server, identity, user_id=own.user_id, device_id=own.device_id)
    )
    if others:
        log.error("own.other_devices", devices=list(others))
    starts = await _patiently(lambda: count_start(store, server))
    log.info("run.started", user=own.user_id, device=own.device_id, starts=starts)
    serving.set()
    gc.freeze()  # what is there now stays: looking through all of it takes a tenth of a second, while everybody waits
    await service.run()


async def _patiently(act: Callable[[], Awaitable[Result]]) -> Result:
    """Try again until the homeserver is there: after a power cut it may come up later than the bot."""
    attempts = 0
    while True:
        try:
            return await act()
        except Unreachable as error:
            wait = next_try(attempts, retry_after=error.retry_after, jitter=random.random()).wait  # noqa: S311 - jitter
            attempts += 1
            log.warning("start.unreachable", reason=str(error), wait=round(wait, 1))
            await asyncio.sleep(wait)


@asynccontextmanager
async def _signals(stop: asyncio.Event) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _give_back(instance: Instance, lease: Lease, clock: RunningClock) -> None:
    try:
        await note_clock(instance.database, clock, behind=timedelta(0), simulation=None)
        await release(instance.database, lease, at=clock.real())
    except (LeaseLost, StoreRefused) as error:
        log.warning("lease.not_released", reason=str(error))
