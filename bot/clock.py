"""The clocks: the machine's, and a simulated one for schedules (DESIGN 8, CRYPTO 33)."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.errors import ConfigurationError

FASTEST = 100_000
_SIMULATION = re.compile(r"(?P<start>\S+)@(?P<speed>\d+(?:\.\d+)?)")


def _machine() -> datetime:
    return datetime.now(UTC)


class SystemClock:
    """The machine's clock; its `real` never goes back, also across restarts.

    `high_water` is the latest instant that an earlier process stored. While the machine's clock is behind it, `real`
    moves on at half speed, so that timers keep running and the machine's clock catches up.
    """

    def __init__(
        self,
        *,
        high_water: datetime | None = None,
        machine: Callable[[], datetime] = _machine,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._machine = machine
        self._monotonic = monotonic
        self._looked = monotonic()
        self._high = high_water or machine()

    def now(self) -> datetime:
        """Return the machine's time: what schedules go by."""
        return self._machine()

    def real(self) -> datetime:
        """Return a time that never goes back: what keys, retries and leases go by."""
        looked = self._monotonic()
        slow = self._high + timedelta(seconds=(looked - self._looked) / 2)
        self._looked = looked
        self._high = max(slow, self._machine())
        return self._high

    @property
    def behind(self) -> timedelta:
        """How far the machine's clock is behind `real`."""
        return self.real() - self._machine()

    def until(self, at: datetime) -> timedelta:
        """Return the real time that passes until `now` is `at`; negative when it has passed."""
        return at - self.now()


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """Where simulated time starts, and how many times as fast as real time it runs."""

    start: datetime
    speed: float
    began: datetime | None = None  # the real instant of `start`; None before the run

    def at(self, real: datetime) -> datetime:
        """Return the simulated time at a real instant."""
        return self.start + (real - (self.began or real)) * self.speed

    def __str__(self) -> str:
        """Return the form that `parse_simulation` reads: `START@SPEED`, after a run began also `@BEGAN`."""
        text = f"{self.start.isoformat()}@{self.speed:g}"
        return f"{text}@{self.began.isoformat()}" if self.began else text


class SimulatedClock:
    """A clock whose `now` starts at an instant and runs faster; `real` stays the machine's."""

    def __init__(
        self, simulation: Simulation, *, system: SystemClock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._simulation = simulation
        self._system = system
        self._monotonic = monotonic
        self._began = monotonic()

    def now(self) -> datetime:
        """Return the simulated time."""
        return self._simulation.start + timedelta(seconds=(self._monotonic() - self._began) * self._simulation.speed)

    def real(self) -> datetime:
        """Return the real time, which never goes back."""
        return self._system.real()

    @property
    def behind(self) -> timedelta:
        """How far the machine's clock is behind `real`."""
        return self._system.behind

    def until(self, at: datetime) -> timedelta:
        """Return the real time that passes until `now` is `at`; negative when it has passed."""
        return (at - self.now()) / self._simulation.speed


def parse_simulate(text: str) -> Simulation:
    """Read `START@SPEED`, for example `2026-11-23T07:00:00+01:00@600`.

    Raises ConfigurationError when the start has no zone, or the speed is not above 0.
    """
    example = "write for example 2026-11-23T07:00:00+01:00@600"
    match = _SIMULATION.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"{text!r} is no START@SPEED; {example}.")
    try:
        start = datetime.fromisoformat(match["start"])
    except ValueError:
        raise ConfigurationError(f"{match['start']!r} is no date and time; {example}.") from None
    if start.tzinfo is None:
        raise ConfigurationError(f"{match['start']!r} has no offset from UTC; {example}.")
    speed = float(match["speed"])
    if not 0 < speed <= FASTEST:
        raise ConfigurationError(f"The speed {match['speed']} is not between 0 and {FASTEST}; {example}.")
    return Simulation(start=start.astimezone(UTC), speed=speed)


def running_simulation(text: str) -> Simulation:
    """Read a simulation that a running bot has noted: `str()` of one that has begun."""
    plan, _, began = text.rpartition("@")
    parsed = parse_simulate(plan)
    return Simulation(start=parsed.start, speed=parsed.speed, began=datetime.fromisoformat(began))
