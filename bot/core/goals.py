"""A goal that a client and a therapist have agreed on, and its scale."""

import re
from dataclasses import dataclass
from datetime import datetime

from bot.errors import GoalError

SCALE = re.compile(r"\s*(?P<low>[-−]?\d{1,4})\s*(?:-|–|—|\.\.|to)\s*(?P<high>[-−+]?\d{1,4})\s*")
TITLE_LENGTH = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """Whole numbers from `low` to `high`, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        """Return the form that `parse_scale` reads and people understand: `0–10`, `-2 to 2`."""
        return f"{self.low} to {self.high}" if self.low < 0 else f"{self.low}–{self.high}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """One revision of a goal."""

    goal_id: str
    number: int  # stable number in lists, from 1
    title: str
    low: int
    high: int
    rhythm: str  # a schedule rule as text: "fri 18:00"
    revision: int
    since: datetime  # when this revision began to hold

    @property
    def scale(self) -> Scale:
        """The numbers that a check-in may have."""
        return Scale(low=self.low, high=self.high)


def parse_scale(text: str) -> Scale:
    """Read a scale such as `0-10`, `1..5` or `-2 to 2`.

    Raises GoalError when it is none, or its end is not above its start.
    """
    match = SCALE.fullmatch(text)
    if match is None:
        raise GoalError(f"The scale {text!r} cannot be understood; write two whole numbers, for example 0-10.")
    scale = Scale(low=int(match["low"].replace("−", "-")), high=int(match["high"].replace("−", "-")))
    if scale.high <= scale.low:
        raise GoalError(f"The scale {text!r} does not go up; write the smaller number first, for example 0-10.")
    return scale


def parse_title(text: str) -> str:
    """Return a goal's title with its spaces tidied.

    Raises GoalError when it is empty, has more than one line, or more than 60 characters.
    """
    title = " ".join(text.split())
    if not title or not text.strip().isprintable() or len(title) > TITLE_LENGTH:
        raise GoalError(f"A goal's title is one line of 1 to {TITLE_LENGTH} characters, for example: Walk.")
    return title
