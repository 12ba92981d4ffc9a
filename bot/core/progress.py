"""How things are going, in words: the last check-ins of each goal, and on how many days there was an answer.

Counted, not judged: no streaks, no colours, no comparison.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from bot.core.goals import Goal
from bot.core.template import say
from bot.core.wording import Wording

LAST = 5
DAYS = 14


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One check-in that stands."""

    at: datetime  # when it was first answered
    value: int | None  # None: media alone


def progress_text(
    goals: Sequence[Goal],
    checkins: Mapping[str, Sequence[Point]],
    answered: Sequence[datetime],
    *,
    wording: Wording,
    zone: tzinfo,
    at: datetime,
) -> str:
    """Return the answer to `progress`: per goal the last five check-ins, newest first, with local dates.

    `checkins` holds those of each goal by its id; `answered` when anything was recorded, in any order.
    """
    if not answered and not any(checkins.values()):
        return wording.progress_none
    lines = [wording.progress_header]
    lines += [_goal_line(goal, checkins.get(goal.goal_id, ()), wording, zone) for goal in goals]
    days = answered_days(answered, zone=zone, at=at)
    lines.append(say(wording.progress_days, answered=days, days=DAYS))
    return "\n".join(lines)


def answered_days(answered: Sequence[datetime], *, zone: tzinfo, at: datetime) -> int:
    """Return on how many of the last 14 local days, today included, something was recorded."""
    today = at.astimezone(zone).date()
    days = {instant.astimezone(zone).date() for instant in answered}
    return sum(today - timedelta(days=DAYS) < day <= today for day in days)


def local_day(instant: datetime, wording: Wording, zone: tzinfo) -> str:
    """Return a local date as the language writes it."""
    day = instant.astimezone(zone).date()
    calendar = wording.calendar
    return say(
        calendar.day, weekday=calendar.weekdays[day.weekday()], day=day.day, month=calendar.months[day.month - 1]
    )


def _goal_line(goal: Goal, points: Sequence[Point], wording: Wording, zone: tzinfo) -> str:
    about = {"number": goal.number, "goal": goal.title, "low": goal.low, "high": goal.high}
    last = sorted(points, key=lambda point: point.at, reverse=True)[:LAST]
    if not last:
        return say(wording.progress_goal_none, **about)
    values = [_point(point, wording, zone) for point in last]
    return say(wording.progress_goal, **about, values=", ".join(values))


def _point(point: Point, wording: Wording, zone: tzinfo) -> str:
    day = local_day(point.at, wording, zone)
    if point.value is None:
        return say(wording.progress_media, day=day)
    return say(wording.progress_value, value=point.value, day=day)
