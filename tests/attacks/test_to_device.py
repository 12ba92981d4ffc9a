"""Malformed and unwanted to-device messages neither stop the sync nor lose their neighbours (DESIGN promise 6)."""

import asyncio
from typing import Any

import pytest
import vodozemac

from bot.demo.homeserver import LocalHomeserver
from tests.attacks.attacker import Attacker, Json, attacker, pre_key_body
from tests.attacks.scene import Scene

OLM = "m.olm.v1.curve25519-aes-sha2"


def nested(levels: int) -> Any:
    """A list in a list in a list."""
    value: Any = "deep"
    for _ in range(levels):
        value = [value]
    return value


def olm_content(client: Attacker, ciphertext: Any, **changes: Any) -> Json:
    """The content of an Olm message with any ciphertext for the bot."""
    return {
        "algorithm": OLM,
        "sender_key": client.curve25519,
        "ciphertext": {client.bot.curve25519: ciphertext},
        **changes,
    }


def unknown_one_time_key(client: Attacker) -> Json:
    """A pre-key message for a one-time key that the bot never had."""
    session = vodozemac.Account().create_outbound_session(
        vodozemac.Curve25519PublicKey.from_base64(client.bot.curve25519), vodozemac.Account().curve25519_key
    )
    return olm_content(client, pre_key_body(session.encrypt(b"{}")))


def malformed(client: Attacker, room: str) -> list[tuple[str, Any]]:
    """To-device messages that are wrong in one way each."""
    encrypted = "m.room.encrypted"
    key = client.room_key(room, vodozemac.GroupSession())
    contents: list[Any] = [
        olm_content(client, {"type": 0, "body": "%%% no base64 %%%"}),
        olm_content(client, {"type": 1, "body": "AAAA"}),
        olm_content(client, {"type": 7, "body": ""}),
        olm_content(client, {"type": "0", "body": 5}),
        olm_content(client, "text"),
        olm_content(client, {"type": 0, "body": "A" * 60_000}),
        olm_content(client, {"type": 0, "body": "AAAA"}, sender_key="short"),
        olm_content(client, {"type": 0, "body": "AAAA"}, sender_key=["a", "list"]),
        {"algorithm": OLM, "sender_key": client.curve25519, "ciphertext": [1, 2]},
        {"algorithm": 1},
        {},
        unknown_one_time_key(client),
        {"algorithm": OLM, "nested": nested(900)},
        {"algorithm": OLM, "padding": ["x" * 1_000 for _ in range(60)]},
        client.encrypted(client.bot, b"\xff\xfe no UTF-8 \x80")["content"],
        client.encrypted(client.bot, b"[" * 5_000)["content"],
        client.encrypted(client.bot, b'{"type": NaN}')["content"],
        client.encrypted(client.bot, b"[]")["content"],
        client.message(client.bot, "m.room_key", {**key, "session_key": "no key"})["content"],
        client.message(client.bot, "m.room_key", {**key, "session_key": 5})["content"],
        client.message(client.bot, "m.room_key", {**key, "session_id": "another"})["content"],
        client.message(client.bot, "m.room_key", {**key, "room_id": {"a": 1}})["content"],
        client.message(client.bot, "m.room_key", {**key, "room_id": "!elsewhere"})["content"],
        client.message(client.bot, "m.room_key", {**key, "algorithm": None})["content"],
        client.message(client.bot, "m.room_key", {}, {"content": "text"})["content"],
        client.message(client.bot, "m.room_key", key, {"recipient": "@other:localhost"})["content"],
        client.message(client.bot, "m.room_key", key, {"recipient_keys": {"ed25519": "wrong"}})["content"],
        client.message(client.bot, "m.room_key", key, {"keys": [1]})["content"],
        client.message(client.bot, "m.room_key", key, {"sender_device_keys": {"keys": "mistyped"}})["content"],
    ]
    clear = [
        ("m.room_key_request", {"action": "request", "body": [], "requesting_device_id": 4}),
        ("m.room_key_request", {"action": "request", "body": {"room_id": room, "session_id": {}}}),
        ("m.room_key.withheld", {"code": ["m.unverified"], "room_id": 5, "session_id": None}),
        ("m.room_key.withheld", {"code": "m.no_olm", "sender_key": 7}),
        ("m.key.verification.request", {"from_device": [], "transaction_id": 5}),
        ("m.key.verification.start", {}),
        ("m.room_key", key),
        ("m.secret.send", {"request_id": "1", "secret": "a"}),
        ("x" * 200, {"a": nested(50)}),
    ]
    return [*((encrypted, content) for content in contents), *clear]


async def test_neighbours_of_malformed_messages_are_read(scene: Scene) -> None:
    """All of them wait in one batch with a good room key, whose message in the same batch is recorded."""
    client, room, bot = scene.client, scene.room, scene.bot
    await scene.ask()
    dropped = bot.counts.seen.get("to_device_dropped", 0)
    await bot.stop()
    wrong = malformed(client, room)
    half = len(wrong) // 2
    for event_type, content in wrong[:half]:
        await client.put_to_device(event_type, content)
    await client.share(room)
    for event_type, content in wrong[half:]:
        await client.put_to_device(event_type, content)
    await client.say(room, "between the broken ones")
    await bot.start()
    assert (await scene.answered("between the broken ones")).state == "recorded"
    assert bot.counts.seen["to_device_dropped"] - dropped > len(wrong) // 2
    async with bot.store.transaction() as tx:
        assert await tx.megolm.inbound("!elsewhere", client.group.session_id) is None


async def test_strangers_are_dropped_before_decryption(scene: Scene, homeserver: LocalHomeserver) -> None:
    """A stranger's Olm messages make no session, get no answer and start no following of device lists."""
    bot = scene.bot
    async with attacker(homeserver, "stranger") as stranger:
        await stranger.meet(bot.user_id, bot.device_id)
        for _ in range(5):
            await stranger.put_olm("m.room_key", stranger.room_key(scene.room))
            await stranger.put_olm("m.dummy", {})
        await stranger.put_to_device("m.room_key_request", {"action": "request", "requesting_device_id": "A"})
        await stranger.put_to_device(
            "m.key.verification.request", {"from_device": stranger.device_id, "transaction_id": "t"}
        )
        await scene.still_works("after the stranger")
        async with bot.store.transaction() as tx:
            sessions = await tx.olm.sessions([stranger.curve25519])
            assert stranger.user_id not in await tx.devices.tracked()
            assert await tx.megolm.inbound(scene.room, stranger.group.session_id) is None
        assert not sessions.get(stranger.curve25519)
        await stranger.sync()
        assert stranger.to_device == []


@pytest.mark.parametrize(
    "event_type", ["m.forwarded_room_key", "m.secret.send", "m.room_key_bundle", "m.secret.request"]
)
async def test_forwarded_keys_and_secrets_are_dropped(scene: Scene, event_type: str) -> None:
    """What the bot never asked for is not taken, also over Olm from a trusted device (CRYPTO 8)."""
    client, group = scene.client, vodozemac.GroupSession()
    content = {
        **client.room_key(scene.room, group),
        "sender_key": scene.therapist.curve25519,
        "sender_claimed_ed25519_key": scene.therapist.ed25519,
        "forwarding_curve25519_key_chain": [],
        "request_id": "1",
        "secret": "c2VjcmV0",
        "name": "m.cross_signing.master",
        "action": "request",
        "requesting_device_id": client.device_id,
    }
    mark = len(client.to_device)
    await client.put_olm(event_type, content)
    await client.put_to_device(event_type, content)
    await scene.still_works(f"after {event_type}")
    async with scene.bot.store.transaction() as tx:
        assert await tx.megolm.inbound(scene.room, group.session_id) is None
    assert not [each for each in client.to_device[mark:] if each["type"].startswith(("m.secret", "m.forwarded"))]


async def test_a_verification_request_is_cancelled_with_the_fingerprint(scene: Scene) -> None:
    """At once, with a sentence in the cancel and one in the room, not in the room again within the hour (CRYPTO 8)."""
    client, room = scene.client, scene.room
    await client.sync()
    for transaction in ("one", "two"):
        await client.put_to_device(
            "m.key.verification.request",
            {"from_device": client.device_id, "transaction_id": transaction, "methods": ["m.sas.v1"], "timestamp": 1},
        )

    def cancels() -> list[Json]:
        found = [each["content"] for each in client.to_device if each["type"] == "m.key.verification.cancel"]
        return found if len(found) >= 2 else []

    found = await client.until(cancels)
    assert {each["transaction_id"] for each in found} == {"one", "two"}
    assert all("fingerprint" in each["reason"] for each in found)
    shown = "I cannot compare emoji"
    await client.hears(room, shown)
    await scene.still_works("after the verification")
    assert len(client.heard(room, shown)) == 1


async def test_a_shared_key_is_repeated_once_an_hour_and_never_to_others(
    scene: Scene, homeserver: LocalHomeserver
) -> None:
    """A device that was given the session gets it again, once; a device that was not gets nothing (CRYPTO 8)."""
    client, room = scene.client, scene.room
    await scene.still_works("before the request")
    session = client.heard(room)[-1]["wire"]["session_id"]

    def request(device: str) -> Json:
        body = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": room, "session_id": session}
        return {"action": "request", "body": body, "request_id": device, "requesting_device_id": device}

    before = client.room_key_count
    for _ in range(3):
        await client.put_to_device("m.room_key_request", request(client.device_id))
    await client.until(lambda: client.room_key_count > before)
    other = await client.another(homeserver)
    try:
        other.bot = client.bot
        await other.put_to_device("m.room_key_request", request(other.device_id))
        await other.put_to_device("m.room_key_request", request(client.device_id))
        await scene.still_works("after the request")
        await asyncio.gather(client.sync(), other.sync())
        assert client.room_key_count == before + 1
        assert other.room_keys == {}
        kinds = {each["type"] for each in other.to_device}
        assert kinds <= {"m.room_key.withheld"}
    finally:
        await other.close()
