"""What can be chosen: the options of each step that has some, as people see them."""

from collections.abc import Mapping

from bot.core.prompts import POLL_OPTIONS, ChoiceStep, Prompt, Step, YesNoStep
from bot.core.wording import Wording

Options = Mapping[str, str]  # option id -> label, in the order in which they are shown
Labels = Mapping[str, Options]  # by step; steps without options are missing

YES, NO = "yes", "no"


def options_of(step: Step, words: Wording) -> Options:
    """Return the options of a choice, or the language's yes and no; {} for any other step."""
    if isinstance(step, ChoiceStep):
        return {option.id: option.label for option in step.options}
    return {YES: words.answer_yes, NO: words.answer_no} if isinstance(step, YesNoStep) else {}


def labels_of(prompt: Prompt, words: Wording) -> Labels:
    """Return the options of all steps."""
    return {step.id: options for step in prompt.steps if (options := options_of(step, words))}


def is_poll(step: Step) -> bool:
    """Whether a step is asked as a poll; more options than a screen holds are a numbered list (DESIGN 7)."""
    return isinstance(step, YesNoStep) or (isinstance(step, ChoiceStep) and len(step.options) <= POLL_OPTIONS)
