"""A prompt: what the bot asks, written by a clinician in a YAML file of one prompt in one language.

It has 1 to 20 steps, which are asked one at a time; `when` leaves a step out, by the answers before it.
"""

from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from bot.core.command_forms import command_form
from bot.core.document import read_document, validate
from bot.core.fields import Duration, Id, Label, Part, Sentence, Title, Whole, refuse
from bot.core.fitting import when_mistakes
from bot.core.goals import Scale
from bot.core.markup import Shown, render
from bot.core.steps import (
    KINDS,
    POLL_OPTIONS,
    AnyKind,
    AnyStep,
    ChoiceStep,
    MediaStep,
    Misplaced,
    NumberStep,
    Option,
    ScaleLabels,
    ScaleStep,
    Step,
    TextStep,
    TimeStep,
    YesNoStep,
    gap_mistakes,
)

__all__ = [
    "DEFAULT_EXPIRES",
    "KINDS",
    "POLL_OPTIONS",
    "AnyStep",
    "ChoiceStep",
    "MediaStep",
    "NumberStep",
    "Option",
    "Prompt",
    "ScaleLabels",
    "ScaleStep",
    "Step",
    "TextStep",
    "TimeStep",
    "YesNoStep",
    "ask_text",
    "asked",
    "default_grace",
    "parse_prompt",
    "prompt_schema",
]

DEFAULT_EXPIRES = timedelta(hours=20)  # where no schedule says when the next one comes


def default_grace(*, weekly: bool) -> timedelta:
    """Return how late a prompt may still go out when its file names no `grace` (DESIGN 8)."""
    return timedelta(hours=12) if weekly else timedelta(hours=2)


class Prompt(Part):
    """What the bot asks, in one language."""

    id: Id = Field(description="Name of the prompt; the same in every language, never changed.")
    version: Annotated[Whole, Field(ge=1, le=9999)] = Field(description="Raised with every change of meaning.")
    title: Title = Field(description="What people call it.")
    why: Sentence = Field(description="One line: what this prompt is good for; may use {client}.")
    grace: Duration | None = Field(
        default=None,
        description="How late it may still go out. Left out: 2 h for daily schedules, 12 h for weekly ones.",
    )
    expires: Duration | None = Field(
        default=None,
        description="How long after it is due an answer is not marked as late. Left out: until the next one is due.",
    )
    starts: tuple[Label, ...] = Field(
        default=(),
        max_length=10,
        description="Whole messages with which the client starts it at any time: `log urge`.",
    )
    steps: tuple[AnyKind, ...] = Field(min_length=1, max_length=20, description="What is asked, one after another.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._mistakes())
        return self

    def _mistakes(self) -> Misplaced:
        yield from gap_mistakes("why", self.why, may=("client",))
        yield from _start_mistakes(self.starts)
        earlier: dict[str, Step] = {}
        for place, step in enumerate(self.steps):
            if step.id in earlier:
                yield (
                    ("steps", place, "id"),
                    f"is the id of step {list(earlier).index(step.id) + 1} too; give each its own",
                )
            if isinstance(step, ScaleStep) and step.of and len(self.steps) > 1:
                yield ("steps", place, "of"), "a goal is asked about in a prompt of its own; keep this step alone"
            if step.when is not None:
                for path, text in when_mistakes(step.when, earlier):
                    yield ("steps", place, "when", *path), text
            earlier.setdefault(step.id, step)

    @property
    def step(self) -> Step:
        """The first step."""
        return self.steps[0]

    def step_of(self, step_id: str) -> Step:
        """Return the step with this id. Raises KeyError when there is none, as after a change of the file."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    @property
    def of_goal(self) -> bool:
        """Whether it asks about a goal, so that the answer is a check-in and without a goal nothing is sent."""
        return len(self.steps) == 1 and isinstance(self.step, ScaleStep) and self.step.of == "goal"


def parse_prompt(text: str, *, source: str) -> Prompt:
    """Read one prompt file.

    Raises PackError that lists every mistake as `file:line:column: field: what is wrong; what to do`.
    """
    return validate(Prompt, read_document(text, source=source))


def prompt_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a prompt file; an editor that knows it helps while one writes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:interlude:schema:prompt:1",
        **Prompt.model_json_schema(),
        "title": "Interlude prompt",
    }


def asked(step: Step, *, client: str, goal: str = "", scale: Scale | None = None) -> Shown:
    """Return what the bot asks, as people see it; a step `of: goal` needs the goal's title and scale.

    The labels of a scale stand in a line of their own below the question.
    """
    labels = step.labels if isinstance(step, ScaleStep) else None
    bounds = scale or (step.scale if isinstance(step, ScaleStep) else None)
    values: dict[str, object] = {"client": client, "goal": goal}
    template = step.ask
    if bounds is not None:
        values |= {"low": bounds.low, "high": bounds.high}
        if labels is not None:
            values |= {"low_label": labels.low, "high_label": labels.high}
            template += "\n\n{low} = {low_label}, {high} = {high_label}"
    return render(template, **values)


def ask_text(step: Step, *, client: str = "", goal: str = "", scale: Scale | None = None) -> str:
    """Return what the bot asks without its marks, for a poll's question and other places that show none."""
    return asked(step, client=client, goal=goal, scale=scale).body


def _start_mistakes(starts: tuple[str, ...]) -> Misplaced:
    seen: set[str] = set()
    for place, start in enumerate(starts):
        form = command_form(start)
        if not any(character.isalnum() for character in form):
            yield ("starts", place), "has no letter or digit; people need words that they can type"
        elif form in seen:
            yield ("starts", place), "stands here a second time; keep one"
        seen.add(form)
