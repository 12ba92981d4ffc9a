"""How what was said becomes the content of a record."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.answers import Effect
from bot.core.deliveries import Delivery, DeliveryState
from bot.core.entries import (
    Form,
    closed,
    filled,
    first_entry,
    noted,
    pieces_by_step,
    redacted,
    revised,
    undone,
    values_of,
    with_answer,
    without_last,
)
from bot.core.events import to_content
from bot.core.options import labels_of
from bot.core.prompts import parse_prompt
from bot.core.records import Piece, Record, RecordKind, RecordState
from bot.core.sittings import Sitting, SittingState
from tests.core.english import wording

AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
PROMPT = parse_prompt(
    """
id: day
version: 3
title: My day
why: So that we both know.
steps:
  - {id: words, kind: text, ask: "How was it?"}
  - {id: mood, kind: choice, ask: "How are you?", options: [{id: low, label: Low}, {id: good, label: Good}]}
  - {id: hours, kind: number, unit: hours, ask: "How long?"}
""",
    source="day.yaml",
)
FORM = Form(prompt=PROMPT, labels=labels_of(PROMPT, wording()))
GONE = Form(prompt=None, labels={})
DELIVERY = Delivery(
    delivery_id="d1", pair_id="p1", prompt_id="day", prompt_version=3, occurrence="o", schedule_id=None, goal_id=None,
    due=AT, expires_at=AT + timedelta(hours=20), state=DeliveryState.POSTED,
)  # fmt: skip
SITTING = Sitting(
    delivery_id="d1", pair_id="p1", expires_at=AT, state=SittingState.STOPPED, skipped=frozenset({"hours", "words"})
)
WORDS = Piece(source="$1", step="words", text="Long.")
MORE = Piece(source="$2", step="words", text="And wet.")
MOOD = Piece(source="$3", step="mood", value="low")
HOURS = Piece(source="$4", step="hours", value="7.5", text="broken", late=True)


def record(*pieces: Piece) -> Record:
    """An open record with these pieces."""
    model = first_entry("r1", author="@a:hs", delivery=DELIVERY, prompt=PROMPT, goal=None, at=AT, late=False)
    return Record(
        record_id="r1", pair_id="p1", kind=RecordKind.ENTRY, state=RecordState.OPEN, revision=1,
        content=to_content(filled(model, pieces, FORM)), sources=tuple(piece.source for piece in pieces),
        delivery_id="d1", goal_id=None, first_at=AT, changed_at=AT, pieces=pieces, undo=(),
    )  # fmt: skip


def answers(found: Record) -> list[tuple[str, str | int | None, str | None]]:
    """Return step, value and text of each answer."""
    return [(each["step"], each["value"], each["text"]) for each in found.content["answers"]]


def test_one_answer_per_answered_step_in_the_order_of_the_prompt() -> None:
    """Whatever the order in which they came; words are joined, a choice says its label, a number its unit."""
    found = record(HOURS, WORDS, MOOD, MORE)
    assert answers(found) == [("words", None, "Long.\nAnd wet."), ("mood", "low", "Low"), ("hours", "7.5", "broken")]
    hours = found.content["answers"][2]
    assert (hours["unit"], hours["late"], hours["kind"]) == ("hours", True, "number")
    assert found.content["answers"][0]["sources"] == ["$1", "$2"]


def test_an_open_record_stays_one_revision_until_it_is_closed() -> None:
    """Then it says how it ended and what was left out, in the order of the prompt."""
    changed = noted(record(WORDS), (WORDS, MOOD), form=FORM, at=AT)
    assert (changed.revision, changed.state, changed.undo) == (1, RecordState.OPEN, (WORDS,))
    ended = closed(changed, SITTING, form=FORM, at=AT)
    assert (ended.revision, ended.state, ended.undo) == (1, RecordState.RECORDED, (WORDS,))
    assert (ended.content["ended"], ended.content["skipped"]) == ("stopped", ["words", "hours"])


def test_an_answer_replaces_its_own_step_alone() -> None:
    """The other steps keep what they have; words that did not fit make room for what fits, media stay."""
    other = Piece(source="$5", step="mood", value="good")
    assert with_answer((WORDS, MOOD, HOURS), other, Effect.REPLACE) == (WORDS, HOURS, other)
    misfit = Piece(source="$6", step="hours", text="ages")
    photo = Piece(source="$7", step="hours", media={"mxc": "mxc://hs/a"})
    assert with_answer((WORDS, misfit, photo), HOURS, Effect.JOIN) == (WORDS, photo, HOURS)


def test_words_that_do_not_fit_are_no_answer() -> None:
    """Conditions do not see them; words, media and values they see."""
    misfit = Piece(source="$6", step="hours", text="ages")
    photo = Piece(source="$7", step="mood", media={"mxc": "mxc://hs/a"})
    assert values_of((WORDS, photo, misfit), PROMPT) == {"words": None, "mood": None}
    assert values_of((HOURS, MOOD), PROMPT) == {"mood": "low", "hours": "7.5"}


def test_undo_goes_back_one_step_after_the_other() -> None:
    """After the last change the answer before it, until nothing is left."""
    found = record(WORDS, MORE, MOOD)
    back = undone(noted(found, (WORDS, MORE), form=FORM, at=AT))
    assert back.undo == ()
    assert undone(noted(back, (), form=FORM, at=AT)).undo is None


def test_a_deleted_message_is_nowhere_any_more() -> None:
    """Neither among the pieces nor in what `undo` goes back to, and a revision holds the rest."""
    found = revised(record(WORDS), (WORDS, MOOD), form=FORM, at=AT)
    left = redacted(found, "$1")
    assert ("$1" in left.sources, left.undo, left.pieces) == (False, (), (MOOD,))
    assert answers(revised(left, left.pieces, form=FORM, at=AT, keep_undo=False)) == [("mood", "low", "Low")]


def test_a_record_keeps_its_form_when_its_prompt_has_left_the_pack() -> None:
    """A deletion takes one step away; labels and units of the others stay as they were recorded."""
    found = record(WORDS, MOOD, HOURS)
    left = revised(found, (MOOD, HOURS), form=GONE, at=AT)
    assert answers(left) == [("mood", "low", "Low"), ("hours", "7.5", "broken")]
    assert left.content["answers"][1]["unit"] == "hours"


def test_pieces_from_when_a_prompt_had_one_step_belong_to_it() -> None:
    """They name no step; an answer to it replaces them."""
    old = Piece(source="$0", value="low")
    assert pieces_by_step((old,), PROMPT) == {"words": (old,)}
    assert with_answer((old,), MOOD, Effect.REPLACE) == (MOOD,)
    assert without_last((old, MOOD)) == ()


@given(st.lists(st.sampled_from([WORDS, MORE, MOOD, HOURS]), max_size=12), st.sampled_from(Effect))
def test_an_answer_never_touches_other_steps(said: list[Piece], effect: Effect) -> None:
    """Whatever was said before and however it counts, what the other steps hold is the same after it."""
    before: tuple[Piece, ...] = ()
    for piece in said:
        after = with_answer(before, piece, effect)
        for step in {each.step for each in (*before, *after)} - {piece.step}:
            assert [each for each in after if each.step == step] == [each for each in before if each.step == step]
        assert piece in after
        before = after
