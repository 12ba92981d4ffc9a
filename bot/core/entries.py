"""How pieces become the content of a record's event."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from bot.core.answers import Answer, Effect, joined
from bot.core.deliveries import Delivery
from bot.core.events import Checkin, Entry, Media, Status, StepAnswer, from_content, removed, to_content
from bot.core.goals import Goal
from bot.core.inbox import InboxEvent
from bot.core.prompts import ChoiceStep, Prompt
from bot.core.records import Piece, Record, RecordKind, RecordState

R = TypeVar("R", bound=Entry | Checkin)


def piece_of(answer: Answer, event: InboxEvent) -> Piece:
    """Return what a message brings to its record."""
    return Piece(
        source=answer.source,
        value=answer.value,
        text=answer.text,
        media=answer.media.model_dump(mode="json") if answer.media else None,
        session_id=event.session_id,
        index=event.index,
    )


def with_answer(pieces: tuple[Piece, ...], piece: Piece, effect: Effect) -> tuple[Piece, ...]:
    """Return the pieces once a message has had its effect; unchanged when an older vote came late (CRYPTO 13)."""
    if effect is Effect.JOIN:
        return (*pieces, piece)
    if any(_overtaken(piece, older) for older in pieces):
        return pieces
    return (piece,)


def with_edit(pieces: tuple[Piece, ...], piece: Piece) -> tuple[Piece, ...]:
    """Return the pieces once the message `piece.source` reads differently."""
    return tuple(piece if each.source == piece.source and not _overtaken(piece, each) else each for each in pieces)


def without(pieces: tuple[Piece, ...], source: str) -> tuple[Piece, ...]:
    """Return the pieces without what a message brought."""
    return tuple(each for each in pieces if each.source != source)


def _overtaken(piece: Piece, older: Piece) -> bool:
    return bool(piece.session_id) and piece.session_id == older.session_id and piece.index < older.index


def value_of(pieces: Sequence[Piece]) -> str | int | None:
    """Return the newest value."""
    return next((piece.value for piece in reversed(pieces) if piece.value is not None), None)


def first_entry(
    record_id: str, *, author: str, delivery: Delivery, prompt: Prompt, goal: Goal | None, at: datetime, late: bool
) -> Entry | Checkin:
    """Return the empty first revision of the record of a prompt."""
    if goal is not None:
        return Checkin(
            checkin_id=record_id,
            revision=1,
            author=author,
            late=late,
            first_answered_at=at,
            recorded_at=at,
            goal_id=goal.goal_id,
            goal_revision=goal.revision,
            goal_title=goal.title,
            low=goal.low,
            high=goal.high,
            delivery_id=delivery.delivery_id,
            prompt_id=prompt.id,
            prompt_version=prompt.version,
            occurrence=delivery.occurrence,
        )
    return Entry(
        entry_id=record_id,
        revision=1,
        author=author,
        late=late,
        first_answered_at=at,
        recorded_at=at,
        start="prompt",
        delivery_id=delivery.delivery_id,
        prompt_id=prompt.id,
        prompt_version=prompt.version,
        prompt_title=prompt.title,
        occurrence=delivery.occurrence,
        answers=(StepAnswer(step=prompt.step.id, kind=prompt.step.kind),),
    )


def first_journal(record_id: str, *, author: str, at: datetime) -> Entry:
    """Return the empty first revision of a journal entry."""
    return Entry(
        entry_id=record_id,
        revision=1,
        author=author,
        first_answered_at=at,
        recorded_at=at,
        start="journal",
        answers=(StepAnswer(step="journal", kind="journal"),),
    )


def filled(model: R, pieces: Sequence[Piece], labels: Mapping[str, str]) -> R:
    """Return the record's content with what its pieces say; `labels` are the options of a choice."""
    value = value_of(pieces)
    words = labels.get(str(value)) if isinstance(model, Entry) and labels else None
    text = joined([words, *(piece.text for piece in pieces)])
    sources = tuple(piece.source for piece in pieces)
    media = tuple(Media.model_validate(piece.media) for piece in pieces if piece.media)
    if isinstance(model, Checkin):
        return model.model_copy(update={"value": value, "note": text, "sources": sources, "media": media})
    answer = model.answers[0].model_copy(update={"value": value, "text": text, "sources": sources, "media": media})
    return model.model_copy(update={"answers": (answer,)})


def labels_of(prompt: Prompt) -> dict[str, str]:
    """Return option id -> label of a choice, {} of any other prompt."""
    return {option.id: option.label for option in prompt.step.options} if isinstance(prompt.step, ChoiceStep) else {}


def model_of(record: Record) -> Entry | Checkin:
    """Read a record's content."""
    if record.kind is RecordKind.CHECKIN:
        return from_content(Checkin, record.content)
    return from_content(Entry, record.content)


def revised(
    record: Record, pieces: tuple[Piece, ...], *, labels: Mapping[str, str], at: datetime, keep_undo: bool = True
) -> Record:
    """Return the next revision of a record; without pieces it is one that was taken back.

    `keep_undo` is False where what was there before must not come back: after a redaction.
    """
    model = model_of(record)
    revision = record.revision + 1
    if pieces:
        changed = model.model_copy(update={"revision": revision, "recorded_at": at, "status": Status.RECORDED})
        content = to_content(filled(changed, pieces, labels))
    else:
        content = to_content(removed(model, revision=revision, revises=model.revises, at=at))
    return replace(
        record,
        state=RecordState.RECORDED if pieces else RecordState.REMOVED,
        revision=revision,
        content=content,
        pieces=pieces,
        sources=tuple(piece.source for piece in pieces),
        changed_at=at,
        undo=record.pieces if keep_undo else None,
    )
