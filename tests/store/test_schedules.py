"""Schedules, draws and sessions."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import text

from bot.core.people import Draw, Schedule
from bot.core.sessions import SessionPlan
from bot.errors import StaleRow
from bot.store import schema
from bot.store.database import Database
from bot.store.engine import create_engine
from tests.store.conftest import ACCOUNT
from tests.store.examples import AT, MINUTE, booked, schedule
from tests.store.keyring import Keyring

BERLIN = timezone(timedelta(hours=1))


async def test_schedules_come_and_go(store: Database) -> None:
    """A schedule keeps its number; a removed one cannot be saved, and its number is not given again."""
    async with store.transaction() as tx:
        first = await tx.schedules.add(schedule())
        second = await tx.schedules.add(schedule("s2", timezone="UTC", goal_id=None))
        other = await tx.schedules.add(schedule("s3", "p2"))
        assert (first.number, second.number, other.number) == (1, 2, 1)
        moved = replace(
            first,
            after=AT + MINUTE,
            client_rule="mon 20:00",
            refused=True,
            reminder=timedelta(hours=2),
            asked_fit_at=AT,
            next_due=AT + 9 * MINUTE,
            waited_until=AT + 2 * MINUTE,
        )
        await tx.schedules.save(moved)
        assert await tx.schedules.of_pair("p1") == (moved, second)
        assert await tx.schedules.every() == (moved, second, other)
        await tx.schedules.remove("s2")
        assert await tx.schedules.of_pair("p1") == (moved,)
        assert await tx.schedules.get("s1") == moved
        assert await tx.schedules.get("s2") is None
        assert (await tx.schedules.add(schedule("s4"))).number == 3
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.schedules.save(second)


async def test_what_is_due_is_found_without_the_rest(store: Database) -> None:
    """Due are those whose time has come and those that nobody has planned; the others tell when they are next."""
    due = {"now": AT, "past": AT - MINUTE, "new": None, "soon": AT + MINUTE, "later": AT + 9 * MINUTE}
    async with store.transaction() as tx:
        for name, at in due.items():
            await tx.schedules.add(schedule(name, next_due=at))
        assert {each.schedule_id for each in await tx.schedules.due(AT, limit=9)} == {"now", "past", "new"}
        assert len(await tx.schedules.due(AT, limit=2)) == 2
        assert await tx.schedules.next_due(AT) == AT + MINUTE
        between = await tx.schedules.between(after=AT, until=AT + MINUTE)
        assert [each.schedule_id for each in between] == ["soon"]
        assert await tx.schedules.next_due(AT + 9 * MINUTE) is None


async def test_planning_writes_nothing_but_the_plan(store: Database) -> None:
    """What the command line changed meanwhile stays; a change of what a pair goes by has everything planned anew."""
    async with store.transaction() as tx:
        read = [await tx.schedules.add(schedule(name, next_due=AT)) for name in ("s1", "s2")]
        await tx.schedules.save(replace(read[0], rule="daily 21:00"))
        planned = [replace(each, after=AT + MINUTE, next_due=AT + 2 * MINUTE, waited_until=AT) for each in read]
        await tx.schedules.plan(planned)
        await tx.schedules.plan([])
        assert await tx.schedules.of_pair("p1") == (replace(planned[0], rule="daily 21:00"), planned[1])
        other = await tx.schedules.add(schedule("s3", "p2", next_due=AT))
        await tx.schedules.replan("p1")
        assert [each.next_due for each in await tx.schedules.every()] == [None, None, AT]
        assert await tx.schedules.of_pair("p2") == (other,)


async def test_a_day_is_drawn_once(store: Database) -> None:
    """The first draw of a day stays; days that are over are forgotten, and so are those of a removed schedule."""
    day = date(2026, 11, 23)

    def draw(schedule_id: str, days: int, *hours: int) -> Draw:
        times = tuple(datetime(2026, 11, 23 + days, hour, 5, tzinfo=BERLIN) for hour in hours)
        return Draw(schedule_id=schedule_id, pair_id="p1", day=day + timedelta(days=days), times=times)

    async with store.transaction() as tx:
        await tx.schedules.add(schedule())
        await tx.schedules.keep_draws([draw("s1", 0, 10, 14), draw("s1", 1, 9), draw("s2", 0)])
        await tx.schedules.keep_draws([draw("s1", 0, 18)])
        drawn = {each.day: each.times for each in (draw("s1", 0, 10, 14), draw("s1", 1, 9))}
        assert await tx.schedules.draws(["s1", "s2", "s3"], since=day) == {"s1": drawn, "s2": {day: ()}}
        await tx.schedules.forget_draws(["s1"], before=day + timedelta(days=1))
        assert set((await tx.schedules.draws(["s1"], since=day))["s1"]) == {day + timedelta(days=1)}
        await tx.schedules.remove("s1")
        assert await tx.schedules.draws(["s1"], since=day) == {}
        assert await tx.schedules.draws([], since=day) == {}


async def test_sessions_come_back_with_their_changes(store: Database) -> None:
    """A series keeps its number, and which of its dates were moved or cancelled."""
    plan = SessionPlan(first=datetime(2026, 12, 3, 9, 30), weeks=None)  # noqa: DTZ001 - a wall time
    once = booked("a2", plan=plan, moved=(), cancelled=frozenset())
    async with store.transaction() as tx:
        first = await tx.sessions.add(booked())
        second = await tx.sessions.add(once)
        other = await tx.sessions.add(booked("a3", "p2"))
        assert (first.number, second.number, other.number) == (1, 2, 1)
        assert await tx.sessions.of_pair("p1") == (first, second)
        assert await tx.sessions.of_pairs(["p1", "p2", "p3"]) == {"p1": (first, second), "p2": (other,)}
        series = replace(first.series, until=date(2027, 2, 1), moved=(), cancelled=frozenset({date(2026, 12, 22)}))
        changed = replace(first, series=series)
        await tx.sessions.save(changed)
        assert await tx.sessions.of_pair("p1") == (changed, second)
        await tx.sessions.remove("a1")
        assert await tx.sessions.of_pair("p1") == (second,)
        assert await tx.sessions.of_pairs([]) == {}
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.sessions.save(first)


async def test_schedules_of_the_version_before_are_planned_at_once(url: str, keys: Keyring) -> None:
    """The migration keeps the rows; what they are due next is empty, and so they are due."""
    engine = create_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda each: schema.upgrade_to(each, "0001"))
        await connection.execute(
            text(
                "INSERT INTO schedules (account, schedule_id, number, pair_id, prompt_id, rule, created_at, after) "
                "VALUES (:account, 's1', 1, 'p1', 'mood', 'daily 20:00', 0, 60000)"
            ),
            {"account": ACCOUNT},
        )
    await engine.dispose()
    database = await Database.open(url, account=ACCOUNT, sealers=keys)
    async with database.transaction() as tx:
        beginning = datetime(1970, 1, 1, tzinfo=UTC)
        known = Schedule(
            schedule_id="s1",
            number=1,
            pair_id="p1",
            prompt_id="mood",
            rule="daily 20:00",
            timezone=None,
            goal_id=None,
            created_at=beginning,
            after=beginning + MINUTE,
        )
        assert await tx.schedules.due(AT, limit=9) == (known,)
    await database.close()
