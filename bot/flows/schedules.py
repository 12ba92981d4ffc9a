"""Schedules as people set them up and change them, from the command line and from the rooms.

The therapist's rule and the client's own are kept apart: what the client moved, thinned out or refused stands until the
client says otherwise. Who may do what is decided before (`core.permissions`); here it is carried out.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from bot.core.choices import Choice, choice_name, within
from bot.core.deliveries import Delivery, DeliveryState
from bot.core.occurrences import instant
from bot.core.pack import Pack
from bot.core.pairs import PairState
from bot.core.people import Pair, Schedule
from bot.core.planning import upcoming
from bot.core.prompts import Prompt
from bot.core.quiet import is_quiet
from bot.core.rule_changes import moved, thinned
from bot.core.schedules import Rule, SessionRule, parse_rule
from bot.errors import PairError, ScheduleError
from bot.flows.planner import Planner, nobody_busy
from bot.ports import Tx

SHOWN = 3  # next occurrences
RESULTS = 5
_TICK = timedelta(milliseconds=1)  # the store's smallest


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """A schedule after a change, and what to say about it."""

    schedule: Schedule
    coming: tuple[datetime, ...]  # the next ones, local; empty: nothing comes any more, or no session is known
    quiet: bool  # the time that a person chose lies in quiet hours: said once, and kept


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleView:
    """A schedule as lists show it."""

    schedule: Schedule
    zone: str
    coming: tuple[datetime, ...]  # the next three, local
    results: tuple[Delivery, ...]  # the newest first


class Schedules:
    """Sets schedules up and changes them."""

    def __init__(self, *, pack_of: Callable[[Pair], Pack]) -> None:
        self._pack_of = pack_of
        self._planner = Planner(pack_of=pack_of, busy=nobody_busy)

    async def add(
        self,
        tx: Tx,
        pair: Pair,
        *,
        prompt_id: str,
        rule: str,
        timezone: str | None = None,
        goal: str | None = None,
        reminder: timedelta | None = None,
        at: datetime,
    ) -> Changed:
        """Write a schedule down; `goal` is a goal's number, `reminder` of no length means none.

        Raises PairError, ScheduleError with the sentence to show.
        """
        refuse_ended(pair)
        prompt = self.prompt(pair, prompt_id)
        if timezone is not None:
            _check_zone(timezone)
        parsed = parse_rule(rule, local=at.astimezone(ZoneInfo(timezone or pair.timezone)))
        goal_id = await _goal_id(tx, pair, prompt, goal)
        for other in await tx.schedules.of_pair(pair.pair_id):
            _refuse_same(other, prompt, parsed, timezone, goal_id)
        made = new_schedule(pair, prompt_id, parsed, timezone=timezone, goal_id=goal_id, at=at)
        own = await _agreed(tx, pair, made, parsed, at)
        added = await tx.schedules.add(replace(made, reminder=reminder, client_rule=own))
        return await self._changed(tx, pair, added, at=at)

    async def set_rule(
        self, tx: Tx, pair: Pair, schedule: Schedule, rule: str, *, by_client: bool, at: datetime
    ) -> Changed:
        """Give a schedule another rule: the client's own, or the therapist's, which the client's stands before.

        Raises ScheduleError.
        """
        parsed = parse_rule(rule, local=at.astimezone(zone_of(pair, schedule)))
        return await self._set(tx, pair, schedule, parsed, by_client=by_client, at=at)

    async def move(
        self, tx: Tx, pair: Pair, schedule: Schedule, clock: time, *, by_client: bool, at: datetime
    ) -> Changed:
        """Have a schedule come at another time of day. Raises ScheduleError where its rule has no single one."""
        to = moved(parse_rule(schedule.effective_rule), clock)
        return await self._set(tx, pair, schedule, to, by_client=by_client, at=at)

    async def thin(self, tx: Tx, pair: Pair, schedule: Schedule, *, by_client: bool, at: datetime) -> Changed:
        """Have a schedule come about half as often. Raises ScheduleError where only stopping is left."""
        local = at.astimezone(zone_of(pair, schedule)).replace(tzinfo=None)
        to = thinned(parse_rule(schedule.effective_rule), local=local)
        return await self._set(tx, pair, schedule, to, by_client=by_client, at=at)

    async def refuse(self, tx: Tx, schedule: Schedule, *, at: datetime) -> None:
        """Have a schedule never come again: the client's word, which only the client takes back."""
        await tx.schedules.save(replace(schedule, refused=True, after=at, next_due=None, waited_until=None))

    async def accept(self, tx: Tx, pair: Pair, schedule: Schedule, *, at: datetime) -> Changed:
        """Take the client's refusal back; what would have come meanwhile does not."""
        return await self._changed(tx, pair, replace(schedule, refused=False, after=at, next_due=None), at=at)

    async def remove(self, tx: Tx, schedule: Schedule) -> None:
        """Take a schedule away; what it asked and what was answered stays."""
        await tx.schedules.remove(schedule.schedule_id)

    async def asked_fit(self, tx: Tx, schedule: Schedule, *, at: datetime) -> None:
        """Note that the client was asked whether a prompt still fits."""
        await tx.schedules.save(replace(schedule, asked_fit_at=at))

    async def change_zone(self, tx: Tx, pair: Pair, zone: str, *, at: datetime) -> Pair:
        """Have the pair live by another zone from now on; what has been decided stays. Raises ScheduleError."""
        _check_zone(zone)
        there = replace(pair, timezone=zone)
        await tx.pairs.save(there)
        following = [each for each in await tx.schedules.of_pair(pair.pair_id) if each.timezone is None]
        await tx.schedules.plan([replace(each, after=max(at, each.after), next_due=None) for each in following])
        return there

    async def view(self, tx: Tx, pair: Pair, schedule: Schedule, *, at: datetime) -> ScheduleView:
        """Return one schedule as lists show it; one whose rule cannot be read comes never."""
        try:
            coming = await self._planner.coming(tx, pair, schedule, at=at, count=SHOWN)
        except ScheduleError:
            coming = ()
        return ScheduleView(
            schedule=schedule,
            zone=schedule.timezone or pair.timezone,
            coming=coming,
            results=await tx.deliveries.of_schedule(schedule.schedule_id, RESULTS),
        )

    async def views(self, tx: Tx, pair: Pair, *, at: datetime) -> tuple[ScheduleView, ...]:
        """Return the pair's schedules by number."""
        return tuple([await self.view(tx, pair, each, at=at) for each in await tx.schedules.of_pair(pair.pair_id)])

    def prompt(self, pair: Pair, prompt_id: str) -> Prompt:
        """Return a prompt of the pair's language. Raises PairError that names those that there are."""
        known = self._pack_of(pair).prompts
        if prompt_id not in known:
            raise PairError(
                f"There is no prompt {prompt_id!r} in {pair.language}; there are: {', '.join(sorted(known))}."
            )
        return known[prompt_id]

    async def _set(
        self, tx: Tx, pair: Pair, schedule: Schedule, rule: Rule, *, by_client: bool, at: datetime
    ) -> Changed:
        refuse_ended(pair)
        text = rule.text
        changed = replace(schedule, client_rule=text) if by_client else replace(schedule, rule=text)
        after = await _counts_from(tx, pair, schedule, at)
        # What was drawn by the former rule is not asked any more.
        tomorrow = at.astimezone(zone_of(pair, schedule)).date() + timedelta(days=1)
        await tx.schedules.forget_draws([schedule.schedule_id], before=tomorrow + timedelta(days=2))
        return await self._changed(tx, pair, replace(changed, after=after, next_due=None, waited_until=None), at=at)

    async def _changed(self, tx: Tx, pair: Pair, schedule: Schedule, *, at: datetime) -> Changed:
        await tx.schedules.save(schedule)
        case = await self._planner.case_of(tx, pair, schedule, at=at)
        found = upcoming(case, at=at, count=SHOWN)
        quiet = case.rule.wall_time and any(is_quiet(pair.quiet_hours, each.due, case.home) for each in found)
        return Changed(schedule=schedule, coming=tuple(each.local for each in found), quiet=quiet)


def zone_of(pair: Pair, schedule: Schedule) -> ZoneInfo:
    """Return the zone that a schedule follows."""
    return ZoneInfo(schedule.timezone or pair.timezone)


def new_schedule(
    pair: Pair, prompt_id: str, rule: Rule, *, timezone: str | None, goal_id: str | None, at: datetime
) -> Schedule:
    """Return a schedule that begins now; the store gives it its number."""
    return Schedule(
        schedule_id=secrets.token_hex(8),
        number=0,
        pair_id=pair.pair_id,
        prompt_id=prompt_id,
        rule=rule.text,
        timezone=timezone,
        goal_id=goal_id,
        created_at=at,
        after=at,
    )


def refuse_ended(pair: Pair) -> None:
    """Raise PairError when there is nothing to set up any more."""
    if pair.state in {PairState.ENDED, PairState.WITHDRAWN}:
        raise PairError(f"Pair {pair.number} has ended.")


async def replan_around_sessions(tx: Tx, pair: Pair, *, at: datetime) -> None:
    """Have what hangs on the pair's sessions planned anew, from now on."""
    around = [
        each
        for each in await tx.schedules.of_pair(pair.pair_id)
        if isinstance(parse_rule(each.effective_rule), SessionRule)
    ]
    await tx.schedules.plan([replace(each, after=max(at, each.after), next_due=None) for each in around])


async def choice_about(tx: Tx, pair: Pair, prompt_id: str, goal_id: str | None) -> Choice | None:
    """Return what the client has decided about a prompt, None for nothing. Raises PairError where it is refused."""
    goal = next((each for each in await tx.pairs.goals(pair.pair_id) if each.goal_id == goal_id), None)
    choice = (await tx.choices.of_pair(pair.pair_id)).get(choice_name(prompt_id, goal))
    if choice is not None and choice.refused:
        raise PairError(f"The client has stopped {prompt_id} for good; only the client can bring it back.")
    return choice


async def _agreed(tx: Tx, pair: Pair, schedule: Schedule, rule: Rule, at: datetime) -> str | None:
    """Return the rule that a new schedule follows because the client wanted the prompt less often; None: its own."""
    choice = await choice_about(tx, pair, schedule.prompt_id, schedule.goal_id)
    if choice is None or choice.at_most is None:
        return None
    own = within(rule, parse_rule(choice.at_most), local=at.astimezone(zone_of(pair, schedule)))
    return None if own == rule else own.text


async def _counts_from(tx: Tx, pair: Pair, schedule: Schedule, at: datetime) -> datetime:
    """From when a changed rule counts: from tomorrow where the prompt has come today already."""
    zone = zone_of(pair, schedule)
    today = at.astimezone(zone).date()
    newest = await tx.deliveries.of_schedule(schedule.schedule_id, RESULTS)
    came = any(each.state is not DeliveryState.SKIPPED and each.due.astimezone(zone).date() == today for each in newest)
    if not came:
        return max(at, schedule.after)
    tomorrow = instant(datetime.combine(today + timedelta(days=1), time()), zone)
    return max(at, schedule.after, tomorrow - _TICK)


async def _goal_id(tx: Tx, pair: Pair, prompt: Prompt, number: str | None) -> str | None:
    goals = await tx.pairs.goals(pair.pair_id)
    if number is None:
        if prompt.of_goal and not goals:
            raise PairError(f"{prompt.id} asks about a goal, and this pair has none yet: `interlude goal add`.")
        return None
    if not prompt.of_goal:
        raise PairError(f"{prompt.id} asks about no goal; leave --goal out.")
    found = next((goal for goal in goals if number in (str(goal.number), goal.goal_id)), None)
    if found is None:
        raise PairError(f"This pair has no goal {number}; `interlude goal list --pair {pair.number}` names them.")
    return found.goal_id


def _refuse_same(other: Schedule, prompt: Prompt, rule: Rule, timezone: str | None, goal_id: str | None) -> None:
    if other.prompt_id != prompt.id:
        return
    if prompt.of_goal and (goal_id is None or other.goal_id in (None, goal_id)):
        raise ScheduleError(
            f"Schedule {other.number} asks about this goal already ({other.rule}); remove that one first."
        )
    if other.rule == rule.text and other.timezone == timezone and other.goal_id == goal_id:
        raise ScheduleError(f"Schedule {other.number} is the same: {prompt.id}, {other.rule}.")


def _check_zone(zone: str) -> None:
    if zone not in available_timezones():
        raise ScheduleError(f"There is no time zone {zone!r}; write one such as Europe/Berlin.")
