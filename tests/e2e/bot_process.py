"""The real bot: the command line as an operator runs it, and `interlude run` as a process that can be killed."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.core.people import Intent
from bot.demo.practice import COMMAND_LINE
from bot.flows.asking import IntentKind, ask
from bot.instance import open_instance
from bot.logs import FILE

COMMAND_DEADLINE = 120.0  # seconds; a busy machine takes ten for what takes two
LINE_DEADLINE = 60.0
LINE_LIMIT = 1_000_000
COMMANDS_AT_ONCE = asyncio.Semaphore(2)

Line = Mapping[str, Any]


class BotProcess:
    """One instance and the process that drives it; start, kill and start again as often as a test likes."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.lines: list[Line] = []  # what the running process, or the last one, has logged
        self._began = self._start_took = 0.0
        self._news = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def command(self, *words: str) -> Any:
        """Run `interlude WORDS --json`, which has to succeed, and return what it prints."""
        async with COMMANDS_AT_ONCE:
            process = await self._spawn(*words, "--json", "--data-dir", str(self.data_dir))
            said, complained = await asyncio.wait_for(process.communicate(), COMMAND_DEADLINE)
        assert process.returncode == 0, f"{words[:2]}: {complained.decode()}"
        return json.loads(said)

    async def ask_for_prompt(self, pair_id: str, prompt_id: str) -> str:
        """Leave what `interlude prompts send` leaves, whether the bot runs or not; return its id."""
        async with open_instance(self.data_dir) as instance, instance.database.transaction() as tx:
            payload = {"pair_id": pair_id, "prompt_id": prompt_id}
            left: Intent = await ask(tx, IntentKind.PROMPT_SEND, payload, at=datetime.now(UTC))
        return left.intent_id

    def errors(self) -> list[str]:
        """Return what all processes of this instance have logged as errors."""
        lines = (self.data_dir / "logs" / FILE).read_text().splitlines()
        return [line for line in lines if '"level": "error"' in line]

    async def start(self, *words: str) -> None:
        """Start `interlude run WORDS`; returns at once."""
        assert self._process is None
        self.lines, self._began = [], time.monotonic()
        self._process = await self._spawn("run", *words, "--data-dir", str(self.data_dir))
        self._reader = asyncio.create_task(self._read(self._process, self.lines))

    async def started(self) -> float:
        """Wait until the bot has checked its keys and serves; return how many seconds after `start` that was."""
        if not self.logged("run.started"):
            await self.until(lambda: self.logged("run.started") or None)
            self._start_took = time.monotonic() - self._began
        return self._start_took

    def logged(self, event: str) -> list[Line]:
        """Return the running process's log lines of one kind."""
        return [line for line in self.lines if line.get("event") == event]

    async def until(self, check: Callable[[], Any], *, timeout: float = LINE_DEADLINE) -> Any:
        """Wait for the log until `check` returns something; fails when the process ends before."""
        async with asyncio.timeout(timeout):
            while (found := check()) is None:
                assert self._reader is not None
                assert not self._reader.done(), f"the bot ended by itself: {self.lines[-3:]}"
                self._news.clear()
                await self._news.wait()
        return found

    async def kill(self) -> None:
        """End the process as a crash would; it has not ended before."""
        process = self._take()
        assert process.returncode is None, f"the bot ended by itself ({process.returncode}): {self.lines[-3:]}"
        with suppress(ProcessLookupError):
            process.kill()
        await self._gone(process)

    async def terminate(self) -> tuple[int, float]:
        """Send SIGTERM; return the exit status and the seconds that passed until the process was gone."""
        assert self._process is not None
        asked = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(self._process.wait(), LINE_DEADLINE)
        took = time.monotonic() - asked
        print(f"SIGTERM: {took:.2f} s")
        await self._gone(self._take())
        return status, took

    async def ended(self) -> int:
        """Wait for the process's own end and return its exit status."""
        assert self._process is not None
        status = await asyncio.wait_for(self._process.wait(), LINE_DEADLINE)
        await self._gone(self._take())
        return status

    async def close(self) -> None:
        """End whatever runs."""
        if self._process is not None:
            process = self._take()
            with suppress(ProcessLookupError):
                process.kill()
            await self._gone(process)

    def _take(self) -> asyncio.subprocess.Process:
        process, self._process = self._process, None
        assert process is not None, "the bot was not started"
        return process

    async def _gone(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        if self._reader is not None:
            await self._reader

    async def _spawn(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            COMMAND_LINE,
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "INTERLUDE_WEB__PORT": "0"},
            limit=LINE_LIMIT,
            start_new_session=True,  # Ctrl-C is for the test run
        )

    async def _read(self, process: asyncio.subprocess.Process, lines: list[Line]) -> None:
        assert process.stderr is not None
        while raw := await process.stderr.readline():
            try:
                lines.append(json.loads(raw))
            except ValueError:  # a person's line, or the last one of a killed process
                lines.append({"event": "", "text": raw.decode(errors="replace").strip()})
            self._news.set()
        self._news.set()
