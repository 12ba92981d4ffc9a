"""The answer to `progress`."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.goals import Goal
from bot.core.progress import Point, answered_days, progress_text
from tests.core.english import wording

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


def goal(number: int, title: str) -> Goal:
    """A goal on a scale from 0 to 10."""
    return Goal(
        goal_id=f"g{number}", number=number, title=title, low=0, high=10, rhythm="fri 18:00", revision=1, since=NOW
    )


def text(points: list[Point], *, goals: list[Goal] | None = None) -> str:
    """Progress of the first goal with these check-ins, each of them an answer."""
    return progress_text(
        goals or [goal(1, "Walk")],
        {"g1": points},
        [point.at for point in points],
        wording=wording(),
        zone=BERLIN,
        at=NOW,
    )


def test_shows_the_last_five_newest_first_on_local_days() -> None:
    """Values carry the local date: 23:30 UTC is the next day in Berlin."""
    points = [Point(at=NOW - timedelta(days=day), value=day) for day in range(1, 8)]
    points.append(Point(at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC), value=10))
    lines = text(points).splitlines()
    assert lines[1] == (
        "1. Walk (0 to 10): 10 on Mon 23 Nov, 1 on Sun 22 Nov, 2 on Sat 21 Nov, 3 on Fri 20 Nov, 4 on Thu 19 Nov"
    )
    assert lines[2] == "Answers on 8 of the last 14 days."


def test_counts_days_not_answers() -> None:
    """Two answers on one local day count once; the fifteenth day back does not count."""
    assert answered_days([NOW, NOW - timedelta(hours=1)], zone=BERLIN, at=NOW) == 1
    assert answered_days([NOW - timedelta(days=13)], zone=BERLIN, at=NOW) == 1
    assert answered_days([NOW - timedelta(days=14), NOW + timedelta(days=1)], zone=BERLIN, at=NOW) == 0


def test_says_kindly_that_there_is_nothing_yet() -> None:
    """Without any answer there is one friendly sentence."""
    assert text([]) == wording().progress_none


def test_a_goal_without_check_ins_and_media_without_a_number() -> None:
    """Both have words of their own; braces in a title stay as they are."""
    lines = text([Point(at=NOW, value=None)], goals=[goal(1, "Walk {x}"), goal(2, "Call a friend")]).splitlines()
    assert lines[1] == "1. Walk {x} (0 to 10): a message without a number on Mon 23 Nov"
    assert lines[2] == "2. Call a friend (0 to 10): no check-in yet"
