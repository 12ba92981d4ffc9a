"""The conversation about a prompt: core decides where a turn leads; this asks, ends, posts and remembers.

answer -> next question | end -> record and confirmation
time -> next question after a row | question once more after `later` | end of a poll | end at expiry
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from bot.core.answers import Answer
from bot.core.deliveries import Delivery, DeliveryState
from bot.core.entries import Form
from bot.core.events import PROMPT
from bot.core.goals import Goal
from bot.core.lateness import SkipReason
from bot.core.outbox import OutboxEvent
from bot.core.pairs import blockers
from bot.core.people import Pair
from bot.core.posting import POLL_END, POLL_START, Question, asked_event, poll_end
from bot.core.prompts import Prompt
from bot.core.quiet import after_quiet
from bot.core.records import Record, RecordState
from bot.core.sittings import (
    LET_FINISH,
    Move,
    Sitting,
    SittingState,
    Turn,
    answered,
    begun,
    busy_until,
    due,
    emptied,
    polls_over,
    taken_back,
    turned,
    voted,
)
from bot.errors import KeyMismatch, LeaseLost, StoreRefused
from bot.flows.asked import Asked, gathered
from bot.flows.confirming import Confirmer
from bot.flows.places import Place, place_of
from bot.flows.recording import Recorder
from bot.flows.speak import Voice, post
from bot.ports import Tx

log = structlog.get_logger()

ON_TIME = timedelta(minutes=5)
TOGETHER = 500  # sittings that are looked at in one transaction


class Sittings:
    """Leads the conversations about prompts."""

    def __init__(self, *, voice: Voice, recorder: Recorder) -> None:
        self._voice = voice
        self._recorder = recorder
        self._confirmer = Confirmer(voice=voice)

    def begin(
        self,
        place: Place,
        delivery: Delivery,
        prompt: Prompt,
        goal: Goal | None,
        *,
        at: datetime,
        not_after: datetime | None = None,
    ) -> tuple[Sitting, OutboxEvent]:
        """Return the sitting of a new delivery and the row that asks its first question, for the caller to store."""
        row = self._row(place, _question(self._voice, place, delivery, prompt, goal), at=at, not_after=not_after)
        sitting = begun(
            delivery.delivery_id,
            delivery.pair_id,
            prompt.steps,
            expires_at=delivery.expires_at,
            poll=row.outbox_id if row.event_type == POLL_START else None,
        )
        return sitting, row

    async def answered(
        self, tx: Tx, place: Place, asked: Asked, answer: Answer, *, at: datetime, poll: OutboxEvent | None = None
    ) -> None:
        """Go on after an answer, which the record of `asked` holds already; `poll` is the one that was voted in."""
        await tx.deliveries.save(replace(asked.delivery, state=DeliveryState.ANSWERED))
        before = asked.sitting
        sitting = voted(before, poll.outbox_id, at=at) if poll else before
        move = answered(sitting, answer.step, asked.script, in_a_row=answer.in_a_row, at=at)
        await self.go(tx, place, asked, move, at=at, reply_to=answer.source, late=answer.late)

    async def kept(self, tx: Tx, place: Place, asked: Asked, *, at: datetime) -> None:
        """Note that words came which do not fit: the step waits on, and who writes is in the middle of it."""
        await tx.deliveries.save(replace(asked.delivery, state=DeliveryState.ANSWERED))
        sitting = replace(asked.sitting, last_answered_at=at)
        await tx.sittings.save(sitting)
        if not sitting.open:
            await self._close(tx, place, asked, sitting, at)

    async def undone(self, tx: Tx, place: Place, asked: Asked, steps: Iterable[str], *, at: datetime) -> None:
        """Ask the steps again whose answers were just taken back, as far as the sitting goes on."""
        for step in steps:
            await self.go(tx, place, asked, taken_back(asked.sitting, step, asked.script, at=at), at=at)

    async def emptied(self, tx: Tx, asked: Asked, steps: Iterable[str]) -> None:
        """Let steps wait for an answer whose answers were deleted."""
        sitting = asked.sitting
        for step in steps:
            sitting = emptied(sitting, step, asked.script)
        if sitting != asked.sitting:
            await tx.sittings.save(sitting)

    async def go(
        self,
        tx: Tx,
        place: Place,
        asked: Asked,
        move: Move,
        *,
        at: datetime,
        reply_to: str | None = None,
        late: bool = False,
        last_word: str | None = None,
    ) -> None:
        """Do what a turn leads to; `last_word` takes the place of the thanks when the sitting ends."""
        sitting = move.sitting
        if move.ask is not None and _blocked(place, asked.delivery):
            sitting = turned(sitting, Turn.STOP, asked.script, at=at).sitting
        elif move.ask is not None:
            sitting = await self._ask(tx, place, asked, sitting, move.ask, at)
        await tx.sittings.save(sitting)
        if sitting.open:
            return
        record = await self._close(tx, place, asked, sitting, at)
        if record is not None and (late or sitting.state is not SittingState.EXPIRED):
            form = asked.form(self._voice.pack(place.pair))
            text = last_word or self._confirmer.recorded(place, record, form)
            text = f"{text} {self._voice.words(place).late}" if late else text
            await self._confirmer.say(tx, place, record, text, at=at, reply_to=reply_to)

    async def due(self, tx: Tx, *, at: datetime) -> datetime | None:
        """Do what time has brought; return when the next thing is due. One that fails is left for the next time."""
        found = await tx.sittings.waking(until=at, limit=TOGETHER)
        done = 0
        for sitting in found:
            try:
                async with tx.savepoint():
                    await self._wake(tx, sitting, at)
                    done += 1
            except (KeyMismatch, LeaseLost, StoreRefused):
                raise
            except Exception:
                log.exception("sitting.failed", delivery=sitting.delivery_id)
        return at if done and len(found) == TOGETHER else await tx.sittings.next_wake(after=at)

    async def busy_until(self, tx: Tx, pair_ids: Iterable[str], *, at: datetime) -> Mapping[str, datetime]:
        """Return until when a new prompt waits for clients who are in the middle of one; others are missing."""
        by_pair: dict[str, list[Sitting]] = {}
        for sitting in await tx.sittings.open_of(pair_ids, answered_after=at - LET_FINISH):
            by_pair.setdefault(sitting.pair_id, []).append(sitting)
        waits = {pair_id: busy_until(sittings, at=at) for pair_id, sittings in by_pair.items()}
        return {pair_id: until for pair_id, until in waits.items() if until is not None}

    async def _wake(self, tx: Tx, sitting: Sitting, at: datetime) -> None:
        delivery, pair = await tx.deliveries.get(sitting.delivery_id), await tx.pairs.get(sitting.pair_id)
        place = await place_of(tx, pair.room_id) if pair and pair.room_id else None
        found = await gathered(tx, pair, self._voice.pack(pair), [delivery]) if pair and delivery else []
        if place is None or not found:
            await self._give_up(tx, place, sitting, at)
            return
        (asked,) = found
        sitting, over = polls_over(asked.sitting, at=at)
        for poll in over:
            await self._end_poll(tx, place, poll, at)
        turn = due(sitting, at=at)
        if turn is Turn.RETURN and pair is not None:
            sitting, turn = _not_at_night(sitting, pair, at)
        move = turned(sitting, turn, asked.script, at=at) if turn else Move(sitting=sitting)
        await self.go(tx, place, asked, move, at=at)

    async def _give_up(self, tx: Tx, place: Place | None, sitting: Sitting, at: datetime) -> None:
        """End a sitting whose prompt was never posted, or is no longer in the pack; what was answered is kept."""
        ended = replace(sitting, state=SittingState.EXPIRED, ask_next_at=None, later_at=None, polls={})
        await tx.sittings.save(ended)
        record = (await tx.records.of_deliveries([sitting.delivery_id])).get(sitting.delivery_id)
        if place is not None and record is not None and record.state is RecordState.OPEN:
            await self._recorder.close(tx, place, record, ended, Form(prompt=None, labels={}), at=at)

    async def _ask(self, tx: Tx, place: Place, asked: Asked, sitting: Sitting, step_id: str, at: datetime) -> Sitting:
        """Post a step's question, in place of an earlier poll of the same step."""
        question = asked.question(asked.prompt.step_of(step_id), place.pair, self._voice.pack(place.pair))
        row = self._row(place, question, at=at, not_after=sitting.closes_at)
        await tx.outbox.add(row)
        polls = dict(sitting.polls)
        for earlier in asked.rows:
            if earlier.outbox_id in polls and earlier.content[PROMPT]["step"] == step_id:
                del polls[earlier.outbox_id]
                await self._end_poll(tx, place, earlier.outbox_id, at)
        if row.event_type == POLL_START:
            polls[row.outbox_id] = None
        return replace(sitting, polls=polls)

    async def _close(self, tx: Tx, place: Place, asked: Asked, sitting: Sitting, at: datetime) -> Record | None:
        """Post the record of a sitting that has ended; None: it stands in the room already, or there is nothing."""
        record = asked.record
        if record is None or record.state is not RecordState.OPEN or not record.pieces:
            return None
        form = asked.form(self._voice.pack(place.pair))
        return await self._recorder.close(tx, place, record, sitting, form, at=at)

    async def _end_poll(self, tx: Tx, place: Place, poll: str, at: datetime) -> None:
        await post(
            tx, place, poll_end(self._voice.words(place).poll_ended), event_type=POLL_END, purpose="poll_end",
            at=at, relates_row=poll, rel_type="m.reference",
        )  # fmt: skip

    def _row(self, place: Place, question: Question, *, at: datetime, not_after: datetime | None) -> OutboxEvent:
        event_type, content = asked_event(question, lambda: secrets.token_hex(8), person=place.addressed)
        return OutboxEvent(
            outbox_id=secrets.token_hex(16),
            room_id=place.room.room_id,
            event_type=event_type,
            content=content,
            purpose="prompt",
            created_at=at,
            addressed=place.addressed,
            delivery_id=question.delivery.delivery_id,
            not_after=not_after,
        )


def _not_at_night(sitting: Sitting, pair: Pair, at: datetime) -> tuple[Sitting, Turn | None]:
    """Keep the time that the client set; what is late by then waits for the end of the quiet hours (DESIGN §8)."""
    quiet_over = after_quiet(pair.quiet_hours, at, ZoneInfo(pair.timezone))
    if sitting.later_at is None or at - sitting.later_at < ON_TIME or quiet_over == at:
        return sitting, Turn.RETURN
    return replace(sitting, later_at=quiet_over), None


def _question(voice: Voice, place: Place, delivery: Delivery, prompt: Prompt, goal: Goal | None) -> Question:
    client = place.pair.client_name if place.pair else ""
    return Question(
        delivery=delivery, prompt=prompt, step=prompt.step, goal=goal, client=client, words=voice.words(place)
    )


def _blocked(place: Place, delivery: Delivery) -> bool:
    """Whether no further question goes to this room; who began it goes on, questions paused or not."""
    reasons = blockers(place.pair.standing) if place.pair else frozenset()
    return bool(reasons - {SkipReason.PAUSED} if delivery.by_client else reasons)
