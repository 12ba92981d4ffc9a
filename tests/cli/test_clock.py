"""Clocks: real time never goes back, simulated time runs at its speed."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import SimulatedClock, Simulation, SystemClock, parse_simulate, running_simulation
from bot.errors import ConfigurationError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Machine:
    """A machine whose clock somebody sets."""

    def __init__(self) -> None:
        self.wall = NOON
        self.ticks = 1000.0

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds

    def clock(self, high_water: datetime | None = None) -> SystemClock:
        """A clock on this machine."""
        return SystemClock(high_water=high_water, machine=lambda: self.wall, monotonic=lambda: self.ticks)


def test_real_time_follows_the_machine() -> None:
    """With a machine whose clock runs on, real time is its time."""
    machine = Machine()
    clock = machine.clock()
    machine.pass_by(10)
    assert clock.real() == clock.now() == NOON + 10 * SECOND
    assert clock.behind == timedelta(0)


def test_real_time_never_goes_back() -> None:
    """A machine's clock that is set back moves schedules, not real time, which goes on more slowly."""
    machine = Machine()
    clock = machine.clock()
    clock.real()
    machine.wall -= timedelta(hours=1)
    before = clock.real()
    machine.pass_by(10)
    assert before == NOON
    assert clock.real() == NOON + 5 * SECOND
    assert clock.now() == NOON - timedelta(hours=1) + 10 * SECOND
    assert clock.behind > timedelta(minutes=59)


def test_the_machine_catches_up() -> None:
    """While it is behind, real time runs at half speed, so that it is the machine's time again after a while."""
    machine = Machine()
    clock = machine.clock(high_water=NOON + timedelta(hours=1))
    for _ in range(120):
        machine.pass_by(60)
        clock.real()
    assert clock.behind == timedelta(0)
    assert clock.real() == NOON + timedelta(hours=2)


def test_what_an_earlier_process_saw_counts() -> None:
    """Real time does not start behind the stored high water."""
    assert Machine().clock(high_water=NOON + SECOND).real() == NOON + SECOND
    assert Machine().clock(high_water=NOON - SECOND).real() == NOON


def test_simulated_time_runs_faster() -> None:
    """Schedules see the simulated time, everything else the real one."""
    machine = Machine()
    start = datetime(2026, 1, 1, tzinfo=UTC)
    clock = SimulatedClock(Simulation(start=start, speed=600), system=machine.clock(), monotonic=lambda: machine.ticks)
    machine.pass_by(6)
    assert clock.now() == start + timedelta(hours=1)
    assert clock.real() == NOON + 6 * SECOND
    assert clock.until(start + timedelta(hours=2)) == 6 * SECOND


def test_start_and_speed_are_read() -> None:
    """START@SPEED, with any offset."""
    assert parse_simulate("2026-11-23T07:00:00+01:00@600") == Simulation(
        start=datetime(2026, 11, 23, 6, tzinfo=UTC), speed=600
    )


@pytest.mark.parametrize(
    "text", ["", "@600", "2026-11-23T07:00:00@600", "tomorrow@60", "2026-11-23T07:00:00Z@0", "2026-11-23T07:00:00Z"]
)
def test_other_simulations_are_refused(text: str) -> None:
    """The sentence shows how to write it."""
    with pytest.raises(ConfigurationError, match="2026-11-23T07:00:00"):
        parse_simulate(text)


def test_a_running_simulation_is_understood_elsewhere() -> None:
    """Another process works out the simulated time from what the bot noted."""
    noted = str(Simulation(start=NOON, speed=60, began=NOON + timedelta(days=3)))
    at = running_simulation(noted).at(NOON + timedelta(days=3, minutes=1))
    assert at == NOON + timedelta(hours=1)
