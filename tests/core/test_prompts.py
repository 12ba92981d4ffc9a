"""Prompt files: what a clinician may write, and what the mistakes are called."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.goals import Scale
from bot.core.prompts import ChoiceStep, ScaleStep, TextStep, ask_text, default_grace, parse_prompt
from bot.errors import PackError

CHOICE = """\
id: mood
version: 7
title: "yes"
why: no
grace: 90 min
expires: 20h
steps:
  - id: mood
    kind: choice
    ask: How are you?
    options:
      - {id: low, label: Off}
      - {id: good, label: 07:00}
"""
TEXT = """\
id: evening
version: 1
title: Evening
why: It helps.
expires: 20h
steps:
  - id: words
    kind: text
    ask: How was it?
"""


def refused(text: str) -> list[str]:
    """Return the lines of the error that a file gets."""
    with pytest.raises(PackError) as caught:
        parse_prompt(text, source="my.yaml")
    return str(caught.value).splitlines()


def scale(extra: str, ask: str = "How much?") -> str:
    """A file with a step of kind scale."""
    return TEXT.replace("kind: text", f"kind: scale\n    {extra}").replace("How was it?", ask)


def test_scalars_are_read_as_they_are_written() -> None:
    """Yes, no, times and numbers stay the words that somebody wrote; the fields give them their types."""
    prompt = parse_prompt(CHOICE, source="mood.yaml")
    assert (prompt.version, prompt.title, prompt.why, prompt.grace) == (7, "yes", "no", timedelta(minutes=90))
    assert isinstance(prompt.step, ChoiceStep)
    assert [option.label for option in prompt.step.options] == ["Off", "07:00"]


def test_grace_follows_the_rhythm_when_left_out() -> None:
    """A file without `grace` leaves it to the schedule: two hours daily, twelve weekly."""
    assert parse_prompt(TEXT, source="x").grace is None
    assert (default_grace(weekly=False), default_grace(weekly=True)) == (timedelta(hours=2), timedelta(hours=12))


def test_every_mistake_is_listed_with_its_place() -> None:
    """One run shows all mistakes of a file, each with line, column, field and advice."""
    broken = CHOICE.replace("version: 7", "version: seven").replace("expires: 20h", "expires: soon")
    broken = broken.replace("title:", "titel:").replace("label: 07:00", "label: off!")
    lines = refused(broken)
    assert [line.split(": ")[:2] for line in lines] == [
        ["my.yaml:1:1", "title"],
        ["my.yaml:2:1", "version"],
        ["my.yaml:3:1", "titel"],
        ["my.yaml:6:1", "expires"],
        ["my.yaml:13:20", "steps[1].options[2].label"],
    ]
    assert "did you mean `title`?" in lines[2]
    assert "two options have the same label; give each its own" in lines[4]
    assert all("; " in line for line in lines)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (TEXT + "title: Again\n", "my.yaml:10:1: title", "second time"),
        (TEXT.replace("Evening", "&a Evening"), "my.yaml:3:8: file", "& or *"),
        ("a: &a [x]\nb: [*a, *a]\n", "my.yaml:1:4: file", "& or *"),
        ("id: !!python/object/apply:os.system [ls]\n", "my.yaml:1:5: file", "tag"),
        ("id: " + "[" * 5000 + "]" * 5000, "my.yaml:1:14: file", "nested"),
        ("id: x\n" * 20_000, "my.yaml:1:1: file", "64 kB"),
        (TEXT + "---\nid: x\n", "my.yaml:10:1: file", "second document"),
        ("id: 'x", "my.yaml:1:7: file", "not valid YAML"),
        ("id: \x00", "my.yaml:1:1: file", "character"),
        ("- id: x", "my.yaml:1:1: file", "field: value"),
        ("", "my.yaml:1:1: file", "field: value"),
        ("? [a]\n: b", "my.yaml:1:3: file", "no plain field name"),
        (TEXT.replace("id: evening", "id: Evening"), "my.yaml:1:1: id", "[a-z0-9-]"),
        (TEXT.replace("version: 1", "version: 0"), "my.yaml:2:1: version", "smallest is 1"),
        (TEXT.replace("kind: text", "kind: poll"), "my.yaml:8:5: steps[1].kind", "no kind of step"),
        (TEXT.replace("    kind: text\n", ""), "my.yaml:7:5: steps[1]", "no kind"),
        (TEXT.replace("How was it?", "How was {goal}?"), "my.yaml:9:5: steps[1].ask", "unknown placeholder {goal}"),
        (
            TEXT + "".join(f"  - {{id: s{n}, kind: any, ask: And}}\n" for n in range(20)),
            "my.yaml:6:1: steps",
            "at most 20",
        ),
        (TEXT.replace("20h", "20 hrs 3"), "my.yaml:5:1: expires", "no length of time"),
        (scale("confirm: ok"), "my.yaml:7:5: steps[1]", "either `scale` or `of`"),
        (scale("scale: 10-0"), "my.yaml:9:5: steps[1].scale", "no scale"),
        (scale("of: mood"), "my.yaml:9:5: steps[1].of", "'goal'"),
        (scale("options: []\n    of: goal"), "my.yaml:9:5: steps[1].options", "not a known field"),
        (CHOICE.replace("      - {id: good, label: 07:00}\n", ""), "my.yaml:11:5: steps[1].options", "at least 2"),
    ],
)
def test_refuses_with_the_place(text: str, place: str, words: str) -> None:
    """What a file may not hold is refused with its place and a sentence."""
    lines = refused(text)
    assert lines[0].startswith(place), lines
    assert words in lines[0]


def test_asks_about_a_goal() -> None:
    """A scale may be the goal's, and the question names the goal and its bounds; braces in a title stay as they are."""
    step = parse_prompt(scale("of: goal", "How is {goal}, {low} to {high}?"), source="x").step
    assert isinstance(step, ScaleStep)
    assert ask_text(step, goal="Walk {low}", scale=Scale(low=0, high=5)) == "How is Walk {low}, 0 to 5?"
    own = parse_prompt(scale("scale: 1-7", "From {low} to {high}?"), source="x").step
    assert ask_text(own) == "From 1 to 7?"


def test_a_text_step_needs_no_more() -> None:
    """The shortest prompt has one text step."""
    prompt = parse_prompt(TEXT, source="x")
    assert isinstance(prompt.step, TextStep)
    assert not prompt.of_goal
    assert ask_text(prompt.step) == "How was it?"


@given(st.text(max_size=300))
def test_any_file_is_read_or_refused(text: str) -> None:
    """A file is a prompt or a PackError, never another exception."""
    with suppress(PackError):
        parse_prompt(text, source="x")


@given(st.integers(0, len(CHOICE)), st.sampled_from(list("{}[]&*!|>:-'\"\t\n?,#%@\u2028")))
def test_one_wrong_character_never_breaks_the_reader(place: int, character: str) -> None:
    """A slip of the finger anywhere in a good file gives a prompt or a PackError."""
    with suppress(PackError):
        parse_prompt(CHOICE[:place] + character + CHOICE[place:], source="x")
