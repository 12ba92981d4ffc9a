"""Whether a condition can come true: it names earlier steps, and compares with what they record."""

from collections.abc import Callable, Mapping

from bot.core.conditions import Condition, StepTest, amount, named_steps
from bot.core.steps import ChoiceStep, Misplaced, NumberStep, ScaleStep, Step

ORDERED = frozenset({"scale", "number", "time"})  # kinds whose answers have more and less


def when_mistakes(condition: Condition, earlier: Mapping[str, Step]) -> Misplaced:
    """Yield what is wrong with a condition of the step that comes after the steps `earlier`."""
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
    mistakes = []
    for path, written in test.written:
        if step.kind not in ORDERED and path[0] not in ("equals", "in"):
            yield (path[0],), f"{step.id!r} has no more and less; use `equals:` or `in:`"
            return
        if advice := fits(step, written):
            mistakes.append((path, f"{written!r} is no answer of {step.id!r}; {advice}"))
    yield from mistakes
    if test.between and not mistakes:
        low, high = (amount(each) for each in test.between)
        if low and high and low[1] >= high[1]:
            yield ("between",), "does not go up; write the smaller one first"


def _fits_scale(step: Step, written: str) -> str:
    found = amount(written)
    scale = step.scale if isinstance(step, ScaleStep) else None
    if found is None or found[0] != "number" or found[1] != int(found[1]):
        return "write a whole number"
    if scale is not None and not scale.low <= found[1] <= scale.high:
        return f"write a number from {scale.low} to {scale.high}"
    return ""


def _fits_choice(step: Step, written: str) -> str:
    options = [option.id for option in step.options] if isinstance(step, ChoiceStep) else []
    return "" if written in options else f"write one of {', '.join(options)}"


def _fits_number(step: Step, written: str) -> str:
    found = amount(written)
    low, high = (step.low, step.high) if isinstance(step, NumberStep) else (None, None)
    if found is None or found[0] != "number":
        return "write a number"
    if (low is not None and found[1] < low) or (high is not None and found[1] > high):
        return "its `low` and `high` leave this number out"
    return ""


def _fits_yes_no(_step: Step, written: str) -> str:
    return "" if written.casefold() in ("yes", "no") else "write yes or no"


def _fits_time(_step: Step, written: str) -> str:
    found = amount(written)
    return "" if found is not None and found[0] == "time" else "write a time such as 22:30"


# Kind -> what to write instead of a value that it never records; kinds that record no value are left out.
_FITS: Mapping[str, Callable[[Step, str], str]] = {
    "scale": _fits_scale,
    "choice": _fits_choice,
    "number": _fits_number,
    "yes_no": _fits_yes_no,
    "time": _fits_time,
}
