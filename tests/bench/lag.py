"""How long the event loop was blocked."""

import asyncio
import time
from dataclasses import dataclass
from typing import Self

TICK = 0.01  # seconds


@dataclass
class Lag:
    """Looks at the clock every ten milliseconds; what it comes late by, somebody else has held the loop for."""

    worst: float = 0.0  # seconds by the clock: on a busy machine it includes what other processes took
    busiest: float = 0.0  # seconds of CPU that the loop's thread used between two looks
    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        while True:
            began, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            self.worst = max(self.worst, time.perf_counter() - began - TICK)
            self.busiest = max(self.busiest, time.thread_time() - cpu)
