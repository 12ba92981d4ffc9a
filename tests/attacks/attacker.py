"""A client that sends whatever it likes: a person's cross-signed device on bare vodozemac and raw HTTP."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
import vodozemac

from bot.crypto.canonical import unpadded
from bot.crypto.identity import CrossSigningSeeds, OwnDevice, device_signing_upload_body, signatures_upload_body
from bot.crypto.signatures import sign_json
from bot.demo.homeserver import LocalHomeserver
from tests.crypto.peers import Peer

API = "/_matrix/client/v3"
MEGOLM = "m.megolm.v1.aes-sha2"
FILTER = json.dumps({"room": {"timeline": {"limit": 200}}})
ONE_TIME_KEYS = 50
Json = dict[str, Any]


class Attacker(Peer):
    """One device. It reads what a client reads, and writes what no client would."""

    def __init__(self, user_id: str, device_id: str, *, url: str, token: str, seeds: CrossSigningSeeds) -> None:
        super().__init__(user_id, device_id, seeds)
        self.url = url
        self.token = token
        self.group = vodozemac.GroupSession()
        self.room_keys: dict[str, vodozemac.InboundGroupSession] = {}
        self.room_key_count = 0
        self.to_device: list[Json] = []  # what came, decrypted where it was encrypted
        self.events: dict[str, list[Json]] = {}  # room -> decrypted or clear events, oldest first
        self.unread: dict[str, Json] = {}  # event id -> wire event without its key
        self.invited: set[str] = set()
        self.bot: OwnDevice
        self._http = aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"})
        self._since: str | None = None

    @classmethod
    async def register(cls, homeserver: LocalHomeserver, name: str) -> Self:
        """Make an account with a cross-signed device."""
        localpart, password = f"{name}-{secrets.token_hex(4)}", secrets.token_hex(8)
        user = await homeserver.register(localpart, password)
        device = await cls._log_in(homeserver, user, password, CrossSigningSeeds.generate())
        await device.request(
            "POST", f"{API}/keys/device_signing/upload", device_signing_upload_body(user, device.seeds)
        )
        await device.sign_itself()
        device.password = password
        return device

    async def another(self, homeserver: LocalHomeserver) -> Self:
        """Log the account in on a second device, which nobody has signed."""
        return await self._log_in(homeserver, self.user_id, self.password, self.seeds)

    @classmethod
    async def _log_in(cls, homeserver: LocalHomeserver, user: str, password: str, seeds: CrossSigningSeeds) -> Self:
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user},
            "password": password,
            "device_id": f"D{secrets.token_hex(4).upper()}",
        }
        answer = await homeserver.request("POST", f"{API}/login", body=body)
        device = cls(user, answer["device_id"], url=homeserver.url, token=answer["access_token"], seeds=seeds)
        await device.request("POST", f"{API}/keys/upload", {"device_keys": device.keys(signed=False)})
        await device.upload_one_time_keys()
        return device

    password = ""

    async def sign_itself(self) -> None:
        """Cross-sign this device."""
        body = signatures_upload_body(self.keys(signed=False), self.seeds, self.sign)
        await self.request("POST", f"{API}/keys/signatures/upload", body)

    async def upload_one_time_keys(self) -> None:
        """Let others begin Olm sessions with this device."""
        self.account.generate_one_time_keys(ONE_TIME_KEYS)
        keys = {
            f"signed_curve25519:{key_id}": sign_json(
                {"key": key.to_base64()}, self.user_id, f"ed25519:{self.device_id}", self.sign
            )
            for key_id, key in self.account.one_time_keys.items()
        }
        self.account.mark_keys_as_published()
        await self.request("POST", f"{API}/keys/upload", {"one_time_keys": keys})

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def request(self, method: str, path: str, body: Any = None, **query: str) -> Json:
        """Make one request; AssertionError on any status but 200."""
        data = None if method == "GET" else json.dumps(body or {}).encode()
        async with self._http.request(method, self.url + path, data=data, params=query) as response:
            answer: Json = await response.json(content_type=None)
            assert response.status == 200, (method, path, response.status, answer)
            return answer

    async def join(self, room: str) -> None:
        """Accept an invitation."""
        await self.request("POST", f"{API}/join/{room}")

    # --- Olm ---------------------------------------------------------------------------------------------------------

    async def meet(self, user: str, device_id: str) -> None:
        """Begin an Olm session with the bot from one of its one-time keys."""
        keys = (await self.request("POST", f"{API}/keys/query", {"device_keys": {user: []}}))["device_keys"]
        shown = keys[user][device_id]["keys"]
        self.bot = OwnDevice(
            user_id=user,
            device_id=device_id,
            ed25519=shown[f"ed25519:{device_id}"],
            curve25519=shown[f"curve25519:{device_id}"],
        )
        self.begin(self.bot, await self.claim())

    async def claim(self) -> Json:
        """Claim one of the bot's one-time keys, waiting until it has uploaded some."""
        wanted = {"one_time_keys": {self.bot.user_id: {self.bot.device_id: "signed_curve25519"}}}
        async with asyncio.timeout(10):
            while True:
                answer = (await self.request("POST", f"{API}/keys/claim", wanted))["one_time_keys"]
                if self.bot.user_id in answer:
                    [key] = answer[self.bot.user_id][self.bot.device_id].values()
                    return dict(key)
                await asyncio.sleep(0.05)  # the server has no event for this

    async def put_to_device(self, event_type: str, content: Any, *, device_id: str | None = None) -> None:
        """Send any content as a to-device message to the bot."""
        messages = {self.bot.user_id: {device_id or self.bot.device_id: content}}
        txn = secrets.token_hex(8)
        await self.request("PUT", f"{API}/sendToDevice/{event_type}/{txn}", {"messages": messages})

    async def put_olm(self, event_type: str, content: Json, changes: Mapping[str, Any] | None = None) -> None:
        """Send an encrypted to-device message; `changes` replace parts of its payload."""
        await self.put_to_device("m.room.encrypted", self.message(self.bot, event_type, content, changes)["content"])

    async def put_olm_bytes(self, plaintext: bytes) -> None:
        """Send an encrypted to-device message that holds just these bytes."""
        await self.put_to_device("m.room.encrypted", self.encrypted(self.bot, plaintext)["content"])

    # --- Megolm ------------------------------------------------------------------------------------------------------

    def room_key(self, room: str, group: vodozemac.GroupSession | None = None, **changes: Any) -> Json:
        """The content of `m.room_key` for a session, at its current index."""
        chosen = group or self.group
        return {
            "algorithm": MEGOLM,
            "room_id": room,
            "session_id": chosen.session_id,
            "session_key": chosen.session_key.to_base64(),
            **changes,
        }

    async def share(self, room: str) -> None:
        """Begin a new room session and give the bot its key."""
        self.group = vodozemac.GroupSession()
        await self.put_olm("m.room_key", self.room_key(room))

    def sealed(self, room: str, event_type: str, content: Any, **changes: Any) -> Json:
        """The content of an `m.room.encrypted`; `changes` add to or replace what is inside."""
        return self.sealed_bytes(
            json.dumps({"type": event_type, "content": content, "room_id": room} | changes).encode()
        )

    def sealed_bytes(self, plaintext: bytes) -> Json:
        """The content of an `m.room.encrypted` that holds just these bytes."""
        return {
            "algorithm": MEGOLM,
            "sender_key": self.curve25519,
            "device_id": self.device_id,
            "session_id": self.group.session_id,
            "ciphertext": self.group.encrypt(plaintext).to_base64(),
        }

    async def put(self, room: str, content: Any, event_type: str = "m.room.encrypted") -> str:
        """Send any room event and return its id."""
        path = f"{API}/rooms/{room}/send/{event_type}/{secrets.token_hex(8)}"
        return str((await self.request("PUT", path, content))["event_id"])

    async def say(self, room: str, body: str, relates_to: Json | None = None) -> str:
        """Say something the honest way."""
        return await self.put(room, self.message_content(room, body, relates_to))

    def message_content(self, room: str, body: str, relates_to: Json | None = None) -> Json:
        """The encrypted content of a text message."""
        outside = {"m.relates_to": relates_to} if relates_to else {}
        return {**self.sealed(room, "m.room.message", {"msgtype": "m.text", "body": body}), **outside}

    def edit_content(self, room: str, target: str, body: str) -> Json:
        """The encrypted content of an edit."""
        new = {"msgtype": "m.text", "body": body}
        inside = {"msgtype": "m.text", "body": f"* {body}", "m.new_content": new}
        relation = {"rel_type": "m.replace", "event_id": target}
        return {**self.sealed(room, "m.room.message", inside), "m.relates_to": relation}

    def vote_content(self, room: str, poll: str, answer: str) -> Json:
        """The encrypted content of a vote."""
        kind = "org.matrix.msc3381.poll.response"
        relation = {"rel_type": "m.reference", "event_id": poll}
        return {**self.sealed(room, kind, {kind: {"answers": [answer]}}), "m.relates_to": relation}

    # --- reading -----------------------------------------------------------------------------------------------------

    async def sync(self, *, timeout: float = 0.0) -> None:
        """Take in what has happened."""
        query = {"timeout": str(int(timeout * 1000)), "filter": FILTER}
        answer = await self.request("GET", f"{API}/sync", **query, **({"since": self._since} if self._since else {}))
        self._since = answer["next_batch"]
        for event in answer.get("to_device", {}).get("events", ()):
            self._take_to_device(event)
        self.invited |= set(answer.get("rooms", {}).get("invite", {}))
        for room, batch in answer.get("rooms", {}).get("join", {}).items():
            for event in batch["timeline"]["events"]:
                self._take(room, event)
        for event in list(self.unread.values()):
            self._take(event["room"], event)

    def _take_to_device(self, event: Json) -> None:
        if event["type"] != "m.room.encrypted":
            self.to_device.append(event)
            return
        try:
            payload = self.read(event["content"])
        except (AssertionError, KeyError, ValueError):
            self.to_device.append({"type": "unreadable", "content": event["content"]})
            return
        self.to_device.append(payload)
        if payload["type"] == "m.room_key":
            self.room_key_count += 1
            session = vodozemac.InboundGroupSession(vodozemac.SessionKey(payload["content"]["session_key"]))
            known = self.room_keys.get(session.session_id)
            if known is None or session.first_known_index < known.first_known_index:
                self.room_keys[session.session_id] = session

    def _take(self, room: str, event: Json) -> None:
        wire = event["content"]
        if event["sender"] == self.user_id:
            return
        if event["type"] != "m.room.encrypted" or "ciphertext" not in wire:
            self.events.setdefault(room, []).append(event)
            return
        session = self.room_keys.get(wire["session_id"])
        if session is None:
            self.unread[event["event_id"]] = {**event, "room": room}
            return
        self.unread.pop(event["event_id"], None)
        message = vodozemac.MegolmMessage.from_base64(wire["ciphertext"])
        opened = session.decrypt(message)
        inside = json.loads(bytes(opened.plaintext))
        known = self.events.setdefault(room, [])
        if all(each["event_id"] != event["event_id"] for each in known):
            known.append({**event, **inside, "wire": wire, "index": opened.message_index})

    async def until(self, found: Callable[[], Any], *, timeout: float = 15.0) -> Any:
        """Sync until `found` returns something, and return it."""
        async with asyncio.timeout(timeout):
            while not (value := found()):
                await self.sync(timeout=2.0)
            return value

    async def hears(self, room: str, text: str, *, after: int = 0, timeout: float = 15.0) -> Json:
        """Wait for an event of the bot whose content contains `text`."""
        return dict(await self.until(lambda: next(iter(self.heard(room, text, after=after)), None), timeout=timeout))

    def heard(self, room: str, text: str = "", *, kind: str | None = None, after: int = 0) -> list[Json]:
        """The bot's events in a room that contain `text`, and are of a kind."""
        return [
            event
            for event in self.events.get(room, [])[after:]
            if event["sender"] == self.bot.user_id
            and kind in (None, event["type"])
            and text in json.dumps(event["content"], ensure_ascii=False)
        ]

    def mark(self, room: str) -> int:
        """Where the room stands now, for `after`."""
        return len(self.events.get(room, []))


def pre_key_body(message: vodozemac.AnyOlmMessage) -> Json:
    """The `{type, body}` of an Olm message."""
    kind, body = message.to_parts()
    return {"type": kind, "body": unpadded(body)}


@asynccontextmanager
async def attacker(homeserver: LocalHomeserver, name: str) -> AsyncIterator[Attacker]:
    """An attacker for the length of a test."""
    device = await Attacker.register(homeserver, name)
    try:
        yield device
    finally:
        await device.close()
