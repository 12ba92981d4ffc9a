"""What is an answer (DESIGN 7): which prompt, if any, a message belongs to, and what it says.

- A vote or a reply goes to its prompt at any age, marked late once the prompt has expired.
- A client's message without a reply goes to the current prompt: the newest one that is unanswered and unexpired, if the
  therapist has not written since it was posted. A `text` prompt takes whatever comes; a choice or a scale takes a value
  that fits, or media; ordinary sentences stay conversation.
- If the therapist has written since, text and media are conversation; a bare fitting value is asked back, once.
- What a client sends within three minutes of the first message of a `text` answer joins it silently.
- A therapist's message is never an answer. Commands and an open journal are looked at before this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.events import Media
from bot.core.goals import Scale
from bot.core.reading import Misfit, Reading, ReadingWords, read_choice, read_number, says_yes

IN_A_ROW = timedelta(minutes=3)


class IncomingKind(StrEnum):
    """How a person answered."""

    TEXT = "text"
    VOTE = "vote"
    MEDIA = "media"


class StepKind(StrEnum):
    """What a step asks for."""

    TEXT = "text"
    CHOICE = "choice"
    SCALE = "scale"


class Effect(StrEnum):
    """What an answer does to the record of its prompt."""

    RECORD = "record"  # the first answer
    REPLACE = "replace"  # another value: the old one goes, visibly
    JOIN = "join"  # words joined with a newline, media added; the rest of the record stays


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
    """The bot has asked whether an earlier message was meant for this prompt."""

    question_event: str
    order: int  # the question's place in the timeline
    event_id: str  # the message that was asked about
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenPrompt:
    """A posted prompt, as far as answers go."""

    delivery_id: str
    title: str  # of a check-in the goal's title
    step: str
    kind: StepKind
    order: int  # of its newest post in the timeline
    events: frozenset[str]  # its posts and what the bot said about it: replies to these are for it
    expires_at: datetime
    scale: Scale | None = None
    options: Mapping[str, str] = field(default_factory=dict)  # option id -> label, in order
    poll_answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # poll event -> answer id -> option id
    poll_ended: bool = False
    first_recorded_at: datetime | None = None  # None: nothing is on record
    has_value: bool = False  # a choice or number is on record, not media alone
    taken_back: bool = False  # what was on record is gone: only a reply or a vote answers anew, no passing remark
    asked_back: AskedBack | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A message that is to be recorded."""

    delivery_id: str
    step: str
    effect: Effect
    value: str | int | None = None  # option id or number
    text: str | None = None  # words, or the note beside a number
    media: Media | None = None
    source: str  # event id
    late: bool = False
    silent: bool = False  # no new confirmation: it belongs to the same sitting


@dataclass(frozen=True, kw_only=True, slots=True)
class AskBack:
    """Ask once whether a message was meant for a prompt."""

    delivery_id: str
    title: str
    shown: str | None  # the value as people read it; None: words, which are not quoted


@dataclass(frozen=True, kw_only=True, slots=True)
class DoesNotFit:
    """Say what would fit."""

    delivery_id: str
    title: str
    reason: Misfit
    scale: Scale | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """Conversation: no answer, no word from the bot."""


Decision = Answer | AskBack | DoesNotFit | Talk


def route(
    incoming: Incoming,
    prompts: Sequence[OpenPrompt],
    *,
    therapist_wrote: int | None,
    words: ReadingWords,
    at: datetime,
) -> Decision:
    """Decide what a message means.

    `prompts` are those posted to this client (old ones too, replies and votes may go to them); `therapist_wrote` is the
    place in the timeline of the therapist's last message before this one.
    """
    if not incoming.from_client:
        return Talk()
    if incoming.kind is IncomingKind.VOTE:
        return _vote(incoming, prompts, at)
    written = -1 if therapist_wrote is None else therapist_wrote
    meant = _said_yes(incoming, prompts, written, words)
    if meant is not None:
        return meant_for(_asked_about(incoming, meant), meant, words=words, at=at)
    for prompt in prompts:
        if incoming.reply_to in prompt.events:
            return meant_for(incoming, prompt, words=words, at=at)
    if incoming.reply_to is not None:
        return Talk()
    return _without_reply(incoming, prompts, written, words, at)


def meant_for(incoming: Incoming, prompt: OpenPrompt, *, words: ReadingWords, at: datetime) -> Answer | DoesNotFit:
    """Read a message that is known to be for a prompt: a reply, or the new text of an edited answer."""
    if prompt.kind is StepKind.TEXT:
        return _words(incoming, prompt, at)
    found = _value(incoming.text, prompt, words)
    if isinstance(found, Reading | str):
        return _valued(incoming, prompt, found, at)
    if incoming.media is not None:
        return _media(incoming, prompt, at)
    return _misfit(prompt, found or Misfit.OUTSIDE)


def joined(parts: Sequence[str | None]) -> str | None:
    """Return the words of one answer that came in several messages."""
    return "\n".join(part for part in parts if part) or None


def _vote(incoming: Incoming, prompts: Sequence[OpenPrompt], at: datetime) -> Decision:
    for prompt in prompts:
        answers = prompt.poll_answers.get(incoming.poll_event or "", {})
        # The server can point a vote at another poll; the random answer ids decide (CRYPTO 13).
        if not answers or not incoming.chosen or any(answer not in answers for answer in incoming.chosen):
            continue
        if prompt.poll_ended and prompt.has_value:
            return Talk()
        return Answer(
            delivery_id=prompt.delivery_id,
            step=prompt.step,
            effect=_replacing(prompt),
            value=answers[incoming.chosen[0]],  # one selection: further ones are cut off, as clients do
            source=incoming.event_id,
            late=prompt.poll_ended or at > prompt.expires_at,
        )
    return Talk()


def _said_yes(
    incoming: Incoming, prompts: Sequence[OpenPrompt], written: int, words: ReadingWords
) -> OpenPrompt | None:
    for prompt in sorted(prompts, key=lambda prompt: prompt.order, reverse=True):
        asked = prompt.asked_back
        if asked is None or prompt.first_recorded_at is not None or not says_yes(incoming.text, words):
            continue
        if incoming.reply_to == asked.question_event or (incoming.reply_to is None and written < asked.order):
            return prompt
    return None


def _asked_about(incoming: Incoming, prompt: OpenPrompt) -> Incoming:
    asked = prompt.asked_back
    if asked is None:
        return incoming
    return Incoming(
        event_id=asked.event_id, from_client=True, kind=IncomingKind.TEXT, text=asked.text, order=incoming.order
    )


def _without_reply(
    incoming: Incoming, prompts: Sequence[OpenPrompt], written: int, words: ReadingWords, at: datetime
) -> Decision:
    newest_first = sorted(prompts, key=lambda prompt: prompt.order, reverse=True)
    waiting = [prompt for prompt in newest_first if _unanswered(prompt) and at <= prompt.expires_at]
    current = waiting[0] if waiting and waiting[0].order > written else None
    row = next((prompt for prompt in newest_first if _takes_more(prompt, written, at)), None)
    if current is not None and current.kind is StepKind.TEXT and (row is None or current.order > row.order):
        return _words(incoming, current, at)
    if current is not None and current.kind is not StepKind.TEXT:
        found = _current_value(incoming, current, words, at, prefer_row=row is not None)
        if found is not None:
            return found
    if row is not None:
        return _words(incoming, row, at)
    return _ask_back(incoming, waiting, written, words)


def _current_value(
    incoming: Incoming, prompt: OpenPrompt, words: ReadingWords, at: datetime, *, prefer_row: bool
) -> Decision | None:
    """Read a message for the current choice or scale; None: it says nothing about it."""
    found = _value(incoming.text, prompt, words)
    if isinstance(found, Reading | str):
        return _valued(incoming, prompt, found, at)
    if incoming.media is not None:
        return None if prefer_row or prompt.first_recorded_at is not None else _media(incoming, prompt, at)
    return None if found is None or prefer_row else _misfit(prompt, found)


def _ask_back(incoming: Incoming, waiting: Sequence[OpenPrompt], written: int, words: ReadingWords) -> AskBack | Talk:
    for prompt in waiting:
        if prompt.asked_back is not None or incoming.kind is not IncomingKind.TEXT:
            continue
        if prompt.kind is StepKind.TEXT:
            # Words are asked about only when a newer prompt stands between; with the therapist they are conversation.
            if prompt.order > written and prompt is not waiting[0]:
                return AskBack(delivery_id=prompt.delivery_id, title=prompt.title, shown=None)
            continue
        found = _value(incoming.text, prompt, words)
        if isinstance(found, str):
            return AskBack(delivery_id=prompt.delivery_id, title=prompt.title, shown=prompt.options[found])
        if isinstance(found, Reading) and found.note is None:
            return AskBack(delivery_id=prompt.delivery_id, title=prompt.title, shown=str(found.value))
    return Talk()


def _unanswered(prompt: OpenPrompt) -> bool:
    if prompt.kind is StepKind.TEXT:
        return prompt.first_recorded_at is None
    return not prompt.has_value


def _takes_more(prompt: OpenPrompt, written: int, at: datetime) -> bool:
    if prompt.kind is not StepKind.TEXT or prompt.first_recorded_at is None or prompt.order < written:
        return False
    if prompt.taken_back:
        return False
    return at - prompt.first_recorded_at <= IN_A_ROW


def _value(text: str, prompt: OpenPrompt, words: ReadingWords) -> Reading[int] | Misfit | str | None:
    if prompt.kind is StepKind.CHOICE:
        chosen = read_choice(text, prompt.options, words)
        if chosen is not None:
            return chosen
        found = read_number(text, 1, len(prompt.options), words)
        return found if isinstance(found, Misfit) else None
    if prompt.scale is None:
        return None
    return read_number(text, prompt.scale.low, prompt.scale.high, words)


def _valued(incoming: Incoming, prompt: OpenPrompt, found: Reading[int] | str, at: datetime) -> Answer:
    return Answer(
        delivery_id=prompt.delivery_id,
        step=prompt.step,
        effect=_replacing(prompt),
        value=found.value if isinstance(found, Reading) else found,
        text=found.note if isinstance(found, Reading) and incoming.media is None else None,
        media=incoming.media,
        source=incoming.event_id,
        late=at > prompt.expires_at,
    )


def _words(incoming: Incoming, prompt: OpenPrompt, at: datetime) -> Answer:
    first = prompt.first_recorded_at
    return Answer(
        delivery_id=prompt.delivery_id,
        step=prompt.step,
        effect=Effect.RECORD if first is None else Effect.JOIN,
        text=(incoming.text.strip() or None) if incoming.media is None else None,
        media=incoming.media,
        source=incoming.event_id,
        late=at > prompt.expires_at,
        silent=first is not None and not prompt.taken_back and at - first <= IN_A_ROW,
    )


def _media(incoming: Incoming, prompt: OpenPrompt, at: datetime) -> Answer:
    return Answer(
        delivery_id=prompt.delivery_id,
        step=prompt.step,
        effect=Effect.RECORD if prompt.first_recorded_at is None else Effect.JOIN,
        media=incoming.media,
        source=incoming.event_id,
        late=at > prompt.expires_at,
    )


def _misfit(prompt: OpenPrompt, reason: Misfit) -> DoesNotFit:
    labels = tuple(prompt.options.values())
    return DoesNotFit(
        delivery_id=prompt.delivery_id, title=prompt.title, reason=reason, scale=prompt.scale, labels=labels
    )


def _replacing(prompt: OpenPrompt) -> Effect:
    if prompt.first_recorded_at is None:
        return Effect.RECORD
    return Effect.REPLACE if prompt.has_value else Effect.JOIN
