"""Conversations of several steps, through the real store: what is asked, recorded and said."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.outbox import OutboxEvent, OutboxState
from bot.core.pairs import PairEvent
from bot.core.posting import POLL_END
from bot.core.records import RecordState
from bot.core.sittings import SittingState, Turn
from tests.flows.practice import berlin
from tests.flows.room import Room

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOW = berlin("2026-11-23 20:00")
AFTERNOON = berlin("2026-11-23 16:00")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


async def answered(room: Room, *texts: str) -> None:
    """Answer one question after another, a minute apart."""
    for number, text in enumerate(texts):
        at = NOW + number * MINUTE
        await room.say(text, at)
        await room.wait(at + 20 * SECOND)


async def test_a_thought_record_is_one_record(room: Room) -> None:
    """Each step is asked once; at the end one entry with one answer per step, and one thank you."""
    await room.ask("thought-record", NOW)
    await answered(room, "The bus was late.", "I will lose my job.", "80", "fear 70", "It happens to all.", "30")
    assert room.asked() == ["situation", "thought", "belief-before", "feelings", "other-view", "belief-after"]
    (entry,) = room.entries()
    assert room.answers() == {
        "situation": (None, "The bus was late."),
        "thought": (None, "I will lose my job."),
        "belief-before": (80, None),
        "feelings": (None, "fear 70"),
        "other-view": (None, "It happens to all."),
        "belief-after": (30, None),
    }
    assert (entry["revision"], entry["ended"], entry["skipped"], entry["late"]) == (1, "done", [], False)
    assert room.told() == ["Thank you. I have kept your answers to Thought record."]
    assert (await room.sitting()).state is SittingState.DONE


async def test_each_question_says_which_it_is(room: Room) -> None:
    """Every post carries the step and its place, and notifies the client."""
    await room.ask("thought-record", NOW)
    await answered(room, "The bus was late.")
    block = room.question().content["care.interlude.prompt"]
    assert (block["step"], block["position"], block["steps"], block["kind"]) == ("thought", 2, 7, "text")
    assert room.question().content["m.mentions"] == {"user_ids": [room.pair.client]}
    assert room.question().content["msgtype"] == "m.text"


async def test_a_condition_brings_its_step(room: Room) -> None:
    """A thought that still feels true is asked about once more, with a hint that it may be left out."""
    await room.ask("thought-record", NOW)
    await answered(room, "a", "b", "80", "c", "d", "80")
    assert room.asked()[-1] == "good-for-me"
    assert "`skip`" in room.question().content["body"]
    assert "<code>skip</code>" in room.question().content["formatted_body"]
    assert room.entries() == []


async def test_words_in_a_row_are_one_answer_and_the_next_step_waits_for_quiet(room: Room) -> None:
    """Twenty seconds after the last message the next question comes, once."""
    await room.ask("thought-record", NOW)
    await room.say("The bus was late.", NOW)
    await room.say("I ran.", NOW + 15 * SECOND)
    assert await room.wait(NOW + 34 * SECOND) == NOW + 35 * SECOND
    assert room.asked() == ["situation"]
    for _ in range(3):
        await room.wait(NOW + 35 * SECOND)
        room.restart()
    assert room.asked() == ["situation", "thought"]
    assert (await room.record()).content["answers"][0]["text"] == "The bus was late.\nI ran."
    assert room.told() == []


async def test_a_row_goes_on_while_a_number_is_asked(room: Room) -> None:
    """What belongs to the words before joins them; the number goes to its own step."""
    await room.ask("thought-record", NOW)
    await answered(room, "a", "b")
    await room.say("and c", NOW + 2 * MINUTE)
    await room.say("80", NOW + 2 * MINUTE)
    texts = {each["step"]: each["text"] for each in (await room.record()).content["answers"]}
    assert texts == {"situation": "a", "thought": "b\nand c", "belief-before": None}


async def test_done_ends_a_row_at_once(room: Room) -> None:
    """The next question comes without waiting; before anything was said `done` is an answer like any other."""
    await room.ask("thought-record", NOW)
    assert await room.turn(Turn.DONE, NOW) is None
    await room.say("The bus was late.", NOW)
    assert await room.turn(Turn.DONE, NOW + SECOND) == ""
    assert room.asked() == ["situation", "thought"]


async def test_skip_back_and_stop(room: Room) -> None:
    """A skipped step is left out, `back` replaces, `stop` keeps what there is and says so once."""
    await room.ask("thought-record", NOW)
    await answered(room, "a")
    assert await room.turn(Turn.SKIP, NOW + MINUTE) == ""
    assert await room.turn(Turn.BACK, NOW + MINUTE) == ""
    assert await room.turn(Turn.BACK, NOW + MINUTE) == ""
    assert room.asked() == ["situation", "thought", "belief-before", "thought", "situation"]
    assert await room.turn(Turn.BACK, NOW + MINUTE) == (
        "This is the first question of Thought record, so there is none before it."
    )
    await room.say("better said", NOW + 2 * MINUTE)
    await room.wait(NOW + 3 * MINUTE)
    assert room.asked()[-1] == "thought"
    assert await room.turn(Turn.STOP, NOW + 4 * MINUTE) == ""
    assert room.answers() == {"situation": (None, "better said")}
    assert (room.entries()[-1]["ended"], room.entries()[-1]["skipped"]) == ("stopped", [])
    assert room.told() == ["All right, we stop here. What you have sent for Thought record is kept."]
    assert await room.turn(Turn.SKIP, NOW + 5 * MINUTE) is None


async def test_skipping_all_keeps_nothing(room: Room) -> None:
    """Without an answer there is no record, and nothing is left open."""
    await room.ask("evening-reflection", NOW)
    assert await room.turn(Turn.SKIP, NOW) == "All right, we leave Evening reflection out this time."
    assert room.entries() == []
    assert (await room.sitting()).state is SittingState.STOPPED
    await room.say("A remark.", NOW)
    assert room.entries() == []


async def test_a_skipped_prompt_can_be_answered_by_a_reply(room: Room) -> None:
    """A reply finds it at any age, is recorded at once and confirmed."""
    question = await room.ask("evening-reflection", NOW)
    await room.turn(Turn.SKIP, NOW)
    await room.say("It was good after all.", NOW + HOUR, reply_to=question.event_id)
    assert room.answers() == {"reflection": (None, "It was good after all.")}
    assert room.told() == ["Thank you. I have kept your answer to Evening reflection."]


async def test_later_comes_back_once(room: Room) -> None:
    """In two hours its question is asked again, with a notification; meanwhile remarks are conversation."""
    await room.ask("thought-record", AFTERNOON)
    assert await room.turn(Turn.LATER, AFTERNOON) == "All right. I'll come back to Thought record: 18:00."
    await room.say("On my way home.", AFTERNOON + MINUTE)
    assert await room.wait(AFTERNOON + MINUTE) == AFTERNOON + 2 * HOUR
    await room.wait(AFTERNOON + 2 * HOUR)
    assert room.asked() == ["situation", "situation"]
    assert room.question().content["m.mentions"] == {"user_ids": [room.pair.client]}
    said = await room.turn(Turn.LATER, AFTERNOON + 2 * HOUR)
    assert said is not None
    assert "only once" in said
    await room.say("The bus was late.", AFTERNOON + 2 * HOUR)
    assert len((await room.record()).pieces) == 1


async def test_later_waits_for_the_end_of_the_night(room: Room) -> None:
    """Two hours that end in the quiet hours become the next morning; so does a return that was missed."""
    at = berlin("2026-11-23 21:00")
    await room.ask("mood", at)
    assert await room.turn(Turn.LATER, at) == "All right. I'll come back to Mood and energy: Tue 24 Nov, 07:30."
    await room.ask("thought-record", at)
    await room.turn(Turn.LATER, at, until=berlin("2026-11-23 22:00"))
    await room.wait(berlin("2026-11-23 23:00"))
    assert room.asked() == ["mood", "situation"]
    await room.wait(berlin("2026-11-24 07:30"))
    assert sorted(room.asked()) == ["mood", "mood", "situation", "situation"]


async def test_later_at_a_time_of_another_day(room: Room) -> None:
    """The client's own time is kept and said with its day."""
    await room.ask("mood", NOW)
    said = await room.turn(Turn.LATER, NOW, until=berlin("2026-11-24 07:00"))
    assert said == "All right. I'll come back to Mood and energy: Tue 24 Nov, 07:00."
    await room.wait(berlin("2026-11-24 07:00"))
    assert [len(room.polls()), len(room.of_purpose("poll_end"))] == [2, 1]  # one poll at a time


async def test_a_vote_ends_the_wait_of_later(room: Room) -> None:
    """Who taps after all goes on at once."""
    poll = await room.ask("mood", NOW)
    await room.turn(Turn.LATER, NOW)
    await room.vote(poll, "good", NOW + MINUTE)
    assert room.asked() == ["mood", "energy"]
    await room.wait(NOW + 3 * HOUR)
    assert room.asked() == ["mood", "energy"]


async def test_an_unfinished_sitting_is_recorded_at_its_expiry(room: Room) -> None:
    """What was answered is posted without a word; a late reply is added and marked."""
    await room.ask("thought-record", NOW)
    await answered(room, "a", "b")
    question = room.question()
    assert await room.wait(NOW + 19 * HOUR) == NOW + 20 * HOUR
    await room.wait(NOW + 20 * HOUR)
    assert room.answers() == {"situation": (None, "a"), "thought": (None, "b")}
    assert (room.entries()[-1]["ended"], room.told()) == ("expired", [])
    assert (await room.sitting()).state is SittingState.EXPIRED
    await room.say("80", NOW + 21 * HOUR, reply_to=question.event_id)
    assert room.answers()["belief-before"] == (80, None)
    assert [each["late"] for each in room.entries()[-1]["answers"]] == [False, False, True]
    assert room.asked()[-1] == "belief-before"  # nothing more is asked


async def test_who_is_in_the_middle_is_let_finish(room: Room) -> None:
    """A new prompt waits for half an hour after an answer, and the sitting is not closed under the client's hands."""
    await room.ask("thought-record", NOW)
    assert await room.busy(NOW) == {}
    late = NOW + 20 * HOUR - MINUTE
    await room.say("a", late)
    await room.wait(late + 20 * SECOND)
    assert await room.busy(late) == {room.pair.pair_id: late + 30 * MINUTE}
    await room.wait(NOW + 20 * HOUR)
    await room.say("b", NOW + 20 * HOUR + MINUTE)
    await room.wait(NOW + 20 * HOUR + 2 * MINUTE)
    assert room.asked()[-1] == "belief-before"
    await room.wait(NOW + 20 * HOUR + 32 * MINUTE)
    assert [each["late"] for each in room.entries()[-1]["answers"]] == [False, False]


async def test_what_does_not_fit_is_kept_in_words_until_something_fits(room: Room) -> None:
    """One sentence says what would fit; the step waits on, and the number takes the place of the words."""
    await room.ask("mood", NOW)
    await room.vote(room.polls()[0], "good", NOW)
    await room.say("hard to tell", NOW + MINUTE)
    assert room.told() == [
        "I have kept that in your words. For Mood and energy I can keep a whole number from 0 to 10."
    ]
    assert (await room.record()).content["answers"][1]["text"] == "hard to tell"
    assert room.entries() == []
    await room.say("six", NOW + 2 * MINUTE)
    assert room.answers() == {"mood": ("good", "Good"), "energy": (6, None)}


async def test_words_that_never_fitted_stay(room: Room) -> None:
    """When the sitting ends without a number, the words are what is on record."""
    await room.ask("mood", NOW)
    await room.vote(room.polls()[0], "good", NOW)
    await room.say("hard to tell", NOW + MINUTE)
    await room.turn(Turn.SKIP, NOW + 2 * MINUTE)
    assert room.answers() == {"mood": ("good", "Good"), "energy": (None, "hard to tell")}
    assert room.entries()[-1]["skipped"] == ["energy"]


async def test_words_edited_into_a_number_go_on(room: Room) -> None:
    """An edit that fits is an answer; one that does not changes the words."""
    await room.ask("thought-record", NOW)
    await answered(room, "a", "b")
    said = await room.say("very true", NOW + 6 * MINUTE)
    await room.edit(said, "really very true", NOW + 6 * MINUTE)
    assert (await room.record()).content["answers"][2]["text"] == "really very true"
    await room.edit(said, "90", NOW + 7 * MINUTE)
    assert room.asked()[-1] == "feelings"


async def test_answers_of_earlier_steps_are_corrected_without_asking_again(room: Room) -> None:
    """By edit, by vote and by reply, while the sitting goes on and after its end."""
    poll = await room.ask("mood", NOW)
    await room.vote(poll, "good", NOW)
    await room.vote(poll, "low", NOW + MINUTE)
    assert room.asked() == ["mood", "energy"]
    said = await room.say("6", NOW + 2 * MINUTE)
    assert room.answers() == {"mood": ("low", "Low"), "energy": (6, None)}
    await room.vote(poll, "very-low", NOW + 3 * MINUTE)
    await room.edit(said, "5", NOW + 4 * MINUTE)
    assert room.answers() == {"mood": ("very-low", "Very low"), "energy": (5, None)}
    assert [entry["revision"] for entry in room.entries()] == [1, 2, 3]
    assert room.asked() == ["mood", "energy"]
    thanks, *corrections = room.told()
    assert thanks == "Thank you. I have kept your answers to Mood and energy."
    assert corrections == [
        "* Mood and energy: changed from Low to Very low.",
        "* Mood and energy: changed from 6 to 5.",
    ]


async def test_undo_goes_back_step_by_step(room: Room) -> None:
    """The last answer is gone and its question comes back, as often as the client likes."""
    await room.ask("thought-record", NOW)
    await answered(room, "a", "b")
    assert await room.undo(NOW + 3 * MINUTE) == ""
    assert await room.undo(NOW + 3 * MINUTE) == ""
    assert room.asked() == ["situation", "thought", "belief-before", "thought", "situation"]
    assert [row.content["body"] for row in room.arrived[-4:]][::2] == ["Taken back: Thought record."] * 2
    assert (await room.record()).pieces == ()
    assert await room.undo(NOW + 3 * MINUTE) is None
    await room.say("c", NOW + 4 * MINUTE)
    await room.turn(Turn.STOP, NOW + 5 * MINUTE)
    assert room.answers() == {"situation": (None, "c")}


async def test_undo_after_the_end_takes_back_the_last_answer(room: Room) -> None:
    """The record is revised, its former event is withdrawn, and nothing is asked."""
    poll = await room.ask("mood", NOW)
    await room.vote(poll, "good", NOW)
    await room.say("6", NOW + MINUTE)
    await room.undo(NOW + 2 * MINUTE)
    assert room.answers() == {"mood": ("good", "Good")}
    assert room.entries()[-1]["revision"] == 2
    assert len(room.of_purpose("redaction")) == 1
    assert room.asked() == ["mood", "energy"]
    await room.undo(NOW + 3 * MINUTE)
    assert room.entries()[-1]["status"] == "removed"
    assert len(room.of_purpose("redaction")) == 2
    assert (await room.record()).state is RecordState.REMOVED


async def test_what_is_deleted_is_gone_from_the_database_and_from_our_own_events(room: Room) -> None:
    """While the sitting goes on nothing of it stood anywhere; after the end record and confirmation are withdrawn."""
    await room.ask("thought-record", NOW)
    first = await room.say("a secret", NOW)
    await room.redact(first, NOW + SECOND)
    assert (await room.record()).pieces == ()
    assert await room.wait(NOW + MINUTE) == NOW + 20 * HOUR  # the question still stands, and waits
    await room.say("not so secret", NOW + MINUTE)
    await room.wait(NOW + 2 * MINUTE)
    second = await room.say("another secret", NOW + 3 * MINUTE)
    await room.turn(Turn.STOP, NOW + 4 * MINUTE)
    await room.redact(second, NOW + 5 * MINUTE)
    assert room.answers() == {"situation": (None, "not so secret")}
    record = await room.record()
    async with room.practice.store.transaction() as tx:
        rows = {row.outbox_id: row for row in await tx.outbox.of_record(record.record_id)}
    withdrawn = {rows[row.relates_row or ""].purpose for row in rows.values() if row.purpose == "redaction"}
    assert withdrawn == {"record", "confirmation"}
    assert "secret" not in str(record.content).replace("not so secret", "")


async def test_a_deleted_answer_that_was_replaced_goes_too(room: Room) -> None:
    """Its value stood in an earlier revision, in the confirmation and in what `undo` would bring back."""
    poll = await room.ask("mood", NOW)
    old = await room.vote(poll, "very-low", NOW)
    await room.say("6", NOW)
    await room.vote(poll, "good", NOW + MINUTE)
    await room.redact(old, NOW + 2 * MINUTE)
    assert room.answers()["mood"] == ("good", "Good")
    record = await room.record()
    assert "very-low" not in str((record.undo, record.pieces, record.content))
    assert len(room.of_purpose("redaction")) == 4  # two revisions, the thanks and the correction
    await room.undo(NOW + 3 * MINUTE)
    assert "mood" not in room.answers()


async def test_what_was_asked_back_is_withdrawn_with_its_message(room: Room) -> None:
    """The question that quotes a deleted number goes, and the number in the database."""
    await room.ask("every-kind", NOW)
    await room.vote(room.polls()[0], "yes", NOW)
    await room.therapist_writes()
    said = await room.say("7", NOW + MINUTE)
    assert room.told() == ['Was 7 hours for "Every kind"? Write `yes`, and I will keep it.']
    await room.redact(said, NOW + 2 * MINUTE)
    (redaction,) = room.of_purpose("redaction")
    assert redaction.relates_row == room.of_purpose("question")[0].outbox_id
    async with room.practice.store.transaction() as tx:
        assert (await tx.deliveries.recent(room.pair.pair_id))[0].asked == {}


async def test_after_the_therapist_wrote_the_open_step_is_reached_by_a_reply(room: Room) -> None:
    """Words are for the therapist then; a reply, or what follows `again`, is for the step."""
    await room.ask("thought-record", NOW)
    await answered(room, "a")
    await room.therapist_writes()
    await room.say("Yes, Thursday is fine.", NOW + MINUTE)
    assert len((await room.record()).pieces) == 1
    await room.say("b", NOW + 2 * MINUTE, reply_to=room.question().event_id)
    await room.wait(NOW + 3 * MINUTE)
    assert room.asked()[-1] == "belief-before"
    await room.therapist_writes()
    assert await room.again(NOW + 4 * MINUTE) == ""
    await room.say("70", NOW + 5 * MINUTE)
    assert room.asked()[-1] == "feelings"


async def test_every_kind_is_read_as_it_is_typed(room: Room) -> None:
    """Yes, a decimal, a time, a place in a list, a photo, and words at the end, each recorded in its form."""
    await room.ask("every-kind", NOW)
    assert "Did you sleep, Alex?" in str(room.question().content)
    for text in ("yeah", "7,5 hours", "8.30 am", "5"):
        await room.say(text, NOW)
    (listed,) = [row for row in room.arrived if "Where?" in str(row.content)]
    assert (listed.content["body"].splitlines()[-1], room.polls()) == ("8. Somewhere else", room.polls()[:1])
    await room.photo(NOW, caption="the lake")
    await room.wait(NOW + 20 * SECOND)
    await room.say("That is all.", NOW + MINUTE)
    assert room.answers() == {
        "slept": ("yes", "Yes"),
        "hours": ("7.5", None),
        "up": ("08:30", None),
        "place": ("tent", "In a tent"),
        "view": (None, None),
        "more": (None, "That is all."),
    }
    answers = room.entries()[-1]["answers"]
    assert [each["kind"] for each in answers] == ["yes_no", "number", "time", "choice", "media", "any"]
    assert (answers[1]["unit"], answers[4]["media"][0]["caption"]) == ("hours", "the lake")
    assert room.told() == ["Good morning, Alex."]


@pytest.mark.parametrize(
    ("answers", "wrong", "sentence"),
    [
        ((), "purple", "please tap Yes or No"),
        (("yes",), "a while", "a number from 0 to 24 would fit"),
        (("yes", "7"), "early", "a time would fit"),
        (("yes", "7"), "8.30", "not sure which time"),
        (("yes", "7", "8:30 am"), "outside", "please tap one of these"),
        (("yes", "7", "8:30 am", "1"), "no camera", "a photo, a voice message"),
    ],
)
async def test_each_kind_says_what_would_fit(room: Room, answers: tuple[str, ...], wrong: str, sentence: str) -> None:
    """One kind sentence for each kind of step, and the words are kept."""
    question = await room.ask("every-kind", NOW)
    for text in answers:
        await room.say(text, NOW)
    await room.say(wrong, NOW, reply_to=None if answers else question.event_id)
    assert sentence in room.told()[-1]
    assert room.told()[-1].startswith("I have kept that in your words.")
    assert (await room.record()).pieces[-1].text == wrong


async def test_several_photos_are_one_answer(room: Room) -> None:
    """An album is sent picture by picture; the next question waits for quiet."""
    await room.ask("every-kind", NOW)
    for text in ("yes", "7", "8:30 am", "1"):
        await room.say(text, NOW)
    for _ in range(3):
        await room.photo(NOW)
    assert room.asked()[-1] == "view"
    await room.wait(NOW + 20 * SECOND)
    assert room.asked()[-1] == "more"
    assert len((await room.record()).content["answers"][-1]["media"]) == 3


async def test_a_prompt_that_the_client_starts_notifies_nobody(room: Room) -> None:
    """It is asked at once and quietly, also while questions are paused, and is recorded as any other."""
    await room.practice.happen(room.pair, PairEvent.PAUSE, at=NOW)
    question = await room.start("thought-record", NOW)
    assert (question.content["msgtype"], question.content["m.mentions"]) == ("m.notice", {})
    await answered(room, "a")
    assert room.question().content["m.mentions"] == {}
    assert room.asked() == ["situation", "thought"]
    await room.turn(Turn.STOP, NOW + MINUTE)
    assert room.entries()[-1]["occurrence"].startswith("client:")


async def test_a_pause_in_the_middle_ends_the_sitting_with_what_there_is(room: Room) -> None:
    """No further question goes to a paused pair."""
    await room.ask("thought-record", NOW)
    await room.say("a", NOW)
    await room.practice.happen(room.pair, PairEvent.PAUSE, at=NOW)
    await room.wait(NOW + 20 * SECOND)
    assert room.asked() == ["situation"]
    assert room.answers() == {"situation": (None, "a")}


async def test_why_explains_the_open_prompt(room: Room) -> None:
    """In one line, with the client's name; nothing without an open prompt."""
    assert await room.why(NOW) is None
    await room.ask("every-kind", NOW)
    assert await room.why(NOW) == "It asks Alex for one of each."


async def test_a_poll_ends_ten_minutes_after_its_last_vote(room: Room) -> None:
    """Each poll of a sitting by itself, also after the sitting has ended."""
    poll = await room.ask("mood", NOW)
    await room.vote(poll, "good", NOW)
    await room.say("6", NOW)
    await room.wait(NOW + 9 * MINUTE)
    assert room.of_purpose("poll_end") == []
    assert await room.wait(NOW + 10 * MINUTE) is None
    (end,) = room.of_purpose("poll_end")
    assert (end.event_type, end.relates_row) == (POLL_END, poll.outbox_id)
    await room.vote(poll, "low", NOW + HOUR)
    assert room.answers()["mood"] == ("good", "Good")


async def test_a_number_completes_a_photo(room: Room) -> None:
    """Media alone is an answer; a value that follows before the next question joins it."""
    await room.ask("mood", NOW)
    await room.photo(NOW)
    assert room.asked() == ["mood"]
    await room.say("good", NOW + SECOND)
    assert room.asked() == ["mood", "energy"]
    first = (await room.record()).content["answers"][0]
    assert (first["value"], len(first["media"])) == ("good", 1)


async def test_nobody_answers_what_has_not_arrived_yet(room: Room) -> None:
    """Words that were sent before the next question belong to the one before."""
    await room.ask("thought-record", NOW)
    await room.say("a", NOW)
    async with room.practice.store.transaction() as tx:
        await room.sittings.due(tx, at=NOW + 20 * SECOND)  # asked, but not in the room
        row = (await tx.outbox.queued(room.pair.room_id or ""))[0]
        sent: OutboxEvent = replace(row, state=OutboxState.SENT, event_id="$thought")
        await tx.outbox.update([sent])  # acknowledged; the timeline has not brought it yet
    await room.say("and more of it", NOW + 21 * SECOND)
    texts = {each["step"]: each["text"] for each in (await room.record()).content["answers"]}
    assert texts == {"situation": "a\nand more of it"}
