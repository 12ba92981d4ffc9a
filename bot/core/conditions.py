"""When a step is asked: a small form over the answers before it, never code (DESIGN 9).

`{step: mood, equals: low}`, `{step: x, in: [a, b]}`, `{step: x, at_least: 3}`, `{step: x, at_most: 3}`,
`{step: x, between: [2, 5]}`, `{answered: x}`, `{all: [...]}`, `{any: [...]}`, `{not: {...}}`.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Self, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from bot.core.fields import Id, Part, Written, parse_decimal

Value = str | int | None
Values = Mapping[str, Value]  # one key for each answered step; None: answered in words or with media

TESTS = ("equals", "in", "at_least", "at_most", "between")
EXAMPLE = "write for example {step: mood, equals: low}"


class _Condition(Part):
    model_config = ConfigDict(populate_by_name=True)


class StepTest(_Condition):
    """One test of the answer to an earlier step; without an answer it does not hold."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [test]} for test in TESTS]})

    step: Id = Field(description="The id of an earlier step.")
    equals: Written | None = Field(default=None, description="The answer is this option, number, time, yes or no.")
    one_of: tuple[Written, ...] | None = Field(
        default=None, alias="in", min_length=1, max_length=20, description="The answer is one of these."
    )
    at_least: Written | None = Field(default=None, description="The answer is this or more.")
    at_most: Written | None = Field(default=None, description="The answer is this or less.")
    between: tuple[Written, ...] | None = Field(
        default=None, min_length=2, max_length=2, description="The answer is one of these two or between them."
    )

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        given = [self.equals, self.one_of, self.at_least, self.at_most, self.between]
        found = sum(test is not None for test in given)
        if found == 0:
            raise ValueError(f"names a step and no test; {EXAMPLE}")
        if found > 1:
            raise ValueError("has more than one test; keep one, or put them into a list after `all:` or `any:`")
        return self

    @property
    def written(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every value that the test names, with the path to it."""
        for name, one in (("equals", self.equals), ("at_least", self.at_least), ("at_most", self.at_most)):
            if one is not None:
                yield (name,), one
        for name, several in (("in", self.one_of), ("between", self.between)):
            for place, one in enumerate(several or ()):
                yield (name, place), one


class Answered(_Condition):
    """Holds once a step has an answer of any kind."""

    answered: Id = Field(description="The id of an earlier step that has an answer.")


class AllOf(_Condition):
    """Holds when all conditions of a list do."""

    every: tuple["Condition", ...] = Field(alias="all", min_length=1, max_length=10, description="All of these hold.")


class AnyOf(_Condition):
    """Holds when at least one condition of a list does."""

    some: tuple["Condition", ...] = Field(
        alias="any", min_length=1, max_length=10, description="At least one of these holds."
    )


class Not(_Condition):
    """Holds when another condition does not."""

    other: "Condition" = Field(alias="not", description="This does not hold.")


def _form(value: object) -> str | None:
    """Tell which form a condition has: by its keys in a file, by its class otherwise."""
    if isinstance(value, Mapping):
        return next((f"={name}" for name in ("all", "any", "not", "answered", "step") if name in value), None)
    named = {AllOf: "=all", AnyOf: "=any", Not: "=not", Answered: "=answered", StepTest: "=step"}
    return named.get(type(value))  # type: ignore[call-overload, no-any-return]  # any class may be asked about


# The tags stand in the places of pydantic's errors; the sign keeps them apart from field names.
Condition: TypeAlias = Annotated[
    Annotated[StepTest, Tag("=step")]
    | Annotated[Answered, Tag("=answered")]
    | Annotated[AllOf, Tag("=all")]
    | Annotated[AnyOf, Tag("=any")]
    | Annotated[Not, Tag("=not")],
    Discriminator(_form, custom_error_type="mistake", custom_error_message=f"is no condition; {EXAMPLE}"),
]
for _model in (AllOf, AnyOf, Not):
    _model.model_rebuild()


def holds(condition: Condition, values: Values) -> bool:
    """Tell whether a condition holds for the answers so far."""
    match condition:
        case Answered(answered=step):
            return step in values
        case AllOf(every=conditions):
            return all(holds(each, values) for each in conditions)
        case AnyOf(some=conditions):
            return any(holds(each, values) for each in conditions)
        case Not(other=other):
            return not holds(other, values)
        case StepTest():
            value = values.get(condition.step)
            return value is not None and _passes(condition, value)


def named_steps(condition: Condition) -> Iterator[tuple[tuple[str | int, ...], str, StepTest | None]]:
    """Yield every step that a condition names: the path to its name, its id, and the test if there is one."""
    match condition:
        case StepTest(step=step):
            yield ("step",), step, condition
        case Answered(answered=step):
            yield ("answered",), step, None
        case Not(other=other):
            for path, step, test in named_steps(other):
                yield ("not", *path), step, test
        case AllOf(every=conditions):
            yield from _named_in("all", conditions)
        case AnyOf(some=conditions):
            yield from _named_in("any", conditions)


def _named_in(
    name: str, conditions: tuple[Condition, ...]
) -> Iterator[tuple[tuple[str | int, ...], str, StepTest | None]]:
    for place, each in enumerate(conditions):
        for path, step, test in named_steps(each):
            yield (name, place, *path), step, test


def amount(value: str | int) -> tuple[str, Decimal] | None:
    """Return what has more and less: a number, or the minutes of a time, each with the name of its kind."""
    text = str(value)
    number = parse_decimal(text)
    if number is not None:
        return "number", number
    minutes = _minutes(text)
    return None if minutes is None else ("time", Decimal(minutes))


def _passes(test: StepTest, value: str | int) -> bool:
    if test.equals is not None:
        return _same(value, test.equals)
    if test.one_of is not None:
        return any(_same(value, each) for each in test.one_of)
    low, high = test.between or (test.at_least, test.at_most)
    return (low is None or _in_order(low, value)) and (high is None or _in_order(value, high))


def _same(one: str | int, other: str | int) -> bool:
    """Tell whether two values are equal: `7.50` and 7.5, `8:05` and 08:05, `No` and no."""
    if amount(one) is not None or amount(other) is not None:
        return amount(one) == amount(other)
    return str(one).casefold() == str(other).casefold()


def _in_order(low: str | int, high: str | int) -> bool:
    lower, higher = amount(low), amount(high)
    return lower is not None and higher is not None and lower[0] == higher[0] and lower[1] <= higher[1]


def _minutes(text: str) -> int | None:
    """Return the minutes since midnight of a time such as `20:30`; None when it is none."""
    found = re.fullmatch(r"(\d{1,2}):([0-5]\d)", text.strip(), re.ASCII)
    return int(found[1]) * 60 + int(found[2]) if found and int(found[1]) < 24 else None
