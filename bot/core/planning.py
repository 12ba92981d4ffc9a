"""What is decided about one schedule at one instant, and when it is looked at next (DESIGN 8).

Rules:
- Of what has come due since it was last decided at most the newest can be sent; the rest is on record as skipped.
- A reason of people (ended, paused, ...) skips at once. Then the grace counts, then the daily cap, then quiet hours,
  which bind a wall time that a person chose only when it would be late.
- While the client is in the middle of another conversation, what would be sent waits; that is no lateness.
- Nothing is fixed more than 48 hours ahead.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from bot.core.coming import Drawn, coming, draws_ahead
from bot.core.durations import parse_duration
from bot.core.lateness import LATE_AFTER, Send, Skip, SkipReason, verdict
from bot.core.occurrences import Occurrence
from bot.core.pairs import blockers
from bot.core.people import Draw, Pair, Schedule
from bot.core.prompts import DEFAULT_EXPIRES, default_grace
from bot.core.quiet import is_quiet
from bot.core.schedules import Rule, parse_rule
from bot.core.sessions import SessionSeries

HORIZON: Final = timedelta(hours=48)
LOOK_AGAIN: Final = timedelta(minutes=1)  # while another conversation is let finish
REMINDER: Final = timedelta(hours=3)  # where the schedule names none
REMINDER_GRACE: Final = timedelta(hours=1)
NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)  # when a schedule is due next that is over
UNANSWERED: Final = 3  # in a row, before the client is asked whether the prompt still fits
ASK_FIT_EVERY: Final = timedelta(days=14)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Everything that a decision about one schedule goes by."""

    schedule: Schedule
    pair: Pair
    grace: timedelta | None  # the prompt's own
    expires: timedelta | None  # the prompt's own
    drawn: Mapping[date, Drawn] = field(default_factory=dict)
    sessions: Sequence[SessionSeries] = ()
    busy_until: datetime | None = None  # so long the client is let finish another conversation
    posted: Collection[datetime] = ()  # when the pair's first posts of these days were due, across schedules

    @property
    def zone(self) -> ZoneInfo:
        """The zone that the schedule follows."""
        return ZoneInfo(self.schedule.timezone or self.pair.timezone)

    @property
    def home(self) -> ZoneInfo:
        """The zone that the client lives by: days and quiet hours are the client's, whatever the schedule follows."""
        return ZoneInfo(self.pair.timezone)

    @property
    def rule(self) -> Rule:
        """The rule that counts."""
        return parse_rule(self.schedule.effective_rule)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What becomes of one occurrence."""

    occurrence: Occurrence
    skip: SkipReason | None  # None: it is posted
    not_after: datetime  # what could not be sent by then is dropped
    expires_at: datetime
    remind_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is decided about a schedule."""

    schedule: Schedule  # as it is to be stored
    outcomes: tuple[Outcome, ...] = ()
    draws: tuple[Draw, ...] = ()


def plan(case: Case, *, at: datetime) -> Plan:
    """Decide about everything that has come due by `at`, and say when the schedule is looked at next."""
    # What is decided stays decided when the clock goes back, or when a change is to count from tomorrow on.
    schedule = replace(case.schedule, after=max(at, case.schedule.after), waited_until=None)
    if schedule.refused:
        return Plan(schedule=replace(schedule, next_due=NEVER))
    reached: list[Occurrence] = []
    following: Occurrence | None = None
    for occurrence in _coming(case, after=case.schedule.after):
        if occurrence.due > at:
            following = occurrence
            break
        reached.append(occurrence)
    outcomes = tuple(
        _outcome(case, each, after, newest=after is following, at=at)
        for each, after in pairwise([*reached, following])
        if each is not None
    )
    if outcomes and outcomes[-1].skip is None and case.busy_until is not None and at < case.busy_until:
        waiting = replace(
            schedule,
            after=reached[-2].due if len(reached) > 1 else case.schedule.after,
            next_due=min(case.busy_until, at + LOOK_AGAIN),
            waited_until=at,
        )
        return Plan(schedule=waiting, outcomes=outcomes[:-1])
    if any(outcome.skip is SkipReason.ENDED for outcome in outcomes):  # said once; nothing comes after it
        following = None
    return Plan(
        schedule=replace(schedule, next_due=_looked_at(following, at)),
        outcomes=outcomes,
        draws=draws_ahead(case.rule, schedule, case.pair, case.zone, case.drawn, at=at),
    )


def upcoming(case: Case, *, at: datetime, count: int) -> tuple[Occurrence, ...]:
    """Return the next occurrences of a schedule, as far as nothing changes before they come."""
    if case.schedule.refused:
        return ()
    found = _coming(case, after=max(at, case.schedule.after))
    return tuple(occurrence for occurrence, _ in zip(found, range(count), strict=False))


def reminds(pair: Pair, *, due: datetime, expires_at: datetime, at: datetime) -> bool:
    """Tell whether a reminder is posted now: it never comes much later than due, in quiet hours or while paused."""
    in_time = at - due < REMINDER_GRACE and at < expires_at
    return in_time and not blockers(pair.standing) and not is_quiet(pair.quiet_hours, at, ZoneInfo(pair.timezone))


def parse_reminder(text: str) -> timedelta:
    """Read after how long the client is reminded: "2h"; "none" is no time at all. Raises ScheduleError."""
    return timedelta() if text.strip().lower() == "none" else parse_duration(text)


def asks_fit(schedule: Schedule, unanswered: int, *, at: datetime) -> bool:
    """Tell whether the client is asked if a prompt still fits: after three in a row, at most once in 14 days.

    `unanswered` counts the occurrences that were posted since the last answered one.
    """
    if schedule.refused or unanswered < UNANSWERED:
        return False
    return schedule.asked_fit_at is None or at - schedule.asked_fit_at >= ASK_FIT_EVERY


def _coming(case: Case, *, after: datetime) -> Iterator[Occurrence]:
    return coming(
        case.rule,
        case.zone,
        after=after,
        seed=case.schedule.schedule_id,
        quiet=case.pair.quiet_hours,
        drawn=case.drawn,
        sessions=case.sessions,
    )


def _outcome(
    case: Case, occurrence: Occurrence, following: Occurrence | None, *, newest: bool, at: datetime
) -> Outcome:
    grace = case.grace or default_grace(weekly=case.rule.weekly)
    waited = case.schedule.waited_until if newest else None
    counts_from = min(max(occurrence.due, waited), at) if waited else occurrence.due
    skip = _skip(case, occurrence, counts_from=counts_from, grace=grace, newest=newest, at=at)
    expires = _expires(case, occurrence, following)
    until = min(expires, following.due) if following else expires
    return Outcome(
        occurrence=occurrence,
        skip=skip,
        not_after=counts_from + grace,
        expires_at=expires,
        remind_at=None if skip else _remind_at(case, until=until, at=at),
    )


def _remind_at(case: Case, *, until: datetime, at: datetime) -> datetime | None:
    """None where the schedule wants no reminder, at night, and when the next prompt is there by then."""
    reminder = REMINDER if case.schedule.reminder is None else case.schedule.reminder
    remind_at = at + reminder
    night = is_quiet(case.pair.quiet_hours, remind_at, case.home)
    return remind_at if reminder and remind_at < until and not night else None


def _skip(
    case: Case, occurrence: Occurrence, *, counts_from: datetime, grace: timedelta, newest: bool, at: datetime
) -> SkipReason | None:
    standing, pair = case.pair.standing, case.pair
    if pair.paused_until is not None and occurrence.due >= pair.paused_until:
        standing = replace(standing, paused=False)
    decided = verdict(counts_from, at, grace=grace, newest=newest, blockers=blockers(standing))
    if not isinstance(decided, Send):
        # What could be held without the pair having a room any more will never pass.
        return decided.reason if isinstance(decided, Skip) else decided.reason or SkipReason.LATE
    today = occurrence.due.astimezone(case.home).date()
    if sum(each.astimezone(case.home).date() == today for each in case.posted) >= pair.cap:
        return SkipReason.CAP
    late = at - occurrence.due >= LATE_AFTER
    if (late or not case.rule.wall_time) and is_quiet(pair.quiet_hours, at, case.home):
        return SkipReason.QUIET
    return None


def _expires(case: Case, occurrence: Occurrence, following: Occurrence | None) -> datetime:
    """Until the next one is due, unless the prompt says otherwise."""
    if case.expires is not None:
        return occurrence.due + case.expires
    return following.due if following is not None else occurrence.due + DEFAULT_EXPIRES


def _looked_at(following: Occurrence | None, at: datetime) -> datetime:
    """When it is due, or else when it comes within the horizon."""
    if following is None:
        return NEVER
    return following.due if following.due - at <= HORIZON else following.due - HORIZON
