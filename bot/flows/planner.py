"""Schedules that are due, each with everything that its decision goes by, gathered with a few reads for all of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from bot.core.deliveries import FirstPost
from bot.core.pack import Pack
from bot.core.people import Pair, Schedule
from bot.core.planning import NEVER, Case, Plan, plan, upcoming
from bot.core.prompts import Prompt
from bot.core.schedules import SessionRule, WindowRule, parse_rule
from bot.errors import ScheduleError
from bot.ports import Tx

log = structlog.get_logger()

DAYS_BACK = timedelta(days=2)  # of draws and first posts: a local day in any zone, and the one before
BROKEN_AGAIN = timedelta(hours=1)  # until a schedule that cannot be read is looked at again


class Busy(Protocol):
    """Tells who is in the middle of a conversation."""

    async def __call__(self, tx: Tx, pair_ids: Iterable[str], *, at: datetime) -> Mapping[str, datetime]:
        """Return until when the clients of these pairs are let finish it; others are missing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A schedule with its pair and prompt, and what was decided about it."""

    pair: Pair
    prompt: Prompt | None  # None: the packs have no such prompt any more
    plan: Plan


class Planner:
    """Decides about schedules through `core.planning`."""

    def __init__(self, *, pack_of: Callable[[Pair], Pack], busy: Busy) -> None:
        self._pack_of = pack_of
        self._busy = busy

    async def decide(self, tx: Tx, schedules: Sequence[Schedule], *, at: datetime) -> tuple[list[Planned], list[Plan]]:
        """Decide about schedules that are due: those with a pair, in the order of posting, and the rest."""
        cases: dict[str, list[Case]] = {}
        over: list[Plan] = []
        for case in await self._cases(tx, schedules, over, at=at):
            cases.setdefault(case.pair.pair_id, []).append(case)
        found: list[Planned] = []
        for group in cases.values():
            for case, decided in _one_after_another(group, over, at=at):
                found.append(Planned(pair=case.pair, prompt=self._prompt(case.pair, case.schedule), plan=decided))
        return found, over

    async def case_of(self, tx: Tx, pair: Pair, schedule: Schedule, *, at: datetime) -> Case:
        """Gather what one schedule goes by. Raises ScheduleError when its rule cannot be read."""
        over: list[Plan] = []
        found = await self._cases(tx, [schedule], over, at=at)
        if not found:
            raise ScheduleError(f"The rule of schedule {schedule.number} cannot be read: {schedule.effective_rule!r}.")
        return replace(found[0], pair=pair)

    async def coming(self, tx: Tx, pair: Pair, schedule: Schedule, *, at: datetime, count: int) -> tuple[datetime, ...]:
        """Return when a schedule comes next, as far as nothing changes, on the wall clock of its zone."""
        case = await self.case_of(tx, pair, schedule, at=at)
        return tuple(each.local for each in upcoming(case, at=at, count=count))

    async def _cases(self, tx: Tx, schedules: Sequence[Schedule], over: list[Plan], *, at: datetime) -> list[Case]:
        """The cases of schedules; those without a pair or with a rule that cannot be read go to `over`."""
        pairs = await tx.pairs.some({each.pair_id for each in schedules})
        readable: list[Schedule] = []
        for schedule in schedules:
            if schedule.pair_id not in pairs:
                over.append(Plan(schedule=replace(schedule, after=at, next_due=NEVER)))
            elif not _readable(schedule, pairs[schedule.pair_id]):
                over.append(Plan(schedule=replace(schedule, next_due=at + BROKEN_AGAIN)))
            else:
                readable.append(schedule)
        windows = _with_rule(readable, WindowRule)
        drawn = await tx.schedules.draws((each.schedule_id for each in windows), since=(at - DAYS_BACK).date())
        booked = await tx.sessions.of_pairs(each.pair_id for each in _with_rule(readable, SessionRule))
        posts = _by_pair(await tx.deliveries.first_posts(pairs, since=at - DAYS_BACK))
        busy = await self._busy(tx, pairs.keys(), at=at)
        cases = []
        for schedule in readable:
            pair = pairs[schedule.pair_id]
            prompt = self._prompt(pair, schedule)
            cases.append(
                Case(
                    schedule=schedule,
                    pair=pair,
                    grace=prompt.grace if prompt else None,
                    expires=prompt.expires if prompt else None,
                    drawn=drawn.get(schedule.schedule_id, {}),
                    sessions=[each.series for each in booked.get(pair.pair_id, ())],
                    busy_until=busy.get(pair.pair_id),
                    posted=posts.get(pair.pair_id, ()),
                )
            )
        return cases

    def _prompt(self, pair: Pair, schedule: Schedule) -> Prompt | None:
        return self._pack_of(pair).prompts.get(schedule.prompt_id)


async def nobody_busy(tx: Tx, pair_ids: Iterable[str], *, at: datetime) -> Mapping[str, datetime]:  # noqa: ARG001
    """Say that nobody is in the middle of a conversation."""
    return {}


def _one_after_another(group: Sequence[Case], over: list[Plan], *, at: datetime) -> list[tuple[Case, Plan]]:
    """Decide about the schedules of one pair in the order of what they post: each counts towards the next one's cap."""
    first = [(case, decided) for case in group if (decided := _guarded(case, over, at=at)) is not None]
    if len(first) < 2:
        return first
    first.sort(key=lambda each: (_posts(each[1]) or at, each[0].schedule.number))
    posted, found = list(first[0][0].posted), []
    for case, _ in first:
        decided = plan(replace(case, posted=posted), at=at)
        posted += [due] if (due := _posts(decided)) is not None else []
        found.append((case, decided))
    return found


def _guarded(case: Case, over: list[Plan], *, at: datetime) -> Plan | None:
    """One schedule that fails must not keep the others from being planned."""
    try:
        return plan(case, at=at)
    except Exception:
        log.exception("schedule.failed", schedule=case.schedule.schedule_id)
        over.append(Plan(schedule=replace(case.schedule, next_due=at + BROKEN_AGAIN)))
        return None


def _posts(decided: Plan) -> datetime | None:
    """When what is to be posted was due."""
    return next((each.occurrence.due for each in decided.outcomes if each.skip is None), None)


def _readable(schedule: Schedule, pair: Pair) -> bool:
    try:
        parse_rule(schedule.effective_rule)
        ZoneInfo(schedule.timezone or pair.timezone)
    except (ScheduleError, KeyError, ValueError, OSError):  # no such zone: KeyError; its file is damaged: ValueError
        log.exception("schedule.unreadable", schedule=schedule.schedule_id)
        return False
    return True


def _with_rule(schedules: Iterable[Schedule], kind: type[object]) -> list[Schedule]:
    return [each for each in schedules if isinstance(parse_rule(each.effective_rule), kind)]


def _by_pair(posts: Iterable[FirstPost]) -> Mapping[str, list[datetime]]:
    found: dict[str, list[datetime]] = {}
    for post in posts:
        found.setdefault(post.pair_id, []).append(post.due)
    return found
