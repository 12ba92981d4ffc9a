"""The other side of the bot's encryption: people's devices on bare vodozemac, and a bot on a real SQLite store."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import vodozemac

from bot.core.trust import Device, Identity
from bot.crypto.account import SEEDS, OwnAccount
from bot.crypto.canonical import from_unpadded, unpadded
from bot.crypto.identity import (
    CrossSigningSeeds,
    OwnDevice,
    device_keys,
    device_signature,
    device_signing_upload_body,
)
from bot.crypto.key_requests import KeyRequests
from bot.crypto.olm import ALGORITHM, OlmChannel
from bot.crypto.one_time_keys import OneTimeKeys
from bot.crypto.ratchets import PICKLE_KEY
from bot.crypto.sealing import Sealer
from bot.crypto.signatures import sign_json
from bot.crypto.to_device import ToDeviceIntake
from bot.ports import Tx
from bot.store.database import Database

BOT, BOT_DEVICE = "@bot:example.org", "BOTDEVICE"
CLIENT, THERAPIST, STRANGER = "@client:example.org", "@therapist:example.org", "@stranger:example.org"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


async def open_store(directory: Path) -> Database:
    """Open (or open again) a SQLite store with real sealing."""
    return await Database.open(
        f"sqlite:///{directory / 'bot.db'}",
        account=BOT,
        sealers=lambda owner: Sealer(hashlib.sha256(owner.encode()).digest()),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenKey:
    """A room key that the bot would store."""

    sender: str
    sender_key: str
    sender_ed25519: str
    content: Mapping[str, Any]


@dataclass(kw_only=True)
class NotedKeys:
    """Stands where inbound Megolm sessions are kept: notes what has passed all checks."""

    taken: list[TakenKey] = field(default_factory=list)

    async def accept(
        self, tx: Tx, sender: str, sender_key: str, sender_ed25519: str, content: Mapping[str, Any], at: datetime
    ) -> tuple[str, ...]:
        self.taken.append(
            TakenKey(sender=sender, sender_key=sender_key, sender_ed25519=sender_ed25519, content=content)
        )
        return (str(content.get("session_id")),)


class Bot:
    """The bot's encryption for single devices, composed as the cipher composes it."""

    def __init__(self) -> None:
        self.own = OwnAccount(BOT, BOT_DEVICE)
        self.keys = OneTimeKeys(self.own)
        self.channel = OlmChannel(self.own)
        self.room_keys = NotedKeys()
        self.intake = ToDeviceIntake(self.own, self.channel, self.room_keys, KeyRequests(self.channel))


async def create_bot(store: Database) -> Bot:
    """Make the bot's account and identity."""
    async with store.transaction() as tx:
        await tx.olm.save_account(vodozemac.Account().pickle(PICKLE_KEY).encode(), 0)
        await tx.facts.write(SEEDS, unpadded(CrossSigningSeeds.generate().to_bytes()))
    return Bot()


class Peer:
    """One device of a person, with the person's cross-signing keys."""

    def __init__(self, user_id: str, device_id: str, seeds: CrossSigningSeeds | None = None) -> None:
        self.user_id = user_id
        self.device_id = device_id
        self.seeds = seeds or CrossSigningSeeds.generate()
        self.account = vodozemac.Account()
        self.sessions: list[vodozemac.Session] = []

    @property
    def curve25519(self) -> str:
        return self.account.curve25519_key.to_base64()

    @property
    def ed25519(self) -> str:
        return self.account.ed25519_key.to_base64()

    def sign(self, message: bytes) -> str:
        return self.account.sign(message).to_base64()

    def keys(self, *, signed: bool = True) -> dict[str, Any]:
        """The device's keys as `/keys/query` shows them."""
        own = OwnDevice(
            user_id=self.user_id, device_id=self.device_id, ed25519=self.ed25519, curve25519=self.curve25519
        )
        keys = device_keys(own, self.sign)
        return device_signature(keys, self.seeds) if signed else keys

    def device(self, *, signed: bool = True) -> Device:
        """The record that the bot has of this device."""
        return Device(
            user_id=self.user_id,
            device_id=self.device_id,
            ed25519=self.ed25519,
            curve25519=self.curve25519,
            signed=signed,
            first_seen=NOW,
        )

    def identity(self) -> Identity:
        """The record that the bot has of this person, pinned."""
        master, self_signing = self.seeds.master.public_key, self.seeds.self_signing.public_key
        return Identity(
            user_id=self.user_id, pinned_master=master, pinned_at=NOW, master=master, self_signing=self_signing
        )

    def claimed_key(self) -> dict[str, Any]:
        """An answer of `/keys/claim` that holds one new key of this device."""
        self.account.generate_one_time_keys(1)
        [(key_id, public)] = self.account.one_time_keys.items()
        self.account.mark_keys_as_published()
        key = sign_json({"key": public.to_base64()}, self.user_id, f"ed25519:{self.device_id}", self.sign)
        return {"one_time_keys": {self.user_id: {self.device_id: {f"signed_curve25519:{key_id}": key}}}}

    def begin(self, bot: OwnDevice, key: Mapping[str, Any]) -> None:
        """Make a session with the bot from one of its uploaded keys."""
        session = self.account.create_outbound_session(
            vodozemac.Curve25519PublicKey.from_base64(bot.curve25519),
            vodozemac.Curve25519PublicKey.from_base64(key["key"]),
        )
        self.sessions.insert(0, session)

    def message(
        self, bot: OwnDevice, event_type: str, content: Mapping[str, Any], changes: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """An encrypted to-device event for the bot; `changes` replace parts of the payload."""
        payload: dict[str, Any] = {
            "sender": self.user_id,
            "recipient": bot.user_id,
            "keys": {"ed25519": self.ed25519},
            "recipient_keys": {"ed25519": bot.ed25519},
            "sender_device_keys": self.keys(),
            "type": event_type,
            "content": content,
            **(changes or {}),
        }
        return self.encrypted(bot, json.dumps(payload).encode())

    def encrypted(self, bot: OwnDevice, plaintext: bytes) -> dict[str, Any]:
        """An encrypted to-device event that holds just these bytes."""
        kind, body = self.sessions[0].encrypt(plaintext).to_parts()
        return olm_event(self.user_id, self.curve25519, {bot.curve25519: {"type": kind, "body": unpadded(body)}})

    def read(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Decrypt what the bot sent to this device. Raises where a client could not."""
        part = content["ciphertext"][self.curve25519]
        message = vodozemac.AnyOlmMessage.from_parts(part["type"], from_unpadded(part["body"]))
        pre_key = message.to_pre_key()
        for session in self.sessions:
            if pre_key is None or session.session_matches(pre_key):
                try:
                    return dict(json.loads(session.decrypt(message)))
                except ValueError:
                    continue
        if pre_key is None:
            raise AssertionError("no session reads this")
        sender_key = vodozemac.Curve25519PublicKey.from_base64(content["sender_key"])
        session, plaintext = self.account.create_inbound_session(sender_key, pre_key)
        self.sessions.insert(0, session)
        return dict(json.loads(plaintext))


def olm_event(sender: str, sender_key: str, ciphertext: Mapping[str, Any]) -> dict[str, Any]:
    """A to-device event as `/sync` brings it."""
    content = {"algorithm": ALGORITHM, "sender_key": sender_key, "ciphertext": dict(ciphertext)}
    return {"type": "m.room.encrypted", "sender": sender, "content": content}


def keys_answer(*peers: Peer, unsigned: tuple[str, ...] = ()) -> dict[str, Any]:
    """An answer of `/keys/query` that shows these devices; those in `unsigned` without their owner's signature."""
    answer: dict[str, Any] = {"device_keys": {}, "master_keys": {}, "self_signing_keys": {}, "failures": {}}
    for peer in peers:
        keys = peer.keys(signed=peer.device_id not in unsigned)
        answer["device_keys"].setdefault(peer.user_id, {})[peer.device_id] = keys
        body = device_signing_upload_body(peer.user_id, peer.seeds)
        answer["master_keys"][peer.user_id] = body["master_key"]
        answer["self_signing_keys"][peer.user_id] = body["self_signing_key"]
    return answer


async def introduce(store: Database, *peers: Peer, signed: bool = True) -> None:
    """Let the bot track and know these devices, as after a query."""
    async with store.transaction() as tx:
        await tx.devices.track({peer.user_id for peer in peers})
        for peer in peers:
            await tx.devices.save_identity(peer.identity())
        await tx.devices.save_devices([peer.device(signed=signed) for peer in peers])


async def uploaded_keys(store: Database, bot: Bot, at: datetime = NOW) -> list[dict[str, Any]]:
    """One-time keys of a fresh upload of the bot."""
    async with store.transaction() as tx:
        await bot.keys.counts(tx, {"signed_curve25519": 0}, ["signed_curve25519"], at)
        body = await bot.keys.upload(tx, at)
    if body is None:
        raise AssertionError("nothing was uploaded")
    return list(body["one_time_keys"].values())


async def own_device(store: Database, bot: Bot) -> OwnDevice:
    """The bot's public keys."""
    async with store.transaction() as tx:
        return await bot.own.own_device(tx)
