"""The benchmarks still run; what they measure is read by people, not asserted."""

from pathlib import Path

import pytest

from tests.bench.measuring import measure
from tests.bench.town import town

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]


async def test_every_measurement_is_made(tmp_path: Path) -> None:
    """A few rooms, one run: each line of the table is there."""
    said: list[str] = []
    async with town(tmp_path, rooms=3) as place:
        results = await measure(place, runs=1, answers=2, say=said.append)
    table = results.table()
    for line in ("bare requests", "bot, first", "bot, later", "matrix-nio, first", "restart to ready", "p50"):
        assert line in table
    assert said
