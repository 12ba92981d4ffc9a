"""Schedules and sessions as people change them, through the real store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.core.goals import Goal
from bot.core.pairs import PairState
from bot.core.people import Pair
from bot.core.sessions import parse_session
from bot.errors import PairError, ScheduleError
from bot.flows.sessions import (
    add_sessions,
    cancel_booking,
    coming_sessions,
    end_series,
    find_series,
    move_booking,
    session_on,
)
from tests.flows.practice import BERLIN, Practice, berlin, practice

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOON = berlin("2026-11-23 12:00")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Practice]:
    """An empty practice."""
    async with practice(tmp_path) as found:
        yield found


def shown(coming: tuple[datetime, ...]) -> list[str]:
    """Local times as people read them."""
    return [f"{local:%a %d. %H:%M}" for local in coming]


async def test_a_schedule_says_when_it_comes(here: Practice) -> None:
    """The next three times, on the wall clock of its zone; the bot looks at it at once."""
    pair = await here.pair(at=NOON)
    made = await here.schedule(pair, "weekdays 20:00", at=NOON)
    assert shown(made.coming) == ["Mon 23. 20:00", "Tue 24. 20:00", "Wed 25. 20:00"]
    assert not made.quiet
    abroad = await here.schedule(pair, "daily 20:00", at=NOON, timezone="America/New_York")
    assert [each.utcoffset() for each in abroad.coming] == [timedelta(hours=-5)] * 3


async def test_a_time_in_the_night_is_said_once_and_kept(here: Practice) -> None:
    """Whoever sets it is told; random times are never there."""
    pair = await here.pair(at=NOON)
    assert (await here.schedule(pair, "daily 22:00", at=NOON)).quiet
    assert not (await here.schedule(pair, "once between 20:00 and 23:00", at=NOON)).quiet
    await here.run(NOON, berlin("2026-11-23 22:00"))
    assert ("23. 22:00", "posted") in await here.told(pair)


@pytest.mark.parametrize(
    ("rule", "more", "sentence"),
    [
        ("daily 25:00", {}, "not a time of day"),
        ("daily 20:00", {"timezone": "Mars"}, "no time zone"),
        ("daily 20:00", {"prompt_id": "nothing"}, "no prompt"),
        ("daily 20:00", {"goal": "1"}, "asks about no goal"),
        ("daily 20:00", {"prompt_id": "goal-checkin"}, "has none yet"),
    ],
)
async def test_wrong_schedules_are_refused(here: Practice, rule: str, more: dict[str, str], sentence: str) -> None:
    """Each with its sentence, and nothing is written."""
    pair = await here.pair(at=NOON)
    with pytest.raises((PairError, ScheduleError), match=sentence):
        await here.schedule(pair, rule, at=NOON, **more)
    async with here.store.transaction() as tx:
        assert await tx.schedules.every() == ()


async def test_the_same_schedule_twice_and_a_pair_that_ended_are_refused(here: Practice) -> None:
    """A prompt does not come twice at one time, and nothing is set up after the end."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "daily 20:00", at=NOON)
    with pytest.raises(ScheduleError, match="is the same"):
        await here.schedule(pair, "every day 20:00", at=NOON)
    with pytest.raises(PairError, match="has ended"):
        await here.schedule(replace(pair, state=PairState.ENDED), "daily 21:00", at=NOON)


async def test_the_client_moves_and_thins_out(here: Practice) -> None:
    """It is the client's own rule, which stands before whatever the therapist sets afterwards."""
    pair = await here.pair(at=NOON)
    schedule = (await here.schedule(pair, "daily 20:00", at=NOON)).schedule
    async with here.store.transaction() as tx:
        moved = await here.schedules.move(tx, pair, schedule, time(19), by_client=True, at=NOON)
        fewer = await here.schedules.thin(tx, pair, moved.schedule, by_client=True, at=NOON)
        assert shown(fewer.coming) == ["Mon 23. 19:00", "Wed 25. 19:00", "Fri 27. 19:00"]
        again = await here.schedules.set_rule(tx, pair, fewer.schedule, "daily 9:00", by_client=False, at=NOON)
    assert (again.schedule.rule, again.schedule.effective_rule) == ("daily 09:00", "mon, wed, fri 19:00")
    assert again.coming == fewer.coming
    await here.run(NOON, berlin("2026-11-25 20:00"))
    assert await here.told(pair) == [("23. 19:00", "posted"), ("25. 19:00", "posted")]


async def test_what_came_today_comes_at_its_new_time_tomorrow(here: Practice) -> None:
    """A prompt that is moved to a later hour of the day does not come a second time."""
    pair = await here.pair(at=NOON)
    schedule = (await here.schedule(pair, "daily 13:00", at=NOON)).schedule
    await here.run(NOON, berlin("2026-11-23 13:00"))
    async with here.store.transaction() as tx:
        at = berlin("2026-11-23 14:00")
        current = await tx.schedules.get(schedule.schedule_id)
        assert current is not None
        moved = await here.schedules.move(tx, pair, current, time(20), by_client=True, at=at)
    assert shown(moved.coming)[0] == "Tue 24. 20:00"
    await here.run(berlin("2026-11-23 14:00"), berlin("2026-11-24 20:00"))
    assert await here.told(pair) == [("23. 13:00", "posted"), ("24. 20:00", "posted")]


async def test_a_new_window_is_drawn_anew(here: Practice) -> None:
    """What was drawn by the former rule is not asked any more."""
    pair = await here.pair(at=NOON)
    made = await here.schedule(pair, "2 times between 13:00 and 20:00", at=NOON)
    await here.look(NOON)
    async with here.store.transaction() as tx:
        current = await tx.schedules.get(made.schedule.schedule_id)
        assert current is not None
        await here.schedules.set_rule(tx, pair, current, "2 times between 15:00 and 16:00", by_client=True, at=NOON)
    await here.run(NOON, berlin("2026-11-23 21:00"))
    clocks = [when[-5:] for when, _ in await here.told(pair)]
    assert len(clocks) == 2
    assert all("15:00" <= clock <= "16:00" for clock in clocks)


async def test_what_the_client_refused_comes_back_only_by_the_client(here: Practice) -> None:
    """Nothing comes and nothing is on record meanwhile."""
    pair = await here.pair(at=NOON)
    schedule = (await here.schedule(pair, "daily 20:00", at=NOON)).schedule
    async with here.store.transaction() as tx:
        await here.schedules.refuse(tx, schedule, at=NOON)
    assert await here.look(NOON) is None
    await here.look(berlin("2026-11-25 21:00"))
    assert await here.told(pair) == []
    async with here.store.transaction() as tx:
        [refused] = await tx.schedules.of_pair("p1")
        accepted = await here.schedules.accept(tx, pair, refused, at=berlin("2026-11-25 21:00"))
    assert shown(accepted.coming)[0] == "Thu 26. 20:00"


async def test_the_list_shows_what_became_of_the_last_ones(here: Practice) -> None:
    """Rule, zone, the next three, and the results with the newest first."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "daily 20:00", at=NOON)
    await here.look(berlin("2026-11-24 20:00"))
    async with here.store.transaction() as tx:
        [view] = await here.schedules.views(tx, pair, at=berlin("2026-11-24 21:00"))
        broken = replace(view.schedule, rule="now and then")
        assert (await here.schedules.view(tx, pair, broken, at=NOON)).coming == ()
    assert (view.zone, shown(view.coming)[0]) == ("Europe/Berlin", "Wed 25. 20:00")
    assert [each.skip_reason or each.state for each in view.results] == ["posted", "late"]


async def test_a_change_of_zone_plans_the_future_only(here: Practice) -> None:
    """What came today under its wall time comes no second time, and what the new zone says was due before does not."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "daily 13:00", at=NOON)
    await here.schedule(pair, "daily 18:00", at=NOON)
    own = await here.schedule(pair, "daily 19:00", at=NOON, timezone="Europe/Berlin")
    await here.run(NOON, berlin("2026-11-23 13:00"))
    at = berlin("2026-11-23 14:00")
    async with here.store.transaction() as tx:
        tokyo = await here.schedules.change_zone(tx, pair, "Asia/Tokyo", at=at)  # 22:00 there
        assert await tx.pairs.get("p1") == tokyo
        with pytest.raises(ScheduleError, match="no time zone"):
            await here.schedules.change_zone(tx, pair, "Nowhere", at=at)
    await here.run(at, berlin("2026-11-24 05:00"))
    assert await here.told(tokyo) == [
        ("23. 21:00", "posted"),
        ("24. 03:00", "posted"),
        ("24. 13:00", "posted"),
    ]
    assert own.schedule.timezone == "Europe/Berlin"


async def test_travelling_west_brings_no_prompt_twice(here: Practice) -> None:
    """The clock shows 13:00 a second time that day."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "daily 13:00", at=NOON)
    await here.run(NOON, berlin("2026-11-23 13:00"))
    async with here.store.transaction() as tx:
        lisbon = await here.schedules.change_zone(tx, pair, "Europe/Lisbon", at=berlin("2026-11-23 13:30"))
    await here.run(berlin("2026-11-23 13:30"), berlin("2026-11-24 14:00"))
    assert await here.told(lisbon) == [("23. 12:00", "posted"), ("24. 13:00", "posted")]


async def test_a_goal_prompt_counts_once_towards_the_cap(here: Practice) -> None:
    """Three goals are one occurrence, so that the next prompt of the day still comes."""
    pair = await here.pair(at=NOON, daily_cap=2)
    async with here.store.transaction() as tx:
        for number in range(3):
            await tx.pairs.add_goal(
                "p1",
                Goal(
                    goal_id=f"g{number}",
                    number=0,
                    title=f"Goal {number}",
                    low=0,
                    high=10,
                    rhythm="",
                    revision=1,
                    since=NOON,
                ),
            )
    await here.schedule(pair, "daily 13:00", at=NOON, prompt_id="goal-checkin")
    await here.schedule(pair, "daily 14:00", at=NOON)
    await here.schedule(pair, "daily 15:00", at=NOON)
    await here.run(NOON, berlin("2026-11-23 15:00"))
    assert [end for _, end in await here.told(pair)] == ["posted", "posted", "posted", "posted", "cap"]


async def booked(here: Practice, pair: Pair, text: str, at: datetime = NOON) -> None:
    """Add sessions as somebody writes them."""
    async with here.store.transaction() as tx:
        await add_sessions(tx, pair, parse_session(text, local=at.astimezone(BERLIN)), at=at)


async def test_prompts_come_around_sessions_and_move_with_them(here: Practice) -> None:
    """Added later, moved and cancelled: what hangs on a session follows, and none comes twice."""
    pair = await here.pair(at=NOON)
    made = await here.schedule(pair, "session -1 day 18:00", at=NOON)
    assert made.coming == ()
    assert await here.look(NOON) is None
    await booked(here, pair, "wed 10:00 weekly")
    assert await here.look(NOON) == berlin("2026-11-24 18:00")
    await here.look(berlin("2026-11-24 18:00"))
    at = berlin("2026-11-24 19:00")
    async with here.store.transaction() as tx:  # the first one, whose prompt has come, goes to Friday
        booking = await session_on(tx, pair, None, at=at)
        moved = await move_booking(tx, pair, booking, datetime(2026, 11, 27, 15), at=at)  # noqa: DTZ001 - a wall time
        assert f"{moved.session.local:%a %H:%M}" == "Fri 15:00"
        second = await session_on(tx, pair, date(2026, 12, 2), at=at)
        await cancel_booking(tx, pair, second, at=at)
        coming = await coming_sessions(tx, pair, at=at, count=2)
        assert [f"{each.session.local:%d.%m. %H:%M}" for each in coming] == ["27.11. 15:00", "09.12. 10:00"]
    await here.run(at, berlin("2026-12-08 18:00"))
    assert await here.told(pair) == [("24. 18:00", "posted"), ("08. 18:00", "posted")]


async def test_a_session_that_is_put_forward_brings_nothing_late(here: Practice) -> None:
    """What it would have brought before now does not come: only the future is planned."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "session -1 day 18:00", at=NOON)
    await booked(here, pair, "fri 10:00")
    await here.look(NOON)
    async with here.store.transaction() as tx:
        booking = await session_on(tx, pair, None, at=NOON)
        await move_booking(tx, pair, booking, datetime(2026, 11, 24, 9), at=berlin("2026-11-23 18:30"))  # noqa: DTZ001
    assert await here.look(berlin("2026-11-23 18:30")) is None
    assert await here.told(pair) == []


async def test_a_series_ends(here: Practice) -> None:
    """Also those of its sessions that were moved ahead; what has been asked stays."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "session +1 h", at=NOON, reminder=timedelta())
    await booked(here, pair, "mon 13:00 weekly")
    await here.look(berlin("2026-11-23 14:00"))
    at = berlin("2026-11-23 15:00")
    async with here.store.transaction() as tx:
        booking = await session_on(tx, pair, date(2026, 11, 30), at=at)
        await move_booking(tx, pair, booking, datetime(2026, 12, 3, 9), at=at)  # noqa: DTZ001 - a wall time
        series = await find_series(tx, pair, "1")
        await end_series(tx, pair, series, at=at)
        assert await coming_sessions(tx, pair, at=at) == ()
        with pytest.raises(ScheduleError, match="No session is known"):
            await session_on(tx, pair, None, at=at)
        with pytest.raises(ScheduleError, match="no session 7"):
            await find_series(tx, pair, "7")
        with pytest.raises(ScheduleError, match="no session on"):
            await session_on(tx, pair, date(2026, 12, 24), at=at)
    assert await here.look(at) is None
    assert await here.told(pair) == [("23. 14:00", "posted")]


async def test_sessions_are_refused_twice_in_the_past_and_after_the_end(here: Practice) -> None:
    """Each has its sentence."""
    pair = await here.pair(at=NOON)
    await booked(here, pair, "wed 10:00 weekly")
    with pytest.raises(ScheduleError, match="is the same"):
        await booked(here, pair, "wed 10:00 weekly")
    with pytest.raises(PairError, match="has ended"):
        await booked(here, replace(pair, state=PairState.ENDED), "thu 10:00")
    async with here.store.transaction() as tx:
        booking = await session_on(tx, pair, None, at=NOON)
        with pytest.raises(ScheduleError, match="is past"):
            await move_booking(tx, pair, booking, datetime(2026, 11, 22, 10), at=NOON)  # noqa: DTZ001 - a wall time


async def test_a_session_keeps_its_instant_when_the_client_travels(here: Practice) -> None:
    """The prompt's time of day is the client's, the session's is the place's where it was agreed."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "session -1 day 18:00", at=NOON)
    await here.schedule(pair, "session +2 h", at=NOON)
    await booked(here, pair, "thu 10:00")
    async with here.store.transaction() as tx:
        lisbon = await here.schedules.change_zone(tx, pair, "Europe/Lisbon", at=NOON)
        views = await here.schedules.views(tx, lisbon, at=NOON)
        [coming] = await coming_sessions(tx, lisbon, at=NOON)
    assert coming.session.starts.astimezone(ZoneInfo("Europe/Lisbon")).hour == 9
    assert [shown(view.coming) for view in views] == [["Wed 25. 18:00"], ["Thu 26. 11:00"]]
