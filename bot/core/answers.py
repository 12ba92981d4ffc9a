"""What is an answer (DESIGN 7): which step of which prompt, if any, a message belongs to, and what it says.

- A vote or a reply goes to its step at any age, marked late once the time for its question is over.
- A client's message without a reply goes to the current step: the one asked last that waits for its answer, if the
  therapist has not written since it was asked. A `text` or `any` step takes whatever comes; any other a value that
  fits, or media; ordinary sentences stay conversation, unless the client is in the middle of this prompt.
- What does not fit is kept in words until something fits, and what would fit is said.
- If the therapist has written since, text and media are conversation; a bare fitting value is asked back, once.
- What a client sends within three minutes of the first message of an answer in words joins it silently.
- A therapist's message is never an answer. Commands and an open journal are looked at before this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bot.core.events import Media
from bot.core.goals import Scale
from bot.core.prompts import NumberStep, Step
from bot.core.reading import Misfit, ReadingWords, says_yes
from bot.core.typed import Fit, fit, shown, takes_values, takes_words


class IncomingKind(StrEnum):
    """How a person answered."""

    TEXT = "text"
    VOTE = "vote"
    MEDIA = "media"


class Effect(StrEnum):
    """What an answer does to what is on record for its step."""

    RECORD = "record"  # the first answer
    REPLACE = "replace"  # another one: the old one goes, visibly
    JOIN = "join"  # words joined with a newline, media added; a value takes the place of words that did not fit


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """A message or a vote, as far as its meaning goes."""

    event_id: str
    from_client: bool
    kind: IncomingKind
    text: str = ""  # of media the caption
    media: Media | None = None
    reply_to: str | None = None
    poll_event: str | None = None
    chosen: tuple[str, ...] = ()  # poll answer ids
    order: int = 0  # place in the timeline


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedBack:
    """The bot has asked whether an earlier message was meant for this step."""

    question_event: str
    order: int  # the question's place in the timeline
    event_id: str  # the message that was asked about
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedStep:
    """A step that stands in the room, as far as answers go."""

    delivery_id: str
    title: str  # of the prompt; of a check-in the goal's title
    step: Step
    order: int  # of its newest post in the timeline
    events: frozenset[str]  # its posts and what the bot said about it: replies to these are for it
    expires_at: datetime  # answers after this are late
    scale: Scale | None = None
    options: Mapping[str, str] = field(default_factory=dict)  # option id -> label, in order
    poll_answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # poll event -> answer id -> option id
    ended_polls: frozenset[str] = frozenset()  # poll events
    waits: bool = False  # it is the step that its sitting stands at: it takes what is no reply
    busy: bool = False  # the client is in the middle of this prompt
    takes_more: bool = False  # what is sent now joins the words that are on record
    recorded: bool = False  # something is on record
    has_value: bool = False  # a value is on record, not words or media alone
    replaces: bool = False  # the next answer takes the place of what is on record: the client went back to it
    asked_back: AskedBack | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A message that is to be recorded."""

    delivery_id: str
    step: str
    effect: Effect
    value: str | int | None = None
    text: str | None = None  # words, or the note beside a value
    media: Media | None = None
    source: str  # event id
    late: bool = False
    silent: bool = False  # no new confirmation: it belongs to what was just said
    in_a_row: bool = False  # more of it may come


@dataclass(frozen=True, kw_only=True, slots=True)
class AskBack:
    """Ask once whether a message was meant for a step."""

    delivery_id: str
    step: str
    title: str
    shown: str | None  # the value as people read it; None: words, which are not quoted


@dataclass(frozen=True, kw_only=True, slots=True)
class DoesNotFit:
    """Say what would fit."""

    about: AskedStep
    reason: Misfit
    kept: Answer | None  # the words, on record until something fits; None: a value is on record already


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """Conversation: no answer, no word from the bot."""


Decision = Answer | AskBack | DoesNotFit | Talk


def route(
    incoming: Incoming,
    steps: Sequence[AskedStep],
    *,
    therapist_wrote: int | None,
    words: ReadingWords,
    at: datetime,
) -> Decision:
    """Decide what a message means.

    `steps` are those that were asked of this client (old ones too, replies and votes may go to them); `therapist_wrote`
    is the place in the timeline of the therapist's last message before this one.
    """
    if not incoming.from_client:
        return Talk()
    if incoming.kind is IncomingKind.VOTE:
        return _vote(incoming, steps, at)
    written = -1 if therapist_wrote is None else therapist_wrote
    newest_first = sorted(steps, key=lambda step: step.order, reverse=True)
    meant = _said_yes(incoming, newest_first, written, words)
    if meant is not None:
        return meant_for(_asked_about(incoming, meant), meant, words=words, at=at)
    for step in steps:
        if incoming.reply_to in step.events:
            return meant_for(incoming, step, words=words, at=at)
    if incoming.reply_to is not None:
        return Talk()
    return _without_reply(incoming, newest_first, written, words, at)


def meant_for(incoming: Incoming, step: AskedStep, *, words: ReadingWords, at: datetime) -> Answer | DoesNotFit:
    """Read a message that is known to be for a step: a reply, or the new text of an edited answer."""
    if takes_words(step.step):
        return _words(incoming, step, at)
    found = _fit(incoming.text, step, words)
    if isinstance(found, Fit):
        return _valued(incoming, step, found, at)
    if incoming.media is not None:
        return _media(incoming, step, at)
    return _misfit(incoming, step, found or Misfit.OUTSIDE, at)


def joined(parts: Sequence[str | None]) -> str | None:
    """Return the words of one answer that came in several messages."""
    return "\n".join(part for part in parts if part) or None


def _vote(incoming: Incoming, steps: Sequence[AskedStep], at: datetime) -> Decision:
    poll = incoming.poll_event or ""
    for step in steps:
        answers = step.poll_answers.get(poll, {})
        # The server can point a vote at another poll; the random answer ids decide (CRYPTO 13).
        if not answers or not incoming.chosen or any(answer not in answers for answer in incoming.chosen):
            continue
        if poll in step.ended_polls and step.has_value:
            return Talk()
        return Answer(
            delivery_id=step.delivery_id,
            step=step.step.id,
            effect=_replacing(step),
            value=answers[incoming.chosen[0]],  # one selection: further ones are cut off, as clients do
            source=incoming.event_id,
            late=poll in step.ended_polls or at > step.expires_at,
        )
    return Talk()


def _said_yes(
    incoming: Incoming, newest_first: Sequence[AskedStep], written: int, words: ReadingWords
) -> AskedStep | None:
    for step in newest_first:
        asked = step.asked_back
        if asked is None or step.recorded or not says_yes(incoming.text, words):
            continue
        if incoming.reply_to == asked.question_event or (incoming.reply_to is None and written < asked.order):
            return step
    return None


def _asked_about(incoming: Incoming, step: AskedStep) -> Incoming:
    asked = step.asked_back
    if asked is None:
        return incoming
    return Incoming(
        event_id=asked.event_id, from_client=True, kind=IncomingKind.TEXT, text=asked.text, order=incoming.order
    )


def _without_reply(
    incoming: Incoming, newest_first: Sequence[AskedStep], written: int, words: ReadingWords, at: datetime
) -> Decision:
    waiting = [step for step in newest_first if step.waits and at <= step.expires_at]
    current = waiting[0] if waiting and waiting[0].order > written else None
    row = next((step for step in newest_first if step.takes_more and step.order >= written), None)
    found = None if current is None else _for_current(incoming, current, row, words, at)
    if found is not None:
        return found
    if row is not None:
        return _words(incoming, row, at)
    if current is not None and current.busy and not incoming.text.rstrip().endswith("?"):
        return _misfit(incoming, current, Misfit.OUTSIDE, at)
    return _ask_back(incoming, waiting, written, words)


def _for_current(
    incoming: Incoming, current: AskedStep, row: AskedStep | None, words: ReadingWords, at: datetime
) -> Decision | None:
    """Read a message for the current step; None: it says nothing about it, or rather belongs to the words before."""
    asked_since = row is None or current.order > row.order
    if takes_words(current.step):
        return _words(incoming, current, at) if asked_since else None
    found = _fit(incoming.text, current, words)
    if isinstance(found, Fit):
        return _valued(incoming, current, found, at)
    if incoming.media is not None:
        welcome = row is None if takes_values(current.step) else asked_since
        return _media(incoming, current, at) if welcome and not current.recorded else None
    return None if found is None or row is not None else _misfit(incoming, current, found, at)


def _ask_back(incoming: Incoming, waiting: Sequence[AskedStep], written: int, words: ReadingWords) -> AskBack | Talk:
    for step in waiting:
        if step.asked_back is not None or incoming.kind is not IncomingKind.TEXT:
            continue
        question = AskBack(delivery_id=step.delivery_id, step=step.step.id, title=step.title, shown=None)
        if takes_words(step.step):
            # Words are asked about only when a newer prompt stands between; with the therapist they are conversation.
            if step.order > written and step is not waiting[0]:
                return question
            continue
        found = _fit(incoming.text, step, words)
        if isinstance(found, Fit) and found.note is None:
            unit = step.step.unit if isinstance(step.step, NumberStep) else None
            return replace(question, shown=shown(found.value, step.options, unit))
    return Talk()


def _fit(text: str, step: AskedStep, words: ReadingWords) -> Fit | Misfit | None:
    return fit(text, step.step, scale=step.scale, options=step.options, words=words)


def _valued(incoming: Incoming, step: AskedStep, found: Fit, at: datetime) -> Answer:
    return Answer(
        delivery_id=step.delivery_id,
        step=step.step.id,
        effect=_replacing(step),
        value=found.value,
        text=found.note if incoming.media is None else None,
        media=incoming.media,
        source=incoming.event_id,
        late=at > step.expires_at,
    )


def _words(incoming: Incoming, step: AskedStep, at: datetime) -> Answer:
    return Answer(
        delivery_id=step.delivery_id,
        step=step.step.id,
        effect=_joining(step),
        text=(incoming.text.strip() or None) if incoming.media is None else None,
        media=incoming.media,
        source=incoming.event_id,
        late=at > step.expires_at,
        silent=step.takes_more,
        in_a_row=True,
    )


def _media(incoming: Incoming, step: AskedStep, at: datetime) -> Answer:
    return Answer(
        delivery_id=step.delivery_id,
        step=step.step.id,
        effect=_joining(step),
        media=incoming.media,
        source=incoming.event_id,
        late=at > step.expires_at,
        silent=step.takes_more,
        in_a_row=True,
    )


def _misfit(incoming: Incoming, step: AskedStep, reason: Misfit, at: datetime) -> DoesNotFit:
    kept = None if step.has_value or step.replaces else replace(_words(incoming, step, at), in_a_row=False)
    return DoesNotFit(about=step, reason=reason, kept=kept)


def _joining(step: AskedStep) -> Effect:
    if not step.recorded:
        return Effect.RECORD
    return Effect.REPLACE if step.replaces else Effect.JOIN


def _replacing(step: AskedStep) -> Effect:
    return Effect.REPLACE if step.recorded and step.has_value else _joining(step)
