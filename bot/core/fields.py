"""What the fields of a prompt file hold: each type reads the text as written and says what would be right."""

import re
from collections.abc import Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Annotated, NoReturn

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from bot.core.durations import parse_duration
from bot.core.goals import Scale, parse_scale
from bot.errors import GoalError, ScheduleError

HOURS = re.compile(r"((?:[01]?\d|2[0-3]):[0-5]\d)\s*[-–]\s*((?:[01]?\d|2[0-3]):[0-5]\d)", re.ASCII)
DECIMAL = re.compile(r"[-+−]?\d{1,9}(?:[.,]\d{1,4})?", re.ASCII)


class Part(BaseModel):
    """A part of a file: frozen, and without fields that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def refuse(mistakes: Iterable[tuple[tuple[str | int, ...], str]]) -> None:
    """Raise pydantic's error with each mistake at its own place below the model; nothing happens when there are none.

    A mistake is the path to it and `what is wrong; what to do`.
    """
    details = [
        InitErrorDetails(type=PydanticCustomError("mistake", "{error}", {"error": text}), loc=path, input=None)
        for path, text in mistakes
    ]
    if details:
        raise ValidationError.from_exception_data("part", details)


def parse_decimal(text: str) -> Decimal | None:
    """Read `7`, `-0.5` or `0,5`; None for anything else."""
    plain = text.strip()
    return Decimal(plain.replace("−", "-").replace(",", ".")) if DECIMAL.fullmatch(plain) else None


def _id(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[a-z0-9-]{1,40}", value):
        _no(value, "is no name for this; write small letters, digits and dashes, at most 40: [a-z0-9-]")
    return value


def one_line(value: object) -> object:
    """Return a text without the space around it; raises ValueError when it has more than one line."""
    if not isinstance(value, str):
        return value
    if len(value.strip().splitlines()) > 1:
        raise ValueError("must be one line; write it behind the colon, in quotes if need be")
    return value.strip()


def _day(value: object) -> object:
    # pydantic would also take seconds since 1970 for a date.
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        _no(value, "is no date; write it as 2026-11-23")
    return value


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_duration(value)
    except ScheduleError:
        raise ValueError(
            f"{_shown(value)} is no length of time; write a number and min, h or d, for example 2h"
        ) from None


def _scale(value: object) -> object:
    if isinstance(value, Scale):
        return value
    try:
        return parse_scale(value if isinstance(value, str) else "")
    except GoalError:
        raise ValueError(
            f"{_shown(str(value))} is no scale; write two whole numbers, the smaller first, for example 0-10"
        ) from None


def _hours(value: object) -> object:
    if not isinstance(value, str):
        return value
    written = HOURS.fullmatch(value.strip())
    if written is None:
        return _no(value, "is no stretch of the day; write two times, for example 18:00-06:00")
    first, last = (time.fromisoformat(each.zfill(5)) for each in written.groups())
    return (first, last) if first != last else _no(value, "has no length; write two different times")


def _decimal(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = parse_decimal(value)
    return _no(value, "is no number; write it in digits, for example 7 or 0.5") if found is None else found


def _whole(value: object) -> object:
    # pydantic would also take 1.0 and 1_0 for whole numbers.
    if not isinstance(value, str) or re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return value
    return _no(value, "is no whole number; write digits only")


def _flag(value: object) -> object:
    known = {"yes": True, "true": True, "no": False, "false": False}
    if not isinstance(value, str):
        return value
    found = known.get(value.strip().lower())
    return _no(value, "is neither yes nor no; write true or false") if found is None else found


def _no(value: str, sentence: str) -> NoReturn:
    raise ValueError(f"{_shown(value)} {sentence}")


def _shown(value: str) -> str:
    return repr(value if len(value) <= 40 else f"{value[:40]}…")


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


# The patterns stand in the schema; the checks before them say the same in words.
Id = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$"), BeforeValidator(_id)]
_LINE = r"^[^\r\n]*\S[^\r\n]*$"
Unit = Annotated[str, Field(min_length=1, max_length=20, pattern=_LINE), BeforeValidator(one_line)]
Label = Annotated[str, Field(min_length=1, max_length=40, pattern=_LINE), BeforeValidator(one_line)]
Title = Annotated[str, Field(min_length=1, max_length=60, pattern=_LINE), BeforeValidator(one_line)]
Sentence = Annotated[str, Field(min_length=1, max_length=200, pattern=_LINE), BeforeValidator(one_line)]
Question = Annotated[str, Field(min_length=1, max_length=800), BeforeValidator(_stripped)]  # a phone's screen or so
Day = Annotated[date, BeforeValidator(_day)]
Whole = Annotated[int, BeforeValidator(_whole)]
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
Written = Annotated[  # a value as the file writes it; its step's kind says what it is
    str, Field(min_length=1, max_length=40), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
Number = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": ["number", "string"], "examples": ["0", "0.5", "24"]}),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(lambda length: f"{length // timedelta(minutes=1)} min", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["90 min", "2h", "3d"]}),
]
Hours = Annotated[  # from the first time to the second, past midnight if that is the earlier one
    tuple[time, time],
    BeforeValidator(_hours),
    PlainSerializer(lambda hours: f"{hours[0]:%H:%M}-{hours[1]:%H:%M}", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["18:00-06:00"]}),
]
ScaleText = Annotated[
    Scale,
    BeforeValidator(_scale),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["0-10", "-2 to 2"]}),
]
