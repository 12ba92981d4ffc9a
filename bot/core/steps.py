"""The steps of a prompt: what is asked, one kind per kind of answer."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from bot.core.conditions import Condition
from bot.core.fields import Flag, Hours, Id, Label, Number, Part, Question, ScaleText, Sentence, Unit, refuse
from bot.core.markup import markup_mistakes
from bot.core.spelling import bare_words
from bot.core.template import check_gaps

POLL_OPTIONS = 7  # more fill the screen of a phone: they are a numbered list (DESIGN 7)
ASK_LINES = 20  # about one screen of a phone

Misplaced = Iterator[tuple[tuple[str | int, ...], str]]  # path below the model, `what is wrong; what to do`


class Option(Part):
    """One answer that can be tapped."""

    id: Id = Field(description="What is recorded; the same in every language.")
    label: Label = Field(description="What people see and may also type.")


class ScaleLabels(Part):
    """What the two ends of a scale mean."""

    low: Label = Field(description="What the smallest number means.")
    high: Label = Field(description="What the largest number means.")


class _Step(Part):
    id: Id = Field(description="Name of the step; the same in every language.")
    ask: Question = Field(
        description="What the bot asks, in simple markdown. May use {client}; a scale also {low} and {high}, "
        "with `of: goal` also {goal}.",
    )
    optional: Flag = Field(default=False, description="true: the question says that it may be skipped.")
    when: Condition | None = Field(default=None, description="Asked only if this holds for the answers before it.")
    confirm: Sentence | None = Field(
        default=None,
        description="What the bot says at the end of the prompt if this was its last step, instead of its usual "
        "sentence; may use {title} and {client}.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._mistakes())
        return self

    def _mistakes(self) -> Misplaced:
        yield from gap_mistakes("ask", self.ask, may=("client", *self._gaps()))
        yield from ((("ask",), text) for text in markup_mistakes(self.ask))
        yield from gap_mistakes("confirm", self.confirm or "", may=("client", "title"))
        if len(self.ask.splitlines()) > ASK_LINES:
            yield ("ask",), f"has more than {ASK_LINES} lines; people read it on a phone, make it shorter"

    def _gaps(self) -> tuple[str, ...]:
        return ()


class TextStep(_Step):
    """A step answered in words, by voice or with a picture."""

    kind: Literal["text"] = Field(description="Free words.")


class ScaleStep(_Step):
    """A step answered with a whole number, and with a note if one likes."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["scale"]}, {"required": ["of"]}]})

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
    unit: Unit | None = Field(default=None, description="What is counted: `hours`.")
    low: Number | None = Field(default=None, description="The smallest number that can be right.")
    high: Number | None = Field(default=None, description="The largest number that can be right.")

    def _mistakes(self) -> Misplaced:
        yield from super()._mistakes()
        if self.low is not None and self.high is not None and self.low >= self.high:
            yield ("high",), "is not above `low`; write the smaller number as `low`"


class TimeStep(_Step):
    """A step answered with a time of day."""

    kind: Literal["time"] = Field(description="A time of day such as 22:30.")
    within: Hours | None = Field(
        default=None,
        description="When the answer is expected: settles whether a bare 11 is the morning or the evening.",
    )


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
AnyKind = Annotated[
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


def gap_mistakes(name: str, text: str, *, may: tuple[str, ...]) -> Misplaced:
    try:
        check_gaps(text, may=may)
    except ValueError as error:
        yield (name,), str(error)
