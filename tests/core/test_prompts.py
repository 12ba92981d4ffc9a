"""Prompt files: what a clinician may write, and what the mistakes are called."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.goals import Scale
from bot.core.prompts import (
    ChoiceStep,
    NumberStep,
    ScaleStep,
    TextStep,
    ask_text,
    asked,
    default_grace,
    parse_prompt,
)
from bot.core.reading import Misfit
from bot.core.typed import Fit, fit
from bot.errors import PackError
from tests.core.english import words

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


EVERY_KIND = """\
id: day
version: 1
title: The day
why: It helps {client} to look back.
grace: 2h
expires: 20h
starts: [my day, "Log: day"]
steps:
  - id: mood
    kind: choice
    ask: "How are you, {client}?"
    options:
      - {id: low, label: Low}
      - {id: good, label: Good}
  - id: alone
    kind: yes_no
    ask: Were you alone?
    when: {step: mood, equals: low}
  - id: hours
    kind: number
    ask: How long did you sleep?
    unit: hours
    low: 0
    high: 24
  - id: bed
    kind: time
    ask: When did you go to bed?
    optional: true
  - id: rested
    kind: scale
    scale: 0-10
    labels: {low: not at all, high: very}
    ask: How rested are you, from {low} to {high}?
    when: {any: [{step: hours, at_least: 6}, {step: bed, at_most: "23:00"}]}
  - id: words
    kind: text
    ask: What was on your mind?
    when: {not: {all: [{step: rested, between: [5, 10]}, {step: alone, in: [no]}]}}
  - id: photo
    kind: media
    ask: Send a photo of it.
    when: {answered: words}
  - id: more
    kind: any
    ask: Anything else?
    confirm: "That is all of {title}, {client}."
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
        ("id: \x00", "my.yaml:1:5: file", "character"),
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


def test_every_kind_of_step() -> None:
    """A file with all kinds is read as it is written, and its steps are found by their ids."""
    prompt = parse_prompt(EVERY_KIND, source="x")
    assert [step.kind for step in prompt.steps] == [
        *("choice", "yes_no", "number", "time", "scale", "text", "media", "any"),
    ]
    hours = prompt.step_of("hours")
    assert isinstance(hours, NumberStep)
    assert (hours.unit, hours.low, hours.high) == ("hours", Decimal(0), Decimal(24))
    assert [step.id for step in prompt.steps if step.optional] == ["bed"]
    assert prompt.step is prompt.steps[0]
    assert prompt.starts == ("my day", "Log: day")
    with pytest.raises(KeyError):
        prompt.step_of("nothing")


def test_the_ends_of_a_scale_are_named_below_the_question() -> None:
    """Labels are shown as typed, in a line of their own."""
    step = parse_prompt(EVERY_KIND.replace("not at all", "'*not* <at> all'"), source="x").step_of("rested")
    assert ask_text(step) == "How rested are you, from 0 to 10?\n\n0 = *not* <at> all, 10 = very"


def test_the_name_of_the_client_is_filled_in() -> None:
    """A name with marks in it shows as typed."""
    step = parse_prompt(EVERY_KIND.replace("How are you", "**How** are you"), source="x").step
    shown = asked(step, client="<i>Alex</i> *M*")
    assert shown.body == "How are you, <i>Alex</i> *M*?"
    assert shown.html == "<strong>How</strong> are you, &lt;i&gt;Alex&lt;/i&gt; *M*?"


def test_when_a_time_is_expected_settles_which_half_of_the_day() -> None:
    """A bare eleven is the evening where the evening is expected; without that it is asked back."""
    expecting = EVERY_KIND.replace("kind: time\n", "kind: time\n    within: 19:00 – 7:00\n")
    bed = parse_prompt(expecting, source="x").step_of("bed")
    assert fit("half past eleven", bed, scale=None, options={}, words=words()) == Fit(value="23:30")
    assert fit("noon", bed, scale=None, options={}, words=words()) == Fit(value="12:00")
    bed = parse_prompt(EVERY_KIND, source="x").step_of("bed")
    assert fit("half past eleven", bed, scale=None, options={}, words=words()) is Misfit.UNSURE


def test_expiry_is_left_to_the_schedule() -> None:
    """A file without `expires` ends with the next occurrence."""
    assert parse_prompt(TEXT.replace("expires: 20h\n", ""), source="x").expires is None


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("{step: mood, equals: low}", "{step: mood, equals: bad}", "18:24: steps[2].when.equals", "one of low, good"),
        ("{step: mood, equals: low}", "{step: mood, at_least: low}", "18:24: steps[2].when.at_least", "no more and"),
        ("{step: mood, equals: low}", "{step: mood}", "18:5: steps[2].when", "names a step and no test"),
        ("{step: mood, equals: low}", "{step: bed, equals: low}", "18:12: steps[2].when.step", "no earlier step"),
        ("{step: mood, equals: low}", "{answered: alone}", "18:12: steps[2].when.answered", "steps before it are mood"),
        ("{step: mood, equals: low}", "mood is low", "18:5: steps[2].when", "is no condition"),
        ("{step: mood, equals: low}", "{step: mood, equals: low, in: [low]}", "18:5: steps[2].when", "more than one"),
        ("equals: low}", "equal: low}", "18:24: steps[2].when.equal", "did you mean `equals`?"),
        ("at_least: 6", "at_least: 25", "34:32: steps[5].when.any[1].at_least", "leave this number out"),
        ("at_least: 6", "at_least: many", "34:32: steps[5].when.any[1].at_least", "write a number"),
        ('at_most: "23:00"', "at_most: 23", "34:58: steps[5].when.any[2].at_most", "such as 22:30"),
        ("[5, 10]", "[10, 5]", "38:39: steps[6].when.not.all[1].between", "does not go up"),
        ("[5, 10]", "[5]", "38:39: steps[6].when.not.all[1].between", "at least 2"),
        ("[5, 10]", "[5, 11]", "38:52: steps[6].when.not.all[1].between[2]", "from 0 to 10"),
        ("[5, 10]", "[5, 7.5]", "38:52: steps[6].when.not.all[1].between[2]", "whole number"),
        ("in: [no]", "in: [never]", "38:77: steps[6].when.not.all[2].in[1]", "yes or no"),
        ("{answered: words}", "{step: words, equals: x}", "42:12: steps[7].when.step", "answered: words"),
        ("id: more", "id: mood", "43:5: steps[8].id", "is the id of step 1 too"),
        ("{id: good,", "{id: low,", "14:10: steps[1].options[2].id", "same id"),
        ("label: Good", "label: low", "14:20: steps[1].options[2].label", "same label"),
        ("label: Good", "label: ...", "14:20: steps[1].options[2].label", "letter or digit"),
        ("high: 24", "high: 0", "24:5: steps[3].high", "not above"),
        ("low: 0\n", "low: nil\n", "23:5: steps[3].low", "no number"),
        ("scale: 0-10", "of: goal", "31:5: steps[5].of", "a prompt of its own"),
        ("you, {client}?", "you, {name}?", "11:5: steps[1].ask", "unknown placeholder {name}"),
        ("you, {client}?", "you, {low}?", "11:5: steps[1].ask", "unknown placeholder {low}"),
        ("you, {client}?", "<i>you</i>?", "11:5: steps[1].ask", "has HTML"),
        ("It helps {client}", "It helps {goal}", "4:1: why", "unknown placeholder {goal}"),
        ("all of {title}", "all of {low}", "46:5: steps[8].confirm", "unknown placeholder {low}"),
        ("[my day,", "['Log:  day.',", "7:24: starts[2]", "a second time"),
        ("[my day,", "['?!',", "7:10: starts[1]", "letter or digit"),
        ("optional: true", "optional: maybe", "28:5: steps[4].optional", "neither yes nor no"),
        ("ask: Anything", "ask: " + "very " * 200 + "Anything", "45:5: steps[8].ask", "800 characters"),
        ("title: The day", "title: " + "x" * 61, "3:1: title", "60 characters"),
        ("ask: Anything else?", "ask: |\n" + "      a\n" * 21, "45:5: steps[8].ask", "more than 20 lines"),
        ("kind: time\n", "kind: time\n    within: evening\n", "27:5: steps[4].within", "18:00-06:00"),
        ("kind: time\n", "kind: time\n    within: 18:00-24:00\n", "27:5: steps[4].within", "no stretch of the day"),
        ("kind: time\n", "kind: time\n    within: 8:00-08:00\n", "27:5: steps[4].within", "two different times"),
        ("version: 1", "version: 1.10", "2:1: version", "no whole number"),
        ("version: 1", "version: 0o7", "2:1: version", "no whole number"),
        ("grace: 2h", "grace: ~", "5:1: grace", "'~' is no length"),
        ("expires: 20h", "expires: 2026-12-01", "6:1: expires", "'2026-12-01' is no length"),
    ],
)
def test_what_does_not_fit_together_is_named_in_its_line(old: str, new: str, place: str, words: str) -> None:
    """Conditions, ids, bounds, placeholders and lengths are checked when the file is read, each at its own place."""
    assert EVERY_KIND.count(old) == 1
    lines = refused(EVERY_KIND.replace(old, new))
    assert [line for line in lines if line.startswith(f"my.yaml:{place}: ") and words in line], lines
    assert len(lines) == 1


@pytest.mark.parametrize(
    "written", ["20:00", "No", "yes", "1.10", "2026-12-01", "0o7", "0x1F", "~", "null", "1e3", ".inf"]
)
def test_a_scalar_means_what_it_says(written: str) -> None:
    """What YAML would take for a time, a truth, a date or nothing stays the word that people see."""
    text = EVERY_KIND.replace("title: The day", f"title: {written}").replace("low: not at all", f"low: {written}")
    prompt = parse_prompt(text.replace("unit: hours", f"unit: {written}"), source="x")
    hours, rested = prompt.step_of("hours"), prompt.step_of("rested")
    assert isinstance(hours, NumberStep)
    assert isinstance(rested, ScaleStep)
    assert rested.labels is not None
    assert (prompt.title, hours.unit, rested.labels.low) == (written, written, written)


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
