"""A pair's room: the bot's cipher on a real SQLite store, people's devices on bare vodozemac, a server in between."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import vodozemac

from bot.core.megolm import Audience, Decrypted, Encrypted, Hold, Refused, SharePlan, Unreadable
from bot.core.olm import ToDeviceMessage
from bot.core.pairs import PairState
from bot.core.people import ManagedRoom, Pair, Purpose
from bot.core.trust import Device
from bot.crypto.cipher import build_cipher
from bot.crypto.own_identity import OwnIdentity
from bot.ports import Tx
from bot.store.database import Database
from tests.crypto.peers import BOT, BOT_DEVICE, CLIENT, STRANGER, THERAPIST, Peer, introduce, open_store

ROOM, CONSOLE = "!pair-room", "!console-room"
PEOPLE = frozenset({CLIENT, THERAPIST})
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ENCRYPTION = {"algorithm": "m.megolm.v1.aes-sha2", "rotation_period_ms": 604_800_000, "rotation_period_msgs": 100}
AUDIENCE = Audience(room_id=ROOM, people=PEOPLE)


class RoomPeer(Peer):
    """A person's device that takes part in rooms."""

    def __init__(self, user_id: str, device_id: str, *, signed: bool = True) -> None:
        super().__init__(user_id, device_id)
        self.signed = signed
        self.has_one_time_keys = True
        self.room_keys: dict[str, vodozemac.InboundGroupSession] = {}
        self.heard: list[tuple[str, Mapping[str, Any]]] = []  # to-device messages in clear: type and content
        self.group = vodozemac.GroupSession()

    def take(self, message: ToDeviceMessage) -> None:
        """Receive a to-device message as a client does."""
        if message.event_type != "m.room.encrypted":
            self.heard.append((message.event_type, message.content))
            return
        payload = self.read(message.content)
        self.heard.append((payload["type"], payload["content"]))
        if payload["type"] == "m.room_key":
            key = payload["content"]
            session = vodozemac.InboundGroupSession(vodozemac.SessionKey(key["session_key"]))
            assert session.session_id == key["session_id"]
            self.room_keys[session.session_id] = session

    def of_type(self, event_type: str) -> list[Mapping[str, Any]]:
        """What was heard of this type."""
        return [content for kind, content in self.heard if kind == event_type]

    def opened(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Decrypt a room event. Raises KeyError without its key and ValueError before the first index."""
        message = vodozemac.MegolmMessage.from_base64(content["ciphertext"])
        return dict(json.loads(bytes(self.room_keys[content["session_id"]].decrypt(message).plaintext)))

    def can_read(self, content: Mapping[str, Any]) -> bool:
        """Whether this device can read a room event."""
        try:
            self.opened(content)
        except (KeyError, ValueError):
            return False
        return True

    def room_key(self, room_id: str = ROOM) -> dict[str, Any]:
        """The content of `m.room_key` for this device's own session, from its current index."""
        return {
            "algorithm": "m.megolm.v1.aes-sha2",
            "room_id": room_id,
            "session_id": self.group.session_id,
            "session_key": self.group.session_key.to_base64(),
        }

    def event(self, event_id: str, **changed: Any) -> dict[str, Any]:
        """A room event of this device; `changed` replaces parts of what is inside the ciphertext."""
        inside = {"type": "m.room.message", "content": {"body": "seven"}, "room_id": ROOM, **changed}
        return self.raw_event(event_id, json.dumps(inside).encode())

    def raw_event(self, event_id: str, plaintext: bytes) -> dict[str, Any]:
        """A room event that holds just these bytes."""
        return {
            "event_id": event_id,
            "sender": self.user_id,
            "type": "m.room.encrypted",
            "content": {
                "algorithm": "m.megolm.v1.aes-sha2",
                "session_id": self.group.session_id,
                "ciphertext": self.group.encrypt(plaintext).to_base64(),
            },
        }


class World:
    """The bot, its pair's room, and the server's part in between."""

    def __init__(self, store: Database, peers: Sequence[RoomPeer]) -> None:
        self.store = store
        self.cipher = build_cipher(BOT, BOT_DEVICE)
        self.peers = {(peer.user_id, peer.device_id): peer for peer in peers}

    @classmethod
    async def begin(cls, directory: Path, *peers: RoomPeer) -> "World":
        """A room of client, therapist and bot, all joined, whose devices the bot knows."""
        store = await open_store(directory)
        async with store.transaction() as tx:
            await OwnIdentity(BOT, BOT_DEVICE).create(tx)
            await tx.pairs.add(pair())
            await tx.rooms.add(managed_room(ROOM, Purpose.PAIR, "pair-1"))
            await tx.rooms.add(managed_room(CONSOLE, Purpose.CONSOLE, None))
            await tx.rooms.set_members(ROOM, {BOT: "join", CLIENT: "join", THERAPIST: "join"})
            await tx.rooms.set_members(CONSOLE, {BOT: "join", THERAPIST: "join"})
            await tx.devices.track(PEOPLE)
            await tx.devices.clear_outdated(await tx.devices.outdated())
        world = cls(store, ())
        await world.meet(*peers)
        return world

    async def meet(self, *peers: RoomPeer) -> None:
        """Let the bot know these devices, as after an answer of the server."""
        self.peers |= {(peer.user_id, peer.device_id): peer for peer in peers}
        for signed in (True, False):
            chosen = [peer for peer in peers if peer.signed is signed]
            if chosen:
                await introduce(self.store, *chosen, signed=signed)
        async with self.store.transaction() as tx:
            await tx.devices.clear_outdated(await tx.devices.outdated())

    async def change(self, peer: Peer, **changes: Any) -> None:
        """Change the bot's record of a device."""
        async with self.store.transaction() as tx:
            await tx.devices.save_devices([replace(await self.device(tx, peer), **changes)])

    async def device(self, tx: Tx, peer: Peer) -> Device:
        """The bot's record of a device."""
        devices = (await tx.devices.devices([peer.user_id]))[peer.user_id]
        return next(device for device in devices if device.device_id == peer.device_id)

    async def members(self, **memberships: str) -> None:
        """Change who is in the room."""
        names = {"client": CLIENT, "therapist": THERAPIST, "stranger": STRANGER}
        async with self.store.transaction() as tx:
            members = dict((await tx.rooms.members([ROOM]))[ROOM])
            await tx.rooms.set_members(ROOM, members | {names[who]: what for who, what in memberships.items()})

    async def share(self, *audiences: Audience, at: datetime = NOON) -> SharePlan:
        """One step of sharing, without the server."""
        async with self.store.transaction() as tx:
            return await self.cipher.share(tx, audiences or (AUDIENCE,), at)

    async def prepare(self, *audiences: Audience, at: datetime = NOON) -> SharePlan:
        """Share until nothing more can be done: claims answered, to-device messages delivered."""
        plan = await self.share(*audiences, at=at)
        if plan.claims:
            await self.claim(plan.claims, at=at)
            plan = await self.share(*audiences, at=at)
        await self.deliver()
        return plan

    async def claim(self, wanted: Mapping[str, Mapping[str, str]], at: datetime = NOON) -> None:
        """Answer /keys/claim."""
        answer: dict[str, Any] = {"one_time_keys": {}, "failures": {}}
        for user, devices in wanted.items():
            for device_id in devices:
                peer = self.peers[user, device_id]
                if peer.has_one_time_keys:
                    keys = peer.claimed_key()["one_time_keys"][user]
                    answer["one_time_keys"].setdefault(user, {}).update(keys)
        async with self.store.transaction() as tx:
            await self.cipher.claimed(tx, wanted, answer, at)

    async def deliver(self) -> None:
        """Bring all queued to-device messages to their devices, and acknowledge them."""
        async with self.store.transaction() as tx:
            messages = await tx.olm.unsent(1000)
            await tx.olm.acknowledge([message.message_id for message in messages])
        for message in messages:
            self.peers[message.user_id, message.device_id].take(message)

    async def encrypt(self, text: str, audience: Audience = AUDIENCE, at: datetime = NOON) -> Encrypted | Hold:
        """One message, without sharing."""
        async with self.store.transaction() as tx:
            content = {"msgtype": "m.text", "body": text}
            return (await self.cipher.encrypt(tx, [(audience, "m.room.message", content)], at))[0]

    async def say(self, text: str, audience: Audience = AUDIENCE, at: datetime = NOON) -> Mapping[str, Any]:
        """Share, then encrypt one message; it must not be held."""
        await self.prepare(audience, at=at)
        result = await self.encrypt(text, audience, at)
        assert isinstance(result, Encrypted), result
        return result.content

    async def accept(self, peer: RoomPeer, content: Mapping[str, Any] | None = None) -> tuple[str, ...]:
        """Let the bot have a room key from this device, as after all checks of its Olm message."""
        async with self.store.transaction() as tx:
            key = peer.room_key() if content is None else content
            return await self.cipher._room_keys.accept(tx, peer.user_id, peer.curve25519, peer.ed25519, key, NOON)

    async def decrypt(self, event: dict[str, Any], room_id: str = ROOM) -> Decrypted | Unreadable | Refused:
        """Let the bot read an event."""
        async with self.store.transaction() as tx:
            return await self.cipher.decrypt(tx, room_id, event, PEOPLE)


def pair() -> Pair:
    """The pair of these tests."""
    return Pair(
        pair_id="pair-1",
        number=0,
        client=CLIENT,
        therapist=THERAPIST,
        client_name="Robin",
        therapist_name="Sam",
        timezone="Europe/Berlin",
        language="en",
        country="DE",
        word="heron",
        state=PairState.ACTIVE,
        paused=False,
        therapist_gone=False,
        created_at=NOON,
        room_id=ROOM,
        console_id=CONSOLE,
    )


def managed_room(room_id: str, purpose: Purpose, pair_id: str | None) -> ManagedRoom:
    """A room of the bot's."""
    return ManagedRoom(room_id=room_id, purpose=purpose, pair_id=pair_id, therapist=THERAPIST, encryption=ENCRYPTION)


def clear(text: str) -> dict[str, str]:
    """The content that `World.say` encrypts."""
    return {"msgtype": "m.text", "body": text}
