"""What a client's message or vote does: the steps that could be meant are gathered, core decides, it is recorded."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.answers import Answer, AskBack, Decision, DoesNotFit, Incoming, meant_for, route
from bot.core.entries import Form, piece_of, pieces_by_step, without
from bot.core.inbox import InboxEvent
from bot.core.options import labels_of
from bot.core.people import Pair
from bot.core.records import Record, RecordKind, RecordState
from bot.core.typed import misfit_text
from bot.core.wording import say as fill
from bot.flows.asked import Asked, asked_of
from bot.flows.places import Place
from bot.flows.recording import Recorder
from bot.flows.sitting import Sittings
from bot.flows.speak import Voice, notice, post, say, withdraw
from bot.ports import Tx


class Answering:
    """Takes answers."""

    def __init__(self, *, voice: Voice, recorder: Recorder, sittings: Sittings) -> None:
        self._voice = voice
        self._recorder = recorder
        self._sittings = sittings

    async def take(self, tx: Tx, place: Place, said: Incoming, event: InboxEvent, *, at: datetime) -> None:
        """Record what a client sent, if it is an answer."""
        if place.pair is None:
            return
        pack, order = self._voice.pack(place.pair), event.position.order
        asked = await asked_of(tx, place.pair, pack)
        written = await tx.inbox.last_talk(place.room.room_id, place.pair.therapist, event.position)
        decision = route(
            said,
            [step for each in asked for step in each.steps(place.pair, pack, at=at, before=order)],
            therapist_wrote=written.order if written else None,
            words=pack.wording.reading,
            at=at,
        )
        by_id = {each.delivery.delivery_id: each for each in asked}
        await self._act(tx, place, decision, by_id, said, event, at)

    async def edited(
        self, tx: Tx, place: Place, record: Record, said: Incoming, event: InboxEvent, *, at: datetime
    ) -> None:
        """Correct a record after its message was edited; what no longer fits leaves a value as it was."""
        old = next((piece for piece in record.pieces if piece.source == said.event_id), None)
        if old is None or place.pair is None:
            return
        asked = await self._asked_for(tx, place.pair, record)
        pack = self._voice.pack(place.pair)
        steps = asked.steps(place.pair, pack, at=at) if asked else []
        step = next((each for each in steps if each.step.id == (old.step or each.step.id)), None)
        if asked is None or step is None:  # a journal entry, or a prompt that left the pack
            piece = replace(old, text=said.text or None, session_id=event.session_id, index=event.index)
            await self._recorder.edited(tx, place, record, piece, self._form(place, record), at=at)
            return
        meant = meant_for(said, step, words=pack.wording.reading, at=at)
        answer = meant if isinstance(meant, Answer) else meant.kept
        if answer is not None:
            piece = replace(piece_of(answer, event), late=old.late)
            if piece.media is None and old.media is not None:
                piece = replace(piece, media=old.media)
            form = asked.form(pack)
            changed = replace(asked, record=await self._recorder.edited(tx, place, record, piece, form, at=at))
            if step.step.id not in asked.script.values and step.step.id in changed.script.values:
                await self._sittings.answered(tx, place, changed, answer, at=at)  # what did not fit does now
        if isinstance(meant, DoesNotFit):
            await self._misfit(tx, place, meant, event.event_id, at)

    async def redacted(self, tx: Tx, place: Place, record: Record | None, source: str, *, at: datetime) -> None:
        """Remove what a redacted message brought, also from what was asked back about it."""
        if place.pair is None:
            return
        await self._forget_question(tx, place, source, at)
        if record is None or record.state is RecordState.REMOVED:
            return
        changed = await self._recorder.redacted(tx, place, record, source, self._form(place, record), at=at)
        asked = await self._asked_for(tx, place.pair, changed)
        if asked is not None:
            await self._sittings.emptied(tx, asked, _missing(record, changed))

    async def undo(self, tx: Tx, place: Place, *, at: datetime) -> str | None:
        """Take the client's last change back and say so; None when there is nothing to take back."""
        if place.pair is None:
            return None
        newest = await tx.records.newest(place.pair.pair_id, limit=20)
        changed = [record for record in newest if record.undo is not None and _can_change(record)]
        if not changed:
            return None
        last = max(changed, key=lambda record: record.changed_at)
        after, text = await self._recorder.undo(tx, place, last, self._form(place, last), at=at)
        await say(tx, place, text, at=at)
        asked = await self._asked_for(tx, place.pair, after)
        if asked is not None:
            await self._sittings.undone(tx, place, asked, _missing(last, after), at=at)
        return ""

    async def flagged(self, tx: Tx, record: Record, source: str, *, at: datetime) -> None:
        """Let the next `undo` remove what somebody else deleted from the room (CRYPTO 14)."""
        if _can_change(record):
            await tx.records.save(replace(record, undo=without(record.pieces, source), changed_at=at))

    async def _asked_for(self, tx: Tx, pair: Pair, record: Record) -> Asked | None:
        asked = await asked_of(tx, pair, self._voice.pack(pair))
        return next((each for each in asked if each.delivery.delivery_id == record.delivery_id), None)

    def _form(self, place: Place, record: Record) -> Form:
        pack, prompt_id = self._voice.pack(place.pair), record.content.get("prompt_id")
        prompt = pack.prompts.get(prompt_id) if isinstance(prompt_id, str) else None
        return Form(prompt=prompt, labels=labels_of(prompt, pack.wording) if prompt else {})

    async def _act(
        self,
        tx: Tx,
        place: Place,
        decision: Decision,
        asked: Mapping[str, Asked],
        said: Incoming,
        event: InboxEvent,
        at: datetime,
    ) -> None:
        match decision:
            case Answer():
                meant = asked[decision.delivery_id]
                record = await self._recorder.answer(tx, place, meant, decision, event, at=at)
                await self._sittings.answered(
                    tx, place, replace(meant, record=record), decision, at=at, poll=meant.poll_row(said.poll_event)
                )
            case AskBack():
                await self._ask_back(tx, place, decision, asked[decision.delivery_id], event, at)
            case DoesNotFit():
                meant = asked[decision.about.delivery_id]
                await self._misfit(tx, place, decision, event.event_id, at)
                if decision.kept is not None:
                    record = await self._recorder.answer(tx, place, meant, decision.kept, event, at=at)
                    await self._sittings.kept(tx, place, replace(meant, record=record), at=at)
            case _:
                return  # conversation: neither answered nor recorded (DESIGN §7)

    async def _ask_back(
        self, tx: Tx, place: Place, question: AskBack, asked: Asked, event: InboxEvent, at: datetime
    ) -> None:
        words = self._voice.words(place)
        if question.shown is None:
            text = fill(words.ask_back_words, title=question.title)
        else:
            text = fill(words.ask_back, value=question.shown, title=question.title)
        row = await post(
            tx, place, notice(text), purpose="question", at=at, reply_to=event.event_id,
            delivery_id=asked.delivery.delivery_id,
        )  # fmt: skip
        said = event.event["content"].get("body", "")
        noted = {
            "question": row.outbox_id,
            "event_id": event.event_id,
            "text": str(said),
            "step": question.step,
        }
        await tx.deliveries.save(replace(asked.delivery, asked=noted))

    async def _forget_question(self, tx: Tx, place: Place, source: str, at: datetime) -> None:
        """Withdraw the question that quotes a message which was deleted."""
        if place.pair is None:
            return
        for delivery in await tx.deliveries.recent(place.pair.pair_id):
            if delivery.asked.get("event_id") == source:
                await tx.deliveries.save(replace(delivery, asked={}))
                await withdraw(tx, place, await tx.outbox.some([delivery.asked["question"]]), at=at)

    async def _misfit(self, tx: Tx, place: Place, misfit: DoesNotFit, event_id: str, at: datetime) -> None:
        words, about = self._voice.words(place), misfit.about
        text = misfit_text(
            misfit.reason, about.step, title=about.title, scale=about.scale, options=about.options, words=words
        )
        if misfit.kept is not None:
            text = f"{words.kept_in_words} {text}"
        await post(tx, place, notice(text), purpose="notice", at=at, reply_to=event_id)


def _can_change(record: Record) -> bool:
    """Whether a record takes changes of what the client said: an open journal does not."""
    if record.state is RecordState.OPEN:
        return record.kind is not RecordKind.JOURNAL and bool(record.pieces)
    return record.state is RecordState.RECORDED


def _missing(old: Record, new: Record) -> list[str]:
    """Return the steps that have nothing on record any more."""
    left = pieces_by_step(new.pieces, None)
    return [step for step in pieces_by_step(old.pieces, None) if step not in left]
