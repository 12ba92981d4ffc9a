"""Whether an occurrence is sent, held or skipped, and why.

Never a backlog: of several missed occurrences of one schedule only the newest can still be sent. A person's decision
(paused, ended, ...) skips at once; what may pass by itself (trust, drift, a refusal) holds the prompt within its grace.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class SkipReason(StrEnum):
    """Why an occurrence was not sent (DESIGN 8)."""

    ENDED = "ended"
    CONSENT = "consent"
    NOT_JOINED = "not_joined"
    PAUSED = "paused"
    CAP = "cap"
    QUIET = "quiet"
    DRIFT = "drift"  # a third person is in the room, or its settings were changed
    TRUST = "trust"  # the person has no device that may read
    REFUSED = "refused"  # the homeserver refuses the room
    LATE = "late"


LATE_AFTER = timedelta(minutes=1)

# A prompt that waits for one of these is sent when it passes within the grace (DESIGN 2.1).
PASSING = frozenset({SkipReason.DRIFT, SkipReason.TRUST, SkipReason.REFUSED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Send:
    """Send it now."""

    late: bool  # a minute or more after it was due


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Look again when the reason passes, at the latest at `until`."""

    until: datetime
    reason: SkipReason | None  # None: it is not due yet


@dataclass(frozen=True, kw_only=True, slots=True)
class Skip:
    """Never send it; the reason is recorded."""

    reason: SkipReason


Verdict = Send | Hold | Skip


def verdict(
    due: datetime, at: datetime, *, grace: timedelta, newest: bool = True, blockers: Collection[SkipReason] = ()
) -> Verdict:
    """Decide about one occurrence.

    `blockers` are the reasons that apply at `at`: the first in SkipReason's order is the one that counts. `newest` is
    False when a later occurrence of the same schedule is due as well.
    """
    if at < due:
        return Hold(until=due, reason=None)
    reason = next((reason for reason in SkipReason if reason in blockers), None)
    if reason is not None and reason not in PASSING:
        return Skip(reason=reason)
    if not newest or at - due >= grace:
        return Skip(reason=reason or SkipReason.LATE)
    if reason is not None:
        return Hold(until=due + grace, reason=reason)
    return Send(late=at - due >= LATE_AFTER)


def verdicts(
    dues: Sequence[datetime], at: datetime, *, grace: timedelta, blockers: Collection[SkipReason] = ()
) -> tuple[Verdict, ...]:
    """Decide about all open occurrences of one schedule, in the order given: at most one of them is sent or held."""
    newest = max((due for due in dues if due <= at), default=None)
    return tuple(verdict(due, at, grace=grace, newest=due == newest, blockers=blockers) for due in dues)
