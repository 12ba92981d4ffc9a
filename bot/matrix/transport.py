"""One request to the homeserver, on nio's AsyncClient with its encryption off (DESIGN §4).

nio builds paths and bodies and holds the connection. Its response models, its retries and its room model are not used:
they cost seconds per large answer, sleep inside a request, and lose what the encryption needs.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import nio  # type: ignore[import-untyped]  # ships annotations without the marker that makes them count

from bot.errors import Refusal, Unreachable
from bot.matrix.wire import decode, mapping

Read = TypeVar("Read")
Call = tuple[str, ...]  # method, path and, where there is one, body: what nio's Api builds

MEGABYTE = 1024 * 1024
MAX_ANSWER = 16 * MEGABYTE
LARGE_ANSWER = MEGABYTE  # from here on decoding is left to a thread: the loop must not stand still for 50 ms
REQUEST_SECONDS = 30.0
LONGEST_PAUSE = 3600.0  # seconds that a server may ask us to wait
CONNECTIONS = 64  # 32 requests at once, a long poll and room to spare
NO_TOKEN = ""  # for nio's path builders: the token travels in a header, for a URL ends up in logs
JSON_TYPE = "application/json"


class Transport:
    """Sends requests and maps every failure to `Unreachable` or `Refusal`; use from one event loop."""

    def __init__(self, url: str, *, user_id: str = "", access_token: str | None = None) -> None:
        self.user_id = user_id
        self._token = access_token
        config = nio.AsyncClientConfig(encryption_enabled=False, store=None)
        self._client: Any = nio.AsyncClient(url.rstrip("/"), user_id, config=config)

    def authorise(self, *, user_id: str, access_token: str) -> None:
        """Act as this account from now on."""
        self.user_id = user_id
        self._token = access_token

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def call(
        self,
        request: Call,
        *,
        read: Callable[[Any], Read],
        timeout: float = REQUEST_SECONDS,
        limit: int = MAX_ANSWER,
    ) -> Read:
        """Send a request built by nio's `Api` or `path` and return what `read` makes of the decoded answer.

        `timeout` in seconds covers the whole exchange, `limit` in bytes the answer; `read` runs in a thread for large
        answers and raises NonsenseError on one that is not as specified.
        Raises Refusal for an answer of 4xx, Unreachable for everything worth a retry.
        """
        method, target, *rest = request
        data = rest[0].encode() if rest else (None if method == "GET" else b"{}")
        body = await self._exchange(method, target, data, JSON_TYPE, timeout=timeout, limit=limit)
        return await self._understand(body, read)

    async def post_bytes(self, target: str, data: bytes, mimetype: str, *, read: Callable[[Any], Read]) -> Read:
        """Post a file and return what `read` makes of the decoded answer; raises as `call` does."""
        body = await self._exchange("POST", target, data, mimetype, timeout=REQUEST_SECONDS, limit=MAX_ANSWER)
        return await self._understand(body, read)

    async def _understand(self, body: bytes, read: Callable[[Any], Read]) -> Read:
        def understand() -> Read:
            return read(decode(body))

        try:
            return await asyncio.to_thread(understand) if len(body) > LARGE_ANSWER else understand()
        except ValueError as error:
            raise Unreachable("The homeserver's answer makes no sense") from error

    async def _exchange(
        self, method: str, target: str, data: bytes | None, mimetype: str, *, timeout: float, limit: int
    ) -> bytes:
        headers = {"Content-Type": mimetype} if data is not None else {}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._client.client_session is None:
            self._client.client_session = _session()
        try:
            response = await self._client.send(method, without_token(target), data, headers, timeout=timeout)
            async with response:
                body = await _body(response, limit)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"The homeserver cannot be reached: {_reason(error)}") from error
        if not 200 <= response.status < 300:
            raise _failure(response.status, response.headers, body)
        return body


def path(*segments: str, query: Mapping[str, str] | None = None, base: str = "/_matrix/client/v3") -> str:
    """Build a path of percent-encoded segments below `base`, for endpoints that nio's `Api` does not know."""
    target = "/".join((base, *(quote(segment, safe="") for segment in segments)))
    return f"{target}?{urlencode(query)}" if query else target


def without_token(target: str) -> str:
    """Take nio's `access_token` out of a path's query."""
    place, _, query = target.partition("?")
    kept = "&".join(part for part in query.split("&") if part and not part.startswith("access_token="))
    return f"{place}?{kept}" if kept else place


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS), cookie_jar=aiohttp.DummyCookieJar())


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read an answer of at most `limit` bytes, unpacked."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > limit:
            response.close()
            raise Unreachable(f"The homeserver's answer is larger than {limit // MEGABYTE} MB")
    return bytes(body)


def _failure(status: int, headers: Mapping[str, str], body: bytes) -> Refusal | Unreachable:
    """Turn an answer that is no success into an error (specification, "Standard error response")."""
    try:
        answer = mapping(decode(body[:MEGABYTE]))
    except ValueError:
        answer = {}
    if status == 429:
        return Unreachable("The homeserver asks for a pause", retry_after=_pause(answer, headers))
    # Without an error of Matrix inside, a proxy on the way is speaking: only what it says about size is final.
    homeserver_speaks = "errcode" in answer or "flows" in answer
    if not 400 <= status < 500 or status == 408 or not (homeserver_speaks or status == 413):
        return Unreachable(f"The homeserver answers with status {status}", retry_after=_pause({}, headers))
    errcode = answer.get("errcode")
    message = answer.get("error")
    return Refusal(
        status,
        errcode[:100] if isinstance(errcode, str) else "M_UNKNOWN",
        message[:200] if isinstance(message, str) else "no reason given",
    )


def _pause(answer: Mapping[str, Any], headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait from `retry_after_ms` or a `Retry-After` header in seconds."""
    asked = answer.get("retry_after_ms")
    if isinstance(asked, (int, float)) and not isinstance(asked, bool):
        return min(max(asked / 1000, 0.0), LONGEST_PAUSE)
    seconds = headers.get("Retry-After", "")
    return min(float(seconds), LONGEST_PAUSE) if seconds.isdecimal() and len(seconds) < 10 else None


def _reason(error: Exception) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else (str(error) or type(error).__name__)[:200]
