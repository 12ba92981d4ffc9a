"""A prompt: what the bot asks, written by a clinician in a YAML file of one prompt in one language.

The shape holds a list of steps; a prompt has exactly one.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from bot.core.document import read_document, validate
from bot.core.durations import parse_duration
from bot.core.goals import Scale, parse_scale
from bot.core.spelling import bare_words
from bot.core.template import check_gaps, say
from bot.errors import GoalError, ScheduleError


def default_grace(*, weekly: bool) -> timedelta:
    """Return how late a prompt may still go out when its file names no `grace` (DESIGN 8)."""
    return timedelta(hours=12) if weekly else timedelta(hours=2)


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_duration(value)
    except ScheduleError:
        raise ValueError(f"{value!r} is no length of time; write a number and min, h or d, for example 2h") from None


def _scale(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_scale(value)
    except GoalError:
        raise ValueError(
            f"{value!r} is no scale; write two whole numbers, the smaller first, for example 0-10"
        ) from None


Id = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
Line = Annotated[str, Field(min_length=1, pattern=r"^[^\r\n]*\S[^\r\n]*$")]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(lambda length: f"{length // timedelta(minutes=1)} min", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["90 min", "2h", "3d"]}),
]
ScaleText = Annotated[
    Scale,
    BeforeValidator(_scale),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["0-10", "-2 to 2"]}),
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Option(_Part):
    """One answer that can be tapped."""

    id: Id = Field(description="What is recorded; the same in every language.")
    label: Annotated[Line, Field(max_length=40)] = Field(description="What people see and may also type.")


class _Step(_Part):
    id: Id = Field(description="Name of the step; the same in every language.")
    ask: str = Field(
        min_length=1,
        max_length=1000,
        pattern=r"\S",
        description="What the bot asks. A step of kind scale may use {low} and {high}, with `of: goal` also {goal}.",
    )
    confirm: Annotated[Line, Field(max_length=200)] | None = Field(
        default=None,
        description="What the bot says once the answer is recorded, instead of its usual sentence; may use {title}.",
    )

    def _check(self, *ask: str) -> None:
        check_gaps(self.ask, may=ask)
        check_gaps(self.confirm or "", may=("title",))


class TextStep(_Step):
    """A step answered in words, by voice or with a picture."""

    kind: Literal["text"] = Field(description="Free words.")

    @model_validator(mode="after")
    def _placeholders(self) -> Self:
        self._check()
        return self


class ChoiceStep(_Step):
    """A step answered with one tap in a poll, or with the label or number of an option."""

    kind: Literal["choice"] = Field(description="One of several options, shown as a poll.")
    options: tuple[Option, ...] = Field(min_length=2, max_length=7, description="The options in their order.")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        self._check()
        for name, found in (
            ("id", [option.id for option in self.options]),
            ("label", [bare_words(option.label) for option in self.options]),
        ):
            if len(set(found)) < len(found):
                raise ValueError(f"two options have the same {name}; give each its own")
            if not all(found):
                raise ValueError("an option's label has no letter or digit; people need a word that they can type")
        return self


class ScaleStep(_Step):
    """A step answered with a whole number, and with a note if one likes."""

    kind: Literal["scale"] = Field(description="A number that people type.")
    scale: ScaleText | None = Field(default=None, description="The smallest and the largest number.")
    of: Literal["goal"] | None = Field(default=None, description="`goal`: the scale of the goal that is asked about.")

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        if (self.scale is None) == (self.of is None):
            raise ValueError("needs either `scale` or `of`; write `scale: 0-10`, or `of: goal`")
        self._check("low", "high", *(("goal",) if self.of else ()))
        return self


Step = Annotated[TextStep | ChoiceStep | ScaleStep, Field(discriminator="kind")]


class Prompt(_Part):
    """What the bot asks, in one language."""

    id: Id = Field(description="Name of the prompt; the same in every language, never changed.")
    version: int = Field(ge=1, le=9999, description="Raised with every change of meaning.")
    title: Annotated[Line, Field(max_length=60)] = Field(description="What people call it.")
    why: Annotated[Line, Field(max_length=200)] = Field(description="One line: what this prompt is good for.")
    grace: Duration | None = Field(
        default=None,
        description="How late it may still go out. Left out: 2 h for daily schedules, 12 h for weekly ones.",
    )
    expires: Duration = Field(description="How long after it is due an answer is not marked as late.")
    steps: tuple[Step, ...] = Field(min_length=1, max_length=1, description="What is asked: exactly one step.")

    @property
    def step(self) -> TextStep | ChoiceStep | ScaleStep:
        """The one step."""
        return self.steps[0]

    @property
    def of_goal(self) -> bool:
        """Whether it asks about a goal, so that the answer is a check-in and without a goal nothing is sent."""
        return isinstance(self.step, ScaleStep) and self.step.of == "goal"


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


def ask_text(step: TextStep | ChoiceStep | ScaleStep, *, goal: str = "", scale: Scale | None = None) -> str:
    """Return what the bot asks; a step `of: goal` needs the goal's title and scale."""
    bounds = scale or (step.scale if isinstance(step, ScaleStep) else None)
    values: dict[str, Any] = {"goal": goal}
    if bounds is not None:
        values |= {"low": bounds.low, "high": bounds.high}
    return say(step.ask, **values).strip()
