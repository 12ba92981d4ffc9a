"""Schedule rules as people write them: by the calendar, at random in a window, around a session."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from functools import lru_cache

from bot.core.recurrence import DAY_ENDS, CalendarRule, settled
from bot.core.rfc_rule import is_rfc_rule, read_rfc_rule
from bot.core.rule_words import EXAMPLE, LONGEST, WEEK, parse_clock, parse_date
from bot.core.session_rules import SessionRule, is_session_rule, read_session_rule
from bot.core.spelling import unified
from bot.core.spoken_rule import read_spoken_rule
from bot.core.windows import WindowRule, is_window_rule, read_window_rule
from bot.errors import ScheduleError

__all__ = ["EXAMPLE", "WEEK", "CalendarRule", "Rule", "SessionRule", "WindowRule", "parse_calendar_rule", "parse_rule"]

Rule = CalendarRule | WindowRule | SessionRule

_CRON = re.compile(r"(?:[\d*,/?-]+ ){4,5}[\w*,/?#-]+( [\w*,/?#-]+)?|@\w+")
# The nearest to the end comes first: what follows a bound's word must not hold another.
_ENDING = re.compile(
    r"(?P<head>.*?)(?:^|[\s,]+)(?:(?P<bound>from|starting|until|till) "
    r"(?P<moment>(?:(?!\b(?:from|starting|until|till|times?)\b).)+)|(?:for )?(?P<count>\d{1,5}) times?)"
)
_BOUNDS = {"from": "from", "starting": "from", "until": "until", "till": "until"}


def parse_rule(text: str, *, local: datetime | None = None) -> Rule:
    """Read a rule; `rule.text` reads back to the same rule.

    `local` is the wall time at which it is written, in the zone that it will follow: a rule that has to count (every 2
    weeks, 10 times) and names no start begins there. A stored rule needs none. Raises ScheduleError, naming what was
    wrong and an example (DESIGN 8: weekdays are named, never numbered).
    """
    return _stored(text) if local is None else _parse(text, local)


def parse_calendar_rule(text: str, *, local: datetime | None = None) -> CalendarRule:
    """Read a rule whose times can be told beforehand. Raises ScheduleError for the others, with what they need."""
    rule = parse_rule(text, local=local)
    if isinstance(rule, WindowRule):
        raise ScheduleError(
            f'"{rule.text}" draws its times anew on each day, so they cannot be told beforehand. '
            "It needs a schedule of a pair: `interlude schedule add`."
        )
    if isinstance(rule, SessionRule):
        raise ScheduleError(
            f'"{rule.text}" hangs on a pair\'s sessions, and there are none here. '
            "It needs a schedule of a pair (`interlude schedule add`) that has sessions (`interlude session add`)."
        )
    return rule


@lru_cache(maxsize=4096)
def _stored(text: str) -> Rule:
    return _parse(text, None)


def _parse(text: str, local: datetime | None) -> Rule:
    if len(text) > LONGEST:
        raise ScheduleError(f"A rule has at most {LONGEST} characters. {EXAMPLE}")
    words = " ".join(unified(text).lower().split())
    if _CRON.fullmatch(words):
        raise ScheduleError(
            f'"{words}" is a cron line; those number the weekdays, each program in its own way. {EXAMPLE}'
        )
    head, bounds = _bounds(words)
    if is_window_rule(head):
        if bounds.count is not None or bounds.timed:
            raise ScheduleError('A window starts and ends with a date, for example "from 2026-12-01 until 2027-03-01".')
        start, until = (moment and moment.date() for moment in (bounds.start, bounds.until))
        return read_window_rule(head, start=start, until=until)
    if is_session_rule(head):
        if bounds != _Bounds():
            raise ScheduleError("A rule around sessions lasts as long as the sessions do; leave its start and end out.")
        return read_session_rule(head)
    if is_rfc_rule(head):
        draft = read_rfc_rule(head, start=bounds.start)
        if bounds.ends and (draft.until, draft.count) != (None, None):
            raise ScheduleError("The end stands there twice: in the RRULE and in words. Leave one of the two out.")
        draft = replace(
            draft, until=draft.until or bounds.until, count=bounds.count if draft.count is None else draft.count
        )
        return settled(draft, local=local, as_spoken=False)
    draft = replace(read_spoken_rule(head), start=bounds.start, until=bounds.until, count=bounds.count)
    return settled(draft, local=local, as_spoken=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bounds:
    """Where a rule starts and ends."""

    start: datetime | None = None  # wall times
    until: datetime | None = None  # or an instant in UTC
    count: int | None = None
    timed: bool = False  # one of the two names a time of day

    @property
    def ends(self) -> bool:
        """Whether there is an end."""
        return self.until is not None or self.count is not None


def _bounds(words: str) -> tuple[str, _Bounds]:
    """Take "from 2026-12-01", "until 2027-03-01" and "10 times" off a rule's end. Raises ScheduleError."""
    head, moments, counts, timed = words.rstrip(" ,"), dict[str, datetime](), list[int](), False
    while ending := _ENDING.fullmatch(head):
        head = ending["head"].rstrip(" ,")
        if ending["count"]:
            counts.append(int(ending["count"]))
            continue
        name = _BOUNDS[ending["bound"]]
        if name in moments:
            raise ScheduleError(f'"{words}" says twice where it starts or ends. Leave one of the two out.')
        moments[name] = _moment(ending["moment"], time() if name == "from" else DAY_ENDS)
        timed = timed or ":" in ending["moment"]
    if len(counts) > 1:
        raise ScheduleError(f'"{words}" says twice how many times it comes. Leave one of the two out.')
    return head, _Bounds(
        start=moments.get("from"), until=moments.get("until"), count=counts[0] if counts else None, timed=timed
    )


def _moment(written: str, whole_day: time) -> datetime:
    day, _, clock = written.strip(" ,").partition(" ")
    zulu = clock.endswith("z") and whole_day == DAY_ENDS
    date = parse_date(day)
    at = parse_clock(clock.removeprefix("at ").removesuffix("z" if zulu else "")) if clock else whole_day
    return datetime.combine(date, at, tzinfo=UTC if zulu else None)
