"""When a prompt comes, arranged by the two people: planned, moved, thinned out, refused, brought back.

What the client decides about a prompt is kept beside its schedules, so that planning it anew lifts nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time

from bot.core.choices import Choice, choice_name, within
from bot.core.goals import Goal
from bot.core.people import Pair, Schedule
from bot.core.prompts import Prompt
from bot.core.schedules import CalendarRule, Rule, SessionRule, parse_rule
from bot.errors import ScheduleError
from bot.flows.names import named_goal, named_prompt
from bot.flows.schedules import Changed, Schedules, zone_of
from bot.flows.speak import Voice
from bot.ports import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A prompt of a pair, or a goal that the check-in asks about, with its schedules and what the client decided."""

    pair: Pair
    name: str  # by which choices are kept
    prompt: Prompt
    title: str
    goal: Goal | None
    schedules: Sequence[Schedule]
    choice: Choice


class Arranger:
    """Arranges when prompts come."""

    def __init__(self, *, voice: Voice, schedules: Schedules) -> None:
        self._voice = voice
        self._schedules = schedules

    async def subject(self, tx: Tx, pair: Pair, name: str) -> Subject | None:
        """Gather everything about a named prompt or goal; None when there is none of that name for this pair."""
        prompt = self._voice.pack(pair).prompts.get(named_prompt(name))
        if prompt is None:
            return None
        goals = await tx.pairs.goals(pair.pair_id) if prompt.of_goal else ()
        goal = named_goal(name, goals)
        if goal is None and name != prompt.id:
            return None
        choice = (await tx.choices.of_pair(pair.pair_id)).get(name)
        return Subject(
            pair=pair,
            name=name,
            prompt=prompt,
            title=goal.title if goal else prompt.title,
            goal=goal,
            schedules=_about(await tx.schedules.of_pair(pair.pair_id), prompt, goal),
            choice=choice or Choice(pair_id=pair.pair_id, prompt_id=name, changed_at=pair.created_at),
        )

    async def subject_of(self, tx: Tx, pair: Pair, schedule: Schedule) -> Subject | None:
        """Gather everything about what a schedule asks, and of its schedules this one alone."""
        goals = {goal.goal_id: goal for goal in await tx.pairs.goals(pair.pair_id)}
        goal = goals.get(schedule.goal_id or "")
        found = await self.subject(tx, pair, choice_name(schedule.prompt_id, goal))
        return replace(found, schedules=[schedule]) if found else None

    async def plan(self, tx: Tx, subject: Subject, rule: Rule, *, at: datetime) -> Changed:
        """Have a prompt come by a rule in place of all its others; never more often than the client agreed to.

        Raises PairError, ScheduleError.
        """
        pair, goal_id = subject.pair, subject.goal.goal_id if subject.goal else None
        for other in subject.schedules[1:]:
            await self._schedules.remove(tx, other)
        if not subject.schedules:
            return await self._schedules.add(tx, pair, prompt_id=subject.prompt.id, rule=rule.text, goal=goal_id, at=at)
        anew = replace(subject.schedules[0], client_rule=None, timezone=None, goal_id=goal_id)
        changed = await self._schedules.set_rule(tx, pair, anew, rule.text, by_client=False, at=at)
        if subject.choice.at_most is None:
            return changed
        local = at.astimezone(zone_of(pair, changed.schedule))
        own = within(rule, parse_rule(subject.choice.at_most), local=local)
        if own == rule:
            return changed
        return await self._schedules.set_rule(tx, pair, changed.schedule, own.text, by_client=True, at=at)

    async def remove(self, tx: Tx, subject: Subject) -> None:
        """Take a prompt away; what the client decided about it stays."""
        for schedule in subject.schedules:
            await self._schedules.remove(tx, schedule)

    async def move(self, tx: Tx, subject: Subject, clock: time, *, at: datetime) -> Changed | None:
        """Move the schedule that comes nearest to a time of day there; None when none has a single time to move."""
        for schedule in sorted(subject.schedules, key=lambda each: _distance(each, clock)):
            try:
                changed = await self._schedules.move(tx, subject.pair, schedule, clock, by_client=True, at=at)
            except ScheduleError:
                continue
            if subject.choice.at_most is not None:  # how often stays agreed, at the new time
                await self._choose(tx, subject, at, at_most=changed.schedule.effective_rule)
            return changed
        return None

    async def thin_out(self, tx: Tx, subject: Subject, *, at: datetime) -> list[Changed]:
        """Have a prompt come about half as often; what cannot be thinned out stays, and is not returned."""
        thinned: list[Changed] = []
        for schedule in subject.schedules:
            try:
                thinned.append(await self._schedules.thin(tx, subject.pair, schedule, by_client=True, at=at))
            except ScheduleError:
                continue
        if thinned:
            await self._choose(tx, subject, at, at_most=thinned[0].schedule.effective_rule)
        return thinned

    async def refuse(self, tx: Tx, subject: Subject, *, at: datetime) -> None:
        """Have a prompt never come again, whoever plans it."""
        for schedule in subject.schedules:
            await self._schedules.refuse(tx, schedule, at=at)
        await self._choose(tx, subject, at, refused=True, at_most=subject.choice.at_most)

    async def bring_back(self, tx: Tx, subject: Subject, *, at: datetime) -> list[Changed]:
        """Have a prompt come again as the therapist planned it; returns the schedules of it that there are."""
        await self._choose(tx, subject, at)
        return [
            await self._schedules.accept(tx, subject.pair, replace(each, client_rule=None), at=at)
            for each in subject.schedules
        ]

    async def next(self, tx: Tx, pair: Pair, *, at: datetime) -> tuple[str, datetime] | None:
        """Return what comes next of all that is planned, and when, on the wall clock of its zone."""
        found: list[tuple[datetime, str]] = []
        for view in await self._schedules.views(tx, pair, at=at):
            subject = await self.subject_of(tx, pair, view.schedule)
            if view.coming and subject is not None:
                found.append((view.coming[0], subject.title))
        following = min(found, default=None)
        return (following[1], following[0]) if following else None

    async def _choose(
        self, tx: Tx, subject: Subject, at: datetime, *, refused: bool = False, at_most: str | None = None
    ) -> None:
        await tx.choices.save(replace(subject.choice, refused=refused, at_most=at_most, changed_at=at))


def _about(schedules: Sequence[Schedule], prompt: Prompt, goal: Goal | None) -> list[Schedule]:
    """The schedules of a prompt; of a goal its own, or else the one about all goals."""
    mine = [each for each in schedules if each.prompt_id == prompt.id]
    if goal is None:
        return mine
    return [each for each in mine if each.goal_id == goal.goal_id] or [each for each in mine if each.goal_id is None]


def _distance(schedule: Schedule, clock: time) -> int:
    """How far a schedule's time of day is from another, in minutes."""
    rule = parse_rule(schedule.effective_rule)
    clocks: Sequence[time] = ()
    if isinstance(rule, CalendarRule):
        clocks = rule.clocks
    elif isinstance(rule, SessionRule) and rule.clock is not None:
        clocks = (rule.clock,)
    return min((abs(_minutes(each) - _minutes(clock)) for each in clocks), default=24 * 60)


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute
