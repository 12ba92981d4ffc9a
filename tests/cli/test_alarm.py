"""The alarm clock: it rings at the instant, for the past too, and for the newest setting only."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from bot.clock import SimulatedClock, Simulation, SystemClock
from bot.scheduler import Alarm

MOMENT = timedelta(milliseconds=100)
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest_asyncio.fixture
async def alarm() -> AsyncIterator[Alarm]:
    """An alarm on the machine's clock."""
    made = Alarm(SystemClock())
    made.start()
    yield made
    made.stop()


async def rings(alarm: Alarm, *, within: float) -> bool:
    """Whether it rings."""
    try:
        async with asyncio.timeout(within):
            await alarm.wait()
    except TimeoutError:
        return False
    return True


async def test_it_rings_at_the_instant_and_not_before(alarm: Alarm) -> None:
    """Whoever waits is woken once the instant has come."""
    due = datetime.now(UTC) + 3 * MOMENT
    alarm.set(due)
    assert await rings(alarm, within=5)
    assert datetime.now(UTC) >= due
    assert not await rings(alarm, within=0.2)


async def test_an_instant_in_the_past_rings_at_once(alarm: Alarm) -> None:
    """A wake is never missed because it was set too late."""
    alarm.set(datetime.now(UTC) - timedelta(days=1))
    assert await rings(alarm, within=0.05)


async def test_a_ring_before_the_wait_counts(alarm: Alarm) -> None:
    """Nobody has to be waiting when it rings."""
    alarm.set(datetime.now(UTC) + MOMENT)
    await asyncio.sleep(0.4)
    assert await rings(alarm, within=0.05)


async def test_a_new_instant_replaces_the_old_one(alarm: Alarm) -> None:
    """Only the newest setting rings; None rings never."""
    alarm.set(datetime.now(UTC) + MOMENT)
    alarm.set(datetime.now(UTC) + timedelta(hours=1))
    assert not await rings(alarm, within=0.3)
    alarm.set(datetime.now(UTC) + MOMENT)
    alarm.set(None)
    assert not await rings(alarm, within=0.3)


async def test_it_may_be_set_before_it_starts() -> None:
    """What was set before the start rings after it."""
    alarm = Alarm(SystemClock())
    alarm.set(datetime.now(UTC) + MOMENT)
    alarm.start()
    try:
        assert await rings(alarm, within=5)
    finally:
        alarm.stop()


async def test_it_follows_a_simulated_clock() -> None:
    """An hour of simulated time rings after a moment of real time."""
    clock = SimulatedClock(Simulation(start=START, speed=36_000), system=SystemClock())
    alarm = Alarm(clock)
    alarm.start()
    try:
        due = START + timedelta(hours=1)
        alarm.set(due)
        assert await rings(alarm, within=5)
        assert clock.now() >= due
    finally:
        alarm.stop()


async def test_a_clock_that_was_set_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The alarm looks at its clock again and again, so that a leap forward rings soon."""
    monkeypatch.setattr("bot.scheduler.LONGEST_NAP", MOMENT)
    leap = timedelta(0)
    alarm = Alarm(SystemClock(machine=lambda: datetime.now(UTC) + leap))
    alarm.start()
    try:
        alarm.set(datetime.now(UTC) + timedelta(hours=1))
        leap = timedelta(hours=2)
        assert await rings(alarm, within=5)
    finally:
        alarm.stop()
