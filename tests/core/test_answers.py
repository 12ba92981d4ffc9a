"""Which prompt a message belongs to (DESIGN 7, what is an answer)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.answers import (
    Answer,
    AskBack,
    AskedBack,
    AskedStep,
    Decision,
    DoesNotFit,
    Effect,
    Incoming,
    IncomingKind,
    Talk,
    joined,
    meant_for,
    route,
)
from bot.core.events import Media
from bot.core.goals import Scale
from bot.core.prompts import ChoiceStep, MediaStep, Option, ScaleStep, TextStep
from bot.core.reading import Misfit
from tests.core.english import words

NOW = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=20)
PHOTO = Media(kind="image", mxc="mxc://hs/photo", source="$photo")

REFLECTION = AskedStep(
    delivery_id="d-text",
    title="Evening reflection",
    step=TextStep(id="reflection", kind="text", ask="How was it?"),
    order=10,
    events=frozenset({"$reflection"}),
    expires_at=LATER,
    waits=True,
)
WALK = AskedStep(
    delivery_id="d-walk",
    title="Walk",
    step=ScaleStep(id="value", kind="scale", ask="How is it going?", of="goal"),
    order=20,
    events=frozenset({"$walk"}),
    expires_at=LATER,
    scale=Scale(low=0, high=10),
    waits=True,
)
MOOD = AskedStep(
    delivery_id="d-mood",
    title="Mood",
    step=ChoiceStep(
        id="mood",
        kind="choice",
        ask="How are you?",
        options=(Option(id="low", label="Low"), Option(id="good", label="Good")),
    ),
    order=30,
    events=frozenset({"$mood"}),
    expires_at=LATER,
    options={"low": "Low", "good": "Good"},
    poll_answers={"$mood": {"r1": "low", "r2": "good"}},
    waits=True,
)
PICTURE = AskedStep(
    delivery_id="d-picture",
    title="Album",
    step=MediaStep(id="picture", kind="media", ask="Show me."),
    order=40,
    events=frozenset({"$picture"}),
    expires_at=LATER,
    waits=True,
)


def recorded(step: AskedStep, *, value: bool = False, row: bool = False) -> AskedStep:
    """A step that has an answer: a value, or words or media that more may be added to."""
    return replace(step, waits=False, recorded=True, has_value=value, takes_more=row)


def text(body: str, *, reply_to: str | None = None, from_client: bool = True) -> Incoming:
    """A typed message."""
    return Incoming(
        event_id="$message", from_client=from_client, kind=IncomingKind.TEXT, text=body, reply_to=reply_to, order=100
    )


def vote(*chosen: str, poll: str = "$mood", from_client: bool = True) -> Incoming:
    """A tap in a poll."""
    return Incoming(
        event_id="$vote", from_client=from_client, kind=IncomingKind.VOTE, poll_event=poll, chosen=chosen, order=100
    )


def photo(caption: str = "", *, reply_to: str | None = None) -> Incoming:
    """A picture."""
    return Incoming(
        event_id="$photo",
        from_client=True,
        kind=IncomingKind.MEDIA,
        text=caption,
        media=PHOTO,
        reply_to=reply_to,
        order=100,
    )


def decide(incoming: Incoming, *prompts: AskedStep, therapist_wrote: int | None = None, at: datetime = NOW) -> Decision:
    """Route a message among prompts."""
    return route(incoming, prompts, therapist_wrote=therapist_wrote, words=words(), at=at)


def answer(found: Decision) -> Answer:
    """Insist that a decision is an answer."""
    assert isinstance(found, Answer), found
    return found


def misfit(found: Decision) -> tuple[Misfit, str | None, Effect]:
    """Insist that words did not fit and are kept; say why, what and how."""
    assert isinstance(found, DoesNotFit), found
    assert found.kept is not None
    assert (found.kept.value, found.kept.in_a_row) == (None, False)
    return found.reason, found.kept.text, found.kept.effect


def test_words_answer_the_current_text_prompt() -> None:
    """Whatever a client writes goes to an unanswered text prompt."""
    found = answer(decide(text(" A good day. "), REFLECTION))
    assert (found.delivery_id, found.text, found.effect, found.late) == ("d-text", "A good day.", Effect.RECORD, False)


@pytest.mark.parametrize("incoming", [text("A good day."), text("7"), vote("r1"), text("7", reply_to="$walk")])
def test_a_therapist_never_answers(incoming: Incoming) -> None:
    """The therapist's words, numbers, replies and votes are no answers."""
    assert decide(replace(incoming, from_client=False), REFLECTION, WALK, MOOD) == Talk()


def test_the_newest_unanswered_prompt_is_current() -> None:
    """A newer prompt becomes the current one; an answered one makes room for the older."""
    assert answer(decide(text("Good"), REFLECTION, WALK, MOOD)).delivery_id == "d-mood"
    assert answer(decide(text("7"), REFLECTION, WALK, recorded(MOOD, value=True))).delivery_id == "d-walk"


def test_a_number_with_a_note() -> None:
    """A check-in takes the number and what was written behind it."""
    found = answer(decide(text("7 - walked twice"), WALK))
    assert (found.value, found.text) == (7, "walked twice")


@pytest.mark.parametrize("body", ["Can we move our session?", "today was ok", "one of those days", "7 pm?"])
def test_sentences_are_conversation_while_a_number_is_open(body: str) -> None:
    """Ordinary sentences are neither recorded nor answered while a number is asked for."""
    assert decide(text(body), WALK) == Talk()


def test_what_does_not_fit_is_told() -> None:
    """A number off the scale, two numbers, or a place that the list does not have get a hint; the words are kept."""
    for typed, step, reason in (("fifteen", WALK, Misfit.OUTSIDE), ("7 or 8", WALK, Misfit.UNSURE)):
        assert misfit(decide(text(typed), step)) == (reason, typed, Effect.RECORD)
    assert misfit(decide(text("9"), MOOD)) == (Misfit.OUTSIDE, "9", Effect.RECORD)
    again = replace(WALK, recorded=True)
    assert misfit(decide(text("fifteen"), again)) == (Misfit.OUTSIDE, "fifteen", Effect.JOIN)


def test_what_does_not_fit_never_takes_a_value_away() -> None:
    """With a value on record, words that do not fit are told and not kept, also when the client went back to it."""
    for step in (recorded(WALK, value=True), replace(recorded(WALK, value=True), waits=True, replaces=True)):
        found = decide(text("quite well", reply_to="$walk"), step)
        assert isinstance(found, DoesNotFit)
        assert found.kept is None


def test_after_the_therapist_wrote_words_are_conversation() -> None:
    """Once the therapist has written, text and media without a reply belong to the two of them."""
    assert decide(text("Thank you!"), REFLECTION, therapist_wrote=11) == Talk()
    assert decide(photo(), REFLECTION, therapist_wrote=11) == Talk()
    assert decide(text("7 - and you?"), WALK, therapist_wrote=21) == Talk()


def test_after_the_therapist_wrote_a_bare_value_is_asked_back_once() -> None:
    """A bare fitting value could be meant for the prompt: it is asked back, and not a second time."""
    asked = AskBack(delivery_id="d-walk", step="value", title="Walk", shown="7")
    assert decide(text("7"), WALK, therapist_wrote=21) == asked
    mood = AskBack(delivery_id="d-mood", step="mood", title="Mood", shown="Good")
    assert decide(text("good"), MOOD, therapist_wrote=31) == mood
    again = replace(WALK, asked_back=AskedBack(question_event="$q", order=50, event_id="$earlier", text="7"))
    assert decide(text("7"), again, therapist_wrote=60) == Talk()


def test_a_therapist_before_the_prompt_changes_nothing() -> None:
    """Only what the therapist wrote after the prompt was posted matters."""
    assert answer(decide(text("7"), WALK, therapist_wrote=19)).value == 7


def test_yes_answers_the_question_back() -> None:
    """A yes records the message that was asked about, with its own event as the source."""
    asked = replace(WALK, asked_back=AskedBack(question_event="$q", order=50, event_id="$earlier", text="7"))
    found = answer(decide(text("Yes!"), asked, therapist_wrote=21))
    assert (found.value, found.source) == (7, "$earlier")
    assert answer(decide(text("yes", reply_to="$q"), asked, therapist_wrote=60)).value == 7
    assert decide(text("yes"), asked, therapist_wrote=60) == Talk()
    assert decide(text("no"), asked, therapist_wrote=21) == Talk()


def test_an_older_prompt_is_asked_back_not_guessed() -> None:
    """What fits an older unanswered prompt but not the current one is asked back."""
    ask = decide(text("How it was: fine"), REFLECTION, WALK)
    assert ask == AskBack(delivery_id="d-text", step="reflection", title="Evening reflection", shown=None)


@pytest.mark.parametrize("age", [timedelta(hours=1), timedelta(days=30)])
def test_a_reply_finds_its_prompt_at_any_age(age: timedelta) -> None:
    """A reply goes to its prompt whatever else is open, whoever wrote since; past expiry it is late."""
    found = answer(decide(text("7", reply_to="$walk"), WALK, MOOD, therapist_wrote=99, at=NOW + age))
    assert (found.delivery_id, found.value, found.late) == ("d-walk", 7, age > timedelta(hours=20))


def test_a_reply_that_does_not_fit_is_told_and_a_reply_to_people_is_talk() -> None:
    """A wordy reply to a scale gets a hint; a reply to something else is conversation even when it is a number."""
    assert isinstance(decide(text("quite well", reply_to="$walk"), WALK), DoesNotFit)
    assert decide(text("7", reply_to="$somebody"), WALK) == Talk()


def test_a_second_number_as_a_reply_replaces_the_first() -> None:
    """A reply with another number is a correction."""
    assert answer(decide(text("8", reply_to="$walk"), recorded(WALK, value=True))).effect is Effect.REPLACE


def test_an_expired_prompt_takes_no_loose_message() -> None:
    """Without a reply, an expired prompt gets nothing."""
    assert decide(text("A good day."), REFLECTION, at=LATER + timedelta(seconds=1)) == Talk()


def test_messages_in_a_row_join_silently() -> None:
    """While a row goes on further messages join the text; after it, and after the therapist, they are conversation."""
    soon = answer(decide(text("And I slept."), recorded(REFLECTION, row=True)))
    assert (soon.effect, soon.silent, soon.in_a_row) == (Effect.JOIN, True, True)
    assert decide(text("And I slept."), recorded(REFLECTION)) == Talk()
    assert decide(text("And I slept."), recorded(REFLECTION, row=True), therapist_wrote=11) == Talk()
    assert joined(["A good day.", None, "And I slept."]) == "A good day.\nAnd I slept."


def test_a_row_is_not_interrupted_by_an_older_or_newer_number() -> None:
    """While somebody writes in a row, words join it even when a number is open; a fitting number is the number."""
    row = recorded(REFLECTION, row=True)
    assert answer(decide(text("And I slept."), row, WALK)).delivery_id == "d-text"
    assert answer(decide(text("And I slept."), row, replace(WALK, busy=True))).delivery_id == "d-text"
    assert answer(decide(text("7"), row, WALK)).delivery_id == "d-walk"


def test_a_newer_text_prompt_ends_a_row() -> None:
    """The first words after a newer text prompt are its answer."""
    newer = replace(REFLECTION, delivery_id="d-new", order=40, events=frozenset({"$new"}))
    assert answer(decide(text("Good."), recorded(REFLECTION, row=True), newer)).delivery_id == "d-new"


def test_in_the_middle_of_a_prompt_a_sentence_is_kept_in_words() -> None:
    """Who is answering step by step gets told what would fit; a question is still one for the other person."""
    busy = replace(WALK, busy=True)
    assert misfit(decide(text("I really cannot say"), busy)) == (Misfit.OUTSIDE, "I really cannot say", Effect.RECORD)
    assert decide(text("Can we move our session?"), busy) == Talk()
    assert decide(text("I really cannot say"), busy, therapist_wrote=21) == Talk()


def test_going_back_replaces_what_was_said() -> None:
    """After `back` the next answer takes the place of the old one, in words as well."""
    went_back = replace(recorded(REFLECTION), waits=True, replaces=True)
    assert answer(decide(text("Better said."), went_back)).effect is Effect.REPLACE


def test_a_step_that_asks_for_a_picture() -> None:
    """A picture fits, its caption is kept with it; words are kept until one comes, as a reply or in the middle."""
    found = answer(decide(photo("the lake"), PICTURE))
    assert (found.media, found.text, found.in_a_row) == (PHOTO, None, True)
    row = recorded(REFLECTION, row=True)
    assert answer(decide(photo(), row, PICTURE)).delivery_id == "d-picture"
    assert decide(text("Later maybe"), PICTURE) == Talk()
    assert misfit(decide(text("I have none", reply_to="$picture"), PICTURE))[1] == "I have none"


def test_votes() -> None:
    """The first vote is recorded, a later one replaces it, and both go to the poll that has the answer id."""
    first = answer(decide(vote("r2"), WALK, MOOD))
    assert (first.value, first.effect, first.late) == ("good", Effect.RECORD, False)
    assert answer(decide(vote("r1"), recorded(MOOD, value=True))).effect is Effect.REPLACE
    assert answer(decide(vote("r1"), MOOD, therapist_wrote=99)).value == "low"


@pytest.mark.parametrize(
    "incoming", [vote("elsewhere"), vote("r1", "elsewhere"), vote(), vote("r1", poll="$other"), vote("low")]
)
def test_a_vote_needs_its_own_poll(incoming: Incoming) -> None:
    """A vote counts only if it has answers and all of them belong to the poll that it names (CRYPTO 13)."""
    assert decide(incoming, MOOD) == Talk()


def test_a_vote_after_the_end() -> None:
    """After its poll was closed a vote counts only if nothing is on record, and is late."""
    ended = replace(MOOD, ended_polls=frozenset({"$mood"}))
    assert answer(decide(vote("r1"), ended)).late
    assert decide(vote("r1"), recorded(ended, value=True)) == Talk()
    assert answer(decide(vote("r1"), MOOD, at=LATER + timedelta(days=9))).late


def test_media_is_a_full_answer() -> None:
    """A picture answers the current prompt, and its caption may hold the number."""
    assert answer(decide(photo("the park"), REFLECTION)).media == PHOTO
    alone = answer(decide(photo(), WALK))
    assert (alone.media, alone.value) == (PHOTO, None)
    assert answer(decide(photo("7"), WALK)).value == 7
    assert decide(photo(), recorded(WALK, value=True)) == Talk()
    assert answer(decide(photo(reply_to="$walk"), recorded(WALK, value=True))).effect is Effect.JOIN


def test_a_number_completes_a_voice_message() -> None:
    """After media alone the number is still welcome, and joins the record."""
    media_only = replace(WALK, recorded=True)
    found = answer(decide(text("7"), media_only))
    assert (found.value, found.effect) == (7, Effect.JOIN)


def test_an_edit_is_read_for_its_own_prompt() -> None:
    """The new text of an edited answer is read like a reply."""
    found = meant_for(text("8 - better"), recorded(WALK, value=True), words=words(), at=NOW)
    assert isinstance(found, Answer)
    assert (found.value, found.text) == (8, "better")


@given(st.text(), st.sampled_from([None, "$walk", "$mood", "$reflection", "$x"]), st.integers(0, 100))
def test_any_message_has_a_decision(body: str, reply_to: str | None, wrote: int) -> None:
    """No text raises."""
    decide(text(body, reply_to=reply_to), REFLECTION, WALK, MOOD, therapist_wrote=wrote)
