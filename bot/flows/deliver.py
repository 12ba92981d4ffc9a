"""Prompts at their time: what is due is decided once per occurrence, written down, and put into the outbox."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import structlog

from bot.core.deliveries import Delivery, DeliveryState
from bot.core.goals import Goal
from bot.core.lateness import Skip, SkipReason, verdicts
from bot.core.megolm import Audience
from bot.core.occurrences import occurrences, occurrences_between
from bot.core.outbox import OutboxEvent
from bot.core.pairs import blockers
from bot.core.people import Pair, Schedule
from bot.core.posting import POLL_END, poll_answer_ids, poll_end, posted_event
from bot.core.prompts import DEFAULT_EXPIRES, Prompt, default_grace
from bot.core.schedules import parse_rule
from bot.errors import PairError
from bot.flows.places import Place, place_of, places_of
from bot.flows.speak import Voice, post
from bot.ports import Meter, Tx

log = structlog.get_logger()

POLL_QUIET = timedelta(minutes=10)  # after the last vote a poll is ended (DESIGN §7)


@lru_cache(maxsize=4096)
def next_due(rule: str, zone: str, after: datetime) -> datetime:
    """Return when a rule next comes true; remembered, for it is asked again and again until then."""
    return next(occurrences(parse_rule(rule), ZoneInfo(zone), after=after)).due


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """One prompt that is to be posted or skipped."""

    prompt: Prompt
    occurrence: str
    schedule_id: str | None
    due: datetime
    grace: timedelta
    skip: SkipReason | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """What became of the occurrences up to an instant."""

    posted: int  # rows that were put into the outbox
    next_due: datetime | None


class Deliverer:
    """Posts what is due."""

    def __init__(self, *, voice: Voice, meter: Meter) -> None:
        self._voice = voice
        self._meter = meter

    async def due(self, tx: Tx, *, at: datetime) -> Reached:
        """Decide about every occurrence up to `at`."""
        pairs = {pair.pair_id: pair for pair in await tx.pairs.every()}
        upcoming: list[datetime] = []
        places: Mapping[str, Place] | None = None
        decided: list[str] = []
        rows: list[OutboxEvent] = []
        for schedule in await tx.pairs.schedules():
            pair = pairs.get(schedule.pair_id)
            if pair is None or not pair.standing.live:
                continue
            zone = schedule.timezone or pair.timezone
            following = next_due(schedule.rule, zone, schedule.after)
            if following <= at:
                if places is None:  # all rooms at once: prompts of one minute come in great numbers
                    places = await places_of(tx, [each.room_id for each in pairs.values() if each.room_id])
                rows += await self._reached(tx, pair, places.get(pair.room_id or ""), schedule, zone, at=at)
                decided.append(schedule.schedule_id)
                following = next_due(schedule.rule, zone, at)
            upcoming.append(following)
        await tx.pairs.decided(decided, until=at)
        await tx.outbox.add_all(rows)
        return Reached(posted=len(rows), next_due=min(upcoming, default=None))

    async def rooms_due(self, tx: Tx, *, after: datetime, until: datetime) -> tuple[Audience, ...]:
        """The rooms in which prompts are due between two instants, as far as anything can be posted there."""
        pairs = {pair.pair_id: pair for pair in await tx.pairs.every() if not blockers(pair.standing)}
        rooms: set[str] = set()
        for schedule in await tx.pairs.schedules():
            pair = pairs.get(schedule.pair_id)
            if pair is not None and pair.room_id is not None:
                following = next_due(schedule.rule, schedule.timezone or pair.timezone, schedule.after)
                if after < following <= until:
                    rooms.add(pair.room_id)
        places = await places_of(tx, rooms)
        return tuple(place.audience(place.addressed) for place in places.values() if place.room.hold is None)

    async def send_now(self, tx: Tx, pair: Pair, prompt_id: str, *, key: str, at: datetime) -> int:
        """Post a prompt that somebody asked for by hand; `key` makes it happen once. Returns how many were posted.

        Raises PairError when the pack has no such prompt, or it asks about goals and there is none.
        """
        prompt = self._voice.pack(pair).prompts.get(prompt_id)
        if prompt is None:
            raise PairError(f"There is no prompt called {prompt_id!r}; `interlude prompts list` names them.")
        reasons = blockers(pair.standing)
        if reasons:
            why = next(each for each in SkipReason if each in reasons)
            raise PairError(f"The prompt was not sent: {why.value.replace('_', ' ')}.")
        due = Due(prompt=prompt, occurrence=key, schedule_id=None, due=at, grace=default_grace(weekly=False))
        place = await place_of(tx, pair.room_id) if pair.room_id else None
        rows = await self._post(tx, pair, place, due, goal_id=None, at=at)
        if not rows:
            raise PairError(f"{prompt_id} asks about a goal, and this pair has none yet: `interlude goal add`.")
        await tx.outbox.add_all(rows)
        return len(rows)

    async def end_polls(self, tx: Tx, *, at: datetime) -> datetime | None:
        """End polls ten minutes after the last vote, or when they have expired; return when the next one ends."""
        upcoming: list[datetime] = []
        for delivery in await tx.deliveries.open_polls():
            ends = delivery.expires_at
            if delivery.last_vote_at is not None:
                ends = min(ends, delivery.last_vote_at + POLL_QUIET)
            if at < ends:
                upcoming.append(ends)
                continue
            await tx.deliveries.save(replace(delivery, poll_ended=True))
            pair = await tx.pairs.get(delivery.pair_id)
            place = await place_of(tx, pair.room_id) if pair and pair.room_id else None
            posts = [row for row in await tx.outbox.of_deliveries([delivery.delivery_id]) if row.purpose == "prompt"]
            if place is None or not posts:
                continue
            await post(
                tx, place, poll_end(self._voice.words(place).poll_ended), event_type=POLL_END, purpose="poll_end",
                at=at, relates_row=posts[0].outbox_id, rel_type="m.reference",
            )  # fmt: skip
        return min(upcoming, default=None)

    async def _reached(
        self,
        tx: Tx,
        pair: Pair,
        place: Place | None,
        schedule: Schedule,
        zone: str,
        *,
        at: datetime,
    ) -> list[OutboxEvent]:
        """Decide about what has come due of one schedule, and return what is to be posted."""
        prompt = self._voice.pack(pair).prompts.get(schedule.prompt_id)
        if prompt is None:
            log.error("schedule.no_prompt", schedule=schedule.schedule_id, prompt=schedule.prompt_id)
            return []
        rule = parse_rule(schedule.rule)
        rows: list[OutboxEvent] = []
        reached = occurrences_between(rule, ZoneInfo(zone), after=schedule.after, until=at)
        grace = prompt.grace or default_grace(weekly=rule.weekly)
        decided = verdicts([each.due for each in reached], at, grace=grace, blockers=blockers(pair.standing))
        for occurrence, verdict in zip(reached, decided, strict=True):
            due = Due(
                prompt=prompt,
                occurrence=occurrence.key,
                schedule_id=schedule.schedule_id,
                due=occurrence.due,
                grace=grace,
                skip=verdict.reason if isinstance(verdict, Skip) else None,
            )
            rows += await self._post(tx, pair, place, due, goal_id=schedule.goal_id, at=at)
        return rows

    async def _post(
        self, tx: Tx, pair: Pair, place: Place | None, due: Due, *, goal_id: str | None, at: datetime
    ) -> list[OutboxEvent]:
        """Write deliveries down, one per goal for a prompt about goals, and return what those not skipped post."""
        rows: list[OutboxEvent] = []
        for goal in await self._goals(tx, pair, due.prompt, goal_id):
            delivery = await tx.deliveries.add(self._delivery(pair, due, goal))
            if delivery is None:
                log.info("delivery.known", pair=pair.pair_id, prompt=due.prompt.id)
            elif due.skip is None and place is not None:
                rows.append(_row(place, delivery, due, goal, at))
                self._meter.count("prompts_posted")
            log.info("delivery.decided", pair=pair.pair_id, prompt=due.prompt.id, skip=due.skip and due.skip.value)
        return rows

    async def _goals(self, tx: Tx, pair: Pair, prompt: Prompt, goal_id: str | None) -> tuple[Goal | None, ...]:
        if not prompt.of_goal:
            return (None,)
        goals = await tx.pairs.goals(pair.pair_id)
        return tuple(goal for goal in goals if goal_id in (None, goal.goal_id))

    def _delivery(self, pair: Pair, due: Due, goal: Goal | None) -> Delivery:
        options: Mapping[str, str] = poll_answer_ids(due.prompt, lambda: secrets.token_hex(8))
        return Delivery(
            delivery_id=secrets.token_hex(12),
            pair_id=pair.pair_id,
            prompt_id=due.prompt.id,
            prompt_version=due.prompt.version,
            occurrence=f"{due.occurrence}#{goal.goal_id}" if goal else due.occurrence,
            schedule_id=due.schedule_id,
            goal_id=goal.goal_id if goal else None,
            due=due.due,
            expires_at=due.due + (due.prompt.expires or DEFAULT_EXPIRES),
            state=DeliveryState.SKIPPED if due.skip else DeliveryState.DUE,
            skip_reason=due.skip.value if due.skip else None,
            options=options,
        )


def _row(place: Place, delivery: Delivery, due: Due, goal: Goal | None, at: datetime) -> OutboxEvent:
    """The prompt as it goes into the outbox: it is dropped when its grace has ended."""
    event_type, content = posted_event(delivery, due.prompt, goal, person=place.addressed)
    return OutboxEvent(
        outbox_id=secrets.token_hex(16),
        room_id=place.room.room_id,
        event_type=event_type,
        content=content,
        purpose="prompt",
        created_at=at,
        addressed=place.addressed,
        delivery_id=delivery.delivery_id,
        not_after=due.due + due.grace,
    )
