"""Synapse on this machine, from the package index, with its data below one directory."""

import asyncio
import hashlib
import hmac
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from string import Template
from typing import Any

import aiohttp
import structlog

from bot.errors import HomeserverError
from bot.resource import resource

log = structlog.get_logger()

START_DEADLINE_S = 90.0
STOP_DEADLINE_S = 20.0
LOG_LINES_IN_ERROR = 15
# Synapse ends with the process that started it, however that one ended: its standard input is our lifeline.
SYNAPSE = """
import os, runpy, signal, sys, threading
def lifeline():
    os.read(0, 1)  # not through sys.stdin: a thread that holds its lock makes the interpreter abort at its end
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=lifeline, daemon=True).start()
runpy.run_module("synapse.app.homeserver", run_name="__main__", alter_sys=True)
"""


class LocalHomeserver:
    """A Synapse process on loopback; what it keeps survives stop, kill and restart."""

    def __init__(self) -> None:
        self.server_name = ""
        self.url = ""
        self._directory = Path()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def registration_secret_file(self) -> Path:
        """The file with the shared secret that creates accounts."""
        return self._directory / "registration_secret"

    @property
    def log_file(self) -> Path:
        """Everything that Synapse writes to its output."""
        return self._directory / "synapse.log"

    async def start(self, directory: Path, *, server_name: str = "localhost", port: int | None = None) -> None:
        """Start on the data in `directory`, making it first if need be, and return once Synapse answers.

        A free port is taken when `port` is None; port and server name of the first start are kept for later ones.
        Raises HomeserverError with the end of the log when Synapse does not come up.
        """
        self._directory = Path(os.path.abspath(directory))  # noqa: ASYNC240 - no file is touched
        place = _remembered(self._directory, server_name, port)
        self.server_name = str(place["server_name"])
        self.url = f"http://localhost:{place['port']}"
        _write_secrets(self._directory)
        _write_configuration(self._directory, self.server_name, self.url, int(place["port"]))
        await self._launch()

    async def stop(self) -> None:
        """End Synapse in good order (SIGTERM), by force after 20 seconds."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            log.warning("homeserver.killed", reason="did not stop in time")
        finally:
            _end_at_once(process)

    async def kill(self) -> None:
        """End Synapse as a power cut would (SIGKILL)."""
        process, self._process = self._process, None
        if process is not None:
            _end_at_once(process)

    async def restart(self) -> None:
        """Stop if running, then start again on the same data and port."""
        await self.stop()
        await self._launch()

    async def register(self, user: str, password: str, *, admin: bool = False) -> str:
        """Create the account `user` (a localpart) and return its Matrix id.

        Raises HomeserverError when the homeserver refuses, for example because the name is taken.
        Source: Synapse admin API, shared-secret registration.
        """
        path = "/_synapse/admin/v1/register"
        nonce = (await self.request("GET", path))["nonce"]
        fields = (nonce, user, password, "admin" if admin else "notadmin")
        mac = hmac.new(self.registration_secret_file.read_bytes().strip(), "\0".join(fields).encode(), hashlib.sha1)
        body = {"nonce": nonce, "username": user, "password": password, "admin": admin, "mac": mac.hexdigest()}
        return str((await self.request("POST", path, body=body))["user_id"])

    async def admin_token(self) -> str:
        """Return an access token of a server administrator, whose account is made at the first call."""
        kept = self._directory / "admin_password"
        if not kept.exists():
            password = secrets.token_urlsafe(24)
            await self.register("server-admin", password, admin=True)
            _write_private(kept, password)
        login = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": "server-admin"},
            "password": kept.read_text(),
        }
        return str((await self.request("POST", "/_matrix/client/v3/login", body=login))["access_token"])

    async def request(
        self, method: str, path: str, *, body: dict[str, Any] | None = None, token: str | None = None
    ) -> dict[str, Any]:
        """Make one API request and return the answer's JSON object; HomeserverError on any status but 200."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, json=body, headers=headers) as response,
        ):
            answer: dict[str, Any] = await response.json(content_type=None)
            if response.status != 200:
                message = f"{method} {path}: {response.status} {answer.get('errcode')} {answer.get('error')}"
                raise HomeserverError(message)
            return answer

    async def _launch(self) -> None:
        if await _healthy_now(self.url):
            raise HomeserverError(f"something answers at {self.url} already: is another run using {self._directory}?")
        arguments = [
            "-c",
            str(self._directory / "homeserver.yaml"),
            "-c",
            str(resource("synapse-config") / "local.yaml"),
        ]
        with self.log_file.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own interpreter; starting takes a millisecond
                [sys.executable, "-c", SYNAPSE, *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self._directory,
                start_new_session=True,  # Ctrl-C in the terminal is for the demo, which then stops Synapse itself
            )
        try:
            await self._until_healthy(self._process)
        except BaseException:
            await self.kill()
            raise
        log.info("homeserver.started", url=self.url)

    async def _until_healthy(self, process: subprocess.Popen[bytes]) -> None:
        deadline = asyncio.get_running_loop().time() + START_DEADLINE_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while asyncio.get_running_loop().time() < deadline:
                if process.poll() is not None:
                    raise HomeserverError(f"Synapse ended with status {process.returncode}:\n{self._log_end()}")
                if await _healthy(session, self.url):
                    return
                await asyncio.sleep(0.1)
        raise HomeserverError(f"Synapse did not answer within {START_DEADLINE_S:.0f} s:\n{self._log_end()}")

    def _log_end(self) -> str:
        lines = self.log_file.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES_IN_ERROR:])


async def _healthy_now(url: str) -> bool:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        return await _healthy(session, url)


async def _healthy(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/health") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _end_at_once(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stdin:
        process.stdin.close()


def _remembered(directory: Path, server_name: str, port: int | None) -> dict[str, Any]:
    """Return the port and the server name of the first start in `directory`."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = directory / "place.json"
    if kept.exists():
        place: dict[str, Any] = json.loads(kept.read_text())
    else:
        place = {"server_name": server_name, "port": port or free_port()}
    if port is not None:
        place["port"] = port
    kept.write_text(json.dumps(place))
    return place


def free_port() -> int:
    """Return a TCP port on loopback that nobody listens on, chosen by the operating system."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_secrets(directory: Path) -> None:
    for name in ("registration_secret", "macaroon_secret", "form_secret"):
        if not (directory / name).exists():
            _write_private(directory / name, secrets.token_urlsafe(32))
    if not (directory / "signing.key").exists():
        seed = b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        _write_private(directory / "signing.key", f"ed25519 a_{secrets.token_hex(2)} {seed}\n")


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content)


def _write_configuration(directory: Path, server_name: str, url: str, port: int) -> None:
    source = resource("synapse-config")
    template = Template((source / "homeserver.yaml").read_text())
    filled = template.substitute(
        server_name=server_name,
        public_url=f"{url}/",
        port=port,
        data=directory,
        log_config=source / "log.yaml",
    )
    (directory / "homeserver.yaml").write_text(filled)
