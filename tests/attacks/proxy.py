"""A homeserver that cannot be trusted: it stands in front of Synapse, loses answers and puts words into others."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import aiohttp
from aiohttp import web

Json = dict[str, Any]
RAW = "@raw@"
HOP_BY_HOP = {"transfer-encoding", "content-encoding", "content-length", "connection", "host"}


@dataclass
class Request:
    """One request that passed."""

    method: str
    path: str  # decoded, without the query
    body: Json
    status: int = 0
    answer: Any = None


@dataclass
class Proxy:
    """Passes everything on; what the fields name goes wrong."""

    target: str
    url: str = ""
    seen: list[Request] = field(default_factory=list)
    lose_answer: Callable[[Request], bool] | None = None  # the server has done it, the bot never hears of it
    refuse: Callable[[Request], bool] | None = None  # never reaches the server
    before: Callable[[Request], Awaitable[None]] | None = None
    inject: list[Json] = field(default_factory=list)  # to-device events for the next answer of /sync
    raw: bytes = b"null"  # stands for the text RAW in what is injected: JSON that Python itself could not write

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    async def stop(self) -> None:
        """Close everything."""
        await self._runner.cleanup()
        await self._http.close()

    def sent(self, part: str) -> list[Request]:
        """The requests whose path contains this."""
        return [request for request in self.seen if part in request.path]

    async def _pass(self, incoming: web.Request) -> web.StreamResponse:
        data = await incoming.read()
        request = Request(method=incoming.method, path=unquote(incoming.path), body=_json(data))
        self.seen.append(request)
        if self.before is not None:
            await self.before(request)
        if self.refuse is not None and self.refuse(request):
            return web.json_response({}, status=502)
        headers = {name: value for name, value in incoming.headers.items() if name.lower() not in HOP_BY_HOP}
        try:
            async with self._http.request(
                incoming.method, f"{self.target}{incoming.raw_path}", data=data or None, headers=headers
            ) as answer:
                body, request.status = await answer.read(), answer.status
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        except aiohttp.ClientError:
            return web.json_response({}, status=502)
        request.answer = _json(body)
        if self.lose_answer is not None and self.lose_answer(request):
            assert incoming.transport is not None
            incoming.transport.abort()
            return web.Response()
        if request.path.endswith("/sync") and request.status == 200:
            body = self._rewritten(body)
        return web.Response(status=request.status, body=body, headers=kept)

    def _rewritten(self, body: bytes) -> bytes:
        if not self.inject:
            return body
        answer = json.loads(body)
        injected, self.inject = self.inject, []
        answer.setdefault("to_device", {}).setdefault("events", []).extend(injected)
        return json.dumps(answer).encode().replace(json.dumps(RAW).encode(), self.raw)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data) if data else {}
    except ValueError:
        return {}
