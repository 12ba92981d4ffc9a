"""A conversation of several steps with a real client: a full thought record, and what can happen on the way."""

from bot.core.events import ENTRY, PROMPT
from bot.core.posting import POLL_START
from bot.demo.person import Event
from tests.interop.trio import Trio, records_in, spoken_in

SITUATION = "What happened?"
THOUGHT = "What went through your mind?"
BELIEF = "How true did that thought feel"
FEELINGS = "What did you feel"
OTHER_VIEW = "Is there another way to see it?"
BELIEF_AFTER = "Back to the first thought"


async def asked(trio: Trio, question: str, since: str) -> Event:
    """Wait for a question, which notifies the client and carries no warning."""
    event = await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains=question, since=since)
    assert event["content"]["m.mentions"] == {"user_ids": [trio.client.user_id]}
    assert (event["shield_colour"], event["failure"]) == (0, None)
    return event


async def quiet(trio: Trio) -> None:
    """Let the client be silent for so long that the next question comes."""
    await trio.settled()
    trio.pass_time(seconds=21)


def steps(events: list[Event]) -> list[str]:
    """Return the steps that were asked."""
    return [event["content"][PROMPT]["step"] for event in events if PROMPT in event["content"]]


async def test_a_thought_record_with_all_that_happens_on_the_way(trio: Trio) -> None:
    """Skip, back, edit, undo and a photo, across a restart, while the therapist writes: one entry, one thank you."""
    room, alex = trio.room, trio.client
    first = await trio.ask("thought-record")
    bus = await alex.send_text(room, "The bus was late.")
    photo = await alex.send_media(room, "image", b"bus" * 9, mimetype="image/jpeg", filename="bus.jpg")
    await quiet(trio)
    thought = await asked(trio, THOUGHT, photo)
    job = await alex.send_text(room, "I will lose my job.")
    await quiet(trio)
    await asked(trio, BELIEF, thought["event_id"])
    skipped = await alex.send_text(room, "skip")
    await asked(trio, FEELINGS, skipped)
    back = await alex.send_text(room, "back")
    belief = await asked(trio, BELIEF, back)
    number = await alex.send_text(room, "80")
    feelings = await asked(trio, FEELINGS, belief["event_id"])

    reading = await trio.therapist.send_text(room, "I am reading along, take your time.")
    await alex.wait_for(room, event_id=reading)
    await alex.send_text(room, "Thank you, that helps.")
    await trio.settled()
    await trio.bot.stop()
    await alex.edit(room, bus, "The bus was very late.")
    await trio.bot.start()

    await alex.send_text(room, "fear 70", reply_to=feelings["event_id"])
    await quiet(trio)
    await asked(trio, OTHER_VIEW, feelings["event_id"])
    undone = await alex.send_text(room, "undo")
    await trio.notice("Taken back: Thought record", since=undone)
    feelings = await asked(trio, FEELINGS, undone)
    fear = await alex.send_text(room, "fear 60")
    await quiet(trio)
    view = await asked(trio, OTHER_VIEW, feelings["event_id"])
    lake = await alex.send_media(room, "image", b"lake" * 9, mimetype="image/jpeg", filename="l.jpg", caption="calm")
    await quiet(trio)
    await asked(trio, BELIEF_AFTER, view["event_id"])
    last = await alex.send_text(room, "30")

    entry = await trio.entry(first["event_id"])
    answers = {answer["step"]: answer for answer in entry["content"]["answers"]}
    assert {step: (each["value"], each["text"], each["sources"]) for step, each in answers.items()} == {
        "situation": (None, "The bus was very late.", [bus, photo]),
        "thought": (None, "I will lose my job.", [job]),
        "belief-before": (80, None, [number]),
        "feelings": (None, "fear 60", [fear]),
        "other-view": (None, None, [lake]),
        "belief-after": (30, None, [last]),
    }
    assert [medium["source"] for medium in answers["situation"]["media"]] == [photo]
    assert answers["other-view"]["media"][0]["caption"] == "calm"
    assert (entry["content"]["revision"], entry["content"]["ended"]) == (1, "done")
    said = await trio.said(first["event_id"])
    assert len(records_in(said)) == 1
    assert [text for text in spoken_in(said) if "Thought record" in text] == [
        "Taken back: Thought record.",
        "Thank you. I have kept your answers to Thought record.",
    ]
    assert steps(said) == [
        *("thought", "belief-before", "feelings", "belief-before", "feelings", "other-view", "feelings", "other-view"),
        "belief-after",
    ]
    assert "that helps" not in str(said)


async def test_what_is_changed_after_the_end_is_a_revision(trio: Trio) -> None:
    """An edit corrects its step, a deletion removes it from every event of the bot's, and nothing is asked again."""
    poll = await trio.ask("mood")
    answers = [each["id"] for each in poll["content"][POLL_START]["answers"]]
    await trio.client.send_poll_response(trio.room, poll["event_id"], [answers[3]])
    energy = await asked(trio, "how much energy", poll["event_id"])
    number = await trio.client.send_text(trio.room, "7 - slept well")
    first = await trio.entry(energy["event_id"])
    assert [(each["step"], each["value"], each["text"]) for each in first["content"]["answers"]] == [
        ("mood", "good", "Good"),
        ("energy", 7, "slept well"),
    ]
    thanks = await trio.notice("kept your answers to Mood and energy", since=energy["event_id"])
    await trio.client.edit(trio.room, number, "6 - slept badly")
    second = await trio.entry(first["event_id"])
    assert (second["content"]["revision"], second["content"]["answers"][1]["value"]) == (2, 6)
    correction = await trio.notice("changed from 7 to 6", since=first["event_id"])
    assert correction["relates_to"] == {"rel_type": "m.replace", "event_id": thanks["event_id"]}
    await trio.client.redact(trio.room, number)
    third = await trio.entry(second["event_id"])
    assert [each["step"] for each in third["content"]["answers"]] == ["mood"]
    for event in (first, second, thanks, correction):
        await trio.therapist.wait_for_redaction(trio.room, event["event_id"])
    assert steps(await trio.said(number)) == []
    mine = [each for each in await trio.therapist.timeline(trio.room) if each["sender"] == trio.bot.user_id]
    assert "slept" not in str(mine)


async def test_an_unfinished_conversation_is_recorded_when_its_time_is_over(trio: Trio) -> None:
    """Without a word; a later reply is added and marked as late."""
    first = await trio.ask("mood")
    answers = [each["id"] for each in first["content"][POLL_START]["answers"]]
    await trio.client.send_poll_response(trio.room, first["event_id"], [answers[0]])
    energy = await asked(trio, "how much energy", first["event_id"])
    await trio.settled()
    trio.pass_time(hours=21)
    entry = await trio.entry(energy["event_id"])
    assert (entry["content"]["ended"], len(entry["content"]["answers"])) == ("expired", 1)
    await trio.client.send_text(trio.room, "2", reply_to=energy["event_id"])
    late = await trio.client.wait_for(trio.room, type=ENTRY, since=entry["event_id"])
    assert [each["late"] for each in late["content"]["answers"]] == [False, True]
