"""Every method of the homeserver once, against a real Synapse."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
import pytest_asyncio

from bot.core.batch import Json, RoomBatch
from bot.crypto.identity import (
    CrossSigningSeeds,
    OwnDevice,
    device_keys,
    device_signing_upload_body,
    signatures_upload_body,
    verify_own_keys,
)
from bot.crypto.signatures import Ed25519Seed, sign_json
from bot.demo.homeserver import LocalHomeserver
from bot.errors import Refusal
from bot.matrix.account import Whoami, avatar
from bot.matrix.homeserver import NioHomeserver
from bot.ports import Homeserver

pytestmark = pytest.mark.asyncio(loop_scope="session")

Person = Callable[[str], Awaitable[NioHomeserver]]


@pytest_asyncio.fixture(loop_scope="session")
async def person(homeserver: LocalHomeserver) -> AsyncIterator[Person]:
    """Register an account over the shared secret and log it in on a device called like it."""
    opened: list[NioHomeserver] = []

    async def log_in(name: str) -> NioHomeserver:
        client = NioHomeserver(homeserver.url)
        opened.append(client)
        secret = homeserver.registration_secret_file.read_text().strip()
        localpart = f"{name}-{secrets.token_hex(4)}"
        user = await client.register_with_secret(localpart, secret, password="a password")
        client.authorise(user_id=user, access_token=await client.login_password(user, "a password", name.upper()))
        return client

    yield log_in
    for client in opened:
        await client.close()


ENCRYPTED = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
ROOM = {"preset": "private_chat", "creation_content": {"nonce": "n1"}, "initial_state": [ENCRYPTED]}


async def room_of(client: NioHomeserver, room_id: str, since: str | None = None) -> tuple[RoomBatch, str]:
    """Sync once and return what happened in one room, and the token to go on from."""
    batch = await client.sync(since, timeout=10 if since else 0)
    return next(room for room in batch.rooms if room.room_id == room_id), batch.next_batch


def port(client: NioHomeserver) -> Homeserver:
    """Let the type checker hold the class to the port."""
    return client


async def test_the_homeserver_says_what_it_can(person: Person) -> None:
    """Versions answer without an account, capabilities and whoami with one."""
    bot = await person("bot")
    assert "v1.11" in await bot.versions()
    assert "12" in (await bot.capabilities())["m.room_versions"]["available"]
    assert await bot.whoami() == Whoami(user_id=bot.user_id, device_id="BOT")


async def test_registration_makes_no_device_of_its_own(person: Person, homeserver: LocalHomeserver) -> None:
    """The account has exactly the device that it logged in on (CRYPTO 7), and its name cannot be taken again."""
    bot = await person("bot")
    headers = {"Authorization": f"Bearer {bot._token}"}
    async with aiohttp.request("GET", f"{homeserver.url}/_matrix/client/v3/devices", headers=headers) as response:
        assert [device["device_id"] for device in (await response.json())["devices"]] == ["BOT"]
    secret = homeserver.registration_secret_file.read_text().strip()
    with pytest.raises(Refusal, match="M_USER_IN_USE"):
        await bot.register_with_secret(bot.user_id[1:].split(":")[0], secret, password="x")
    with pytest.raises(Refusal, match="HMAC"):
        await bot.register_with_secret("somebody", "another secret", password="x")
    with pytest.raises(Refusal, match="M_FORBIDDEN"):
        await bot.login_password(bot.user_id, "another password", "BOT")


async def test_an_invalid_token_is_refused(homeserver: LocalHomeserver) -> None:
    """401 with the code that stops the bot (CRYPTO 31)."""
    nobody = NioHomeserver(homeserver.url, user_id="@bot:localhost", access_token="wrong")
    with pytest.raises(Refusal) as caught:
        await nobody.sync(None, timeout=0)
    assert (caught.value.status, caught.value.errcode) == (401, "M_UNKNOWN_TOKEN")
    await nobody.close()


async def test_profile_and_account_data(person: Person, homeserver: LocalHomeserver) -> None:
    """The bot gets its name and picture; account data and other people's names are read back."""
    bot = await person("bot")
    await bot.set_display_name("Interlude")
    mxc = await bot.upload(avatar(), "image/png")
    await bot.set_avatar(mxc)
    assert await bot.display_name(bot.user_id) == "Interlude"
    profile = f"{homeserver.url}/_matrix/client/v3/profile/{bot.user_id}/avatar_url"
    async with aiohttp.request("GET", profile, headers={"Authorization": f"Bearer {bot._token}"}) as response:
        assert await response.json() == {"avatar_url": mxc}
    await bot.set_display_name("")
    assert await bot.display_name(bot.user_id) == bot.user_id[1:].split(":")[0]
    assert await bot.display_name("@nobody-here:localhost") is None
    assert await bot.account_data("care.interlude.test") is None
    await bot.set_account_data("care.interlude.test", {"starts": 3})
    assert await bot.account_data("care.interlude.test") == {"starts": 3}


async def test_the_life_of_a_room(person: Person) -> None:
    """Create, find again, invite, withdraw, join, send, redact, read back, kick and leave."""
    bot, guest = await person("bot"), await person("guest")
    home = port(bot)
    room_id = await home.create_room(ROOM)
    assert await home.joined_rooms() == (room_id,)
    state = await home.state(room_id)
    assert state["m.room.create", ""]["nonce"] == "n1"
    assert state["m.room.encryption", ""] == ENCRYPTED["content"]
    await bot.set_state(room_id, "m.room.name", "", {"name": "Between sessions"})
    assert (await home.state(room_id))["m.room.name", ""] == {"name": "Between sessions"}

    await home.invite(room_id, guest.user_id)
    assert (await home.members(room_id)) == {bot.user_id: "join", guest.user_id: "invite"}
    invitation, since = await room_of(guest, room_id)
    assert invitation.membership == "invite"
    assert ("m.room.encryption", "") in {(event["type"], event["state_key"]) for event in invitation.state}
    await home.kick(room_id, guest.user_id)
    withdrawn, since = await room_of(guest, room_id, since)
    assert withdrawn.membership == "leave"
    await home.invite(room_id, guest.user_id)
    _, since = await room_of(guest, room_id, since)
    await guest.call(("POST", f"/_matrix/client/v3/rooms/{room_id}/join"), read=lambda answer: answer)
    assert (await home.members(room_id))[guest.user_id] == "join"

    event_id = await home.send(room_id, "m.room.encrypted", "txn1", {"ciphertext": "x"})
    assert await home.send(room_id, "m.room.encrypted", "txn1", {"ciphertext": "x"}) == event_id
    await guest.read_marker(room_id, event_id)
    joined, since = await room_of(guest, room_id, since)
    assert joined.membership == "join"
    assert joined.timeline[-1]["event_id"] == event_id
    assert joined.timeline[-1]["content"] == {"ciphertext": "x"}
    await home.redact(room_id, event_id, "txn2")
    redacted, _ = await room_of(guest, room_id, since)
    assert redacted.timeline[-1]["type"] == "m.room.redaction"

    await guest.leave(room_id)
    assert (await home.members(room_id))[guest.user_id] == "leave"
    await home.leave(room_id)
    assert await home.joined_rooms() == ()
    with pytest.raises(Refusal) as caught:
        await home.send(room_id, "m.room.encrypted", "txn3", {})
    assert (caught.value.status, caught.value.errcode) == (403, "M_FORBIDDEN")


async def test_a_gap_is_announced_and_can_be_read(person: Person) -> None:
    """More than 50 events between two syncs come as `limited`; /messages returns the others, newest first."""
    bot = await person("bot")
    room_id = await bot.create_room(ROOM)
    _, since = await room_of(bot, room_id)
    sent = [await bot.send(room_id, "m.room.encrypted", f"t{number}", {"n": number}) for number in range(60)]
    room, _ = await room_of(bot, room_id, since)
    assert room.limited
    assert [event["event_id"] for event in room.timeline] == sent[10:]
    assert room.prev_batch is not None
    page = await bot.messages(room_id, start=room.prev_batch, limit=4)
    assert [event["event_id"] for event in page.events] == sent[9:5:-1]
    assert page.end is not None
    page = await bot.messages(room_id, start=page.end, limit=100)
    assert [event["event_id"] for event in page.events][:6] == sent[5::-1]
    assert page.events[-1]["type"] == "m.room.create"
    assert page.end is None or (await bot.messages(room_id, start=page.end, limit=100)).events == ()


async def test_an_oversized_event_is_refused(person: Person) -> None:
    """413 comes as a refusal, which parks the row (CRYPTO 31)."""
    bot = await person("bot")
    room_id = await bot.create_room(ROOM)
    with pytest.raises(Refusal) as caught:
        await bot.send(room_id, "m.room.encrypted", "t1", {"ciphertext": "x" * 70_000})
    assert caught.value.status == 413


def one_time_keys(device: OwnDevice, key: Ed25519Seed, count: int) -> Json:
    """Make signed one-time keys; their curve points are random bytes, as the server does not look at them."""
    keys = {}
    for number in range(count):
        unsigned = {"key": Ed25519Seed.generate().public_key}
        keys[f"signed_curve25519:K{number}"] = sign_json(
            unsigned, device.user_id, f"ed25519:{device.device_id}", key.sign
        )
    return keys


async def test_device_and_cross_signing_keys(person: Person) -> None:
    """Keys that were uploaded are the keys that are read back; the same upload again is fine, another one is not."""
    bot, key, seeds = await person("bot"), Ed25519Seed.generate(), CrossSigningSeeds.generate()
    device = OwnDevice(
        user_id=bot.user_id, device_id="BOT", ed25519=key.public_key, curve25519=Ed25519Seed.generate().public_key
    )
    own = device_keys(device, key.sign)
    answer = await bot.upload_keys({"device_keys": own, "one_time_keys": one_time_keys(device, key, 3)})
    assert answer["one_time_key_counts"]["signed_curve25519"] == 3
    for _ in range(2):
        await bot.upload_device_signing(device_signing_upload_body(bot.user_id, seeds))
        await bot.upload_signatures(signatures_upload_body(own, seeds, key.sign))
    assert verify_own_keys(await bot.query_keys([bot.user_id]), device, seeds) == ()
    with pytest.raises(Refusal) as caught:
        await bot.upload_device_signing(device_signing_upload_body(bot.user_id, CrossSigningSeeds.generate()))
    assert caught.value.status == 401
    forged = device_keys(device, Ed25519Seed.generate().sign)
    with pytest.raises(Refusal):
        await bot.upload_signatures(signatures_upload_body(forged, CrossSigningSeeds.generate(), key.sign))


async def test_counts_changes_and_claims(person: Person) -> None:
    """The sync carries key counts, fallback keys and changed device lists; a claimed key is gone."""
    bot, other = await person("bot"), await person("other")
    device = OwnDevice(user_id=other.user_id, device_id="OTHER", ed25519="", curve25519="")
    key = Ed25519Seed.generate()
    room_id = await bot.create_room(ROOM | {"invite": [other.user_id]})
    await other.call(("POST", f"/_matrix/client/v3/rooms/{room_id}/join"), read=lambda answer: answer)
    since = (await bot.sync(None, timeout=0)).next_batch

    own = device_keys(
        OwnDevice(user_id=other.user_id, device_id="OTHER", ed25519=key.public_key, curve25519=key.public_key), key.sign
    )
    (fallback,) = one_time_keys(device, key, 1).values()
    await other.upload_keys(
        {
            "device_keys": own,
            "one_time_keys": one_time_keys(device, key, 2),
            "fallback_keys": {"signed_curve25519:F": fallback | {"fallback": True}},
        }
    )
    assert (await bot.sync(since, timeout=10)).device_changed == (other.user_id,)
    first = await other.sync(None, timeout=0)
    assert (first.one_time_key_counts or {})["signed_curve25519"] == 2
    assert first.unused_fallback_keys == ("signed_curve25519",)

    claimed = await bot.claim_keys({other.user_id: {"OTHER": "signed_curve25519"}})
    (name,) = claimed["one_time_keys"][other.user_id]["OTHER"]
    assert name.startswith("signed_curve25519:K")
    assert (await other.upload_keys({}))["one_time_key_counts"]["signed_curve25519"] == 1
    unknown = await bot.claim_keys({other.user_id: {"NOSUCH": "signed_curve25519"}})
    assert not unknown["one_time_keys"].get(other.user_id)


async def test_to_device_messages_arrive_once_in_order(person: Person) -> None:
    """Also beside one that is nested four hundred levels deep."""
    bot, other = await person("bot"), await person("other")
    deep = json.loads("[" * 400 + "]" * 400)
    for number, content in enumerate([{"n": 0}, {"n": 1, "deep": deep}, {"n": 2}]):
        await other.send_to_device("care.interlude.test", f"t{number}", {bot.user_id: {"BOT": content}})
    batch = await bot.sync(None, timeout=0)
    assert [(message["sender"], message["content"]["n"]) for message in batch.to_device] == [
        (other.user_id, 0),
        (other.user_id, 1),
        (other.user_id, 2),
    ]
    assert len(json.dumps(batch.to_device[1])) < 800
    assert (await bot.sync(batch.next_batch, timeout=0)).to_device == ()


async def test_the_key_backup(person: Person) -> None:
    """There is none, then there is one that takes keys; keys for another version are refused."""
    bot = await person("bot")
    assert await bot.backup_info() is None
    algorithm = {
        "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
        "auth_data": {"public_key": Ed25519Seed.generate().public_key},
    }
    version = await bot.create_backup(algorithm)
    room_key = {
        "first_message_index": 0,
        "forwarded_count": 0,
        "is_verified": True,
        "session_data": {"ciphertext": "x"},
    }
    body = {"rooms": {"!r:localhost": {"sessions": {"s1": room_key}}}}
    await bot.put_backup(version, body)
    info = await bot.backup_info()
    assert info is not None
    assert (info["version"], info["count"]) == (version, 1)
    await bot.create_backup(algorithm)
    with pytest.raises(Refusal, match="M_WRONG_ROOM_KEYS_VERSION"):
        await bot.put_backup(version, body)
