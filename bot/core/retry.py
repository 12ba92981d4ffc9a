"""When a failed request is tried again."""

from dataclasses import dataclass

FIRST_WAIT = 0.5  # seconds
LONGEST_WAIT = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryDecision:
    """Wait this many seconds before the next try."""

    wait: float


def next_try(attempts: int, *, retry_after: float | None, jitter: float) -> RetryDecision:
    """Decide how long to wait after `attempts` failed tries; `jitter` is a random number in [0, 1) (CRYPTO 31).

    A pause that the homeserver names is kept in full; our own doubles up to a minute.
    """
    wait = min(FIRST_WAIT * 2 ** min(attempts, 10), LONGEST_WAIT) * (0.5 + jitter / 2)
    return RetryDecision(wait=max(wait, retry_after or 0.0))
