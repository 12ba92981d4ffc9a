"""Prompts at their time: what is due is decided once per occurrence, written down, and put into the outbox."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.core.deliveries import Delivery, DeliveryState
from bot.core.goals import Goal
from bot.core.lateness import SkipReason
from bot.core.megolm import Audience
from bot.core.outbox import OutboxEvent
from bot.core.pairs import blockers
from bot.core.people import Pair, Schedule
from bot.core.planning import NEVER, Outcome
from bot.core.prompts import DEFAULT_EXPIRES, Prompt, default_grace
from bot.core.sittings import Sitting
from bot.errors import PairError
from bot.flows.places import Place, place_of, places_of
from bot.flows.planner import Planned, Planner
from bot.flows.schedules import choice_about
from bot.flows.sitting import Sittings
from bot.flows.speak import Voice
from bot.ports import Meter, Tx

log = structlog.get_logger()

TOGETHER = 100  # schedules in one transaction: memory stays flat, and the event loop is held up for moments only
DRAWS_KEPT = timedelta(days=7)


Begun = tuple[Sitting, OutboxEvent]  # a conversation, and the row that asks its first question


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """One prompt that is to be posted or skipped."""

    prompt: Prompt
    occurrence: str
    schedule_id: str | None
    due: datetime
    not_after: datetime
    expires_at: datetime
    skip: SkipReason | None = None
    remind_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """What was done about what is due up to an instant."""

    posted: int  # rows that were put into the outbox
    next_due: datetime | None  # when there is more to do


class Deliverer:
    """Posts what is due."""

    def __init__(self, *, voice: Voice, meter: Meter, sittings: Sittings) -> None:
        self._voice = voice
        self._meter = meter
        self._sittings = sittings
        self._planner = Planner(pack_of=voice.pack, busy=sittings.busy_until)

    async def due(self, tx: Tx, *, at: datetime) -> Reached:
        """Decide about schedules that are due by `at`, so many at a time.

        Where more are due now, `next_due` is `at` itself: each batch is a transaction of its own.
        """
        schedules = await tx.schedules.due(at, limit=TOGETHER)
        posted = await self._decide(tx, schedules, at) if schedules else 0
        following = at if len(schedules) == TOGETHER else await tx.schedules.next_due(at)
        return Reached(posted=posted, next_due=None if following == NEVER else following)

    async def _decide(self, tx: Tx, schedules: Sequence[Schedule], at: datetime) -> int:
        decided, over = await self._planner.decide(tx, schedules, at=at)
        posting = {each.pair.room_id for each in decided if any(one.skip is None for one in each.plan.outcomes)}
        places = await places_of(tx, [room_id for room_id in posting if room_id is not None])
        begun: list[Begun] = []
        for each in decided:
            place = places.get(each.pair.room_id or "")
            for outcome in each.plan.outcomes:
                begun += await self._reached(tx, each, place, outcome, at=at)
        plans = [*[each.plan for each in decided], *over]
        await tx.schedules.plan([each.schedule for each in plans])
        if draws := [draw for each in plans for draw in each.draws]:
            await tx.schedules.keep_draws(draws)
            await tx.schedules.forget_draws({each.schedule_id for each in draws}, before=(at - DRAWS_KEPT).date())
        await _write_down(tx, begun)
        return len(begun)

    async def rooms_due(self, tx: Tx, *, after: datetime, until: datetime) -> tuple[Audience, ...]:
        """The rooms in which prompts are due between two instants, as far as anything can be posted there."""
        schedules = await tx.schedules.between(after=after, until=until)
        pairs = await tx.pairs.some(each.pair_id for each in schedules)
        rooms = [pair.room_id for pair in pairs.values() if pair.room_id and not blockers(pair.standing)]
        places = await places_of(tx, rooms)
        return tuple(place.audience(place.addressed) for place in places.values() if place.room.hold is None)

    async def send_now(self, tx: Tx, pair: Pair, prompt_id: str, *, key: str, at: datetime) -> int:
        """Post a prompt that somebody asked for by hand; `key` makes it happen once. Returns how many were posted.

        Raises PairError when the pack has no such prompt, the client refuses it, or no goal is there to ask about.
        """
        prompt = self._voice.pack(pair).prompts.get(prompt_id)
        if prompt is None:
            raise PairError(f"There is no prompt called {prompt_id!r}; `interlude prompts list` names them.")
        await choice_about(tx, pair, prompt_id, None)
        reasons = blockers(pair.standing)
        if reasons:
            why = next(each for each in SkipReason if each in reasons)
            raise PairError(f"The prompt was not sent: {why.value.replace('_', ' ')}.")
        due = Due(
            prompt=prompt,
            occurrence=key,
            schedule_id=None,
            due=at,
            not_after=at + default_grace(weekly=False),
            expires_at=at + (prompt.expires or DEFAULT_EXPIRES),
        )
        place = await place_of(tx, pair.room_id) if pair.room_id else None
        begun = await self._post(tx, pair, place, due, goal_id=None, at=at)
        if not begun:
            raise PairError(f"{prompt_id} asks about a goal, and this pair has none yet: `interlude goal add`.")
        await _write_down(tx, begun)
        return len(begun)

    async def _reached(
        self, tx: Tx, each: Planned, place: Place | None, outcome: Outcome, *, at: datetime
    ) -> list[Begun]:
        """Write down what became of one occurrence, and return what is to be posted."""
        schedule = each.plan.schedule
        if each.prompt is None:
            log.error("schedule.no_prompt", schedule=schedule.schedule_id, prompt=schedule.prompt_id)
            await tx.deliveries.add(_without_prompt(schedule, outcome))
            return []
        due = Due(
            prompt=each.prompt,
            occurrence=outcome.occurrence.key,
            schedule_id=schedule.schedule_id,
            due=outcome.occurrence.due,
            not_after=outcome.not_after,
            expires_at=outcome.expires_at,
            skip=outcome.skip or (SkipReason.REFUSED if place is None else None),  # a room that is gone
            remind_at=outcome.remind_at,
        )
        return await self._post(tx, each.pair, place, due, goal_id=schedule.goal_id, at=at)

    async def _post(
        self, tx: Tx, pair: Pair, place: Place | None, due: Due, *, goal_id: str | None, at: datetime
    ) -> list[Begun]:
        """Write deliveries down, one per goal for a prompt about goals, and return what those not skipped begin."""
        begun: list[Begun] = []
        for goal in await self._goals(tx, pair, due.prompt, goal_id):
            delivery = await tx.deliveries.add(self._delivery(pair, due, goal))
            if delivery is None:
                log.info("delivery.known", pair=pair.pair_id, prompt=due.prompt.id)
            elif due.skip is None and place is not None:
                begun.append(self._sittings.begin(place, delivery, due.prompt, goal, at=at, not_after=due.not_after))
                self._meter.count("prompts_posted")
            log.info("delivery.decided", pair=pair.pair_id, prompt=due.prompt.id, skip=due.skip and due.skip.value)
        return begun

    async def _goals(self, tx: Tx, pair: Pair, prompt: Prompt, goal_id: str | None) -> tuple[Goal | None, ...]:
        if not prompt.of_goal:
            return (None,)
        goals = await tx.pairs.goals(pair.pair_id)
        return tuple(goal for goal in goals if goal_id in (None, goal.goal_id))

    def _delivery(self, pair: Pair, due: Due, goal: Goal | None) -> Delivery:
        return Delivery(
            delivery_id=secrets.token_hex(12),
            pair_id=pair.pair_id,
            prompt_id=due.prompt.id,
            prompt_version=due.prompt.version,
            occurrence=f"{due.occurrence}#{goal.goal_id}" if goal else due.occurrence,
            schedule_id=due.schedule_id,
            goal_id=goal.goal_id if goal else None,
            due=due.due,
            expires_at=due.expires_at,
            remind_at=due.remind_at,
            state=DeliveryState.SKIPPED if due.skip else DeliveryState.DUE,
            skip_reason=due.skip.value if due.skip else None,
        )


async def _write_down(tx: Tx, begun: Sequence[Begun]) -> None:
    """Store what begins, all of it together: prompts of one minute come in great numbers."""
    await tx.sittings.add_all([sitting for sitting, _ in begun])
    await tx.outbox.add_all([row for _, row in begun])


def _without_prompt(schedule: Schedule, outcome: Outcome) -> Delivery:
    """What is on record when the packs have no such prompt any more."""
    return Delivery(
        delivery_id=secrets.token_hex(12),
        pair_id=schedule.pair_id,
        prompt_id=schedule.prompt_id,
        prompt_version=0,
        occurrence=outcome.occurrence.key,
        schedule_id=schedule.schedule_id,
        goal_id=schedule.goal_id,
        due=outcome.occurrence.due,
        expires_at=outcome.expires_at,
        state=DeliveryState.SKIPPED,
        skip_reason=SkipReason.ENDED.value,
    )
