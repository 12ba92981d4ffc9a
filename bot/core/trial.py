"""What `try` shows a therapist of a prompt: every question as the client would read it, with how it is answered."""

from bot.core.goals import Scale
from bot.core.prompts import ChoiceStep, NumberStep, Prompt, ScaleStep, Step, ask_text
from bot.core.template import say
from bot.core.wording import Wording

SOME_SCALE = Scale(low=0, high=10)  # of a goal that is not there


def trial(prompt: Prompt, *, client: str, words: Wording) -> str:
    """Return a prompt's title, why it is asked, and its questions by number."""
    lines = [say(words.try_header, title=prompt.title, why=say(prompt.why, client=client))]
    for number, step in enumerate(prompt.steps, 1):
        scale = SOME_SCALE if isinstance(step, ScaleStep) and step.of else None
        asks = ask_text(step, client=client, goal=words.try_goal, scale=scale)
        lines.append(say(words.try_step, number=number, ask=asks, how=_how(step, words)))
    return "\n".join([*lines, words.try_footer])


def _how(step: Step, words: Wording) -> str:
    how = words.try_kinds[step.kind]
    if isinstance(step, ChoiceStep):
        how = " / ".join(option.label for option in step.options)
    elif isinstance(step, NumberStep) and step.unit:
        how = f"{how}, {step.unit}"
    marks = [words.try_optional] if step.optional else []
    marks += [words.try_when] if step.when is not None else []
    return "; ".join([how, *marks])
