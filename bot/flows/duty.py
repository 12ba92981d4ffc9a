"""A thing that has to be done again and again: when it is woken, when its time comes, and after a failure."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from bot.core.retry import next_try
from bot.errors import KeyMismatch, LeaseLost, Refusal, Unreachable

log = structlog.get_logger()


class Duty:
    """One duty, run as one task; it ends only with `stop`, a lost lease or a token that is no longer valid."""

    def __init__(self, name: str, act: Callable[[], Awaitable[object]], *, every: float) -> None:
        self.name = name
        self._act = act
        self._every = every  # seconds without being woken
        self._awake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Do it now, or again when it is being done."""
        self._awake.set()

    def stop(self) -> None:
        """End after what is in hand."""
        self._stopping = True
        self._awake.set()

    async def run(self) -> None:
        """Do it until `stop`."""
        failures = 0
        while not self._stopping:
            self._awake.clear()
            wait = self._every
            try:
                await self._act()
                failures = 0
            except Unreachable as error:
                wait = self._wait(failures, error.retry_after)
                failures += 1
                log.warning("duty.unreachable", duty=self.name, reason=str(error), wait=round(wait, 1))
            except (LeaseLost, KeyMismatch):
                raise
            except Exception as error:
                if isinstance(error, Refusal) and error.status == 401:
                    raise
                wait = self._wait(failures, None)
                failures += 1
                log.exception("duty.failed", duty=self.name, wait=round(wait, 1))
            await self._rest(wait)

    def _wait(self, failures: int, retry_after: float | None) -> float:
        return next_try(failures, retry_after=retry_after, jitter=random.random()).wait  # noqa: S311 - jitter, no secret

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._awake.wait()
        except TimeoutError:
            return
