"""The harness itself: two independent clients talk through the real homeserver."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.homeserver import LocalHomeserver
from bot.demo.node import prepare_client
from bot.demo.person import MediaKind, People, Person
from bot.errors import HomeserverError, PersonError
from tests.conftest import CLIENT_DIRECTORY, LogIn, SignedIn, SignedPerson

pytestmark = pytest.mark.asyncio(loop_scope="session")

NO_SHIELD = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """Anna and Ben in one encrypted room."""

    room: str
    anna: Person
    ben: Person
    of_anna: SignedPerson


@pytest_asyncio.fixture(loop_scope="session")
async def conversation(signed_in: SignedIn) -> AsyncIterator[Conversation]:
    """Two cross-signed people with isolation on, both joined."""
    of_anna, of_ben = await signed_in("anna"), await signed_in("ben")
    anna, ben = of_anna.person, of_ben.person
    room = await anna.create_room(invite=[ben.user_id])
    await ben.join(await ben.wait_for_invitation(inviter=anna.user_id))
    await anna.wait_for_member(room, ben.user_id)
    yield Conversation(room=room, anna=anna, ben=ben, of_anna=of_anna)
    await anna.stop()
    await ben.stop()


async def test_text_arrives_encrypted_and_without_a_shield(conversation: Conversation) -> None:
    """A cross-signed person's words are readable under isolation and carry no warning, in both directions."""
    room, anna, ben = conversation.room, conversation.anna, conversation.ben
    question = await anna.send_text(room, "How was the walk?")
    heard = await ben.wait_for(room, sender=anna.user_id, contains="walk")
    assert (heard["event_id"], heard["wire_type"], heard["shield_colour"]) == (question, "m.room.encrypted", NO_SHIELD)
    await ben.send_text(room, "Short and wet", reply_to=question)
    answer = await anna.wait_for(room, since=question, relates_to=question)
    assert (answer["content"]["body"], answer["shield_colour"]) == ("Short and wet", NO_SHIELD)


@pytest.mark.parametrize("stable", [False, True])
async def test_a_vote_reaches_the_other_person(conversation: Conversation, *, stable: bool) -> None:
    """A poll and a vote travel encrypted, in the form of today and in the stable one."""
    room, anna, ben = conversation.room, conversation.anna, conversation.ben
    poll = await anna.send_poll(room, "Mood?", [("a1", "low"), ("a2", "high")])
    seen = await ben.wait_for(room, type="org.matrix.msc3381.poll.start", contains="Mood?")
    assert seen["event_id"] == poll
    await ben.send_poll_response(room, poll, ["a2"], stable=stable)
    vote = await anna.wait_for(room, sender=ben.user_id, relates_to=poll)
    assert vote["type"] == ("m.poll.response" if stable else "org.matrix.msc3381.poll.response")
    assert "a2" in str(vote["content"])
    assert vote["wire_type"] == "m.room.encrypted"


@pytest.mark.parametrize(
    ("kind", "msgtype", "mimetype"),
    [
        ("image", "m.image", "image/png"),
        ("voice", "m.audio", "audio/ogg"),
        ("audio", "m.audio", "audio/ogg"),
        ("video", "m.video", "video/mp4"),
        ("file", "m.file", "application/pdf"),
    ],
)
async def test_media_can_be_opened_by_the_other_person(
    conversation: Conversation, kind: MediaKind, msgtype: str, mimetype: str
) -> None:
    """An encrypted file arrives byte for byte; only a voice message is marked as one."""
    room, anna, ben = conversation.room, conversation.anna, conversation.ben
    data = bytes(range(256)) * 40
    sent = await anna.send_media(room, kind, data, mimetype=mimetype, filename="walk.bin")
    seen = await ben.wait_for(room, event_id=sent)
    assert (seen["content"]["msgtype"], seen["content"]["info"]["size"]) == (msgtype, len(data))
    assert ("org.matrix.msc3245.voice" in seen["content"]) is (kind == "voice")
    assert await ben.read_media(room, sent) == data


async def test_an_edit_and_a_redaction_reach_the_other_person(conversation: Conversation) -> None:
    """An edit names its original and is shown in its place; a redacted event has no content any more."""
    room, anna, ben = conversation.room, conversation.anna, conversation.ben
    original = await anna.send_text(room, "six")
    edit = await anna.edit(room, original, "seven")
    seen = await ben.wait_for(room, event_id=edit)
    assert (seen["relates_to"]["rel_type"], seen["relates_to"]["event_id"]) == ("m.replace", original)
    assert seen["content"]["m.new_content"]["body"] == "seven"
    shown = {event["event_id"]: event["shown"].get("body") for event in await ben.timeline(room)}
    assert shown[original] == "seven"
    await anna.redact(room, original)
    await ben.wait_for_redaction(room, original)
    after = {event["event_id"]: event for event in await ben.timeline(room)}
    assert (after[original]["redacted"], after[original]["content"]) == (True, {})


async def test_a_new_device_reads_the_past_with_the_recovery_key(conversation: Conversation, log_in: LogIn) -> None:
    """Exactly the recovery key signs a new device and opens the earlier conversation from the key backup."""
    room, anna, ben = conversation.room, conversation.anna, conversation.ben
    await ben.send_text(room, "said before the new phone")
    last = await anna.send_text(room, "also said before")
    await anna.wait_for(room, contains="before the new phone")
    await anna.wait_for_backup()
    phone = await log_in(anna.user_id, conversation.of_anna.password)
    counts = await phone.open_with_recovery_key(conversation.of_anna.recovery_key)
    assert counts["imported"] == counts["total"] == 2
    said = {event["event_id"]: event["content"].get("body") for event in await phone.timeline(room)}
    assert said[last] == "also said before"
    assert "said before the new phone" in said.values()
    signed = {device["device_id"]: device["signed_by_owner"] for device in await ben.devices(anna.user_id)}
    assert signed == {anna.device_id: True, phone.device_id: True}
    assert await phone.own_fingerprint() == await ben.fingerprint_of(anna.user_id) == await anna.own_fingerprint()
    await phone.stop()


async def test_a_wrong_recovery_key_opens_nothing(
    conversation: Conversation, signed_in: SignedIn, log_in: LogIn
) -> None:
    """Somebody else's recovery key is refused with a sentence."""
    other = await signed_in("other")
    phone = await log_in(conversation.anna.user_id, conversation.of_anna.password)
    with pytest.raises(PersonError, match="recovery key does not fit"):
        await phone.open_with_recovery_key(other.recovery_key)
    await phone.stop()
    await other.person.stop()


async def test_an_unsigned_device_gets_no_keys(conversation: Conversation, log_in: LogIn) -> None:
    """Under isolation a device that its owner has not signed gets a withheld notice instead of the key."""
    room, anna, ben = conversation.room, conversation.anna, conversation.ben
    phone = await log_in(anna.user_id, conversation.of_anna.password)
    assert {d["device_id"]: d["signed_by_owner"] for d in await ben.devices(anna.user_id)}[phone.device_id] is False
    secret = await ben.send_text(room, "not for the phone")
    await anna.wait_for(room, event_id=secret)
    notice = await phone.wait_for_to_device("m.room_key.withheld", code="m.unverified")
    assert notice["content"]["room_id"] == room
    assert (await phone.withheld())[0]["sender"] == ben.user_id
    failed = await phone.wait_for(room, event_id=secret, failure="MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE")
    assert failed["content"] == {}
    await phone.stop()


async def test_words_in_clear_are_seen_as_such(conversation: Conversation) -> None:
    """An event sent past the encryption arrives with its own type on the wire."""
    room, anna, ben = conversation.room, conversation.anna, conversation.ben
    sent = await anna.send_raw_plain(room, "m.room.message", {"msgtype": "m.text", "body": "in clear"})
    assert (await ben.wait_for(room, event_id=sent))["wire_type"] == "m.room.message"


async def test_a_reset_identity_has_another_fingerprint(conversation: Conversation) -> None:
    """After a reset the other person sees another master key, which the new one's owner sees as well."""
    anna, ben = conversation.anna, conversation.ben
    before = await ben.fingerprint_of(anna.user_id)
    await anna.reset_identity()
    after = await ben.fingerprint_of(anna.user_id)
    assert after != before
    assert after == await anna.own_fingerprint()


async def test_a_paused_person_receives_later(conversation: Conversation) -> None:
    """While a person is paused nothing arrives; afterwards everything does."""
    room, anna, ben = conversation.room, conversation.anna, conversation.ben
    await ben.pause()
    sent = await anna.send_text(room, "while you were away")
    with pytest.raises(PersonError, match="in vain"):
        await ben.wait_for(room, event_id=sent, timeout=1)
    await ben.resume()
    assert (await ben.wait_for(room, event_id=sent))["content"]["body"] == "while you were away"


async def test_without_isolation_an_unsigned_device_reads(conversation: Conversation, log_in: LogIn) -> None:
    """Isolation is what keeps the key back: with it off the same device gets it."""
    room, anna, ben = conversation.room, conversation.anna, conversation.ben
    await ben.set_device_isolation("all")
    phone = await log_in(anna.user_id, conversation.of_anna.password)
    await ben.devices(anna.user_id)
    sent = await ben.send_text(room, "for every device")
    assert (await phone.wait_for(room, event_id=sent))["content"]["body"] == "for every device"
    await phone.stop()


async def test_custom_and_state_like_events_travel_encrypted(conversation: Conversation) -> None:
    """Any type, also one that names room state, goes through the encryption when a client sends it raw."""
    room, anna, ben = conversation.room, conversation.anna, conversation.ben
    for type_ in ("care.interlude.entry", "m.room.power_levels"):
        sent = await anna.send_raw(room, type_, {"v": 1})
        seen = await ben.wait_for(room, event_id=sent)
        assert (seen["type"], seen["wire_type"], seen["content"]) == (type_, "m.room.encrypted", {"v": 1})


async def test_members_come_and_go(conversation: Conversation) -> None:
    """A removed person is gone for the other one, can be invited again, and can decline."""
    room, anna, ben = conversation.room, conversation.anna, conversation.ben
    await anna.kick(room, ben.user_id, reason="for a moment")
    await anna.wait_for_member(room, ben.user_id, "leave")
    await anna.invite(room, ben.user_id)
    assert await ben.wait_for_invitation(room=room) == room
    await ben.leave(room)
    await anna.wait_for_member(room, ben.user_id, "leave")
    assert [joined["room"] for joined in await anna.joined_rooms()] == [room]


async def test_a_killed_homeserver_comes_back_with_its_data(tmp_path: Path) -> None:
    """After a power cut the same port serves the same accounts."""
    synapse = LocalHomeserver()
    await synapse.start(tmp_path / "synapse", server_name="practice.test")
    url = synapse.url
    try:
        user = await synapse.register("anna", "long enough")
        assert user == "@anna:practice.test"
        await synapse.kill()
        await synapse.start(tmp_path / "synapse")
        assert (synapse.url, synapse.server_name) == (url, "practice.test")
        with pytest.raises(HomeserverError, match="M_USER_IN_USE"):
            await synapse.register("anna", "long enough")
        token = await synapse.admin_token()
        shown = await synapse.request("GET", f"/_synapse/admin/v2/users/{user}", token=token)
        assert shown["admin"] is False
    finally:
        await synapse.stop()


async def test_a_homeserver_that_cannot_start_says_why(tmp_path: Path, homeserver: LocalHomeserver) -> None:
    """A second homeserver on a port in use fails at once, and one with a broken key shows the end of its log."""
    port = int(homeserver.url.rpartition(":")[2])
    with pytest.raises(HomeserverError, match="already"):
        await LocalHomeserver().start(tmp_path / "a", port=port)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "signing.key").write_text("nonsense")
    with pytest.raises(HomeserverError, match="signing"):
        await LocalHomeserver().start(tmp_path / "b")


async def test_no_process_is_left_behind_when_a_wait_is_cancelled() -> None:
    """Cancelling the task that uses the people ends their process."""
    client = await prepare_client(CLIENT_DIRECTORY, say=print)
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def use() -> None:
        async with People(client) as people:
            process = people._node._process
            assert process is not None
            started.set_result(process.pid)
            await asyncio.Event().wait()

    task = asyncio.create_task(use())
    pid = await started
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
