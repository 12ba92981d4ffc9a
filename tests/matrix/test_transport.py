"""Requests to a homeserver that misbehaves."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web

from bot.errors import Refusal, Unreachable
from bot.matrix.homeserver import NioHomeserver
from bot.matrix.transport import Transport, path, without_token

TOKEN = "syt_secret_token"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(kw_only=True)
class FakeServer:
    """A server that answers every request in one way and notes what it was asked."""

    url: str = ""
    targets: list[str] = field(default_factory=list)
    authorisations: list[str | None] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    answer: Answer | None = None

    def says(self, status: int, body: object, **headers: str) -> None:
        """Answer from now on with this status and JSON (or these bytes)."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()

        async def answer(_request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, body=data, headers=headers)

        self.answer = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note the request and answer it."""
        self.targets.append(request.raw_path)
        self.authorisations.append(request.headers.get("Authorization"))
        self.bodies.append(await request.read())
        assert self.answer is not None
        return await self.answer(request)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeServer]:
    """A server on a free loopback port."""
    fake = FakeServer()
    app = web.Application(client_max_size=2**27)
    app.router.add_route("*", "/{any:.*}", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()


@pytest_asyncio.fixture
async def home(server: FakeServer) -> AsyncIterator[NioHomeserver]:
    """Our client of that server."""
    client = NioHomeserver(server.url, user_id="@bot:hs", access_token=TOKEN)
    yield client
    await client.close()


@pytest.mark.parametrize(
    ("body", "headers", "pause"),
    [
        ({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1500}, {}, 1.5),
        ({"errcode": "M_LIMIT_EXCEEDED"}, {"Retry-After": "7"}, 7.0),
        (b"slow down", {"Retry-After": "7"}, 7.0),
        ({"retry_after_ms": 10**12}, {}, 3600.0),
        ({"retry_after_ms": -5}, {}, 0.0),
        ({"retry_after_ms": "soon"}, {}, None),
    ],
)
async def test_429_asks_for_a_pause(
    server: FakeServer, home: NioHomeserver, body: object, headers: dict[str, str], pause: float | None
) -> None:
    """One request is made, nothing sleeps, and the wait that the server names is handed on."""
    server.says(429, body, **headers)
    with pytest.raises(Unreachable) as caught:
        await home.joined_rooms()
    assert caught.value.retry_after == pause
    assert len(server.targets) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 304])
async def test_trouble_at_the_server_is_worth_a_retry(server: FakeServer, home: NioHomeserver, status: int) -> None:
    """5xx and a server-side time-out come as Unreachable, whatever their body says."""
    server.says(status, b"" if status == 304 else {"errcode": "M_UNKNOWN", "error": "oops"}, **{"Retry-After": "3"})
    with pytest.raises(Unreachable) as caught:
        await home.send("!r:hs", "m.room.encrypted", "t1", {})
    assert caught.value.retry_after == 3.0


@pytest.mark.parametrize(
    ("status", "body", "errcode"),
    [
        (413, {"errcode": "M_TOO_LARGE", "error": "too large"}, "M_TOO_LARGE"),
        (413, b"<html>nginx</html>", "M_UNKNOWN"),
        (401, {"errcode": "M_UNKNOWN_TOKEN", "error": "gone"}, "M_UNKNOWN_TOKEN"),
        (401, {"flows": [], "session": "x"}, "M_UNKNOWN"),
        (403, {"errcode": "M_FORBIDDEN", "error": 7}, "M_FORBIDDEN"),
        (404, {"errcode": "M_NOT_FOUND", "error": "x" * 10_000}, "M_NOT_FOUND"),
        (400, {"errcode": ["?"], "error": "x"}, "M_UNKNOWN"),
    ],
)
async def test_a_refusal_is_final(
    server: FakeServer, home: NioHomeserver, status: int, body: object, errcode: str
) -> None:
    """4xx of the homeserver comes as Refusal with its code and a bounded message."""
    server.says(status, body)
    with pytest.raises(Refusal) as caught:
        await home.invite("!r:hs", "@a:hs")
    assert (caught.value.status, caught.value.errcode) == (status, errcode)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_proxy_is_not_the_homeserver(server: FakeServer, home: NioHomeserver, status: int) -> None:
    """4xx without an error of Matrix inside does not stop the bot or hold a room."""
    server.says(status, b"<html>no route</html>")
    with pytest.raises(Unreachable):
        await home.display_name("@a:hs")


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[1", b"[]", b"7", b"{}", b'{"event_id": 5}'])
async def test_an_answer_that_makes_no_sense_is_worth_a_retry(
    server: FakeServer, home: NioHomeserver, body: bytes
) -> None:
    """200 with something else than the promised JSON is no success."""
    server.says(200, body)
    with pytest.raises(Unreachable):
        await home.send("!r:hs", "m.room.encrypted", "t1", {})
    with pytest.raises(Unreachable):
        await home.sync("s1", timeout=0)
    with pytest.raises(Unreachable):
        await home.members("!r:hs")
    with pytest.raises(Unreachable):
        await home.state("!r:hs")


async def test_nobody_listens() -> None:
    """A refused connection comes as Unreachable."""
    nobody = NioHomeserver("http://127.0.0.1:1", user_id="@bot:hs", access_token=TOKEN)
    with pytest.raises(Unreachable) as caught:
        await nobody.versions()
    assert TOKEN not in str(caught.value)
    await nobody.close()


@pytest.mark.parametrize("half", [True, False])
async def test_a_silent_server_is_given_up(server: FakeServer, home: NioHomeserver, half: bool) -> None:
    """The time limit covers the wait for the answer and the answer itself."""
    released = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if half:
            await response.prepare(request)
            await response.write(b'{"versions":')
        await released.wait()
        return response

    server.answer = answer
    started = time.monotonic()
    with pytest.raises(Unreachable, match="in time"):
        await home.call(("GET", "/slow"), read=lambda answer: answer, timeout=0.2)
    assert time.monotonic() - started < 2
    released.set()


async def test_a_broken_connection_is_worth_a_retry(server: FakeServer, home: NioHomeserver) -> None:
    """An answer that ends in the middle is no answer."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"event_id":')
        assert request.transport is not None
        request.transport.close()
        return response

    server.answer = answer
    with pytest.raises(Unreachable):
        await home.redact("!r:hs", "$e", "t1")


@pytest.mark.parametrize("packed", [True, False])
async def test_an_endless_answer_is_cut(server: FakeServer, home: NioHomeserver, packed: bool) -> None:
    """The limit counts unpacked bytes and stops the reading, not the memory."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.Response(body=b" " * 3_000_000)
        if packed:
            response.enable_compression(web.ContentCoding.gzip)
        return response

    server.answer = answer
    with pytest.raises(Unreachable, match="larger"):
        await home.call(("GET", "/big"), read=lambda answer: answer, limit=2_000_000)


async def test_the_token_stands_in_no_url(server: FakeServer, home: NioHomeserver) -> None:
    """Every request carries the token in its header only."""
    server.says(404, {"errcode": "M_NOT_FOUND", "error": "x"})
    room, user = "!r:hs", "@a:hs"
    calls: list[Awaitable[object]] = [
        home.sync(None, timeout=1), home.sync("s", timeout=1), home.messages(room, start="p", limit=5),
        home.members(room), home.state(room), home.send(room, "t", "x", {}), home.redact(room, "$e", "x"),
        home.send_to_device("t", "x", {}), home.query_keys([user]), home.claim_keys({user: {"D": "signed_curve25519"}}),
        home.upload_keys({}), home.put_backup("1", {}), home.create_room({}), home.joined_rooms(),
        home.invite(room, user), home.kick(room, user), home.leave(room), home.display_name(user),
        home.read_marker(room, "$e"), home.set_state(room, "t", "", {}), home.whoami(), home.capabilities(),
        home.versions(), home.upload_device_signing({}), home.upload_signatures({}), home.create_backup({}),
        home.backup_info(), home.set_account_data("t", {}), home.account_data("t"), home.set_display_name("B"),
        home.set_avatar("mxc://hs/1"), home.upload(b"x", "image/png"), home.login_password("b", "pw", "D"),
        home.register_with_secret("b", "s", password="pw"),
    ]  # fmt: skip
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(result is None or isinstance(result, Refusal) for result in results)
    assert len(server.targets) == len(calls)
    assert not [target for target in server.targets if "token" in target or TOKEN in target or "pw" in target]
    assert set(server.authorisations) == {f"Bearer {TOKEN}"}


async def test_32_requests_go_out_at_once(server: FakeServer, home: NioHomeserver) -> None:
    """The connections allow the sending concurrency and a long poll beside it."""
    all_in, waiting = asyncio.Event(), 0

    async def answer(_request: web.Request) -> web.StreamResponse:
        nonlocal waiting
        waiting += 1
        if waiting == 33:
            all_in.set()
        await all_in.wait()
        return web.json_response({"event_id": "$e", "next_batch": "s"})

    server.answer = answer
    sends = [home.send("!r:hs", "t", f"x{number}", {}) for number in range(32)]
    await asyncio.wait_for(asyncio.gather(home.sync("s", timeout=5), *sends), 10)


async def test_a_large_answer_is_decoded_beside_the_loop(
    server: FakeServer, home: NioHomeserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers over a megabyte are left to a thread, small ones are not."""
    threads: list[str] = []
    original = asyncio.to_thread

    async def counted(function: Callable[[], object]) -> object:
        threads.append("used")
        return await original(function)

    monkeypatch.setattr("bot.matrix.transport.asyncio.to_thread", counted)
    server.says(200, {"event_id": "$e"})
    await home.send("!r:hs", "t", "x1", {})
    assert threads == []
    server.says(200, {"event_id": "$e", "padding": "x" * 2_000_000})
    assert await home.send("!r:hs", "t", "x2", {}) == "$e"
    assert threads == ["used"]


async def test_closing_twice_and_using_again(server: FakeServer, home: NioHomeserver) -> None:
    """A closed client opens a new connection when it is used again."""
    server.says(200, {"joined_rooms": ["!r:hs", 5]})
    assert await home.joined_rooms() == ("!r:hs",)
    await home.close()
    await home.close()
    assert await home.joined_rooms() == ("!r:hs",)


async def test_rejected_signatures_are_a_refusal(server: FakeServer, home: NioHomeserver) -> None:
    """The server answers 200 and names the failures: that must not pass for success."""
    server.says(200, {"failures": {"@bot:hs": {"DEVICE": {"status": 400, "error": "bad signature"}}}})
    with pytest.raises(Refusal, match="DEVICE"):
        await home.upload_signatures({})


def test_only_the_token_is_taken_out_of_a_path() -> None:
    """Everything else in the query stays as it was encoded."""
    assert without_token("/p?access_token=&since=a%26b&filter=%7B%7D") == "/p?since=a%26b&filter=%7B%7D"
    assert without_token("/p?access_token=x") == "/p"
    assert without_token("/p") == "/p"


def test_segments_are_encoded() -> None:
    """A slash or a question mark in an id does not change the path."""
    assert path("rooms", "!a/b?c:hs", "members") == "/_matrix/client/v3/rooms/%21a%2Fb%3Fc%3Ahs/members"


async def test_the_account_is_taken_over(server: FakeServer) -> None:
    """Before `authorise` no token is sent, after it the new one."""
    client = Transport(server.url)
    server.says(200, {})
    await client.call(("GET", "/x"), read=lambda answer: answer)
    client.authorise(user_id="@bot:hs", access_token=TOKEN)
    await client.call(("GET", "/x"), read=lambda answer: answer)
    assert server.authorisations == [None, f"Bearer {TOKEN}"]
    await client.close()
