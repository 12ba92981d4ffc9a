"""The event that asks a step's question."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.deliveries import BY_CLIENT, Delivery, DeliveryState
from bot.core.events import PROMPT as BLOCK
from bot.core.goals import Goal
from bot.core.posting import POLL_START, Question, asked_event, repeated
from bot.core.prompts import parse_prompt
from tests.core.english import wording

AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
TEXT = """
id: all
version: 1
title: All
why: So.
steps:
  - {id: bold, kind: text, ask: "How **are** you, {client}?", optional: true}
  - {id: sure, kind: yes_no, ask: "Sure?", optional: true}
  - {id: few, kind: choice, ask: "Which?", options: [OPTIONS7]}
  - {id: many, kind: choice, ask: "Which?", options: [OPTIONS8]}
  - {id: scale, kind: scale, scale: 0-10, labels: {low: none, high: plenty}, ask: "How much, {low} to {high}?"}
  - {id: hours, kind: number, unit: hours, ask: "How long?"}
"""
SEVEN = ", ".join(f"{{id: o{number}, label: Option {number}}}" for number in range(1, 8))
PROMPT = parse_prompt(
    TEXT.replace("OPTIONS7", SEVEN).replace("OPTIONS8", f"{SEVEN}, {{id: o8, label: Option 8}}"), source="all.yaml"
)
GOAL = Goal(goal_id="g1", number=1, title="Walk <b>more</b>", low=0, high=5, rhythm="fri 18:00", revision=2, since=AT)


def question(step: str, *, goal: Goal | None = None, by_client: bool = False) -> Question:
    """A step of the prompt."""
    delivery = Delivery(
        delivery_id="d1", pair_id="p1", prompt_id="all", prompt_version=1,
        occurrence=f"{BY_CLIENT}1" if by_client else "o", schedule_id=None, goal_id=None, due=AT,
        expires_at=AT + timedelta(hours=20), state=DeliveryState.DUE,
    )  # fmt: skip
    return Question(
        delivery=delivery, prompt=PROMPT, step=PROMPT.step_of(step), goal=goal, client="Alex", words=wording()
    )


def asked(step: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """Type and content of a step's event."""
    ids = (f"r{number}" for number in itertools.count())
    return asked_event(question(step, **more), lambda: next(ids), person="@alex:hs")


def test_words_are_shown_with_their_marks_and_a_hint_that_they_may_be_left_out() -> None:
    """The body is plain, the HTML beside it is bold; the client is named and notified."""
    kind, content = asked("bold")
    assert kind == "m.room.message"
    assert content["body"] == "How are you, Alex?\n(If you would rather not, write `skip`.)"
    assert content["formatted_body"].startswith("How <strong>are</strong> you, Alex?<br>")
    assert "<code>skip</code>" in content["formatted_body"]
    assert (content["msgtype"], content["m.mentions"]) == ("m.text", {"user_ids": ["@alex:hs"]})


@pytest.mark.parametrize(("step", "labels"), [("sure", ["Yes", "No"]), ("few", [f"Option {n}" for n in range(1, 8)])])
def test_yes_or_no_and_up_to_seven_options_are_polls(step: str, labels: list[str]) -> None:
    """With random answer ids that the block explains, and one selection."""
    kind, content = asked(step)
    poll = content[POLL_START]
    assert kind == POLL_START
    assert [each["org.matrix.msc1767.text"] for each in poll["answers"]] == labels
    assert [each["id"] for each in poll["answers"]] == list(content[BLOCK]["options"])
    assert list(content[BLOCK]["options"].values())[:2] in (["yes", "no"], ["o1", "o2"])
    assert poll["max_selections"] == 1
    assert "`" not in poll["question"]["body"]  # a poll shows no marks


def test_more_options_are_a_numbered_list() -> None:
    """Eight fill more than a screen as a poll."""
    kind, content = asked("many")
    assert kind == "m.room.message"
    assert content["body"].splitlines() == ["Which?", *(f"{n}. Option {n}" for n in range(1, 9))]
    assert content[BLOCK]["options"] == {}


def test_the_block_says_which_question_it_is() -> None:
    """Step, place, and what fits."""
    _, scale = asked("scale")
    block = scale[BLOCK]
    assert (block["step"], block["position"], block["steps"]) == ("scale", 5, 6)
    assert (block["low"], block["high"], block["kind"]) == (0, 10, "scale")
    assert scale["body"].splitlines()[-1] == "0 = none, 10 = plenty"
    assert asked("hours")[1][BLOCK]["unit"] == "hours"


def test_who_began_it_is_not_notified() -> None:
    """A prompt that the client started is asked quietly, poll or not."""
    for step in ("bold", "sure"):
        content = asked(step, by_client=True)[1]
        assert content["m.mentions"] == {}
    assert asked("bold", by_client=True)[1]["msgtype"] == "m.notice"


def test_once_more_is_quiet_and_shows_the_options() -> None:
    """A repetition names what it is, notifies nobody, and says so in its block."""
    content = repeated(question("few"))
    assert content["body"].splitlines()[:3] == ["Here is All once more.", "Which?", "1. Option 1"]
    assert (content["msgtype"], content["m.mentions"], content[BLOCK]["repeat"]) == ("m.notice", {}, True)
    assert repeated(question("bold"), intro="Still here.")["body"].startswith("Still here.\nHow are you")
