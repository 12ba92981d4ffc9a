"""Putting answers on record: the row, and its event in the room, which is posted when its sitting has ended."""

import secrets
from dataclasses import replace
from datetime import datetime

from bot.core.answers import Answer, Effect
from bot.core.entries import (
    Form,
    Pieces,
    closed,
    filled,
    first_entry,
    model_of,
    noted,
    piece_of,
    redacted,
    revised,
    undone,
    with_answer,
    with_edit,
)
from bot.core.events import CHECKIN, ENTRY, to_content
from bot.core.inbox import InboxEvent
from bot.core.parts import split
from bot.core.records import Piece, Record, RecordKind, RecordState
from bot.core.sittings import Sitting
from bot.flows.asked import Asked
from bot.flows.confirming import Confirmer
from bot.flows.places import Place
from bot.flows.speak import Voice, post, withdraw
from bot.ports import Meter, Tx


class Recorder:
    """Records answers and everything that happens to them afterwards."""

    def __init__(self, *, voice: Voice, meter: Meter) -> None:
        self._voice = voice
        self._meter = meter
        self._confirmer = Confirmer(voice=voice)

    async def answer(
        self, tx: Tx, place: Place, asked: Asked, answer: Answer, event: InboxEvent, *, at: datetime
    ) -> Record:
        """Put an answer on record; while its sitting goes on, nothing of it stands in the room."""
        form = asked.form(self._voice.pack(place.pair))
        piece, record = piece_of(answer, event), asked.record
        if record is None:
            record = _opened(place, asked, answer, piece, form, at)
            await tx.records.add(record)
            return record
        pieces = with_answer(asked.pieces, piece, answer.effect if asked.pieces else Effect.RECORD)
        return await self._changed(tx, place, record, pieces, form, at, silent=answer.silent)

    async def edited(self, tx: Tx, place: Place, record: Record, piece: Piece, form: Form, *, at: datetime) -> Record:
        """Correct a record after the message behind it was edited."""
        return await self._changed(tx, place, record, with_edit(record.pieces, piece), form, at, silent=False)

    async def redacted(self, tx: Tx, place: Place, record: Record, source: str, form: Form, *, at: datetime) -> Record:
        """Remove what a redacted message brought: from the row, and from our own events in the room (CRYPTO 14)."""
        left = redacted(record, source)
        if record.state is RecordState.OPEN:
            changed = noted(left, left.pieces, form=form, at=at, keep_undo=False)
            await tx.records.save(changed)
            return changed
        changed = replace(revised(left, left.pieces, form=form, at=at, keep_undo=False), confirmation=None)
        await self._withdraw_events(tx, place, record, at, "record", "confirmation")
        await self._store(tx, place, changed, at)
        return await self._confirmer.say(tx, place, changed, self._confirmer.removed(place, record, form), at=at)

    async def undo(self, tx: Tx, place: Place, record: Record, form: Form, *, at: datetime) -> tuple[Record, str]:
        """Take the last change of a record back; return it and what to say about it."""
        back = record.undo or ()
        if record.state is RecordState.OPEN:
            changed = undone(noted(record, back, form=form, at=at))
            await tx.records.save(changed)
        else:
            changed = undone(revised(record, back, form=form, at=at))
            await self._withdraw_events(tx, place, record, at, "record")
            await self._store(tx, place, changed, at)
        return changed, self._confirmer.undone(place, record, changed, form)

    async def close(
        self, tx: Tx, place: Place, record: Record, sitting: Sitting | None, form: Form, *, at: datetime
    ) -> Record:
        """Post an open record; one in which nothing is left stays as it is, and nothing is said of it."""
        if not record.pieces:
            return record
        ended = closed(record, sitting, form=form, at=at)
        await self._store(tx, place, ended, at)
        self._meter.count("records")
        return ended

    async def _changed(
        self, tx: Tx, place: Place, record: Record, pieces: Pieces, form: Form, at: datetime, *, silent: bool
    ) -> Record:
        if pieces == record.pieces:
            return record
        if record.state is RecordState.OPEN:
            changed = noted(record, pieces, form=form, at=at)
            await tx.records.save(changed)
            return changed
        changed = revised(record, pieces, form=form, at=at)
        await self._store(tx, place, changed, at)
        if silent:
            return changed
        text = self._confirmer.corrected(place, record, changed, form)
        return await self._confirmer.say(tx, place, changed, text, at=at)

    async def _store(self, tx: Tx, place: Place, record: Record, at: datetime) -> None:
        await tx.records.save(record)
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

    async def _withdraw_events(self, tx: Tx, place: Place, record: Record, at: datetime, *purposes: str) -> None:
        """Redact our own events that carry a value which was removed."""
        rows = await tx.outbox.of_record(record.record_id)
        gone = {row.relates_row for row in rows if row.purpose == "redaction"}
        carrying = [row for row in rows if row.purpose in purposes and row.outbox_id not in gone]
        await withdraw(tx, place, carrying, at=at)


def _opened(place: Place, asked: Asked, answer: Answer, piece: Piece, form: Form, at: datetime) -> Record:
    """Return the record of a delivery with its first answer."""
    record_id, goal = secrets.token_hex(12), asked.goal
    model = first_entry(
        record_id,
        author=place.addressed,
        delivery=asked.delivery,
        prompt=asked.prompt,
        goal=goal,
        at=at,
        late=answer.late,
    )
    return Record(
        record_id=record_id,
        pair_id=asked.delivery.pair_id,
        kind=RecordKind.CHECKIN if goal else RecordKind.ENTRY,
        state=RecordState.OPEN,
        revision=1,
        content=to_content(filled(model, (piece,), form)),
        sources=(piece.source,),
        delivery_id=asked.delivery.delivery_id,
        goal_id=goal.goal_id if goal else None,
        first_at=at,
        changed_at=at,
        late=answer.late,
        pieces=(piece,),
        undo=(),
    )
