"""How pieces become the content of a record's event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from bot.core.answers import Answer, Effect, joined
from bot.core.conditions import Value, Values
from bot.core.deliveries import Delivery
from bot.core.events import Checkin, Entry, Media, Status, StepAnswer, from_content, removed, to_content
from bot.core.goals import Goal
from bot.core.inbox import InboxEvent
from bot.core.options import Labels
from bot.core.prompts import NumberStep, Prompt
from bot.core.records import Piece, Record, RecordKind, RecordState
from bot.core.sittings import Sitting

R = TypeVar("R", bound=Entry | Checkin)

Pieces = tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """What the pieces of a record are read with: its prompt and the labels of the options.

    Without a prompt (it left the pack) what is on record already keeps its form.
    """

    prompt: Prompt | None
    labels: Labels


def piece_of(answer: Answer, event: InboxEvent) -> Piece:
    """Return what a message brings to its record."""
    return Piece(
        source=answer.source,
        step=answer.step,
        value=answer.value,
        text=answer.text,
        media=answer.media.model_dump(mode="json") if answer.media else None,
        session_id=event.session_id,
        index=event.index,
        late=answer.late,
    )


def with_answer(pieces: Pieces, piece: Piece, effect: Effect) -> Pieces:
    """Return the pieces once a message has had its effect; unchanged when an older vote came late (CRYPTO 13)."""
    mine = tuple(each for each in pieces if _same_step(each, piece))
    others = tuple(each for each in pieces if not _same_step(each, piece))
    if any(_overtaken(piece, older) for older in mine) and effect is not Effect.JOIN:
        return pieces
    if effect is not Effect.JOIN:
        return (*others, piece)
    if piece.value is None:
        return (*pieces, piece)
    kept = tuple(each for each in mine if each.value is not None or each.media is not None)
    return (*others, *kept, piece)  # words that did not fit go when an answer that fits comes


def with_edit(pieces: Pieces, piece: Piece) -> Pieces:
    """Return the pieces once the message `piece.source` reads differently."""
    return tuple(piece if each.source == piece.source and not _overtaken(piece, each) else each for each in pieces)


def without(pieces: Pieces, source: str) -> Pieces:
    """Return the pieces without what a message brought."""
    return tuple(each for each in pieces if each.source != source)


def without_last(pieces: Pieces) -> Pieces:
    """Return the pieces without those of the step that was answered last."""
    return tuple(each for each in pieces if not _same_step(each, pieces[-1]))


def pieces_by_step(pieces: Pieces, prompt: Prompt | None) -> dict[str, Pieces]:
    """Return the pieces of each answered step, in the prompt's order."""
    known = [step.id for step in prompt.steps] if prompt else []
    first = known[0] if known else ""
    by_step: dict[str, Pieces] = {}
    for piece in pieces:
        step = piece.step or first
        by_step[step] = (*by_step.get(step, ()), piece)
    return {step: by_step[step] for step in dict.fromkeys((*known, *by_step)) if step in by_step}


def value_of(pieces: Sequence[Piece]) -> Value:
    """Return the newest value."""
    return next((piece.value for piece in reversed(pieces) if piece.value is not None), None)


def is_answer(pieces: Sequence[Piece], kind: str) -> bool:
    """Whether pieces of a step answer it: a value, words where words are asked for, or media."""
    in_words = kind in ("text", "any")
    return any(piece.value is not None or piece.media is not None or (in_words and piece.text) for piece in pieces)


def values_of(pieces: Pieces, prompt: Prompt) -> Values:
    """Return the value of each answered step, None where it was answered in words or with media."""
    kinds = {step.id: step.kind for step in prompt.steps}
    by_step = pieces_by_step(pieces, prompt)
    return {step: value_of(found) for step, found in by_step.items() if is_answer(found, kinds.get(step, "any"))}


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
        answers=(),
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


def filled(model: R, pieces: Pieces, form: Form, before: Pieces = ()) -> R:
    """Return a record's content with what its pieces say; `before` are those that the content was made from."""
    if isinstance(model, Checkin):
        text = joined([piece.text for piece in pieces])
        update = {"value": value_of(pieces), "note": text, "sources": _sources(pieces), "media": _media(pieces)}
        return model.model_copy(update=update)
    old = {answer.step: answer for answer in model.answers}
    unchanged = pieces_by_step(before, form.prompt)
    answers = []
    for step, found in _by_step(model, pieces, form.prompt).items():
        if form.prompt is None and step in old and unchanged.get(step) == found:
            answers.append(old[step])
        else:
            answers.append(_answer(step, found, form, old))
    return model.model_copy(update={"answers": tuple(answers)})


def model_of(record: Record) -> Entry | Checkin:
    """Read a record's content."""
    if record.kind is RecordKind.CHECKIN:
        return from_content(Checkin, record.content)
    return from_content(Entry, record.content)


def noted(record: Record, pieces: Pieces, *, form: Form, at: datetime, keep_undo: bool = True) -> Record:
    """Return an open record with other pieces: nothing of it stands in the room yet, so it stays one revision.

    `keep_undo` is False where what was there before must not come back: after a redaction.
    """
    model = filled(model_of(record), pieces, form, record.pieces)
    return replace(
        record,
        content=to_content(model),
        pieces=pieces,
        sources=_all_sources(record, pieces),
        changed_at=at,
        undo=record.pieces if keep_undo else _further_back(pieces),
    )


def closed(record: Record, sitting: Sitting | None, *, form: Form, at: datetime) -> Record:
    """Return the first revision of an open record, as it is posted; without pieces nothing is kept of it."""
    ended = revised(replace(record, revision=0), record.pieces, form=form, at=at)
    model = model_of(ended)
    if sitting is not None and isinstance(model, Entry) and record.pieces:
        steps = [step.id for step in form.prompt.steps] if form.prompt else sorted(sitting.skipped)
        update = {"ended": sitting.state.value, "skipped": tuple(step for step in steps if step in sitting.skipped)}
        ended = replace(ended, content=to_content(model.model_copy(update=update)))
    return replace(ended, undo=record.undo)


def revised(record: Record, pieces: Pieces, *, form: Form, at: datetime, keep_undo: bool = True) -> Record:
    """Return the next revision of a record; without pieces it is one that was taken back.

    `keep_undo` as in `noted`.
    """
    model = model_of(record)
    revision = record.revision + 1
    if pieces:
        changed = model.model_copy(update={"revision": revision, "recorded_at": at, "status": Status.RECORDED})
        content = to_content(filled(changed, pieces, form, record.pieces))
    else:
        content = to_content(removed(model, revision=revision, revises=model.revises, at=at))
    return replace(
        record,
        state=RecordState.RECORDED if pieces else RecordState.REMOVED,
        revision=revision,
        content=content,
        pieces=pieces,
        sources=_all_sources(record, pieces),
        changed_at=at,
        undo=record.pieces if keep_undo else _further_back(pieces),
    )


def redacted(record: Record, source: str) -> Record:
    """Return a record that knows nothing of a message any more; its content is to be made anew."""
    sources = tuple(each for each in record.sources if each != source)
    undo = None if record.undo is None else without(record.undo, source)
    return replace(record, sources=sources, pieces=without(record.pieces, source), undo=undo)


def undone(record: Record) -> Record:
    """Return a record, just taken back by one change, with what `undo` goes back to next."""
    return replace(record, undo=_further_back(record.pieces))


def _all_sources(record: Record, pieces: Pieces) -> tuple[str, ...]:
    """Return all messages that ever had a part in a record: a later answer may have taken the place of one."""
    return tuple(dict.fromkeys((*record.sources, *_sources(pieces))))


def _further_back(pieces: Pieces) -> Pieces | None:
    return without_last(pieces) if pieces else None


def _by_step(model: Entry, pieces: Pieces, prompt: Prompt | None) -> Mapping[str, Pieces]:
    if prompt is not None:
        return pieces_by_step(pieces, prompt)
    first = model.answers[0].step if model.answers else ""
    named = tuple(piece if piece.step else replace(piece, step=first) for piece in pieces)
    found = pieces_by_step(named, None)
    order = dict.fromkeys((*(answer.step for answer in model.answers), *found))
    return {step: found[step] for step in order if step in found}


def _answer(step_id: str, pieces: Pieces, form: Form, old: Mapping[str, StepAnswer]) -> StepAnswer:
    step = next((each for each in form.prompt.steps if each.id == step_id), None) if form.prompt else None
    kind = step.kind if step else old[step_id].kind if step_id in old else "text"
    value = value_of(pieces)
    label = form.labels.get(step_id, {}).get(str(value)) if value is not None else None
    return StepAnswer(
        step=step_id,
        kind=kind,
        value=value,
        unit=step.unit if isinstance(step, NumberStep) else None,
        late=pieces[0].late,
        text=joined([label, *(piece.text for piece in pieces)]),
        sources=_sources(pieces),
        media=_media(pieces),
    )


def _sources(pieces: Pieces) -> tuple[str, ...]:
    return tuple(piece.source for piece in pieces)


def _media(pieces: Pieces) -> tuple[Media, ...]:
    return tuple(Media.model_validate(piece.media) for piece in pieces if piece.media)


def _same_step(one: Piece, other: Piece) -> bool:
    """Whether two pieces answer one step; where one names none, its record has a single step."""
    return not one.step or not other.step or one.step == other.step


def _overtaken(piece: Piece, older: Piece) -> bool:
    return bool(piece.session_id) and piece.session_id == older.session_id and piece.index < older.index
