"""What the bot is measured against: bare requests, and matrix-nio's own encryption, in rooms of the same shape."""

import asyncio
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import nio  # type: ignore[import-untyped]  # ships annotations without the marker that makes them count

from tests.attacks.attacker import API
from tests.bench.lag import Lag
from tests.bench.prompting import FanOut
from tests.bench.town import Town, log_in

AT_ONCE = 8  # as many requests as the bot has in flight
CIPHERTEXT = 900  # characters: about what an encrypted prompt has


async def bare_requests(town: Town) -> FanOut:
    """Send one opaque event of a prompt's size to each room of the peer: what the homeserver can take."""
    token = (await log_in(town.homeserver, town.peer_user, town.peer_password, "BARE"))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    content = {
        "algorithm": "m.megolm.v1.aes-sha2",
        "sender_key": secrets.token_urlsafe(32),
        "device_id": "BARE",
        "session_id": secrets.token_urlsafe(32),
        "ciphertext": secrets.token_urlsafe(CIPHERTEXT * 3 // 4),
    }
    async with aiohttp.ClientSession(headers=headers) as http:

        async def put(room: str) -> None:
            url = f"{town.homeserver.url}{API}/rooms/{room}/send/m.room.encrypted/{secrets.token_hex(16)}"
            async with http.put(url, json=content) as response:
                assert response.status == 200, await response.text()

        return await _to_each(town.peer_rooms, put)


async def nio_encryption(town: Town) -> tuple[FanOut, FanOut]:
    """Send a prompt of the same length through matrix-nio: first without shared keys, then with them."""
    device = f"PEER{secrets.token_hex(4).upper()}"
    with tempfile.TemporaryDirectory() as store:
        config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=False)
        client: Any = nio.AsyncClient(
            town.homeserver.url, town.peer_user, device_id=device, store_path=store, config=config
        )
        try:
            await client.login(town.peer_password, device_name="bench")
            await client.sync(timeout=0, full_state=True)
            if client.should_upload_keys:
                await client.keys_upload()
            if client.should_query_keys:
                await client.keys_query()
            first = await _to_each(town.peer_rooms, _said_by(client))
            later = await _to_each(town.peer_rooms, _said_by(client))
        finally:
            await client.logout()
            await client.close()
    return first, later


def _said_by(client: Any) -> Callable[[str], Awaitable[None]]:
    content = {"msgtype": "m.text", "body": "How was your day? " * 20, "m.mentions": {}}

    async def say(room: str) -> None:
        answer = await client.room_send(room, "m.room.message", content, ignore_unverified_devices=True)
        assert isinstance(answer, nio.RoomSendResponse), answer

    return say


async def _to_each(rooms: Sequence[str], send: Callable[[str], Awaitable[None]]) -> FanOut:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(room: str) -> None:
        async with slots:
            await send(room)

    async with Lag() as lag:
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one(room) for room in rooms))
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
    return FanOut(rooms=len(rooms), seconds=seconds, cpu=used, blocked=lag.worst, busiest=lag.busiest)
