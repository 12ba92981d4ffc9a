"""The event that asks a prompt's question: a message or a poll, with our block inside."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.core.deliveries import Delivery
from bot.core.events import PROMPT, PromptBlock, to_content
from bot.core.goals import Goal
from bot.core.prompts import ChoiceStep, Prompt, ScaleStep, ask_text

POLL_START = "org.matrix.msc3381.poll.start"  # Element X hides the stable type (DESIGN §7)
POLL_END = "org.matrix.msc3381.poll.end"
EXTENSIBLE_TEXT = "org.matrix.msc1767.text"


def poll_answer_ids(prompt: Prompt, random_id: Callable[[], str]) -> dict[str, str]:
    """Return random poll answer ids -> option ids of a choice, {} of any other prompt (CRYPTO 13)."""
    return {random_id(): option.id for option in prompt.step.options} if isinstance(prompt.step, ChoiceStep) else {}


def block(delivery: Delivery, prompt: Prompt, goal: Goal | None, *, repeat: bool = False) -> dict[str, Any]:
    """Return the `care.interlude.prompt` block."""
    scale = goal.scale if goal else prompt.step.scale if isinstance(prompt.step, ScaleStep) else None
    return to_content(
        PromptBlock(
            delivery_id=delivery.delivery_id,
            prompt_id=prompt.id,
            prompt_version=prompt.version,
            title=prompt.title,
            step=prompt.step.id,
            kind=prompt.step.kind,
            occurrence=delivery.occurrence,
            schedule_id=delivery.schedule_id,
            goal_id=goal.goal_id if goal else None,
            goal_revision=goal.revision if goal else None,
            low=scale.low if scale else None,
            high=scale.high if scale else None,
            options=dict(delivery.options),
            due=delivery.due,
            expires_at=delivery.expires_at,
            repeat=repeat,
        )
    )


def question(prompt: Prompt, goal: Goal | None) -> str:
    """Return the words that ask."""
    return ask_text(prompt.step, goal=goal.title if goal else "", scale=goal.scale if goal else None)


def posted_event(delivery: Delivery, prompt: Prompt, goal: Goal | None, *, person: str) -> tuple[str, dict[str, Any]]:
    """Return type and content of the event that posts a prompt and notifies the person asked."""
    asks, ours = question(prompt, goal), block(delivery, prompt, goal)
    mentions = {"user_ids": [person]}
    if isinstance(prompt.step, ChoiceStep):
        labels = {option.id: option.label for option in prompt.step.options}
        return POLL_START, poll(asks, {key: labels[option] for key, option in delivery.options.items()}) | {
            PROMPT: ours,
            "m.mentions": mentions,
        }
    return "m.room.message", {"msgtype": "m.text", "body": asks, PROMPT: ours, "m.mentions": mentions}


def poll(asks: str, answers: Mapping[str, str]) -> dict[str, Any]:
    """Return a disclosed poll with one selection (MSC3381), with a text for clients that show no polls."""
    listed = "\n".join(f"{number}. {label}" for number, label in enumerate(answers.values(), 1))
    return {
        EXTENSIBLE_TEXT: f"{asks}\n{listed}",
        POLL_START: {
            "question": {EXTENSIBLE_TEXT: asks, "body": asks, "msgtype": "m.text"},
            "kind": "org.matrix.msc3381.poll.disclosed",
            "max_selections": 1,
            "answers": [{"id": key, EXTENSIBLE_TEXT: label} for key, label in answers.items()],
        },
    }


def poll_end(text: str) -> dict[str, Any]:
    """Return the content of an event that ends a poll; the relation is added when the poll's event id is known."""
    return {POLL_END: {}, EXTENSIBLE_TEXT: text, "body": text}


def repeated(delivery: Delivery, prompt: Prompt, goal: Goal | None, *, intro: str) -> dict[str, Any]:
    """Return a quiet message that shows an open prompt once more, its options as a numbered list."""
    lines = [intro, question(prompt, goal)]
    if isinstance(prompt.step, ChoiceStep):
        lines += [f"{number}. {option.label}" for number, option in enumerate(prompt.step.options, 1)]
    return {
        "msgtype": "m.notice",
        "body": "\n".join(lines),
        PROMPT: block(delivery, prompt, goal, repeat=True),
        "m.mentions": {},
    }
