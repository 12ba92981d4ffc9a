"""`python -m tests.bench`: speed beside yardsticks of the same run, as medians and ratios."""

import argparse
import asyncio
import logging
import tempfile
from pathlib import Path

import structlog

from tests.bench.measuring import measure
from tests.bench.planning import plan_many
from tests.bench.town import town


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rooms", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--answers", type=int, default=30, help="answers in each run")
    parser.add_argument("--data", type=Path, default=Path("data/bench"), help="kept between runs; delete it to renew")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    logging.getLogger("nio").setLevel(logging.CRITICAL)  # the peer's warnings about devices are no news here
    asyncio.run(_run(given.data, rooms=given.rooms, runs=given.runs, answers=given.answers))


async def _run(data: Path, *, rooms: int, runs: int, answers: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        print(await plan_many(Path(directory), schedules=100_000, due=1000), flush=True)
    print(f"{rooms} rooms; making what is missing of them in {data} ...", flush=True)
    async with town(data, rooms=rooms) as place:
        results = await measure(place, runs=runs, answers=answers, say=lambda line: print(line, flush=True))
    print(results.table())


main()
