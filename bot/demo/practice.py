"""The example practice's bot: its command line, run as an operator runs it, and the running bot as a process."""

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bot.demo.homeserver import free_port
from bot.errors import HomeserverError

COMMAND_LINE = "import sys; sys.argv[0] = 'interlude'; from bot.cli import main; main()"
# The bot ends with the demo, however that one ended: its standard input is our lifeline.
RUNNING = f"""
import os, signal, threading
def lifeline():
    os.read(0, 1)  # nobody ever writes; sys.stdin would be locked when the interpreter ends
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=lifeline, daemon=True).start()
{COMMAND_LINE}
"""
COMMAND_DEADLINE_S = 90.0
READY_DEADLINE_S = 60.0
STOP_DEADLINE_S = 8.0
WEB_PORT = "INTERLUDE_WEB__PORT"  # a free one, so that a demo beside a real bot disturbs nobody


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How the demo's time runs: from `start`, which was at most `began` seconds ago, `speed` times as fast."""

    start: datetime
    speed: int
    began: float = field(default_factory=time.monotonic)

    @property
    def option(self) -> str:
        """The value of `interlude run --simulate`."""
        return f"{self.start.isoformat()}@{self.speed}"

    def latest(self) -> datetime:
        """Return the latest instant that the bot's clock can show now; it began a little after us."""
        return self.start + timedelta(seconds=(time.monotonic() - self.began) * self.speed)


class DemoBot:
    """One bot, driven through `interlude` as a person would."""

    def __init__(self, data_dir: Path, *, output: Path) -> None:
        self.data_dir = data_dir
        self.output = output
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._started = asyncio.Event()
        self._pace: Pace | None = None

    @property
    def pace(self) -> Pace:
        """How its time runs, or ran until it stopped."""
        if self._pace is None:
            raise HomeserverError("the bot was never started")
        return self._pace

    async def command(self, *words: str) -> Any:
        """Run `interlude WORDS` and return the JSON that it prints, or its text.

        Raises HomeserverError with what it says when it fails or takes longer than a minute and a half.
        """
        arguments = [*words, "--data-dir", str(self.data_dir)]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            COMMAND_LINE,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment(),
            start_new_session=True,  # Ctrl-C is for the demo
        )
        try:
            said, complained = await asyncio.wait_for(process.communicate(), COMMAND_DEADLINE_S)
        except TimeoutError:
            raise HomeserverError(f"`interlude {' '.join(words[:2])}` did not end in time") from None
        finally:
            await _end_at_once(process)
        if process.returncode:
            reason = complained.decode(errors="replace").strip() or f"status {process.returncode}"
            raise HomeserverError(f"`interlude {' '.join(words[:2])}` failed: {reason}")
        return _read(said.decode())

    async def start(self, pace: Pace) -> None:
        """Start `interlude run` and return once it is ready.

        Raises HomeserverError when it ends instead, or is not ready within a minute.
        """
        arguments = ["run", "--data-dir", str(self.data_dir), "--simulate", pace.option]
        self._pace = pace
        with self.output.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                RUNNING,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=self._environment(),
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the bot itself
            )
        self._started.set()
        deadline = time.monotonic() + READY_DEADLINE_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while not await self._ready(session):
                if self._process.returncode is not None:
                    raise HomeserverError(f"the bot ended with status {self._process.returncode}: {self._last_words()}")
                if time.monotonic() > deadline:
                    raise HomeserverError(f"the bot was not ready within {READY_DEADLINE_S:.0f} s")
                await asyncio.sleep(0.1)

    async def change_speed(self, speed: int) -> None:
        """Restart it: its time goes on from where it stopped, `speed` times as fast. Raises as `start` does."""
        await self.stop()
        await self.start(Pace(start=self.pace.latest(), speed=speed))

    async def ended(self) -> int:
        """Wait until it ends without having been asked to, and return its exit status."""
        while True:
            await self._started.wait()
            process = self._process
            if process is not None:
                status = await process.wait()
                if process is self._process:
                    return status

    async def stop(self) -> None:
        """End the bot in good order (SIGTERM), by force after eight seconds."""
        process, self._process = self._process, None
        self._started.clear()
        if process is None:
            return
        try:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_DEADLINE_S)
        finally:
            await _end_at_once(process)

    async def _ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{self._port}/health/ready") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _environment(self) -> dict[str, str]:
        return {**os.environ, WEB_PORT: str(self._port)}

    def _last_words(self) -> str:
        lines = self.output.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"


async def _end_at_once(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _read(said: str) -> Any:
    try:
        return json.loads(said)
    except ValueError:
        return said
