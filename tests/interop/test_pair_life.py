"""Coming and going, as people do it in their own clients: record, keys and prompts follow (DESIGN 6)."""

import pytest

from bot.core.events import ENTRY, GOAL
from bot.core.pairs import PairState
from bot.core.people import Pair
from bot.demo.person import Person
from tests.conftest import Account, LogIn, SignedIn, SignedPerson
from tests.interop.conftest import NewTrio
from tests.interop.trio import Trio
from tests.running_bot import RunningBot


async def accept(person: Person, room: str | None) -> str:
    """Join a room to which the person is invited."""
    assert room
    await person.wait_for_invitation(room=room)
    await person.join(room)
    return room


async def said_in(person: Person, room: str, bot: RunningBot) -> list[str]:
    """Return the types of what the bot sent into a room in encrypted form."""
    events = await person.timeline(room)
    return [event["type"] for event in events if event["sender"] == bot.user_id and "encrypted" in event["wire_type"]]


async def invited_pair(bot: RunningBot, signed_in: SignedIn) -> tuple[Pair, SignedPerson, SignedPerson]:
    """A pair whose invitations are out."""
    client, therapist = await signed_in("alex"), await signed_in("lee")
    return await bot.pair(client.person.user_id, therapist.person.user_id), client, therapist


async def test_nothing_is_sent_before_the_client_has_joined_on_a_signed_device(
    bot: RunningBot, account: Account, log_in: LogIn, signed_in: SignedIn
) -> None:
    """Not at the invitation, not at a goal, not at the join of an unsigned device; then everything, in order."""
    user, password = await account("alex")
    therapist = (await signed_in("lee")).person
    pair = await bot.pair(user, therapist.user_id)
    room = await accept(therapist, pair.room_id)
    console = await accept(therapist, pair.console_id)
    await therapist.wait_for(console, sender=bot.user_id, contains=f"{pair.word} is Alex")
    await bot.goal(pair, "Walk")
    with pytest.raises(AssertionError, match="not joined"):
        await bot.send_prompt(pair, "mood")
    client = await log_in(user, password)
    await accept(client, room)
    await therapist.wait_for_member(room, user)
    await therapist.wait_for(console, sender=bot.user_id, contains="has a device that cannot read")
    assert await said_in(therapist, room, bot) == []
    await client.bootstrap()
    first = await client.wait_for(room, sender=bot.user_id, contains="Walk")
    assert (first["type"], first["shield_colour"]) == (GOAL, 0)
    await client.wait_for(room, sender=bot.user_id, contains="Welcome")
    assert await said_in(client, room, bot) == await said_in(therapist, room, bot)


async def test_nothing_is_sent_in_the_console_before_the_therapist_has_joined(
    bot: RunningBot, signed_in: SignedIn
) -> None:
    """A therapist who joins later reads the console and the room from the start."""
    pair, of_client, of_therapist = await invited_pair(bot, signed_in)
    client, therapist = of_client.person, of_therapist.person
    room = await accept(client, pair.room_id)
    await client.wait_for(room, sender=bot.user_id, contains="Welcome")
    await bot.send_prompt(pair, "evening-reflection")
    asked = await client.wait_for(room, sender=bot.user_id, contains="evening-reflection")
    await client.send_text(room, "Said before my therapist came.")
    await client.wait_for(room, type=ENTRY, since=asked["event_id"])
    async with bot.store.transaction() as tx:
        waiting = {row.room_id for row in await tx.outbox.heads(10, skip_rooms=set())}
    assert pair.console_id in waiting
    await accept(therapist, pair.room_id)
    console = await accept(therapist, pair.console_id)
    for contains in ("Welcome", "evening-reflection", "Said before my therapist came."):
        read = await therapist.wait_for(room, sender=bot.user_id, contains=contains)
        assert (read["failure"], read["shield_colour"]) == (None, 0)
    told = await therapist.wait_for(console, sender=bot.user_id, contains=f"{pair.word} is Alex")
    assert told["failure"] is None


async def test_a_client_who_declines_is_not_asked_again(bot: RunningBot, signed_in: SignedIn) -> None:
    """The console says so, nothing is sent, and no new invitation follows."""
    pair, of_client, of_therapist = await invited_pair(bot, signed_in)
    client, therapist = of_client.person, of_therapist.person
    assert pair.room_id
    console = await accept(therapist, pair.console_id)
    room = await accept(therapist, pair.room_id)
    await client.wait_for_invitation(room=room)
    await client.leave(room)
    await therapist.wait_for(console, sender=bot.user_id, contains="declined the invitation")
    assert (await bot.current(pair)).state is PairState.DECLINED
    with pytest.raises(AssertionError, match="not joined"):
        await bot.send_prompt(pair, "mood")
    assert await said_in(therapist, room, bot) == []
    assert await client.invitations() == []


async def test_a_client_who_leaves_ends_prompts_and_keys(new_trio: NewTrio) -> None:
    """Prompts stop, the console is told, and what is said later is under a key that the client does not have."""
    trio = await new_trio()
    before = await trio.client.wait_for(trio.room, contains="Welcome")
    await trio.client.leave(trio.room)
    await trio.told("has left")
    assert (await trio.bot.current(trio.pair)).state is PairState.LEFT
    with pytest.raises(AssertionError, match="not joined"):
        await trio.bot.send_prompt(trio.pair, "mood")
    async with trio.bot.store.transaction() as tx:
        assert before["session_id"] not in {
            each.session_id for each in (await tx.megolm.outbound([trio.room])).values()
        }
    assert await trio.client.invitations() == []


async def test_a_client_who_is_removed_and_let_in_again_goes_on(new_trio: NewTrio) -> None:
    """Through the therapist's own client: stopped in between, a new key afterwards, no second welcome."""
    trio = await new_trio()
    await trio.ask("mood")
    welcome = await trio.client.wait_for(trio.room, contains="Welcome")
    await trio.therapist.kick(trio.room, trio.client.user_id)
    await trio.told("was removed from")
    assert (await trio.bot.current(trio.pair)).state is PairState.REMOVED
    with pytest.raises(AssertionError, match="not joined"):
        await trio.bot.send_prompt(trio.pair, "mood")
    await trio.therapist.invite(trio.room, trio.client.user_id)
    await accept(trio.client, trio.room)
    await trio.told("is back in")
    asked = await trio.ask("evening-reflection")
    assert asked["session_id"] != welcome["session_id"]
    await trio.client.send_text(trio.room, "Here I am again.")
    await trio.entry(asked["event_id"])
    welcomes = [event for event in await trio.client.timeline(trio.room) if "Welcome to" in str(event["content"])]
    assert len(welcomes) == 1


async def test_a_therapists_closed_account_stops_the_prompts_and_the_client_is_told_once(new_trio: NewTrio) -> None:
    """With the practice's contact; `crisis` still answers."""
    trio = await new_trio()
    await deactivate(trio.of_therapist)
    told = await trio.notice("Your therapist is no longer in this room", since=None)
    assert "555 0100" in told["content"]["body"]
    assert told["content"]["m.mentions"] == {"user_ids": [trio.client.user_id]}
    assert (await trio.bot.current(trio.pair)).therapist_gone
    with pytest.raises(AssertionError, match="not joined"):
        await trio.bot.send_prompt(trio.pair, "mood")
    sent = await trio.client.send_text(trio.room, "crisis")
    await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains="please call now", since=sent)
    words = [
        event for event in await trio.client.timeline(trio.room) if "no longer in this room" in str(event["content"])
    ]
    assert len(words) == 1


async def test_a_clients_closed_account_is_named_in_the_console(new_trio: NewTrio) -> None:
    """The pair stands as deactivated."""
    trio = await new_trio()
    await deactivate(trio.of_client)
    await trio.told("The account of Alex")
    assert (await trio.bot.current(trio.pair)).state is PairState.DEACTIVATED


async def deactivate(signed: SignedPerson) -> None:
    """Close an account as its owner does."""
    person = signed.person
    password = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": person.user_id},
        "password": signed.password,
    }
    await person.pause()
    await person.rest("POST", "/account/deactivate", body={"auth": password, "erase": True})


async def test_ending_before_the_join_withdraws_the_invitation(bot: RunningBot, signed_in: SignedIn) -> None:
    """The client's invitation is gone, and the console says that it is withdrawn."""
    pair, of_client, of_therapist = await invited_pair(bot, signed_in)
    client, therapist = of_client.person, of_therapist.person
    assert pair.room_id
    console = await accept(therapist, pair.console_id)
    await accept(therapist, pair.room_id)
    await client.wait_for_invitation(room=pair.room_id)
    await bot.ask("pair_end", {"pair_id": pair.pair_id})
    await client.wait_for_member(pair.room_id, client.user_id, "leave")
    assert await client.invitations() == []
    await therapist.wait_for(console, sender=bot.user_id, contains="is withdrawn")
    assert (await bot.current(pair)).state is PairState.WITHDRAWN


async def test_ending_after_the_join_leaves_the_room_readable_and_crisis_answering(new_trio: NewTrio) -> None:
    """Both are told; prompts are refused; other commands are silent."""
    trio = await new_trio()
    await trio.bot.ask("pair_end", {"pair_id": trio.pair.pair_id})
    await trio.notice("My questions in this room have ended")
    await trio.told("is ended")
    with pytest.raises(AssertionError, match="ended"):
        await trio.bot.send_prompt(trio.pair, "mood")
    sent = await trio.client.send_text(trio.room, "resume")
    await trio.client.send_text(trio.room, "journal")
    await trio.client.send_text(trio.room, "crisis")
    said = await trio.client.wait_for(trio.room, sender=trio.bot.user_id, since=sent)
    assert "please call now" in said["content"]["body"]
    assert (await trio.therapist.members(trio.room))[trio.client.user_id] == "join"


async def test_who_has_not_joined_after_three_days_is_named_once(bot: RunningBot, signed_in: SignedIn) -> None:
    """The invitation still stands, and the client may join later."""
    pair, of_client, of_therapist = await invited_pair(bot, signed_in)
    trio = Trio(
        bot=bot,
        pair=pair,
        of_client=of_client,
        of_therapist=of_therapist,
        room=await accept(of_therapist.person, pair.room_id),
        console=await accept(of_therapist.person, pair.console_id),
    )
    await trio.told("This room is only for you and me")
    trio.pass_time(days=3, minutes=1)
    await trio.told("Alex has not joined the room")
    trio.pass_time(days=3, minutes=1)
    await trio.settled(trio.therapist, trio.console)
    told = [e for e in await trio.therapist.timeline(trio.console) if "after three days" in str(e["content"])]
    assert len(told) == 1
    await accept(trio.client, trio.room)
    await trio.notice("Welcome")
    assert (await bot.current(pair)).state is PairState.ACTIVE
