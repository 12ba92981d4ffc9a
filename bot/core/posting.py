"""The event that asks a step's question: a message or a poll, with our block inside."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.deliveries import Delivery
from bot.core.events import PROMPT, PromptBlock, to_content
from bot.core.goals import Goal, Scale
from bot.core.markup import Shown
from bot.core.options import Options, is_poll, options_of
from bot.core.prompts import NumberStep, Prompt, ScaleStep, Step, asked
from bot.core.template import say
from bot.core.wording import Wording

POLL_START = "org.matrix.msc3381.poll.start"  # Element X hides the stable type (DESIGN §7)
POLL_END = "org.matrix.msc3381.poll.end"
EXTENSIBLE_TEXT = "org.matrix.msc1767.text"
MESSAGE = "m.room.message"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One step of a delivery, with all that its question is made of."""

    delivery: Delivery
    prompt: Prompt
    step: Step
    goal: Goal | None
    client: str  # the client's name
    words: Wording

    @property
    def scale(self) -> Scale | None:
        """The numbers that fit a scale."""
        if not isinstance(self.step, ScaleStep):
            return None
        return self.goal.scale if self.goal and self.step.of == "goal" else self.step.scale

    @property
    def options(self) -> Options:
        """The options of a choice, yes and no; {} of any other step."""
        return options_of(self.step, self.words)

    @property
    def title(self) -> str:
        """What people call it; of a check-in the goal's title."""
        return self.goal.title if self.goal else self.prompt.title

    @property
    def shown(self) -> Shown:
        """The words that ask."""
        goal = self.goal.title if self.goal else ""
        return asked(self.step, client=self.client, goal=goal, scale=self.scale)

    @property
    def hint(self) -> tuple[str, ...]:
        """The line that says that the step may be left out, if it may."""
        return (self.words.optional_hint,) if self.step.optional else ()


def asked_event(question: Question, random_id: Callable[[], str], *, person: str) -> tuple[str, dict[str, Any]]:
    """Return type and content of the event that asks, and notifies `person`; who asked for it is not notified.

    The answer ids of a poll are random, so that a vote counts only for the poll that has them (CRYPTO 13).
    """
    by_client = question.delivery.by_client
    mentions = {} if by_client else {"user_ids": [person]}
    if is_poll(question.step):
        answers = {random_id(): option for option in question.options}
        labels = {answer: question.options[option] for answer, option in answers.items()}
        asks = "\n".join([question.shown.body, *(line.replace("`", "") for line in question.hint)])  # it shows no marks
        return POLL_START, {**poll(asks, labels), PROMPT: block(question, answers), "m.mentions": mentions}
    shown = question.shown.above(*numbered(question.options.values()), *question.hint)
    msgtype = "m.notice" if by_client else "m.text"
    return MESSAGE, {"msgtype": msgtype, **shown.content, PROMPT: block(question), "m.mentions": mentions}


def repeated(question: Question, *, intro: str | None = None) -> dict[str, Any]:
    """Return a quiet message that shows an open question once more, its options as a numbered list."""
    intro = intro or say(question.words.again, title=question.title)
    shown = question.shown.above(*numbered(question.options.values())).below(intro)
    return {"msgtype": "m.notice", **shown.content, PROMPT: block(question, repeat=True), "m.mentions": {}}


def block(question: Question, answers: Mapping[str, str] | None = None, *, repeat: bool = False) -> dict[str, Any]:
    """Return the `care.interlude.prompt` block; `answers` are the poll's answer ids with their option ids."""
    delivery, prompt, step, goal = question.delivery, question.prompt, question.step, question.goal
    return to_content(
        PromptBlock(
            delivery_id=delivery.delivery_id,
            prompt_id=prompt.id,
            prompt_version=prompt.version,
            title=prompt.title,
            step=step.id,
            position=prompt.steps.index(step) + 1,
            steps=len(prompt.steps),
            kind=step.kind,
            occurrence=delivery.occurrence,
            schedule_id=delivery.schedule_id,
            goal_id=goal.goal_id if goal else None,
            goal_revision=goal.revision if goal else None,
            low=question.scale.low if question.scale else None,
            high=question.scale.high if question.scale else None,
            unit=step.unit if isinstance(step, NumberStep) else None,
            options=dict(answers or {}),
            due=delivery.due,
            expires_at=delivery.expires_at,
            repeat=repeat,
        )
    )


def poll(asks: str, answers: Mapping[str, str]) -> dict[str, Any]:
    """Return a disclosed poll with one selection (MSC3381), with a text for clients that show no polls."""
    return {
        EXTENSIBLE_TEXT: "\n".join([asks, *numbered(answers.values())]),
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


def numbered(labels: Iterable[str]) -> list[str]:
    """Return options as the lines of a numbered list."""
    return [f"{number}. {label}" for number, label in enumerate(labels, 1)]
