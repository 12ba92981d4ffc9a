"""The client's own entry: `journal` opens it, everything sent goes in, `done` or half an hour of silence closes it."""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.answers import Incoming, IncomingKind
from bot.core.entries import Form, first_journal
from bot.core.events import to_content
from bot.core.inbox import InboxEvent
from bot.core.records import Piece, Record, RecordKind, RecordState
from bot.flows.places import Place, place_of
from bot.flows.recording import Recorder
from bot.flows.speak import Voice, say
from bot.ports import Tx

SILENCE = timedelta(minutes=30)
NO_FORM = Form(prompt=None, labels={})


class Journal:
    """Keeps journal entries."""

    def __init__(self, *, voice: Voice, recorder: Recorder) -> None:
        self._voice = voice
        self._recorder = recorder

    async def open_of(self, tx: Tx, place: Place) -> Record | None:
        """Return the entry that is open in this room."""
        found = await tx.records.open_journals(place.pair.pair_id) if place.pair else ()
        return found[0] if found else None

    async def start(self, tx: Tx, place: Place, *, at: datetime) -> str:
        """Open an entry and return what to say."""
        words = self._voice.words(place)
        if place.pair is None or await self.open_of(tx, place) is not None:
            return words.journal_already_open
        record_id = secrets.token_hex(12)
        await tx.records.add(
            Record(
                record_id=record_id,
                pair_id=place.pair.pair_id,
                kind=RecordKind.JOURNAL,
                state=RecordState.OPEN,
                revision=1,
                content=to_content(first_journal(record_id, author=place.pair.client, at=at)),
                sources=(),
                delivery_id=None,
                goal_id=None,
                first_at=at,
                changed_at=at,
            )
        )
        return words.journal_started

    async def take(self, tx: Tx, record: Record, said: Incoming, event: InboxEvent, *, at: datetime) -> bool:
        """Put a message into the open entry; False when it is none for it (a vote, an answer to a prompt)."""
        if said.kind is IncomingKind.VOTE or said.reply_to is not None:
            return False
        piece = Piece(
            source=said.event_id,
            text=said.text if said.media is None else None,
            media=said.media.model_dump(mode="json") if said.media else None,
            session_id=event.session_id,
            index=event.index,
        )
        pieces = (*record.pieces, piece)
        await tx.records.save(replace(record, pieces=pieces, sources=(*record.sources, piece.source), changed_at=at))
        return True

    async def done(self, tx: Tx, place: Place, record: Record, *, at: datetime) -> str:
        """Close the entry and return what to say."""
        words = self._voice.words(place)
        if not record.pieces:
            await tx.records.save(replace(record, state=RecordState.REMOVED, changed_at=at))
            return words.journal_empty
        await self._recorder.close(tx, place, replace(record, undo=()), None, NO_FORM, at=at)
        return words.journal_saved

    async def close_silent(self, tx: Tx, *, at: datetime) -> datetime | None:
        """Close the entries that nobody wrote in for half an hour; return when the next one is due."""
        due: list[datetime] = []
        for record in await tx.records.open_journals():
            if at - record.changed_at < SILENCE:
                due.append(record.changed_at + SILENCE)
                continue
            pair = await tx.pairs.get(record.pair_id)
            place = await place_of(tx, pair.room_id) if pair and pair.room_id else None
            if place is not None:
                await say(tx, place, await self.done(tx, place, record, at=at), at=at)
        return min(due, default=None)
