"""What a client was asked: deliveries that stand in the room, with their sittings, records and posts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.answers import AskedBack, AskedStep
from bot.core.deliveries import Delivery, DeliveryState
from bot.core.entries import Form, pieces_by_step, value_of, values_of
from bot.core.events import PROMPT
from bot.core.goals import Goal
from bot.core.options import labels_of
from bot.core.outbox import OutboxEvent, OutboxState
from bot.core.pack import Pack
from bot.core.people import Pair
from bot.core.posting import POLL_START, Question
from bot.core.prompts import Prompt, Step
from bot.core.records import Piece, Record, RecordState
from bot.core.sittings import Script, Sitting, SittingState, Standing
from bot.core.typed import takes_values
from bot.ports import Tx

LOOKED_AT = 40  # newest prompts of a pair that a message can be an answer to


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A prompt that stands in the room, with everything that belongs to it."""

    delivery: Delivery
    prompt: Prompt
    goal: Goal | None
    sitting: Sitting
    record: Record | None
    rows: tuple[OutboxEvent, ...]  # its posts, and what was asked back about it, as far as they were sent
    orders: Mapping[str, int]  # event id -> place in the timeline

    @property
    def title(self) -> str:
        """What people call it; of a check-in the goal's title."""
        return self.goal.title if self.goal else self.prompt.title

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What is on record; nothing once it was taken back."""
        return self.record.pieces if self.record and self.record.state is not RecordState.REMOVED else ()

    @property
    def script(self) -> Script:
        """What its sitting goes by."""
        return Script(steps=self.prompt.steps, values=values_of(self.pieces, self.prompt))

    @property
    def since(self) -> int | None:
        """Where its first post stands in the timeline; None: nowhere yet."""
        return min(self._places(), default=None)

    @property
    def order(self) -> int:
        """Where its newest post stands."""
        return max(self._places(), default=0)

    def is_open(self, at: datetime) -> bool:
        """Whether its sitting goes on."""
        return self.sitting.open and at < self.sitting.closes_at

    def waits(self, at: datetime) -> bool:
        """Whether it stands in the room and waits for an answer."""
        return self.since is not None and self.is_open(at) and self.sitting.standing is Standing.ASKED

    def form(self, pack: Pack) -> Form:
        """What its record is read with."""
        return Form(prompt=self.prompt, labels=labels_of(self.prompt, pack.wording))

    def question(self, step: Step, pair: Pair | None, pack: Pack) -> Question:
        """Return a step with all that its question is made of."""
        return Question(
            delivery=self.delivery,
            prompt=self.prompt,
            step=step,
            goal=self.goal,
            client=pair.client_name if pair else "",
            words=pack.wording,
        )

    def poll_row(self, event_id: str | None) -> OutboxEvent | None:
        """Return the outbox row of a poll."""
        return next((row for row in self.rows if row.event_id == event_id and row.event_type == POLL_START), None)

    def steps(self, pair: Pair, pack: Pack, *, at: datetime, before: int | None = None) -> list[AskedStep]:
        """Return the steps that stand in the room; nobody answers what is not asked yet `before` a place."""
        by_step: dict[str, list[OutboxEvent]] = {}
        for row in self.rows:
            place = self.orders.get(row.event_id or "")
            if place is not None and (before is None or place < before):
                by_step.setdefault(_step_of(row, self), []).append(row)
        answered = pieces_by_step(self.pieces, self.prompt)
        return [
            self._step(step, by_step[step.id], answered.get(step.id, ()), pair, pack, at)
            for step in self.prompt.steps
            if any(is_post(row) for row in by_step.get(step.id, ()))
        ]

    def _step(
        self, step: Step, rows: Sequence[OutboxEvent], pieces: Sequence[Piece], pair: Pair, pack: Pack, at: datetime
    ) -> AskedStep:
        sitting, question = self.sitting, self.question(step, pair, pack)
        posts = [row for row in rows if is_post(row)]
        polls = {row.event_id or "": row for row in posts if row.event_type == POLL_START}
        current = sitting.step == step.id
        return AskedStep(
            delivery_id=self.delivery.delivery_id,
            title=self.title,
            step=step,
            order=max(self.orders[row.event_id or ""] for row in posts),
            events=frozenset(row.event_id or "" for row in rows),
            expires_at=sitting.closes_at,
            scale=question.scale,
            options=question.options,
            poll_answers={event: row.content[PROMPT]["options"] for event, row in polls.items()},
            ended_polls=frozenset(event for event, row in polls.items() if row.outbox_id not in sitting.polls),
            waits=current and _waits(sitting, step, pieces),
            busy=sitting.busy(at=at),
            takes_more=sitting.takes_more(step.id, at=at),
            recorded=bool(pieces),
            has_value=value_of(pieces) is not None,
            replaces=current and sitting.replaces,
            asked_back=_asked_back(self.delivery, step, rows, self.orders),
        )

    def _places(self) -> list[int]:
        events = [row.event_id or "" for row in self.rows if is_post(row)]
        return [self.orders[event] for event in events if event in self.orders]


async def asked_of(tx: Tx, pair: Pair, pack: Pack) -> list[Asked]:
    """Gather the newest prompts of a pair that stand in its room, with five reads for any number of them."""
    recent = await tx.deliveries.recent(pair.pair_id, limit=LOOKED_AT)
    return await gathered(tx, pair, pack, recent)


async def gathered(tx: Tx, pair: Pair, pack: Pack, deliveries: Sequence[Delivery]) -> list[Asked]:
    """Gather what belongs to these deliveries; skipped ones and those whose prompt left the pack are left out."""
    known = [each for each in deliveries if each.state is not DeliveryState.SKIPPED and each.prompt_id in pack.prompts]
    if not known:
        return []
    ids = [delivery.delivery_id for delivery in known]
    rows: dict[str, list[OutboxEvent]] = {}
    for row in await tx.outbox.of_deliveries(ids):
        if row.state is OutboxState.SENT and row.event_id:
            rows.setdefault(row.delivery_id or "", []).append(row)
    records = await tx.records.of_deliveries(ids)
    sittings = await tx.sittings.of_deliveries(ids)
    goals = {goal.goal_id: goal for goal in await tx.pairs.goals(pair.pair_id)}
    said = [row.event_id for each in rows.values() for row in each if row.event_id]
    orders = {event: position.order for event, position in (await tx.inbox.positions(said)).items()}
    return [
        Asked(
            delivery=each,
            prompt=pack.prompts[each.prompt_id],
            goal=goals.get(each.goal_id or ""),
            sitting=_sitting(each, pack.prompts[each.prompt_id], sittings.get(each.delivery_id)),
            record=records.get(each.delivery_id),
            rows=tuple(rows.get(each.delivery_id, ())),
            orders=orders,
        )
        for each in known
    ]


def is_post(row: OutboxEvent) -> bool:
    """Whether a row shows a question of ours: its first post, a reminder, or once more."""
    return PROMPT in row.content


def _sitting(delivery: Delivery, prompt: Prompt, stored: Sitting | None) -> Sitting:
    """Return a delivery's sitting; one from when a prompt had one step says less, or nothing at all."""
    if stored is None:
        answered = delivery.state is DeliveryState.ANSWERED
        stored = Sitting(
            delivery_id=delivery.delivery_id,
            pair_id=delivery.pair_id,
            expires_at=delivery.expires_at,
            state=SittingState.DONE if answered else SittingState.OPEN,
        )
    return stored if stored.asked else replace(stored, step=prompt.step.id, asked=(prompt.step.id,))


def _step_of(row: OutboxEvent, asked: Asked) -> str:
    """Return the step that a post asks, or that was asked back about."""
    ours = row.content.get(PROMPT)
    if isinstance(ours, Mapping):
        return str(ours["step"])
    return asked.delivery.asked.get("step") or asked.prompt.step.id


def _waits(sitting: Sitting, step: Step, pieces: Sequence[Piece]) -> bool:
    """Whether the current step takes what is no reply; after media alone a value is still welcome."""
    if sitting.standing is Standing.ASKED:
        return True
    answered = sitting.standing is Standing.ROW or sitting.state is SittingState.DONE
    return answered and takes_values(step) and bool(pieces) and value_of(pieces) is None


def _asked_back(
    delivery: Delivery, step: Step, rows: Sequence[OutboxEvent], orders: Mapping[str, int]
) -> AskedBack | None:
    if not delivery.asked or delivery.asked.get("step", step.id) != step.id:
        return None
    question = next((row.event_id for row in rows if row.outbox_id == delivery.asked["question"]), None)
    return AskedBack(
        question_event=question or "",
        order=orders.get(question or "", 0),
        event_id=delivery.asked["event_id"],
        text=delivery.asked["text"],
    )
