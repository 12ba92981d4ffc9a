"""A prompt: what the bot asks, written by a clinician in a YAML file of one prompt in one language.

It has 1 to 20 steps, which are asked one at a time; `when` leaves a step out, by the answers before it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from bot.core.command_forms import command_form
from bot.core.conditions import Condition, StepTest, measured, named_steps
from bot.core.document import read_document, validate
from bot.core.fields import Duration, Flag, Id, Line, Number, Part, ScaleText, Whole, refuse
from bot.core.goals import Scale
from bot.core.spelling import bare_words
from bot.core.template import check_gaps, say

DEFAULT_EXPIRES = timedelta(hours=20)  # where no schedule says when the next one comes
POLL_OPTIONS = 7  # more fill the screen of a phone: they are a numbered list (DESIGN 7)
ASK_LENGTH, ASK_LINES = 800, 20  # about one screen of a phone

Misplaced = Iterator[tuple[tuple[str | int, ...], str]]  # path below the model, `what is wrong; what to do`


def default_grace(*, weekly: bool) -> timedelta:
    """Return how late a prompt may still go out when its file names no `grace` (DESIGN 8)."""
    return timedelta(hours=12) if weekly else timedelta(hours=2)


class Option(Part):
    """One answer that can be tapped."""

    id: Id = Field(description="What is recorded; the same in every language.")
    label: Annotated[Line, Field(max_length=40)] = Field(description="What people see and may also type.")


class ScaleLabels(Part):
    """What the two ends of a scale mean."""

    low: Annotated[Line, Field(max_length=40)] = Field(description="What the smallest number means.")
    high: Annotated[Line, Field(max_length=40)] = Field(description="What the largest number means.")


class _Step(Part):
    id: Id = Field(description="Name of the step; the same in every language.")
    ask: str = Field(
        min_length=1,
        max_length=ASK_LENGTH,
        pattern=r"\S",
        description="What the bot asks, in simple markdown. May use {client}; a scale also {low} and {high}, "
        "with `of: goal` also {goal}.",
    )
    optional: Flag = Field(default=False, description="true: the question says that it may be skipped.")
    when: Condition | None = Field(default=None, description="Asked only if this holds for the answers before it.")
    confirm: Annotated[Line, Field(max_length=200)] | None = Field(
        default=None,
        description="What the bot says at the end of the prompt if this was its last step, instead of its usual "
        "sentence; may use {title} and {client}.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._mistakes())
        return self

    def _mistakes(self) -> Misplaced:
        yield from _gap_mistakes("ask", self.ask, may=("client", *self._gaps()))
        yield from _gap_mistakes("confirm", self.confirm or "", may=("client", "title"))
        if len(self.ask.strip().splitlines()) > ASK_LINES:
            yield ("ask",), f"has more than {ASK_LINES} lines; people read it on a phone, make it shorter"

    def _gaps(self) -> tuple[str, ...]:
        return ()


class TextStep(_Step):
    """A step answered in words, by voice or with a picture."""

    kind: Literal["text"] = Field(description="Free words.")


class ScaleStep(_Step):
    """A step answered with a whole number, and with a note if one likes."""

    kind: Literal["scale"] = Field(description="A whole number that people type.")
    scale: ScaleText | None = Field(default=None, description="The smallest and the largest number.")
    of: Literal["goal"] | None = Field(default=None, description="`goal`: the scale of the goal that is asked about.")
    labels: ScaleLabels | None = Field(default=None, description="What the two ends mean; shown below the question.")

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        if (self.scale is None) == (self.of is None):
            raise ValueError("needs either `scale` or `of`; write `scale: 0-10`, or `of: goal`")
        return self

    def _gaps(self) -> tuple[str, ...]:
        return ("low", "high", "goal") if self.of else ("low", "high")


class ChoiceStep(_Step):
    """A step answered with one option: a tap in a poll, or its label or number; more than seven are a numbered list."""

    kind: Literal["choice"] = Field(description="One of several options.")
    options: tuple[Option, ...] = Field(min_length=2, max_length=20, description="The options in their order.")

    def _mistakes(self) -> Misplaced:
        yield from super()._mistakes()
        seen: set[tuple[str, str]] = set()
        for place, option in enumerate(self.options):
            words = bare_words(option.label)
            if not words:
                yield ("options", place, "label"), "has no letter or digit; people need a word that they can type"
            for name, form in (("id", option.id), ("label", words)):
                if (name, form) in seen and form:
                    yield ("options", place, name), f"two options have the same {name}; give each its own"
                seen.add((name, form))


class YesNoStep(_Step):
    """A step answered with yes or no, in the words of the language."""

    kind: Literal["yes_no"] = Field(description="Yes or no, shown as a poll.")


class NumberStep(_Step):
    """A step answered with a number, which may have decimals."""

    kind: Literal["number"] = Field(description="A number that people type; decimals are fine.")
    unit: Annotated[Line, Field(max_length=20)] | None = Field(default=None, description="What is counted: `hours`.")
    low: Number | None = Field(default=None, description="The smallest number that can be right.")
    high: Number | None = Field(default=None, description="The largest number that can be right.")

    def _mistakes(self) -> Misplaced:
        yield from super()._mistakes()
        if self.low is not None and self.high is not None and self.low >= self.high:
            yield ("high",), "is not above `low`; write the smaller number as `low`"


class TimeStep(_Step):
    """A step answered with a time of day."""

    kind: Literal["time"] = Field(description="A time of day such as 22:30.")


class MediaStep(_Step):
    """A step answered with a photo, a voice message, a video or a file."""

    kind: Literal["media"] = Field(description="A photo, a voice message, a video or a file.")


class AnyStep(_Step):
    """A step answered with anything: words, voice or a picture."""

    kind: Literal["any"] = Field(description="Words, a voice message, a photo: whatever suits.")


Step: TypeAlias = TextStep | ScaleStep | ChoiceStep | YesNoStep | NumberStep | TimeStep | MediaStep | AnyStep
KINDS: Mapping[str, type[Step]] = {
    "text": TextStep,
    "scale": ScaleStep,
    "choice": ChoiceStep,
    "yes_no": YesNoStep,
    "number": NumberStep,
    "time": TimeStep,
    "media": MediaStep,
    "any": AnyStep,
}


def _known_kind(value: object) -> object:
    if isinstance(value, Mapping) and "kind" not in value:
        raise ValueError(f"has no kind; add `kind:` with one of {', '.join(KINDS)}")
    if isinstance(value, Mapping) and value["kind"] not in (*KINDS,):
        refuse([(("kind",), f"is no kind of step; use one of {', '.join(KINDS)}")])
    return value


def _kind(value: object) -> str:
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", "text")
    return f"={kind}"


# The tags stand in the places of pydantic's errors; the sign keeps them apart from field names.
_AnyKind = Annotated[
    Annotated[TextStep, Tag("=text")]
    | Annotated[ScaleStep, Tag("=scale")]
    | Annotated[ChoiceStep, Tag("=choice")]
    | Annotated[YesNoStep, Tag("=yes_no")]
    | Annotated[NumberStep, Tag("=number")]
    | Annotated[TimeStep, Tag("=time")]
    | Annotated[MediaStep, Tag("=media")]
    | Annotated[AnyStep, Tag("=any")],
    Discriminator(_kind),
    BeforeValidator(_known_kind),
]


class Prompt(Part):
    """What the bot asks, in one language."""

    id: Id = Field(description="Name of the prompt; the same in every language, never changed.")
    version: Annotated[Whole, Field(ge=1, le=9999)] = Field(description="Raised with every change of meaning.")
    title: Annotated[Line, Field(max_length=60)] = Field(description="What people call it.")
    why: Annotated[Line, Field(max_length=200)] = Field(
        description="One line: what this prompt is good for; may use {client}."
    )
    grace: Duration | None = Field(
        default=None,
        description="How late it may still go out. Left out: 2 h for daily schedules, 12 h for weekly ones.",
    )
    expires: Duration | None = Field(
        default=None,
        description="How long after it is due an answer is not marked as late. Left out: until the next one is due.",
    )
    starts: tuple[Annotated[Line, Field(max_length=40)], ...] = Field(
        default=(),
        max_length=10,
        description="Whole messages with which the client starts it at any time: `log urge`.",
    )
    steps: tuple[_AnyKind, ...] = Field(min_length=1, max_length=20, description="What is asked, one after another.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._mistakes())
        return self

    def _mistakes(self) -> Misplaced:
        yield from _gap_mistakes("why", self.why, may=("client",))
        yield from _start_mistakes(self.starts)
        earlier: dict[str, Step] = {}
        for place, step in enumerate(self.steps):
            if step.id in earlier:
                yield ("steps", place, "id"), f"is the id of step {_place_of(step.id, self) + 1} too; give each its own"
            if isinstance(step, ScaleStep) and step.of and len(self.steps) > 1:
                yield ("steps", place, "of"), "a goal is asked about in a prompt of its own; keep this step alone"
            if step.when is not None:
                for path, text in _when_mistakes(step.when, earlier):
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


def ask_text(step: Step, *, client: str = "", goal: str = "", scale: Scale | None = None) -> str:
    """Return what the bot asks; a step `of: goal` needs the goal's title and scale."""
    bounds = scale or (step.scale if isinstance(step, ScaleStep) else None)
    values: dict[str, Any] = {"client": client, "goal": goal}
    if bounds is not None:
        values |= {"low": bounds.low, "high": bounds.high}
    asks = say(step.ask, **values).strip()
    if isinstance(step, ScaleStep) and step.labels and bounds is not None:
        asks += f"\n{bounds.low} = {step.labels.low}, {bounds.high} = {step.labels.high}"
    return asks


def _gap_mistakes(name: str, text: str, *, may: tuple[str, ...]) -> Misplaced:
    try:
        check_gaps(text, may=may)
    except ValueError as error:
        yield (name,), str(error)


def _start_mistakes(starts: tuple[str, ...]) -> Misplaced:
    seen: set[str] = set()
    for place, start in enumerate(starts):
        form = command_form(start)
        if not any(character.isalnum() for character in form):
            yield ("starts", place), "has no letter or digit; people need words that they can type"
        elif form in seen:
            yield ("starts", place), "stands here a second time; keep one"
        seen.add(form)


def _place_of(step_id: str, prompt: Prompt) -> int:
    return next(place for place, step in enumerate(prompt.steps) if step.id == step_id)


def _when_mistakes(condition: Condition, earlier: Mapping[str, Step]) -> Misplaced:
    for path, step_id, test in named_steps(condition):
        step = earlier.get(step_id)
        if step is None:
            known = f"the steps before it are {', '.join(earlier)}" if earlier else "the first step has none before it"
            yield path, f"{step_id!r} is no earlier step; {known}"
        elif test is not None:
            for inner, text in _test_mistakes(test, step):
                yield (*path[:-1], *inner), text


def _test_mistakes(test: StepTest, step: Step) -> Misplaced:
    fits = _FITS.get(step.kind)
    if fits is None:
        yield ("step",), f"{step.id!r} is answered in words or with media; write `answered: {step.id}`"
        return
    ordered = step.kind in ("scale", "number", "time")
    mistaken = False
    for path, written in test.written:
        if not ordered and path[0] in ("at_least", "at_most", "between"):
            yield (path[0],), f"{step.id!r} has no more and less; use `equals:` or `in:`"
            return
        if advice := fits(step, written):
            mistaken = True
            yield path, f"{written!r} is no answer of {step.id!r}; {advice}"
    if test.between and not mistaken and measured(test.between[0])[1] >= measured(test.between[1])[1]:  # type: ignore[operator]  # one kind
        yield ("between",), "does not go up; write the smaller one first"


def _fits_scale(step: Step, written: str) -> str:
    kind, value = measured(written)
    scale = step.scale if isinstance(step, ScaleStep) else None
    if kind != "number" or value != int(value):
        return "write a whole number"
    if scale is not None and not scale.low <= value <= scale.high:
        return f"write a number from {scale.low} to {scale.high}"
    return ""


def _fits_choice(step: Step, written: str) -> str:
    options = [option.id for option in step.options] if isinstance(step, ChoiceStep) else []
    return "" if written in options else f"write one of {', '.join(options)}"


def _fits_number(step: Step, written: str) -> str:
    kind, value = measured(written)
    if kind != "number":
        return "write a number"
    low, high = (step.low, step.high) if isinstance(step, NumberStep) else (None, None)
    if (low is not None and value < low) or (high is not None and value > high):  # type: ignore[operator]  # numbers
        return "its `low` and `high` leave this number out"
    return ""


def _fits_yes_no(_step: Step, written: str) -> str:
    return "" if measured(written)[1] in ("yes", "no") else "write yes or no"


def _fits_time(_step: Step, written: str) -> str:
    return "" if measured(written)[0] == "time" else "write a time such as 22:30"


# Kind -> what is wrong with a value that a condition compares with; kinds that record no value stand not here.
_FITS: Mapping[str, Callable[[Step, str], str]] = {
    "scale": _fits_scale,
    "choice": _fits_choice,
    "number": _fits_number,
    "yes_no": _fits_yes_no,
    "time": _fits_time,
}
