"""Somebody whom the pair record does not name, and rooms that are not as they should be: nothing is sent there."""

from urllib.parse import quote

import pytest_asyncio

from bot.core.events import ENTRY
from tests.conftest import SignedIn, SignedPerson
from tests.interop.conftest import NewTrio
from tests.interop.trio import MESSAGE, Trio, records_in


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(signed_in: SignedIn) -> SignedPerson:
    """A person with an account on the homeserver, and no pair."""
    return await signed_in("mallory")


async def invited(trio: Trio, stranger: SignedPerson) -> None:
    """Let the therapist's power bring a third person in, past the bot."""
    person = stranger.person
    await trio.therapist.rest("POST", f"/rooms/{trio.room}/invite", body={"user_id": person.user_id})
    await person.wait_for_invitation(room=trio.room)


async def test_a_strangers_commands_in_a_room_of_their_own_change_nothing(trio: Trio, stranger: SignedPerson) -> None:
    """The bot joins no other room, and answers nobody there."""
    person = stranger.person
    room = await person.create_room(invite=[trio.bot.user_id])
    await person.send_text(room, "help")
    asked = await trio.ask("evening-reflection")
    await trio.client.send_text(trio.room, "All is well here.")
    await trio.entry(asked["event_id"])
    assert (await person.members(room))[trio.bot.user_id] == "invite"
    assert [event for event in await person.timeline(room) if event["sender"] == trio.bot.user_id] == []


async def test_a_third_person_holds_the_room_and_crisis_still_works(new_trio: NewTrio, stranger: SignedPerson) -> None:
    """From the invitation on the bot is silent there, says so in the console, and gives the stranger no key."""
    trio = await new_trio()
    await invited(trio, stranger)
    await trio.told("Something is not right in")
    await stranger.person.join(trio.room)
    await trio.client.wait_for_member(trio.room, stranger.person.user_id)
    before = await trio.last()
    await stranger.person.send_text(trio.room, "pause")
    await stranger.person.send_text(trio.room, "crisis")
    await trio.bot.send_prompt(trio.pair, "evening-reflection")
    sent = await trio.client.send_text(trio.room, "crisis")
    said = await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains="please call now", since=sent)
    assert not (await trio.bot.current(trio.pair)).paused
    mine = [
        event
        for event in await trio.client.timeline(trio.room)
        if event["sender"] == trio.bot.user_id and event["type"] != "m.room.member"
    ]
    known = [event["event_id"] for event in mine]
    assert known[-1] == said["event_id"]
    assert sum("please call now" in str(event["content"]) for event in mine) == 1  # the stranger's call is no call
    for event in await stranger.person.timeline(trio.room):
        if event["sender"] == trio.bot.user_id and event["wire_type"] == "m.room.encrypted":
            assert event["failure"]
    assert await stranger.person.withheld() == []
    await _put_right(trio, stranger, before)


async def _put_right(trio: Trio, stranger: SignedPerson, before: str) -> None:
    """Once the stranger is gone the held prompt goes out, under a new key."""
    person = stranger.person
    await trio.therapist.kick(trio.room, person.user_id)
    asked = await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains="evening-reflection", since=before)
    await trio.client.send_text(trio.room, "The room is ours again.")
    entry = await trio.client.wait_for(trio.room, type=ENTRY, since=asked["event_id"])
    assert records_in([entry])


async def test_a_room_that_is_made_findable_is_held_until_that_is_undone(new_trio: NewTrio) -> None:
    """An address set by the therapist is drift: named in the console, nothing is sent, `crisis` excepted."""
    trio = await new_trio()
    server = trio.client.user_id.partition(":")[2]
    alias = f"#heron-{trio.pair.pair_id}:{server}"
    await trio.therapist.rest("PUT", f"/directory/room/{quote(alias)}", body={"room_id": trio.room})
    await trio.therapist.send_state(trio.room, "m.room.canonical_alias", {"alias": alias})
    told = await trio.told("m.room.canonical_alias")
    before = await trio.last()
    await trio.bot.send_prompt(trio.pair, "evening-reflection")
    await trio.client.send_text(trio.room, "crisis")
    said = await trio.client.wait_for(trio.room, type=MESSAGE, sender=trio.bot.user_id, since=before)
    assert "please call now" in said["content"]["body"]
    await trio.settled(trio.therapist, trio.console)
    events = await trio.client.timeline(trio.room)
    assert [event["event_id"] for event in events if event["sender"] == trio.bot.user_id][-1] == said["event_id"]
    await trio.therapist.send_state(trio.room, "m.room.canonical_alias", {})
    await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains="evening-reflection", since=before)
    assert trio.pair.word in told["content"]["body"]
