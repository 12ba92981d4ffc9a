"""The alarm clock: APScheduler wakes the bot at the next due instant, and decides nothing (DESIGN 8)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

LONGEST_NAP = timedelta(seconds=60)  # a machine that slept, or whose clock was set, is noticed after this
_JOB = "alarm"


class WakingClock(Protocol):
    """A clock that knows how much real time passes until its `now` reaches an instant."""

    def until(self, at: datetime) -> timedelta: ...


class Alarm:
    """Wakes whoever waits, at one instant of its clock; a new instant replaces the one before."""

    def __init__(self, clock: WakingClock) -> None:
        self._clock = clock
        self._at: datetime | None = None
        self._rung = asyncio.Event()
        self._scheduler: Any = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        """Begin to watch the clock; to be called in the running event loop."""
        self._scheduler.start()
        self._arm()

    def stop(self) -> None:
        """Wake nobody any more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def set(self, at: datetime | None) -> None:
        """Ring at this instant, at once when it has passed, not at all for None."""
        self._at = at
        self._arm()

    def ring(self) -> None:
        """Wake whoever waits now: something has changed that may be due."""
        self._rung.set()

    async def wait(self) -> None:
        """Return at the next ring; one that came before the call counts."""
        await self._rung.wait()
        self._rung.clear()

    def _arm(self) -> None:
        if self._at is None:
            if self._scheduler.get_job(_JOB):
                self._scheduler.remove_job(_JOB)
            return
        remaining = self._clock.until(self._at)
        if remaining <= timedelta(0):
            self._at = None
            self._rung.set()
            return
        if not self._scheduler.running:
            return
        # The trigger counts in the machine's time, whatever `self._clock` shows.
        wake = datetime.now(UTC) + min(remaining, LONGEST_NAP)
        self._scheduler.add_job(
            self._look, DateTrigger(wake), id=_JOB, replace_existing=True, misfire_grace_time=None, coalesce=True
        )

    async def _look(self) -> None:
        self._arm()
