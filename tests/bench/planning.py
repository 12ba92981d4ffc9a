"""A minute in which many prompts are due, in a table that holds very many: what it costs to decide about them.

`python -m tests.bench.planning` runs it alone; it needs no homeserver.
"""

import argparse
import asyncio
import logging
import sqlite3
import tempfile
import time
import tracemalloc
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from bot.core.people import Schedule
from tests.flows.practice import Practice, practice

DUE = datetime(2026, 11, 23, 19, tzinfo=UTC)
EACH = 10  # schedules of a pair
SPREAD = timedelta(hours=44)  # over which the others are due
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Planning:
    """One due minute."""

    schedules: int
    due: int
    posted: int
    cpu: float  # seconds: read, decided, written
    bare: float  # seconds of CPU: as many rows read, inserted and updated by the database's driver alone
    idle: float  # seconds of CPU of a look when nothing is due
    peak: int  # bytes in use at most while it is done

    def __str__(self) -> str:
        """The line of the table."""
        return (
            f"{self.due} of {self.schedules} schedules due: {self.cpu:.2f} s of CPU, "
            f"{self.cpu / self.bare:.1f} times the bare SQL's {self.bare:.3f} s; "
            f"nothing due: {self.idle * 1000:.1f} ms; memory {self.peak / 1e6:.1f} MB"
        )


async def plan_many(directory: Path, *, schedules: int, due: int) -> Planning:
    """Fill a database and let a minute come in which so many are due."""
    async with practice(directory) as here:
        await _fill(here, schedules=schedules, due=due)
        idle = await _cpu(here, DUE - timedelta(hours=1))
        cpu = await _cpu(here, DUE)
        async with here.store.transaction() as tx:
            posted = (await tx.outbox.counts()).get("queued", 0)
        # Tracing costs time of its own: the same again, a minute later.
        tracemalloc.start()
        await here.timetable.look(at=DUE + MINUTE)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    bare = _bare(directory / "interlude.db", due)
    return Planning(schedules=schedules, due=due, posted=posted, cpu=cpu, bare=bare, idle=idle, peak=peak)


async def _fill(here: Practice, *, schedules: int, due: int) -> None:
    """Pairs with several schedules each: so many due at the minute, as many at the next one, the rest spread out."""
    pairs = max(due, schedules // EACH)
    planned = DUE - timedelta(hours=2)
    rest = schedules - 2 * due
    for number in range(pairs):
        await here.pair(f"p{number}", at=planned, timezone="UTC")
    async with here.store.transaction() as tx:
        for number in range(schedules):
            minute = number // due
            at = DUE + minute * MINUTE if minute < 2 else DUE + 2 * MINUTE + SPREAD * (number - 2 * due) / rest
            at = at.replace(second=0, microsecond=0)
            made = Schedule(
                schedule_id=f"s{number}",
                number=0,
                pair_id=f"p{number % pairs}",
                prompt_id="mood",
                rule=f"daily {at:%H:%M}",
                timezone=None,
                goal_id=None,
                created_at=planned,
                after=planned,
            )
            await tx.schedules.add(replace(made, next_due=at))


async def _cpu(here: Practice, at: datetime) -> float:
    began = time.process_time()
    await here.timetable.look(at=at)
    return time.process_time() - began


def _bare(file: Path, count: int) -> float:
    """Copy as many rows as the minute has read and written, each with its own statement, as a program has to."""
    database = sqlite3.connect(file, isolation_level=None)
    began = time.process_time()
    database.execute("BEGIN IMMEDIATE")
    for table, column in (("deliveries", "delivery_id"), ("sittings", "delivery_id"), ("outbox", "outbox_id")):
        cursor = database.execute(f"SELECT * FROM {table} LIMIT ?", (count,))
        names = [each[0] for each in cursor.description]
        marks = ", ".join("?" * len(names))
        for number, row in enumerate(cursor.fetchall()):
            values = dict(zip(names, row, strict=True)) | {column: f"bare{number}"}
            if table == "deliveries":
                values |= {"occurrence": f"bare{number}", "number": 1_000_000 + number}
            if table == "outbox":
                values |= {"position": 1_000_000 + number}
            database.execute(f"INSERT INTO {table} VALUES ({marks})", tuple(values.values()))
    rows = database.execute("SELECT * FROM schedules ORDER BY next_due LIMIT ?", (count,)).fetchall()
    for row in rows:
        database.execute("UPDATE schedules SET after = after + 1 WHERE account = ? AND schedule_id = ?", row[:2])
    database.execute("SELECT * FROM pairs LIMIT ?", (count,)).fetchall()
    database.execute("ROLLBACK")
    database.close()
    return time.process_time() - began


def main() -> None:
    """Measure, and print a line for a small table and one for a large."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.planning", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--due", type=int, default=1000)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for schedules in (2 * given.due, given.schedules):
        with tempfile.TemporaryDirectory() as directory:
            print(asyncio.run(plan_many(Path(directory), schedules=schedules, due=given.due)), flush=True)


if __name__ == "__main__":
    main()
