"""Whether what somebody typed fits a step, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from bot.core.conditions import Value
from bot.core.goals import Scale
from bot.core.prompts import ChoiceStep, NumberStep, ScaleStep, Step, TimeStep, YesNoStep
from bot.core.reading import (
    Misfit,
    Reading,
    ReadingWords,
    YesNo,
    read_amount,
    read_number,
    read_option,
    read_time,
    read_yes_no,
)
from bot.core.template import say
from bot.core.wording import Wording

_Read = Reading[int] | Reading[int | Decimal] | Reading[str] | Reading[YesNo] | Reading[time] | Misfit | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A value that fits, and what was written behind it."""

    value: str | int
    note: str | None = None


def takes_words(step: Step) -> bool:
    """Whether any words are an answer."""
    return step.kind in ("text", "any")


def takes_values(step: Step) -> bool:
    """Whether the answer is a value; media are one all the same."""
    return not takes_words(step) and step.kind != "media"


def fit(
    text: str, step: Step, *, scale: Scale | None, options: Mapping[str, str], words: ReadingWords
) -> Fit | Misfit | None:
    """Read a text for a step that asks for a value.

    `scale` has the bounds of a scale, `options` the options of a choice or the language's yes and no. None means that
    the text has nothing like the value in it: it is ordinary conversation.
    """
    match step:
        case ScaleStep() if scale is not None:
            return _fit(read_number(text, scale.low, scale.high, words))
        case ChoiceStep():
            return _fit(read_option(text, options, words))
        case YesNoStep():
            return _fit(read_yes_no(text, words))
        case NumberStep():
            return _fit(read_amount(text, step.low, step.high, step.unit, words))
        case TimeStep():
            return _fit(read_time(text, words, within=step.within))
        case _:
            return None


def shown(value: Value, options: Mapping[str, str], unit: str | None = None) -> str:
    """Return a value as people read it: an option's label, a number with its unit."""
    if value is None:
        return ""
    text = options.get(str(value), str(value))
    return f"{text} {unit}" if unit else text


def _fit(found: _Read) -> Fit | Misfit | None:
    return Fit(value=_recorded(found.value), note=found.note) if isinstance(found, Reading) else found


def _recorded(value: int | Decimal | str | time) -> str | int:
    """Return a value as it is recorded: Matrix has no fractions, so decimals are text with a point."""
    match value:
        case Decimal():
            return f"{value:f}"
        case time():
            return f"{value:%H:%M}"
        case _:
            return value


def misfit_text(
    reason: Misfit,
    step: Step,
    *,
    title: str,
    scale: Scale | None,
    options: Mapping[str, str],
    words: Wording,
) -> str:
    """Return the one kind sentence that says what would fit."""
    unsure = reason is Misfit.UNSURE
    match step:
        case YesNoStep():
            yes, no = options.values()
            return say(words.does_not_fit_yes_no, title=title, yes=yes, no=no)
        case NumberStep():
            return _amount_text(step, title, words, unsure=unsure)
        case TimeStep():
            return say(words.does_not_fit_time_unsure if unsure else words.does_not_fit_time, title=title)
        case ScaleStep() if scale is not None:
            template = words.does_not_fit_unsure if unsure else words.does_not_fit_number
            return say(template, title=title, low=scale.low, high=scale.high)
        case ChoiceStep():
            return say(words.does_not_fit_choice, title=title, options=", ".join(options.values()))
        case _:
            return say(words.does_not_fit_media, title=title)


def _amount_text(step: NumberStep, title: str, words: Wording, *, unsure: bool) -> str:
    low, high = (None if bound is None else f"{bound:f}" for bound in (step.low, step.high))
    if unsure:
        return say(words.does_not_fit_amount_unsure, title=title)
    if low is not None and high is not None:
        return say(words.does_not_fit_amount_between, title=title, low=low, high=high)
    if low is not None:
        return say(words.does_not_fit_amount_from, title=title, low=low)
    if high is not None:
        return say(words.does_not_fit_amount_to, title=title, high=high)
    return say(words.does_not_fit_amount, title=title)
