"""Putting an answer on record: the row, its event in the room, and the one confirmation that follows it."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.answers import Answer, Effect
from bot.core.deliveries import Delivery, DeliveryState
from bot.core.entries import (
    filled,
    first_entry,
    labels_of,
    model_of,
    piece_of,
    revised,
    value_of,
    with_answer,
    with_edit,
    without,
)
from bot.core.events import CHECKIN, ENTRY, to_content
from bot.core.goals import Goal
from bot.core.inbox import InboxEvent
from bot.core.outbox import OutboxState
from bot.core.parts import split
from bot.core.prompts import Prompt
from bot.core.records import Piece, Record, RecordKind, RecordState
from bot.core.wording import Wording
from bot.core.wording import say as fill
from bot.flows.places import Place
from bot.flows.speak import Voice, notice, post
from bot.ports import Meter, Tx

REDACTION = "m.room.redaction"


class Recorder:
    """Records answers and everything that happens to them afterwards."""

    def __init__(self, *, voice: Voice, meter: Meter) -> None:
        self._voice = voice
        self._meter = meter

    async def answer(  # noqa: PLR0913 - what was asked, what was answered, and by which message
        self,
        tx: Tx,
        place: Place,
        *,
        delivery: Delivery,
        prompt: Prompt,
        goal: Goal | None,
        record: Record | None,
        answer: Answer,
        event: InboxEvent,
        at: datetime,
    ) -> None:
        """Record an answer: the first one, another value, or more of the same."""
        piece = piece_of(answer, event)
        if record is None:
            await self._first(tx, place, delivery, prompt, goal, answer, piece, at)
        else:
            before = record if record.state is RecordState.RECORDED else replace(record, pieces=())
            effect = answer.effect if before.pieces else Effect.RECORD
            pieces = with_answer(before.pieces, piece, effect)
            if pieces != before.pieces:
                await self._change(tx, place, record, pieces, prompt, at, silent=answer.silent)
        if prompt.step.kind == "choice" and answer.value is not None:
            delivery = replace(delivery, last_vote_at=at)
        await tx.deliveries.save(replace(delivery, state=DeliveryState.ANSWERED))

    async def edited(
        self, tx: Tx, place: Place, record: Record, piece: Piece, prompt: Prompt | None, at: datetime
    ) -> None:
        """Correct a record after the message behind it was edited."""
        pieces = with_edit(record.pieces, piece)
        if record.state is RecordState.OPEN:
            await tx.records.save(replace(record, pieces=pieces, changed_at=at))
        elif pieces != record.pieces and record.state is RecordState.RECORDED:
            await self._change(tx, place, record, pieces, prompt, at, silent=False)

    async def redacted(
        self, tx: Tx, place: Place, record: Record, source: str, prompt: Prompt | None, at: datetime
    ) -> None:
        """Remove what a redacted message brought: from the row, and from our own events in the room (CRYPTO 14)."""
        pieces = without(record.pieces, source)
        if record.state is RecordState.OPEN:
            kept = tuple(piece.source for piece in pieces)
            await tx.records.save(replace(record, pieces=pieces, sources=kept, changed_at=at))
            return
        changed = revised(record, pieces, labels=labels_of(prompt) if prompt else {}, at=at, keep_undo=False)
        await self._withdraw_events(tx, place, record, at)
        await self._store(tx, place, changed, at)
        title = self._title(place, record, prompt)
        await self._reconfirm(tx, place, changed, fill(self._voice.words(place).removed, title=title), at)

    async def undo(self, tx: Tx, place: Place, record: Record, prompt: Prompt | None, at: datetime) -> str:
        """Take the last change of a record back and return what to say about it."""
        words = self._voice.words(place)
        back = record.undo or ()
        changed = replace(revised(record, back, labels=labels_of(prompt) if prompt else {}, at=at), undo=None)
        await self._withdraw_events(tx, place, record, at)
        await self._store(tx, place, changed, at)
        title = self._title(place, record, prompt)
        if back:
            return fill(words.undone_to, title=title, value=_shown(back, prompt))
        return fill(words.undone, title=title)

    async def close_journal(self, tx: Tx, place: Place, record: Record, at: datetime) -> bool:
        """End a journal entry and post it; False when nothing was written, so that nothing is kept."""
        if not record.pieces:
            await tx.records.save(replace(record, state=RecordState.REMOVED, changed_at=at))
            return False
        changed = revised(replace(record, revision=0), record.pieces, labels={}, at=at)
        await self._store(tx, place, replace(changed, undo=()), at)
        self._meter.count("records")
        return True

    async def _first(
        self,
        tx: Tx,
        place: Place,
        delivery: Delivery,
        prompt: Prompt,
        goal: Goal | None,
        answer: Answer,
        piece: Piece,
        at: datetime,
    ) -> None:
        record_id = secrets.token_hex(12)
        model = first_entry(
            record_id,
            author=place.addressed,
            delivery=delivery,
            prompt=prompt,
            goal=goal,
            at=at,
            late=answer.late,
        )
        record = Record(
            record_id=record_id,
            pair_id=delivery.pair_id,
            kind=RecordKind.CHECKIN if goal else RecordKind.ENTRY,
            state=RecordState.RECORDED,
            revision=1,
            content=to_content(filled(model, (piece,), labels_of(prompt))),
            sources=(piece.source,),
            delivery_id=delivery.delivery_id,
            goal_id=goal.goal_id if goal else None,
            first_at=at,
            changed_at=at,
            late=answer.late,
            pieces=(piece,),
            undo=(),
        )
        text = self._confirmation(place, record, prompt)
        if answer.late:
            text = f"{text} {self._voice.words(place).late}"
        await self._post_record(tx, place, record, at)
        said = await post(
            tx, place, notice(text), purpose="confirmation", at=at, reply_to=piece.source, record_id=record_id
        )
        await tx.records.add(replace(record, confirmation=said.outbox_id))
        self._meter.count("records")

    async def _change(
        self,
        tx: Tx,
        place: Place,
        record: Record,
        pieces: tuple[Piece, ...],
        prompt: Prompt | None,
        at: datetime,
        *,
        silent: bool,
    ) -> None:
        changed = revised(record, pieces, labels=labels_of(prompt) if prompt else {}, at=at)
        await self._store(tx, place, changed, at)
        if not silent:
            await self._reconfirm(tx, place, changed, self._correction(place, record, changed, prompt), at)

    async def _store(self, tx: Tx, place: Place, record: Record, at: datetime) -> None:
        await tx.records.save(record)
        await self._post_record(tx, place, record, at)

    async def _post_record(self, tx: Tx, place: Place, record: Record, at: datetime) -> None:
        event_type = CHECKIN if record.kind is RecordKind.CHECKIN else ENTRY
        for part in split(model_of(record)):
            await post(
                tx,
                place,
                to_content(part),
                event_type=event_type,
                purpose="record",
                at=at,
                record_id=record.record_id,
            )

    async def _withdraw_events(self, tx: Tx, place: Place, record: Record, at: datetime) -> None:
        """Redact our own events that carry a value which was removed; what is still queued is not sent at all."""
        for row in await tx.outbox.of_record(record.record_id):
            if row.purpose != "record":
                continue
            if row.state is OutboxState.QUEUED:
                await tx.outbox.update([replace(row, state=OutboxState.DROPPED)])
            elif row.state in (OutboxState.SENT, OutboxState.ENCRYPTED):
                await post(
                    tx,
                    place,
                    {},
                    event_type=REDACTION,
                    purpose="redaction",
                    at=at,
                    relates_row=row.outbox_id,
                    rel_type="redacts",
                )

    async def _reconfirm(self, tx: Tx, place: Place, record: Record, text: str, at: datetime) -> None:
        """Change the earlier confirmation, so that the room keeps one per sitting (DESIGN §7)."""
        if record.confirmation is None:
            await post(tx, place, notice(text), purpose="confirmation", at=at, record_id=record.record_id)
            return
        await post(
            tx,
            place,
            edit_of(notice(text)),
            purpose="confirmation",
            at=at,
            record_id=record.record_id,
            relates_row=record.confirmation,
            rel_type="m.replace",
        )

    def _confirmation(self, place: Place, record: Record, prompt: Prompt) -> str:
        words = self._voice.words(place)
        if record.kind is RecordKind.CHECKIN:
            return _checkin_words(words, record.content)
        if prompt.step.confirm:
            return fill(prompt.step.confirm, title=prompt.title)
        if value_of(record.pieces) is not None:
            return fill(words.recorded_choice, title=prompt.title, value=_shown(record.pieces, prompt))
        return fill(words.recorded, title=prompt.title)

    def _correction(self, place: Place, old: Record, new: Record, prompt: Prompt | None) -> str:
        words = self._voice.words(place)
        before, after = _shown(old.pieces, prompt), _shown(new.pieces, prompt)
        if before and after and before != after:
            if old.kind is RecordKind.CHECKIN:
                return fill(words.corrected_checkin, goal=str(old.content["goal_title"]), old=before, new=after)
            return fill(words.corrected_value, title=self._title(place, old, prompt), old=before, new=after)
        if after and not before and prompt:
            return self._confirmation(place, new, prompt)
        return fill(words.corrected, title=self._title(place, old, prompt))

    def _title(self, place: Place, record: Record, prompt: Prompt | None) -> str:
        if record.kind is RecordKind.CHECKIN:
            return str(record.content["goal_title"])
        if record.kind is RecordKind.JOURNAL:
            return self._voice.words(place).journal_title
        return str(record.content.get("prompt_title") or (prompt.title if prompt else ""))


def edit_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of an edit: clients that know edits show `m.new_content`, others the text behind a star."""
    return {**content, "body": f"* {content['body']}", "m.new_content": dict(content)}


def _shown(pieces: tuple[Piece, ...], prompt: Prompt | None) -> str:
    """Return a value as people read it; free words are never quoted (DESIGN §7)."""
    value = value_of(pieces)
    if value is None:
        return ""
    return (labels_of(prompt) if prompt else {}).get(str(value), str(value))


def _checkin_words(words: Wording, content: Mapping[str, Any]) -> str:
    goal = str(content["goal_title"])
    if content["value"] is None:
        return fill(words.recorded_checkin_media, goal=goal)
    return fill(words.recorded_checkin, goal=goal, value=str(content["value"]), high=str(content["high"]))
