"""Keys go to signed devices under the first-seen identity, only such devices' words count, and crisis goes anyway."""

import time
from collections.abc import Mapping

import pytest
import pytest_asyncio

from bot.core.events import ENTRY, PROMPT
from bot.demo.person import Person
from bot.errors import PersonError
from bot.flows.send import Sender
from bot.matrix.homeserver import NioHomeserver
from tests.conftest import LogIn, SignedIn
from tests.interop.conftest import NewTrio
from tests.interop.trio import Trio, answer_of, records_in, shown_fingerprint
from tests.running_bot import RunningBot

AT_ONCE = 5.0  # seconds, on a machine that does other things as well


@pytest_asyncio.fixture(loop_scope="session")
async def phone(trio: Trio, log_in: LogIn) -> Person:
    """A further device of the client, which nobody has signed."""
    phone = await log_in(trio.client.user_id, trio.of_client.password)
    await phone.set_device_isolation("all")  # so that nothing but the missing key keeps it from reading
    return phone


async def readable_on(person: Person, trio: Trio) -> list[str]:
    """Return what a device can read of the bot's encrypted messages."""
    events = await person.timeline(trio.room)
    return [
        str(event["content"].get("body"))
        for event in events
        if event["sender"] == trio.bot.user_id and event["wire_type"] == "m.room.encrypted" and not event["failure"]
    ]


async def calls(person: Person, trio: Trio, *, clear: bool = False) -> None:
    """Call for help from a device, and make sure that the answer is readable there at once."""
    began = time.monotonic()
    if clear:
        content = {"msgtype": "m.text", "body": "help me"}
        sent = await person.send_raw_plain(trio.room, "m.room.message", content)
    else:
        sent = await person.send_text(trio.room, "crisis")
    said = await person.wait_for(trio.room, sender=trio.bot.user_id, contains="please call now", since=sent)
    assert time.monotonic() - began < AT_ONCE
    assert said["wire_type"] == "m.room.encrypted"


async def test_an_unsigned_device_gets_no_key_and_a_notice(trio: Trio, phone: Person) -> None:
    """`m.unverified` instead of the key; the signed device reads, the room and the console hear of the device."""
    await trio.notice("has a device that cannot read this room yet")
    await trio.told("has a device that cannot read")
    asked = await trio.ask("evening-reflection")
    notice = await phone.wait_for_to_device("m.room_key.withheld", code="m.unverified")
    assert (notice["sender"], notice["content"]["room_id"]) == (trio.bot.user_id, trio.room)
    await phone.wait_for(trio.room, event_id=asked["event_id"], failure="MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE")
    assert await readable_on(phone, trio) == []


async def test_an_unsigned_devices_words_have_no_effect_until_it_is_signed(trio: Trio, phone: Person) -> None:
    """Then they count, the open prompt is shown once more, and the device reads from there on."""
    asked = await trio.ask("evening-reflection")
    sent = await phone.send_text(trio.room, "Written on the new phone.")
    await phone.send_text(trio.room, "pause")
    await trio.notice("came from a device that is not confirmed", since=asked["event_id"])
    await trio.told("from a device that is not confirmed")
    assert records_in(await trio.said(asked["event_id"])) == []
    assert not (await trio.bot.current(trio.pair)).paused
    await phone.open_with_recovery_key(trio.of_client.recovery_key)
    entry = await trio.entry(asked["event_id"])
    assert (answer_of(entry)["text"], answer_of(entry)["sources"]) == ("Written on the new phone.", [sent])
    await trio.notice("My questions are paused", since=asked["event_id"])
    resumed = await trio.client.send_text(trio.room, "resume")
    await trio.notice("Welcome back", since=resumed)
    again = await trio.ask("one-tap")
    assert (await phone.wait_for(trio.room, event_id=again["event_id"]))["failure"] is None


async def test_the_open_prompt_is_shown_once_more_to_a_newly_signed_device(new_trio: NewTrio, log_in: LogIn) -> None:
    """Silently, and readable on the new device."""
    trio = await new_trio()
    asked = await trio.ask("one-tap")
    phone = await log_in(trio.client.user_id, trio.of_client.password)
    await trio.notice("has a device that cannot read this room yet", since=asked["event_id"])
    await phone.open_with_recovery_key(trio.of_client.recovery_key)
    shown = await phone.wait_for(trio.room, sender=trio.bot.user_id, contains="Here is One tap once more")
    assert shown["content"]["msgtype"] == "m.notice"
    assert shown["content"][PROMPT]["repeat"] is True


async def test_crisis_reaches_an_unsigned_device_and_nothing_else_does(trio: Trio, log_in: LogIn) -> None:
    """Encrypted or in clear, the public text is readable on that very device at once."""
    tablet = await log_in(trio.client.user_id, trio.of_client.password)
    await tablet.set_device_isolation("all")
    await calls(tablet, trio)
    await calls(tablet, trio, clear=True)
    await trio.ask("one-tap")
    await trio.settled()
    read = await readable_on(tablet, trio)
    assert len(read) == 2
    assert all("please call now" in body for body in read)
    await tablet.logout()


async def test_words_in_clear_are_no_answer_and_are_reported(trio: Trio) -> None:
    """The sender is told, the console is told, and nothing is recorded."""
    asked = await trio.ask("evening-reflection")
    content = {"msgtype": "m.text", "body": "Not encrypted."}
    await trio.client.send_raw_plain(trio.room, "m.room.message", content)
    await trio.notice("was not encrypted, so I have not kept it", since=asked["event_id"])
    await trio.told("was not encrypted")
    assert records_in(await trio.said(asked["event_id"])) == []


async def test_a_client_with_a_new_identity_gets_nothing_until_the_therapist_confirms_it(new_trio: NewTrio) -> None:
    """A wrong fingerprint does nothing; after the right one what was held goes out, and what was said counts."""
    trio = await new_trio()
    await trio.client.reset_identity()
    told = await trio.told("has new keys in")
    assert f"trust {trio.client.user_id} fingerprint" in told["content"]["body"]
    sent = await trio.client.send_text(trio.room, "!hello")
    await calls(trio.client, trio)
    assert "hello" not in str(await readable_on(trio.therapist, trio))
    await trio.bot.send_prompt(trio.pair, "evening-reflection")
    wrong = shown_fingerprint(trio.bot.fingerprint)
    await trio.therapist.send_text(trio.console, f"trust {trio.client.user_id} {wrong}")
    await trio.told("Nothing is changed", since=told["event_id"])
    right = shown_fingerprint(await trio.client.own_fingerprint())
    await trio.therapist.send_text(trio.console, f"trust {trio.client.user_id} {right}")
    await trio.told("Confirmed. Alex", since=told["event_id"])
    asked = await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains="evening-reflection", since=sent)
    await trio.notice('I don\'t know "hello"', since=sent)
    await trio.client.send_text(trio.room, "I have a new phone.", reply_to=asked["event_id"])
    entry = await trio.client.wait_for(trio.room, type=ENTRY, since=asked["event_id"])
    assert entry["shield_colour"] == 0


async def test_a_therapist_with_a_new_identity_reads_all_that_was_withheld_once_confirmed(new_trio: NewTrio) -> None:
    """The client goes on meanwhile; only the operator can confirm a therapist; reading starts where it stopped."""
    trio = await new_trio()
    await trio.therapist.reset_identity()
    await trio.told("This room is only for you and me")
    asked = await trio.ask("evening-reflection")
    await trio.client.send_text(trio.room, "Said while my therapist could not read.")
    entry = await trio.client.wait_for(trio.room, type=ENTRY, since=asked["event_id"])
    unreadable = "MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE"
    await trio.therapist.wait_for(trio.room, event_id=entry["event_id"], failure=unreadable)
    trusted = {"user": trio.therapist.user_id, "fingerprint": trio.bot.fingerprint}
    with pytest.raises(AssertionError, match="not the fingerprint"):
        await trio.bot.ask("trust", trusted)
    trusted["fingerprint"] = shown_fingerprint(await trio.therapist.own_fingerprint())
    await trio.bot.ask("trust", trusted)
    for event in (asked, entry):
        read = await trio.therapist.wait_for(trio.room, event_id=event["event_id"])
        assert (read["failure"], read["shield_colour"]) == (None, 0)


async def test_a_device_without_one_time_keys_is_told_and_the_bot_rests(
    bot: RunningBot, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`m.no_olm` once, the welcome is held, and the bot does not go round and round about it."""
    rounds = 0
    go_round = Sender._round

    async def counted(sender: Sender) -> bool:
        nonlocal rounds
        rounds += 1
        return await go_round(sender)

    async def nothing_left(_server: NioHomeserver, _wanted: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
        return {"one_time_keys": {}, "failures": {}}

    monkeypatch.setattr(NioHomeserver, "claim_keys", nothing_left)
    monkeypatch.setattr(Sender, "_round", counted)
    client = (await signed_in("alex")).person
    therapist = (await signed_in("lee")).person
    pair = await bot.pair(client.user_id, therapist.user_id)
    assert pair.room_id
    await client.wait_for_invitation(room=pair.room_id)
    await client.join(pair.room_id)
    await client.wait_for_to_device("m.room_key.withheld", code="m.no_olm")
    before = rounds
    with pytest.raises(PersonError, match="in vain"):
        await client.wait_for(pair.room_id, sender=bot.user_id, contains="Welcome", timeout=2)
    assert rounds - before < 20
    notices = [notice for notice in await client.withheld() if notice["code"] == "m.no_olm"]
    assert len(notices) == 1
