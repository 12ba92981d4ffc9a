"""The main job, as people meet it: a prompt goes out, an answer comes back, and it is on record."""

from bot.core.events import CHECKIN, ENTRY, GOAL
from tests.interop.trio import Trio


async def test_a_strict_client_reads_the_welcome_without_a_shield(trio: Trio) -> None:
    """Device isolation on, no warning on any of the bot's messages."""
    for person in (trio.client, trio.therapist):
        welcome = await person.wait_for(trio.room, sender=trio.bot.user_id, contains="Welcome")
        assert welcome["shield_colour"] == 0
        assert welcome["failure"] is None


async def test_a_text_prompt_is_answered_and_recorded(trio: Trio) -> None:
    """The client's words become one entry, which both can read, and one quiet confirmation."""
    await trio.bot.send_prompt(trio.pair, "evening-reflection")
    asked = await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains="evening-reflection")
    sent = await trio.client.send_text(trio.room, "I sang in the kitchen.")
    entry = await trio.therapist.wait_for(trio.room, type=ENTRY, since=asked["event_id"])
    assert entry["content"]["answers"][0]["text"] == "I sang in the kitchen."
    assert entry["content"]["answers"][0]["sources"] == [sent]
    assert entry["shield_colour"] == 0
    said = await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains="kept your answer")
    assert said["content"]["msgtype"] == "m.notice"


async def test_a_vote_is_recorded_and_a_changed_vote_is_a_revision(trio: Trio) -> None:
    """The first vote counts at once; the second one changes record and confirmation."""
    await trio.bot.send_prompt(trio.pair, "one-tap")
    poll = await trio.client.wait_for(trio.room, type="org.matrix.msc3381.poll.start", sender=trio.bot.user_id)
    answers = [each["id"] for each in poll["content"]["org.matrix.msc3381.poll.start"]["answers"]]
    await trio.client.send_poll_response(trio.room, poll["event_id"], [answers[0]])
    first = await trio.client.wait_for(trio.room, type=ENTRY, since=poll["event_id"])
    await trio.client.send_poll_response(trio.room, poll["event_id"], [answers[3]], stable=True)
    second = await trio.client.wait_for(trio.room, type=ENTRY, since=first["event_id"])
    assert (first["content"]["revision"], second["content"]["revision"]) == (1, 2)
    assert first["content"]["entry_id"] == second["content"]["entry_id"]
    assert first["content"]["answers"][0]["value"] != second["content"]["answers"][0]["value"]
    corrected = await trio.client.wait_for(trio.room, contains="changed from", since=first["event_id"])
    assert corrected["relates_to"]["rel_type"] == "m.replace"


async def test_a_goal_checkin_is_one_checkin_and_no_entry(trio: Trio) -> None:
    """A typed number with a note on the goal's scale."""
    await trio.bot.goal(trio.pair, "Walk")
    goal = await trio.client.wait_for(trio.room, type=GOAL)
    await trio.bot.send_prompt(trio.pair, "goal-checkin")
    asked = await trio.client.wait_for(trio.room, contains="goal-checkin", since=goal["event_id"])
    await trio.client.send_text(trio.room, "7/10 - round the lake")
    checkin = await trio.therapist.wait_for(trio.room, type=CHECKIN, since=asked["event_id"])
    assert (checkin["content"]["value"], checkin["content"]["note"]) == (7, "round the lake")
    await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains="Walk: 7 out of 10")
    entries = [each for each in await trio.client.timeline(trio.room) if each["type"] == ENTRY]
    assert not [each for each in entries if each["content"]["prompt_id"] == "goal-checkin"]
    await trio.client.edit(trio.room, checkin["content"]["sources"][0], "8/10 - round the lake")
    revised = await trio.client.wait_for(trio.room, type=CHECKIN, since=checkin["event_id"])
    assert (revised["content"]["value"], revised["content"]["revision"]) == (8, 2)
