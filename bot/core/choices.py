"""What a client has decided about a prompt, for good: the therapist cannot lift it by planning the prompt anew."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from bot.core.goals import Goal
from bot.core.recurrence import walls
from bot.core.rule_changes import thinned
from bot.core.schedules import Rule, SessionRule, WindowRule
from bot.errors import ScheduleError

GOAL_PROMPT: Final = "goal-checkin"  # the prompt that asks about a goal
_SINCE: Final = date(2024, 1, 1)  # a Monday
_WEEKS: Final = 104  # over which "how often" is counted


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A client's decision about one prompt."""

    pair_id: str
    prompt_id: str  # of a check-in with its goal: `goal-checkin#walk`
    refused: bool = False  # it never comes
    at_most: str | None = None  # a rule: it comes no more often than this one
    changed_at: datetime


def choice_name(prompt_id: str, goal: Goal | None = None) -> str:
    """Return the name by which decisions about a prompt are kept: of the check-in about a goal the goal's title too."""
    return prompt_id if goal is None else f"{GOAL_PROMPT}#{goal.title.casefold()}"


def within(rule: Rule, limit: Rule, *, local: datetime) -> Rule:
    """Return the rule, thinned out until it comes no more often than `limit`, as far as it can be.

    `local` is the wall time now, where counting begins.
    """
    while how_often(rule) > how_often(limit):
        try:
            rule = thinned(rule, local=local)
        except ScheduleError:  # nothing is left to leave out
            break
    return rule


def how_often(rule: Rule) -> float:
    """Return how many times a week a rule comes while it lasts; one around sessions counts as once."""
    if isinstance(rule, SessionRule):
        return 1.0
    if isinstance(rule, WindowRule):
        return float(rule.times * len(rule.days))
    since = rule.start.date() if rule.start else _SINCE
    endless = replace(rule, until=None, count=None)
    return sum(1 for _ in walls(endless, since, last=since + timedelta(weeks=_WEEKS, days=-1))) / _WEEKS
