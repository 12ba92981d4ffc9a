"""`interlude` as the tests run it: in this process for speed, as a process where the exit status is the point."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from bot.cli.app import app

COMMAND_LINE = "import sys; sys.argv[0] = 'interlude'; from bot.cli import main; main()"
NO_WEB = {"INTERLUDE_WEB__PORT": "0"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a command ended, and what it said."""

    status: int
    stdout: str
    stderr: str

    @property
    def data(self) -> Any:
        """What a command with --json printed."""
        return json.loads(self.stdout)


def interlude_now(*words: str | Path, typed: str = "") -> Outcome:
    """Run a command in this thread, which has no event loop running."""
    result = CliRunner().invoke(app, [str(word) for word in words], input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Outcome(status=result.exit_code, stdout=result.stdout, stderr=result.stderr)


async def interlude(*words: str | Path, typed: str = "") -> Outcome:
    """Run a command beside the running event loop."""
    return await asyncio.to_thread(interlude_now, *words, typed=typed)


async def start(*words: str | Path, **environment: str) -> asyncio.subprocess.Process:
    """Start a command as a process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        COMMAND_LINE,
        *map(str, words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **NO_WEB, **environment},
    )


async def ended(process: asyncio.subprocess.Process, *, within: float = 30.0) -> Outcome:
    """Wait for a process's end."""
    try:
        stdout, stderr = await asyncio.wait_for(process.communicate(), within)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Outcome(status=process.returncode or 0, stdout=stdout.decode(), stderr=stderr.decode())


async def until_logged(process: asyncio.subprocess.Process, event: str, *, within: float = 30.0) -> dict[str, Any]:
    """Read a running process's log until an event, and return it."""
    assert process.stderr is not None
    async with asyncio.timeout(within):
        while line := await process.stderr.readline():
            entry: dict[str, Any] = json.loads(line) if line.startswith(b"{") else {"event": line.decode()}
            if entry["event"] == event:
                return entry
    raise AssertionError(f"the process ended without {event}")
