"""What a trusted event does: a message, a vote, an edit or a redaction in a managed room."""

from dataclasses import replace
from datetime import datetime

from bot.core.answers import Incoming, IncomingKind
from bot.core.inbox import InboxEvent
from bot.core.messages import EDIT, REDACTION, edit, incoming, is_edit
from bot.core.pairs import PairState
from bot.core.records import RecordState
from bot.flows.agenda import Agenda
from bot.flows.answering import Answering
from bot.flows.command import Commands
from bot.flows.fit_question import FitQuestions
from bot.flows.journal import Journal
from bot.flows.places import Place
from bot.flows.speak import Voice, notice, post
from bot.ports import Tx


class Settler:
    """Lets events take effect."""

    def __init__(
        self,
        *,
        voice: Voice,
        answering: Answering,
        commands: Commands,
        journal: Journal,
        agenda: Agenda,
        fit: FitQuestions,
    ) -> None:
        self._voice = voice
        self._answering = answering
        self._commands = commands
        self._journal = journal
        self._agenda = agenda
        self._fit = fit

    async def settle(self, tx: Tx, place: Place, event: InboxEvent, *, at: datetime) -> None:
        """Apply one event; whoever sent it stands in the room's record and its device is trusted."""
        role = place.role(event.sender)
        if event.event_type == REDACTION:
            if not event.session_id:  # one inside ciphertext would take the record, but leave the message in the room
                await self._redaction(tx, place, event, at)
        elif is_edit(event):
            await self._edit(tx, place, event, at)
        elif (said := incoming(event, from_client=role == "client")) is not None:
            await self._said(tx, place, event, said, at)

    async def _said(self, tx: Tx, place: Place, event: InboxEvent, said: Incoming, at: datetime) -> None:
        if said.kind is IncomingKind.TEXT and await self._commands.take(tx, place, event, said.text, at=at):
            return
        if place.pair is None or place.pair.state is not PairState.ACTIVE:
            return
        if place.role(event.sender) == "therapist":
            if said.kind is not IncomingKind.VOTE:
                await tx.inbox.note_talk(event)
            return
        if await self._fit.take(tx, place, said, at=at):
            return
        journal = await self._journal.open_of(tx, place)
        if journal is None or not await self._journal.take(tx, journal, said, event, at=at):
            await self._answering.take(tx, place, said, event, at=at)

    async def _edit(self, tx: Tx, place: Place, event: InboxEvent, at: datetime) -> None:
        """Correct what a message brought: it must be the sender's own, and no edit itself (CRYPTO 13)."""
        found = edit(event, from_client=place.role(event.sender) == "client")
        if found is None:
            return
        target, said = found
        original = await tx.inbox.get(target)
        if original is None or original.sender != event.sender or original.reason == EDIT:
            return
        if await self._agenda.edited(tx, place, target, said.text, event, at=at):
            return
        if place.pair is None or event.sender != place.pair.client:
            return
        record = await tx.records.of_source(target)
        if record is not None:
            await self._answering.edited(tx, place, record, said, event, at=at)
        else:  # what did not fit may fit now
            moved = replace(event, position=original.position)
            await self._answering.take(tx, place, replace(said, order=original.position.order), moved, at=at)

    async def _redaction(self, tx: Tx, place: Place, event: InboxEvent, at: datetime) -> None:
        """Remove what the author redacts and flag what others redact: a redaction proves nothing (CRYPTO 14)."""
        target = event.event["content"]["redacts"]
        if await self._agenda.redacted(tx, place, target, event.sender, at=at) or place.pair is None:
            return
        record = await tx.records.of_source(target)
        if event.sender == place.pair.client:
            await self._answering.redacted(tx, place, record, target, at=at)
            return
        if record is None or record.state is RecordState.REMOVED:
            return
        await self._answering.flagged(tx, record, target, at=at)
        text = self._voice.words(place).redaction_by_other
        await post(tx, place, notice(text), purpose="notice", at=at, record_id=record.record_id)
