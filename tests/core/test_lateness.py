"""Late, held, skipped: what becomes of an occurrence."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.lateness import PASSING, Hold, Send, Skip, SkipReason, Verdict, verdict, verdicts

DUE = datetime(2026, 11, 23, 20, tzinfo=UTC)
GRACE = timedelta(hours=2)
DECISIONS = sorted(set(SkipReason) - PASSING - {SkipReason.LATE})


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-1, Hold(until=DUE, reason=None)),
        (0, Send(late=False)),
        (1, Send(late=True)),
        (119, Send(late=True)),
        (120, Skip(reason=SkipReason.LATE)),
        (60 * 24 * 30, Skip(reason=SkipReason.LATE)),
    ],
)
def test_late_is_sent_within_the_grace_only(minutes: int, expected: Verdict) -> None:
    """An occurrence is never sent early, sent late by less than its grace, and skipped after it."""
    assert verdict(DUE, DUE + timedelta(minutes=minutes), grace=GRACE) == expected


@pytest.mark.parametrize("reason", DECISIONS)
def test_a_decision_skips_at_once(reason: SkipReason) -> None:
    """What a person decided skips the occurrence when it is due, and the skip says why."""
    assert verdict(DUE, DUE, grace=GRACE, blockers={reason}) == Skip(reason=reason)


@pytest.mark.parametrize("reason", sorted(PASSING))
def test_what_may_pass_holds_within_the_grace(reason: SkipReason) -> None:
    """Without a device that may read the prompt waits; after its grace the record says what it waited for."""
    assert verdict(DUE, DUE, grace=GRACE, blockers={reason}) == Hold(until=DUE + GRACE, reason=reason)
    assert verdict(DUE, DUE + GRACE, grace=GRACE, blockers={reason}) == Skip(reason=reason)


def test_the_decision_stands_before_what_may_pass() -> None:
    """Ended counts before paused, and paused before a missing device."""
    everything = set(SkipReason)
    assert verdict(DUE, DUE, grace=GRACE, blockers=everything) == Skip(reason=SkipReason.ENDED)
    both = {SkipReason.TRUST, SkipReason.PAUSED}
    assert verdict(DUE, DUE, grace=GRACE, blockers=both) == Skip(reason=SkipReason.PAUSED)


def test_of_several_missed_only_the_newest_is_sent() -> None:
    """Older occurrences are late even within their grace; a future one waits."""
    dues = [DUE, DUE + timedelta(minutes=30), DUE + timedelta(minutes=60), DUE + timedelta(minutes=90)]
    late = Skip(reason=SkipReason.LATE)
    assert verdicts(dues, DUE + timedelta(minutes=61), grace=GRACE) == (
        late,
        late,
        Send(late=True),
        Hold(until=dues[3], reason=None),
    )


def test_nothing_is_due_yet() -> None:
    """With nothing due, nothing is decided."""
    assert verdicts([], DUE, grace=GRACE) == ()
    assert verdicts([DUE], DUE - GRACE, grace=GRACE) == (Hold(until=DUE, reason=None),)


@given(
    st.sets(st.integers(-3000, 3000), max_size=12),
    st.integers(1, 1500),
    st.sets(st.sampled_from(SkipReason)),
)
def test_never_a_backlog(offsets: set[int], grace: int, blockers: set[SkipReason]) -> None:
    """Whatever was missed, at most one occurrence is sent or waits for a reason, and it is the newest due one."""
    dues = [DUE + timedelta(minutes=offset) for offset in sorted(offsets)]
    decided = verdicts(dues, DUE, grace=timedelta(minutes=grace), blockers=blockers)
    open_ones = [due for due, one in zip(dues, decided, strict=True) if not isinstance(one, Skip) and due <= DUE]
    assert open_ones in ([], [max((due for due in dues if due <= DUE), default=None)])
