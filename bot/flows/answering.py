"""What a client's message or vote does: the prompts that could be meant are gathered, core decides, it is recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.answers import (
    Answer,
    AskBack,
    AskedBack,
    Decision,
    DoesNotFit,
    Incoming,
    OpenPrompt,
    StepKind,
    meant_for,
    route,
)
from bot.core.deliveries import Delivery, DeliveryState
from bot.core.entries import labels_of, piece_of, without
from bot.core.goals import Goal, Scale
from bot.core.inbox import InboxEvent
from bot.core.outbox import OutboxEvent, OutboxState
from bot.core.people import Pair
from bot.core.prompts import Prompt, ScaleStep
from bot.core.reading import Misfit
from bot.core.records import Piece, Record, RecordState
from bot.core.wording import say as fill
from bot.flows.places import Place
from bot.flows.recording import Recorder
from bot.flows.speak import Voice, notice, post
from bot.ports import Tx

LOOKED_AT = 40  # newest prompts of a pair that a message can be an answer to


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A posted prompt with everything that belongs to it."""

    delivery: Delivery
    prompt: Prompt
    goal: Goal | None
    record: Record | None
    since: int  # where its first post stands in the timeline
    open: OpenPrompt


class Answering:
    """Takes answers."""

    def __init__(self, *, voice: Voice, recorder: Recorder) -> None:
        self._voice = voice
        self._recorder = recorder

    async def take(self, tx: Tx, place: Place, said: Incoming, event: InboxEvent, *, at: datetime) -> None:
        """Record what a client sent, if it is an answer."""
        if place.pair is None:
            return
        asked = await asked_of(tx, place.pair, self._voice.pack(place.pair).prompts)
        asked = [each for each in asked if each.since < event.position.order]  # nobody answers what is not asked yet
        written = await tx.inbox.last_talk(place.room.room_id, place.pair.therapist, event.position)
        decision = route(
            said,
            [each.open for each in asked],
            therapist_wrote=written.order if written else None,
            words=self._voice.words(place).reading,
            at=at,
        )
        by_id = {each.delivery.delivery_id: each for each in asked}
        await self._act(tx, place, decision, by_id, event, at)

    async def edited(
        self, tx: Tx, place: Place, record: Record, said: Incoming, event: InboxEvent, *, at: datetime
    ) -> None:
        """Correct a record after its message was edited; what no longer fits leaves it as it was."""
        old = next((piece for piece in record.pieces if piece.source == said.event_id), None)
        if old is None or place.pair is None:
            return
        asked = await self._asked_for(tx, place.pair, record)
        if asked is None:  # a journal entry, or a prompt that left the pack
            piece = replace(old, text=said.text or None, session_id=event.session_id, index=event.index)
            await self._recorder.edited(tx, place, record, piece, None, at)
            return
        meant = meant_for(said, asked.open, words=self._voice.words(place).reading, at=at)
        if isinstance(meant, Answer):
            piece = piece_of(meant, event)
            if piece.media is None and old.media is not None:
                piece = replace(piece, media=old.media)
            await self._recorder.edited(tx, place, record, piece, asked.prompt, at)
        else:
            await self._misfit(tx, place, meant, event.event_id, at)

    async def redacted(self, tx: Tx, place: Place, record: Record, source: str, *, at: datetime) -> None:
        """Remove what a redacted message brought."""
        await self._recorder.redacted(tx, place, record, source, self._prompt_of(place, record), at)

    async def undo(self, tx: Tx, place: Place, *, at: datetime) -> str | None:
        """Take the client's last change back and say so; None when there is nothing to take back."""
        if place.pair is None:
            return None
        newest = await tx.records.newest(place.pair.pair_id, limit=20)
        changed = [record for record in newest if record.undo is not None and record.state is RecordState.RECORDED]
        if not changed:
            return None
        last = max(changed, key=lambda record: record.changed_at)
        return await self._recorder.undo(tx, place, last, self._prompt_of(place, last), at)

    async def flagged(self, tx: Tx, record: Record, source: str, *, at: datetime) -> None:
        """Let the next `undo` remove what somebody else deleted from the room (CRYPTO 14)."""
        if record.state is RecordState.RECORDED:
            await tx.records.save(replace(record, undo=without(record.pieces, source), changed_at=at))

    async def _asked_for(self, tx: Tx, pair: Pair, record: Record) -> Asked | None:
        asked = await asked_of(tx, pair, self._voice.pack(pair).prompts)
        return next((each for each in asked if each.delivery.delivery_id == record.delivery_id), None)

    def _prompt_of(self, place: Place, record: Record) -> Prompt | None:
        prompt_id = record.content.get("prompt_id")
        return self._voice.pack(place.pair).prompts.get(prompt_id) if isinstance(prompt_id, str) else None

    async def _act(
        self,
        tx: Tx,
        place: Place,
        decision: Decision,
        asked: Mapping[str, Asked],
        event: InboxEvent,
        at: datetime,
    ) -> None:
        match decision:
            case Answer():
                meant = asked[decision.delivery_id]
                await self._recorder.answer(
                    tx,
                    place,
                    delivery=meant.delivery,
                    prompt=meant.prompt,
                    goal=meant.goal,
                    record=meant.record,
                    answer=decision,
                    event=event,
                    at=at,
                )
            case AskBack():
                await self._ask_back(tx, place, decision, asked[decision.delivery_id], event, at)
            case DoesNotFit():
                await self._misfit(tx, place, decision, event.event_id, at)
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
        noted = {"question": row.outbox_id, "event_id": event.event_id, "text": str(said)}
        await tx.deliveries.save(replace(asked.delivery, asked=noted))

    async def _misfit(self, tx: Tx, place: Place, misfit: DoesNotFit, event_id: str, at: datetime) -> None:
        words = self._voice.words(place)
        if misfit.scale is None:
            text = fill(words.does_not_fit_choice, title=misfit.title, options=", ".join(misfit.labels))
        else:
            unsure = misfit.reason is Misfit.UNSURE
            template = words.does_not_fit_unsure if unsure else words.does_not_fit_number
            text = fill(template, title=misfit.title, low=misfit.scale.low, high=misfit.scale.high)
        await post(tx, place, notice(text), purpose="notice", at=at, reply_to=event_id)


async def asked_of(tx: Tx, pair: Pair, prompts: Mapping[str, Prompt]) -> list[Asked]:
    """Gather the newest prompts of a pair that stand in its room, with four reads for any number of them."""
    recent = await tx.deliveries.recent(pair.pair_id, limit=LOOKED_AT)
    posted = [each for each in recent if each.state is not DeliveryState.SKIPPED and each.prompt_id in prompts]
    if not posted:
        return []
    ids = [delivery.delivery_id for delivery in posted]
    rows: dict[str, list[OutboxEvent]] = {}
    for row in await tx.outbox.of_deliveries(ids):
        if row.state is OutboxState.SENT:
            rows.setdefault(row.delivery_id or "", []).append(row)
    records = await tx.records.of_deliveries(ids)
    goals = {goal.goal_id: goal for goal in await tx.pairs.goals(pair.pair_id)}
    said = [row.event_id for each in rows.values() for row in each if row.event_id]
    orders = {event: position.order for event, position in (await tx.inbox.positions(said)).items()}
    return [
        asked(each, prompts[each.prompt_id], goals.get(each.goal_id or ""), records.get(each.delivery_id), mine, orders)
        for each in posted
        if (mine := rows.get(each.delivery_id))
    ]


def asked(
    delivery: Delivery,
    prompt: Prompt,
    goal: Goal | None,
    record: Record | None,
    rows: Sequence[OutboxEvent],
    orders: Mapping[str, int],
) -> Asked:
    """Put together what a message can be an answer to."""
    posts = [row for row in rows if row.purpose in ("prompt", "repeat")]
    events = {row.event_id for row in rows if row.event_id}
    places = [orders.get(row.event_id or "", 0) for row in posts]
    polls = {row.event_id: delivery.options for row in posts if row.event_id and delivery.options}
    return Asked(
        delivery=delivery,
        prompt=prompt,
        goal=goal,
        record=record,
        since=min(places, default=0),
        open=OpenPrompt(
            delivery_id=delivery.delivery_id,
            title=goal.title if goal else prompt.title,
            step=prompt.step.id,
            kind=StepKind(prompt.step.kind),
            order=max(places, default=0),
            events=frozenset(events),
            expires_at=delivery.expires_at,
            scale=_scale(prompt, goal),
            options=labels_of(prompt),
            poll_answers=polls,
            poll_ended=delivery.poll_ended,
            first_recorded_at=record.first_at if record else None,
            has_value=record is not None and (record.state is RecordState.REMOVED or _has_value(record.pieces)),
            taken_back=record is not None and record.state is RecordState.REMOVED,
            asked_back=_asked_back(delivery, rows, orders),
        ),
    )


def _scale(prompt: Prompt, goal: Goal | None) -> Scale | None:
    if not isinstance(prompt.step, ScaleStep):
        return None
    return goal.scale if prompt.of_goal and goal else prompt.step.scale


def _has_value(pieces: Sequence[Piece]) -> bool:
    return any(piece.value is not None for piece in pieces)


def _asked_back(delivery: Delivery, rows: Sequence[OutboxEvent], orders: Mapping[str, int]) -> AskedBack | None:
    if not delivery.asked:
        return None
    question = next((row.event_id for row in rows if row.outbox_id == delivery.asked["question"]), None)
    return AskedBack(
        question_event=question or "",
        order=orders.get(question or "", 0),
        event_id=delivery.asked["event_id"],
        text=delivery.asked["text"],
    )
