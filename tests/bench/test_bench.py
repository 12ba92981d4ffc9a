"""The benchmarks still run; what they measure is read by people, not asserted."""

from pathlib import Path

import pytest

from tests.bench.measuring import measure
from tests.bench.planning import plan_many
from tests.bench.town import town

pytestmark = [pytest.mark.asyncio(loop_scope="session")]


async def test_planning_costs_what_is_due(tmp_path: Path) -> None:
    """A minute of few prompts in a table of many: all of them are posted, and memory does not grow with the table."""
    took = await plan_many(tmp_path, schedules=3000, due=100)
    print(took)
    assert took.posted == 100
    assert took.peak < 10e6


@pytest.mark.slow
async def test_a_thousand_prompts_of_a_hundred_thousand(tmp_path: Path) -> None:
    """A thousand are due in one minute among a hundred thousand: what it costs is printed, and memory stays flat."""
    took = await plan_many(tmp_path, schedules=100_000, due=1000)
    print(took)
    assert took.posted == 1000
    assert took.peak < 10e6


@pytest.mark.slow
async def test_every_measurement_is_made(tmp_path: Path) -> None:
    """A few rooms, one run: each line of the table is there."""
    said: list[str] = []
    async with town(tmp_path, rooms=3) as place:
        results = await measure(place, runs=1, answers=2, say=said.append)
    table = results.table()
    for line in (
        "bare requests",
        "bot, first",
        "bot, first, keys ahead",
        "bot, later",
        "matrix-nio, first",
        "restart to ready",
        "p50",
    ):
        assert line in table
    assert said
