"""Typed answers: what is recorded, what is talk, and what happens to a record afterwards."""

from bot.core.events import CHECKIN, ENTRY, GOAL
from tests.interop.trio import Trio, answer_of, records_in, spoken_in


async def test_messages_in_a_row_are_one_record_and_one_confirmation(trio: Trio) -> None:
    """Three messages within three minutes: one entry in three revisions, one thank you."""
    asked = await trio.ask("evening-reflection")
    sent = [await trio.client.send_text(trio.room, words) for words in ("It rained.", "I walked anyway.", "It helped.")]
    said = await trio.said(asked["event_id"])
    entries = records_in(said)
    assert [entry["content"]["revision"] for entry in entries] == [1, 2, 3]
    assert len({entry["content"]["entry_id"] for entry in entries}) == 1
    assert answer_of(entries[-1])["text"] == "It rained.\nI walked anyway.\nIt helped."
    assert answer_of(entries[-1])["sources"] == sent
    assert len(spoken_in(said)) == 1
    assert "It rained" not in spoken_in(said)[0]


async def test_a_reply_goes_to_the_older_prompt(trio: Trio) -> None:
    """With a newer prompt open, a reply still answers the one that it replies to."""
    older = await trio.ask("evening-reflection")
    newer = await trio.ask("mood")
    await trio.client.send_text(trio.room, "About the first question.", reply_to=older["event_id"])
    entry = await trio.entry(newer["event_id"])
    assert entry["content"]["prompt_id"] == "evening-reflection"
    assert answer_of(entry)["text"] == "About the first question."
    confirmation = await trio.notice("kept your answer", since=newer["event_id"])
    assert confirmation["content"]["m.mentions"] == {}


async def test_the_therapists_words_are_never_an_answer(trio: Trio) -> None:
    """The therapist writes, replies and votes; nothing is recorded or said."""
    asked = await trio.ask("evening-reflection")
    await trio.therapist.send_text(trio.room, "I thought of you today.")
    await trio.therapist.send_text(trio.room, "7", reply_to=asked["event_id"])
    assert await trio.said(asked["event_id"], person=trio.therapist) == []


async def test_conversation_gets_no_word_from_the_bot(trio: Trio) -> None:
    """After the therapist wrote, what the client writes is talk, an open prompt or not."""
    asked = await trio.ask("evening-reflection")
    mine = await trio.therapist.send_text(trio.room, "Shall we meet on Tuesday?")
    await trio.client.wait_for(trio.room, event_id=mine)
    await trio.client.send_text(trio.room, "Tuesday is fine, thank you.")
    assert await trio.said(asked["event_id"]) == []


async def test_a_number_after_the_therapist_wrote_is_asked_back_once(trio: Trio) -> None:
    """ "Was 7 for Walk?" and `yes` records the number that was sent before."""
    before = await trio.last()
    await trio.bot.goal(trio.pair, "Walk")
    await trio.client.wait_for(trio.room, type=GOAL, since=before)
    asked = await trio.ask("goal-checkin")
    mine = await trio.therapist.send_text(trio.room, "How are you?")
    await trio.client.wait_for(trio.room, event_id=mine)
    number = await trio.client.send_text(trio.room, "7")
    question = await trio.notice('Was 7 for "Walk"?', since=mine)
    assert question["relates_to"]["m.in_reply_to"]["event_id"] == number
    await trio.client.send_text(trio.room, "6")  # asked once: this one is talk
    await trio.client.send_text(trio.room, "yes", reply_to=question["event_id"])
    said = await trio.said(asked["event_id"])
    (checkin,) = records_in(said)
    assert (checkin["type"], checkin["content"]["value"], checkin["content"]["sources"]) == (CHECKIN, 7, [number])
    assert len(spoken_in(said)) == 2


async def test_a_number_that_does_not_fit_is_explained(trio: Trio) -> None:
    """Outside the scale: one sentence with the scale, no record; the fitting number then counts."""
    asked = await trio.ask("goal-checkin")
    await trio.client.send_text(trio.room, "14")
    misfit = await trio.notice("whole number from 0 to 10", since=asked["event_id"])
    await trio.client.send_text(trio.room, "four")
    checkin = await trio.client.wait_for(trio.room, type=CHECKIN, since=misfit["event_id"])
    assert checkin["content"]["value"] == 4
    assert len(records_in(await trio.said(asked["event_id"]))) == 1


async def test_an_edit_corrects_the_record_and_the_confirmation(trio: Trio) -> None:
    """The edited words replace the first ones, and the thank you is edited, not repeated."""
    asked = await trio.ask("evening-reflection")
    sent = await trio.client.send_text(trio.room, "I slept bad.")
    first = await trio.entry(asked["event_id"])
    await trio.client.edit(trio.room, sent, "I slept badly.")
    second = await trio.entry(first["event_id"])
    assert (second["content"]["revision"], answer_of(second)["text"]) == (2, "I slept badly.")
    said = await trio.said(asked["event_id"])
    first_words, correction = (event for event in said if event["type"] == "m.room.message")
    assert correction["relates_to"] == {"rel_type": "m.replace", "event_id": first_words["event_id"]}


async def test_what_the_client_deletes_is_removed_everywhere(trio: Trio) -> None:
    """A redaction removes the value from the record and from the bot's own events, and leaves a revision."""
    asked = await trio.ask("evening-reflection")
    sent = await trio.client.send_text(trio.room, "I wish I had not written this.")
    first = await trio.entry(asked["event_id"])
    await trio.client.redact(trio.room, sent)
    removed = await trio.entry(first["event_id"])
    assert (removed["content"]["revision"], removed["content"]["status"]) == (2, "removed")
    assert (answer_of(removed)["text"], answer_of(removed)["media"]) == (None, [])
    await trio.therapist.wait_for_redaction(trio.room, first["event_id"])
    await trio.settled()
    (record, *_) = await trio.bot.records(trio.pair)
    assert (record.record_id, record.pieces, record.undo) == (first["content"]["entry_id"], (), None)
    for person in (trio.client, trio.therapist):
        assert "I wish I had" not in str(await person.timeline(trio.room))


async def test_a_photo_that_the_therapist_deletes_stays_on_record_until_the_client_agrees(trio: Trio) -> None:
    """Anybody else's redaction is flagged in the room; `undo` by the client removes it, and only it."""
    asked = await trio.ask("evening-reflection")
    photo = await trio.client.send_media(
        trio.room, "image", b"picture" * 10, mimetype="image/png", filename="lake.png", caption="the lake"
    )
    await trio.client.send_text(trio.room, "That was the lake.")
    await trio.therapist.wait_for(trio.room, event_id=photo)
    await trio.settled()
    kept = (await trio.bot.records(trio.pair))[0]
    await trio.therapist.redact(trio.room, photo)
    flagged = await trio.notice("Someone else deleted an answer", since=photo)
    assert (await trio.bot.records(trio.pair))[0].content == kept.content
    assert len(kept.content["answers"][0]["media"]) == 1
    await trio.client.send_text(trio.room, "undo")
    await trio.client.wait_for(trio.room, type=ENTRY, sender=trio.bot.user_id, since=flagged["event_id"])
    await trio.settled()
    after = (await trio.bot.records(trio.pair))[0]
    assert after.record_id == kept.record_id
    assert (after.content["answers"][0]["text"], after.content["answers"][0]["media"]) == ("That was the lake.", [])
    for entry in records_in(await trio.said(asked["event_id"])):
        assert not answer_of(entry)["media"]
