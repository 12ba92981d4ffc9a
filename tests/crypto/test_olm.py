"""Olm sessions with single devices (CRYPTO 16, 17, 20, 26)."""

import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.trust import Device
from bot.crypto.identity import device_ok
from bot.crypto.olm import Opened, Unopened
from bot.crypto.signatures import sign_json
from bot.crypto.unwedging import note_wish, read_wishes
from bot.store.database import Database
from tests.crypto.peers import (
    BOT,
    CLIENT,
    NOW,
    THERAPIST,
    Bot,
    Peer,
    create_bot,
    introduce,
    open_store,
    own_device,
    uploaded_keys,
)

WANTED = {CLIENT: {"PHONE": "signed_curve25519"}}


class Undo(Exception):
    """Rolls a transaction back."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_store(tmp_path)
    yield database
    await database.close()


async def known_phone(store: Database) -> tuple[Bot, Peer]:
    """A bot and a client's phone that know each other, without a session."""
    bot, phone = await create_bot(store), Peer(CLIENT, "PHONE")
    await introduce(store, phone)
    return bot, phone


async def say(
    store: Database, bot: Bot, *items: tuple[Device, str, dict[str, Any]]
) -> tuple[dict[str, Any] | None, ...]:
    async with store.transaction() as tx:
        return await bot.channel.encrypt(tx, items)


async def hear(store: Database, bot: Bot, peer: Peer, event: dict[str, Any]) -> Opened | Unopened:
    own = await own_device(store, bot)
    async with store.transaction() as tx:
        part = event["content"]["ciphertext"][own.curve25519]
        return await bot.channel.decrypt(tx, peer.device(), peer.curve25519, part, NOW)


async def sessions(store: Database, peer: Peer) -> list[str]:
    async with store.transaction() as tx:
        return [row.session_id for row in (await tx.olm.sessions([peer.curve25519])).get(peer.curve25519, ())]


async def wedge(store: Database, peer: Peer) -> int:
    async with store.transaction() as tx:
        return (await tx.devices.wedges([peer.user_id])).get((peer.user_id, peer.device_id), 0)


async def test_messages_go_both_ways(store: Database) -> None:
    """A claimed key gives a session in which the device reads the bot, and the bot reads the answer."""
    bot, phone = await known_phone(store)
    async with store.transaction() as tx:
        assert await bot.channel.claimed(tx, WANTED, phone.claimed_key()) == {(CLIENT, "PHONE")}
    contents = await say(store, bot, (phone.device(), "m.room_key", {"n": 1}), (phone.device(), "m.dummy", {"n": 2}))
    payloads = [phone.read(content) for content in contents if content is not None]
    assert [(payload["type"], payload["content"]) for payload in payloads] == [
        ("m.room_key", {"n": 1}),
        ("m.dummy", {"n": 2}),
    ]
    own = await own_device(store, bot)
    answered = await hear(store, bot, phone, phone.encrypted(own, b"answer"))
    assert answered == Opened(plaintext=b"answer")
    (content,) = await say(store, bot, (phone.device(), "m.dummy", {}))
    assert content is not None
    assert content["ciphertext"][phone.curve25519]["type"] == 1
    assert phone.read(content)["type"] == "m.dummy"


async def test_payload_names_sender_recipient_and_the_bots_signed_device(store: Database) -> None:
    """Each payload holds what the specification's checks need, and the device keys under their stable name alone."""
    bot, phone = await known_phone(store)
    async with store.transaction() as tx:
        await bot.channel.claimed(tx, WANTED, phone.claimed_key())
        seeds = await bot.own.seeds(tx)
    (content,) = await say(store, bot, (phone.device(), "m.dummy", {}))
    assert content is not None
    own, payload = await own_device(store, bot), phone.read(content)
    attached = payload["sender_device_keys"]
    assert (payload["sender"], payload["recipient"]) == (BOT, CLIENT)
    assert payload["keys"] == {"ed25519": own.ed25519}
    assert payload["recipient_keys"] == {"ed25519": phone.ed25519}
    assert device_ok(BOT, own.device_id, attached)
    assert seeds is not None
    assert f"ed25519:{seeds.self_signing.public_key}" in attached["signatures"][BOT]
    assert "org.matrix.msc4147.device_keys" not in payload


async def test_device_without_a_session_gets_none(store: Database) -> None:
    """What cannot be encrypted comes back as None in its place, and the rest is encrypted."""
    bot, phone = await known_phone(store)
    laptop = Peer(CLIENT, "LAPTOP", phone.seeds)
    await introduce(store, laptop)
    async with store.transaction() as tx:
        await bot.channel.claimed(tx, WANTED, phone.claimed_key())
    first, second = await say(store, bot, (laptop.device(), "m.dummy", {}), (phone.device(), "m.dummy", {}))
    assert first is None
    assert second is not None
    assert await say(store, bot, (laptop.device(), "m.dummy", {})) == (None,)


@pytest.mark.parametrize("damage", ["signature", "signer", "absent", "key", "mistyped", "low_order"])
async def test_claimed_key_that_the_device_did_not_sign_is_refused(store: Database, damage: str) -> None:
    """A key without the known device's own signature, or that is no key, gives no session (CRYPTO 20)."""
    bot, phone = await known_phone(store)
    answer: dict[str, Any] = phone.claimed_key()
    keys = answer["one_time_keys"][CLIENT]["PHONE"]
    [(name, key)] = keys.items()
    if damage == "signature":
        key["key"] = Peer(CLIENT, "PHONE").curve25519
    elif damage == "signer":
        keys[name] = sign_json({"key": key["key"]}, CLIENT, "ed25519:PHONE", Peer(CLIENT, "PHONE").sign)
    elif damage == "absent":
        del key["signatures"]
    elif damage == "key":
        keys[name] = sign_json({"key": "AAAA"}, CLIENT, "ed25519:PHONE", phone.sign)
    elif damage == "low_order":
        keys[name] = sign_json({"key": "A" * 43}, CLIENT, "ed25519:PHONE", phone.sign)
    else:
        answer["one_time_keys"][CLIENT] = {"PHONE": [1, None]}
    async with store.transaction() as tx:
        assert await bot.channel.claimed(tx, WANTED, answer) == frozenset()
    assert await sessions(store, phone) == []


async def test_key_that_nobody_asked_for_gives_no_session(store: Database) -> None:
    """Only devices that were asked for, and are known, get a session."""
    bot, phone = await known_phone(store)
    async with store.transaction() as tx:
        assert not await bot.channel.claimed(tx, {THERAPIST: {"X": "signed_curve25519"}}, phone.claimed_key())
        assert not await bot.channel.claimed(tx, WANTED, {"one_time_keys": []})
    assert await sessions(store, phone) == []


async def test_devices_that_were_not_asked_for_or_are_gone_get_no_session(store: Database) -> None:
    """A key of the person's other device, or of a removed one, gives no session though it is signed."""
    bot, phone = await known_phone(store)
    laptop = Peer(CLIENT, "LAPTOP", phone.seeds)
    await introduce(store, laptop)
    async with store.transaction() as tx:
        assert not await bot.channel.claimed(tx, WANTED, laptop.claimed_key())
        await tx.devices.save_devices([replace(phone.device(), removed=True)])
        assert not await bot.channel.claimed(tx, WANTED, phone.claimed_key())


async def test_rollbacks_never_fork_a_session(store: Database) -> None:
    """A thousand messages each way with one device, a third of the transactions undone: everything is read once."""
    bot, phone = await known_phone(store)
    own = await own_device(store, bot)
    phone.begin(own, (await uploaded_keys(store, bot))[0])
    chance = random.Random(26)
    heard: list[bytes] = []
    read: list[int] = []

    async def step(part: dict[str, Any], number: int) -> tuple[Opened | Unopened, dict[str, Any] | None]:
        async with store.transaction() as tx:
            opened = await bot.channel.decrypt(tx, phone.device(), phone.curve25519, part, NOW)
            (content,) = await bot.channel.encrypt(tx, [(phone.device(), "m.dummy", {"n": number})])
            if chance.random() < 0.33:
                raise Undo
            return opened, content

    while len(heard) < 1000:
        part = phone.encrypted(own, str(len(heard)).encode())["content"]["ciphertext"][own.curve25519]
        result = None
        while result is None:
            with contextlib.suppress(Undo):
                result = await step(part, len(heard))
        opened, content = result
        assert isinstance(opened, Opened)
        assert content is not None
        heard.append(opened.plaintext)
        read.append(phone.read(content)["content"]["n"])
    assert heard == [str(each).encode() for each in range(1000)]
    assert read == list(range(1000))
    assert len(await sessions(store, phone)) == 1


async def test_replays_change_nothing(store: Database) -> None:
    """A pre-key message by a fallback key and a normal one, each replayed a thousand times, are opened once."""
    bot, phone = await known_phone(store)
    own = await own_device(store, bot)
    async with store.transaction() as tx:
        await bot.keys.counts(tx, None, None, NOW)
        body = await bot.keys.upload(tx, NOW)
    assert body is not None
    phone.begin(own, next(iter(body["fallback_keys"].values())))
    first = phone.encrypted(own, b"first")
    assert await hear(store, bot, phone, first) == Opened(plaintext=b"first", began=True)
    (content,) = await say(store, bot, (phone.device(), "m.dummy", {}))
    assert content is not None
    phone.read(content)
    normal = phone.encrypted(own, b"normal")
    assert await hear(store, bot, phone, normal) == Opened(plaintext=b"normal")
    before = await sessions(store, phone), await wedge(store, phone)
    async with store.transaction() as tx:
        for event in (first, normal):
            part = event["content"]["ciphertext"][own.curve25519]
            for _ in range(1000):
                result = await bot.channel.decrypt(tx, phone.device(), phone.curve25519, part, NOW)
                assert result == Unopened(reason="replay")
    assert (await sessions(store, phone), await wedge(store, phone)) == before


async def test_other_spelling_of_a_message_is_still_a_replay(store: Database) -> None:
    """Padding or unknown fields around the same Olm message do not make it new."""
    bot, phone = await known_phone(store)
    own = await own_device(store, bot)
    phone.begin(own, (await uploaded_keys(store, bot))[0])
    event = phone.encrypted(own, b"once")
    assert isinstance(await hear(store, bot, phone, event), Opened)
    part = event["content"]["ciphertext"][own.curve25519]
    part["body"] += "=" * (-len(part["body"]) % 4)
    assert await hear(store, bot, phone, event) == Unopened(reason="replay")


async def test_new_inbound_session_raises_the_wedge_counter(store: Database) -> None:
    """Each session that the device begins counts once, further messages in it do not (CRYPTO 17)."""
    bot, phone = await known_phone(store)
    own = await own_device(store, bot)
    keys = await uploaded_keys(store, bot)
    for count in (1, 2):
        phone.begin(own, keys[count])
        for _ in range(3):
            assert isinstance(await hear(store, bot, phone, phone.encrypted(own, b"x")), Opened)
        assert await wedge(store, phone) == count


async def test_bot_answers_in_the_session_that_spoke_last(store: Database) -> None:
    """Of several sessions, the one that last decrypted something is used to encrypt (CRYPTO 16)."""
    bot, phone = await known_phone(store)
    own = await own_device(store, bot)
    keys = await uploaded_keys(store, bot)
    for number in range(3):
        phone.begin(own, keys[number])
        await hear(store, bot, phone, phone.encrypted(own, b"x"))
    oldest = phone.sessions.pop()
    phone.sessions.insert(0, oldest)
    await hear(store, bot, phone, phone.encrypted(own, b"x"))
    assert (await sessions(store, phone))[0] == oldest.session_id
    (content,) = await say(store, bot, (phone.device(), "m.dummy", {}))
    assert content is not None
    phone.sessions = [oldest]
    assert phone.read(content)["type"] == "m.dummy"


async def test_number_of_sessions_is_bounded(store: Database) -> None:
    """A device that begins sessions without end keeps its eight newest, and all of them work."""
    bot, phone = await known_phone(store)
    own = await own_device(store, bot)
    keys = await uploaded_keys(store, bot)
    for number in range(12):
        phone.begin(own, keys[number])
        assert isinstance(await hear(store, bot, phone, phone.encrypted(own, b"x")), Opened)
    kept = await sessions(store, phone)
    assert kept == [session.session_id for session in phone.sessions[:8]]
    for session in list(phone.sessions[:8]):
        phone.sessions.remove(session)
        phone.sessions.insert(0, session)
        assert isinstance(await hear(store, bot, phone, phone.encrypted(own, b"y")), Opened)


async def test_lost_session_is_replaced_once_an_hour(store: Database) -> None:
    """A wish leads to a claim, the new session carries `m.dummy`, and the device is to get its room keys again."""
    bot, phone = await known_phone(store)
    async with store.transaction() as tx:
        await note_wish(tx, phone.device(), NOW)
        assert await bot.channel.unwedge_due(tx) == WANTED
        assert await bot.channel.claimed(tx, WANTED, phone.claimed_key()) == {(CLIENT, "PHONE")}
        (message,) = await tx.olm.unsent(10)
        await note_wish(tx, phone.device(), NOW + timedelta(minutes=59))
        assert await bot.channel.unwedge_due(tx) == {}
    assert phone.read(message.content)["type"] == "m.dummy"
    assert await wedge(store, phone) == 1
    async with store.transaction() as tx:
        await note_wish(tx, phone.device(), NOW + timedelta(hours=1))
        assert await bot.channel.unwedge_due(tx) == WANTED


async def test_wish_waits_for_a_server_that_failed(store: Database) -> None:
    """A claim that the device's server could not answer is made again; one that found no key is dropped."""
    bot, phone = await known_phone(store)
    async with store.transaction() as tx:
        await note_wish(tx, phone.device(), NOW)
        await bot.channel.claimed(tx, WANTED, {"one_time_keys": {}, "failures": {"example.org": {}}})
        assert await bot.channel.unwedge_due(tx) == WANTED
        await bot.channel.claimed(tx, WANTED, {"one_time_keys": {}})
        assert await bot.channel.unwedge_due(tx) == {}


async def test_unsigned_devices_cause_no_new_sessions(store: Database) -> None:
    """Failures of a device that its owner has not signed are nobody's wish."""
    bot, phone = await known_phone(store)
    async with store.transaction() as tx:
        await note_wish(tx, phone.device(signed=False), NOW)
        assert await read_wishes(tx) == frozenset()
        assert await bot.channel.unwedge_due(tx) == {}


@pytest.mark.parametrize(
    "message",
    [
        None,
        "text",
        {},
        {"type": 0},
        {"type": True, "body": "AAAA"},
        {"type": 2, "body": "AAAA"},
        {"type": 2**70, "body": "AAAA"},
        {"type": 0, "body": "not base64!"},
        {"type": 0, "body": "A" * 70_000},
        {"type": 0, "body": "Awog"},
        {"type": 1, "body": ""},
        {"type": 0, "body": ["A"]},
    ],
)
async def test_malformed_messages_are_refused(store: Database, message: Any) -> None:
    """What is no Olm message is refused without a trace."""
    bot, phone = await known_phone(store)
    async with store.transaction() as tx:
        result = await bot.channel.decrypt(tx, phone.device(), phone.curve25519, message, NOW)
    assert result == Unopened(reason="malformed")
