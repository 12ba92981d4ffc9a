"""Prompts, reminders and pauses at their time, through the real store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.outbox import OutboxState
from bot.core.pairs import PairEvent, PairState
from bot.flows.posted import dropped
from tests.flows.practice import Practice, berlin, practice

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOON = berlin("2026-11-23 12:00")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Practice]:
    """An empty practice."""
    async with practice(tmp_path) as found:
        yield found


async def test_a_prompt_comes_at_its_time_and_once(here: Practice) -> None:
    """A new schedule is planned at once; looking again, or after a restart, posts nothing twice."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "daily 20:00", at=NOON)
    assert await here.look(NOON) == berlin("2026-11-23 20:00")
    assert await here.told(pair) == []
    for _ in range(3):
        assert await here.look(berlin("2026-11-23 20:00")) == berlin("2026-11-24 20:00")
        here = Practice(store=here.store)
    assert await here.told(pair) == [("23. 20:00", "posted")]


async def test_after_an_outage_there_is_no_backlog(here: Practice) -> None:
    """What was missed is on record; of each schedule at most the newest comes."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "daily 20:00", at=NOON)
    await here.schedule(pair, "mon, wed 10:00", at=NOON)
    await here.look(berlin("2026-11-25 21:00"))
    assert await here.told(pair) == [
        ("23. 20:00", "late"),
        ("24. 20:00", "late"),
        ("25. 10:00", "posted"),
        ("25. 20:00", "posted"),
    ]


async def test_the_cap_counts_across_schedules(here: Practice) -> None:
    """The fourth prompt of a day is skipped, whichever schedules the first three came from; the next day is new."""
    pair = await here.pair(at=NOON)
    for clock in ("13:00", "14:00", "15:00", "16:00"):
        await here.schedule(pair, f"daily {clock}", at=NOON)
    await here.run(NOON, berlin("2026-11-24 13:00"))
    ends = [end for _, end in await here.told(pair)]
    assert ends == ["posted", "posted", "posted", "cap", "posted"]


async def test_what_is_due_together_counts_in_order(here: Practice) -> None:
    """Two prompts of one minute are two; what was due first has precedence, also when both are late."""
    pair = await here.pair(at=NOON, daily_cap=2)
    await here.schedule(pair, "mon 14:00", at=NOON)
    await here.schedule(pair, "mon 13:00", at=NOON)
    await here.schedule(pair, "mon 13:00", at=NOON, prompt_id="evening-reflection")
    await here.look(berlin("2026-11-23 14:30"))
    assert await here.told(pair) == [("23. 13:00", "posted"), ("23. 13:00", "posted"), ("23. 14:00", "cap")]


async def test_a_pause_ends_by_itself(here: Practice) -> None:
    """What was due while it lasted is on record as paused, also when the bot was away; then it goes on."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "daily 13:00", at=NOON)
    ends = berlin("2026-11-24 12:00")
    paused = await here.happen(pair, PairEvent.PAUSE, at=NOON, until=ends, by="client")
    assert (paused.paused, paused.paused_until, paused.paused_by) == (True, ends, "client")
    assert await here.look(berlin("2026-11-23 12:30")) == berlin("2026-11-23 13:00")
    await here.look(berlin("2026-11-24 13:01"))
    assert await here.told(pair) == [("23. 13:00", "paused"), ("24. 13:00", "posted")]
    async with here.store.transaction() as tx:
        now = await tx.pairs.get(pair.pair_id)
    assert now is not None
    assert (now.paused, now.paused_until, now.paused_by) == (False, None, None)


async def test_the_end_of_a_pause_wakes_the_bot(here: Practice) -> None:
    """The alarm is set for it; a pause of work that is over just lapses."""
    pair, ended = await here.pair(at=NOON), await here.pair("p2", at=NOON)
    ends = berlin("2026-11-23 15:00")
    for each in (pair, ended):
        await here.happen(each, PairEvent.PAUSE, at=NOON, until=ends, by="therapist")
    await here.happen(ended, PairEvent.END, at=NOON)
    assert await here.look(NOON) == ends
    assert await here.look(ends) is None
    async with here.store.transaction() as tx:
        assert {each.pair_id: each.paused for each in await tx.pairs.every()} == {"p1": False, "p2": True}


async def test_resuming_brings_nothing_back(here: Practice) -> None:
    """A pause without an end lasts until somebody ends it, and leaves no pile."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "daily 13:00", at=NOON)
    await here.happen(pair, PairEvent.PAUSE, at=NOON, by="client")
    await here.run(NOON, berlin("2026-11-25 13:30"))
    await here.happen(pair, PairEvent.RESUME, at=berlin("2026-11-25 13:40"))
    await here.run(berlin("2026-11-25 13:40"), berlin("2026-11-26 13:00"))
    assert [end for _, end in await here.told(pair)] == ["paused", "paused", "paused", "posted"]


async def test_after_the_end_nothing_is_looked_at(here: Practice) -> None:
    """The next occurrence is on record as ended, and the alarm is not set any more."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "daily 13:00", at=NOON)
    await here.look(NOON)
    await here.happen(pair, PairEvent.END, at=NOON)
    assert await here.look(berlin("2026-11-23 13:00")) is None
    assert await here.told(pair) == [("23. 13:00", "ended")]


async def test_a_pair_that_lost_its_room_or_client(here: Practice) -> None:
    """Each has its reason on record, and comes back with the next one when it passes."""
    lost = await here.pair("p1", at=NOON, state=PairState.LOST)
    left = await here.pair("p2", at=NOON, state=PairState.LEFT)
    for each in (lost, left):
        await here.schedule(each, "daily 13:00", at=NOON)
    await here.look(berlin("2026-11-23 13:00"))
    assert await here.told(lost) == [("23. 13:00", "refused")]
    assert await here.told(left) == [("23. 13:00", "not_joined")]
    await here.happen(left, PairEvent.CLIENT_JOINED, at=berlin("2026-11-23 14:00"))
    await here.look(berlin("2026-11-24 13:00"))
    assert await here.told(left) == [("23. 13:00", "not_joined"), ("24. 13:00", "posted")]


async def test_who_answers_something_is_let_finish(here: Practice) -> None:
    """The next prompt waits for the end of the conversation, and is not late by that."""
    pair = await here.pair(at=NOON)
    made = await here.schedule(pair, "daily 13:00", at=NOON)
    due = berlin("2026-11-23 13:00")
    here.busy["p1"] = berlin("2026-11-23 16:00")
    at = due
    while at < here.busy["p1"]:
        assert await here.look(at) == min(at + MINUTE, here.busy["p1"])
        at += MINUTE
    assert await here.told(pair) == []
    assert (await here.current(made.schedule)).waited_until == at - MINUTE
    await here.look(at)
    assert await here.told(pair) == [("23. 13:00", "posted")]


async def test_one_reminder_that_stops_at_the_answer(here: Practice) -> None:
    """It names the prompt, rings for nobody, and comes once; who has answered hears nothing."""
    silent, quick = await here.pair("p1", at=NOON), await here.pair("p2", at=NOON)
    for each in (silent, quick):
        await here.schedule(each, "daily 13:00", at=NOON)
    await here.look(NOON)
    assert await here.look(berlin("2026-11-23 13:00")) == berlin("2026-11-23 16:00")
    [answered] = await here.deliveries(quick)
    await here.answer(answered)
    await here.timetable.look(at=berlin("2026-11-23 16:00"))
    [reminder] = await here.arrive(berlin("2026-11-23 16:00"))
    assert reminder.room_id == silent.room_id
    assert (reminder.purpose, reminder.content["msgtype"]) == ("repeat", "m.notice")
    assert reminder.content["m.mentions"] == {}
    assert reminder.content["body"].startswith("Mood and energy: the question is still here")
    assert await here.look(berlin("2026-11-23 19:00")) == berlin("2026-11-24 13:00")
    assert await here.arrive(berlin("2026-11-23 19:00")) == []


@pytest.mark.parametrize(
    ("rule", "reminder", "looks"),
    [
        ("daily 20:00", None, "2026-11-23 23:00"),  # quiet
        ("daily 13:00", timedelta(), "2026-11-23 16:00"),
        ("daily 13:00", None, "2026-11-23 17:30"),  # the bot was away
        ("daily 13:00, 15:30", None, "2026-11-23 16:00"),  # another one stands there by now
    ],
)
async def test_no_reminder(here: Practice, rule: str, reminder: timedelta | None, looks: str) -> None:
    """None in quiet hours, none where the schedule wants none, none late, none when the next prompt has come."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, rule, at=NOON, reminder=reminder)
    await here.run(NOON, berlin("2026-11-23 20:00") if rule.endswith("20:00") else berlin("2026-11-23 13:00"))
    if "15:30" in rule:
        await here.look(berlin("2026-11-23 15:30"))
    await here.timetable.look(at=berlin(looks))
    assert await here.arrive(berlin(looks)) == []


async def test_a_schedule_that_cannot_be_read_keeps_nobody_from_the_others(here: Practice) -> None:
    """It is looked at again in an hour; everything else is posted."""
    pair, other = await here.pair("p1", at=NOON), await here.pair("p2", at=NOON)
    broken = (await here.schedule(pair, "daily 13:00", at=NOON)).schedule
    nowhere = (await here.schedule(pair, "daily 14:00", at=NOON)).schedule
    await here.schedule(other, "daily 13:00", at=NOON)
    async with here.store.transaction() as tx:
        await tx.schedules.save(replace(broken, rule="now and then"))
        await tx.schedules.save(replace(nowhere, timezone="Mars/Olympus"))
    assert await here.look(NOON) == berlin("2026-11-23 13:00")
    await here.look(berlin("2026-11-23 13:00"))
    assert await here.told(other) == [("23. 13:00", "posted")]
    assert await here.told(pair) == []


async def test_a_prompt_that_left_the_packs_is_on_record(here: Practice) -> None:
    """Nothing is posted, and the schedule goes on: the prompt may come back."""
    pair = await here.pair(at=NOON)
    made = (await here.schedule(pair, "daily 13:00", at=NOON)).schedule
    async with here.store.transaction() as tx:
        await tx.schedules.save(replace(made, prompt_id="gone"))
    assert await here.look(berlin("2026-11-23 13:00")) == berlin("2026-11-24 13:00")
    assert await here.told(pair) == [("23. 13:00", "ended")]


async def test_a_great_number_is_done_in_several_transactions(here: Practice) -> None:
    """Every one of them is posted, whatever fits into one."""
    for number in range(1100):
        pair = await here.pair(f"p{number}", at=NOON)
        await here.schedule(pair, "daily 13:00", at=NOON)
    await here.timetable.look(at=NOON)
    await here.timetable.look(at=berlin("2026-11-23 13:00"))
    async with here.store.transaction() as tx:
        assert (await tx.outbox.counts()) == {"queued": 1100}
        assert await tx.schedules.due(berlin("2026-11-23 13:00"), limit=9) == ()


async def test_rooms_of_the_next_minutes_are_known(here: Practice) -> None:
    """Keys are shared ahead only where something will come: not while paused, not where sending is held."""
    for name in ("p1", "p2", "p3", "p4"):
        pair = await here.pair(name, at=NOON)
        await here.schedule(pair, "daily 13:00" if name != "p4" else "daily 13:10", at=NOON)
    await here.look(NOON)
    async with here.store.transaction() as tx:
        paused = await tx.pairs.get("p2")
        assert paused is not None
        await tx.pairs.save(replace(paused, paused=True))
        await tx.rooms.hold("!p3:hs", "drift:stranger")
        at = berlin("2026-11-23 12:59")
        audiences = await here.deliverer.rooms_due(tx, after=at, until=at + 2 * MINUTE)
    assert [each.room_id for each in audiences] == ["!p1:hs"]


async def test_what_was_held_does_not_come_at_night(here: Practice) -> None:
    """A prompt that could not leave before is dropped, with the reason that held it, or because it is quiet now."""
    pair, locked = await here.pair("p1", at=NOON), await here.pair("p2", at=NOON)
    for each in (pair, locked):
        await here.schedule(each, "mon 21:00", at=NOON)
    await here.timetable.look(at=berlin("2026-11-23 21:00"))
    night = berlin("2026-11-23 21:30")
    async with here.store.transaction() as tx:
        rows = {row.room_id: row for row in await tx.outbox.heads(9)}
        row, held = rows["!p1:hs"], replace(rows["!p2:hs"], hold="no_device")
        assert row.not_after == berlin("2026-11-24 09:00")
        assert not await dropped(tx, row, at=night - MINUTE)
        assert not await dropped(tx, row, at=berlin("2026-11-24 07:30"))
        assert await dropped(tx, row, at=night)
        assert await dropped(tx, held, at=night)
        assert await tx.outbox.counts() == {OutboxState.DROPPED: 2}
    assert await here.told(pair) == [("23. 21:00", "quiet")]
    assert await here.told(locked) == [("23. 21:00", "trust")]


async def test_a_drifted_room_gets_its_prompt_on_record(here: Practice) -> None:
    """It is held for its grace, then dropped as drift."""
    pair = await here.pair(at=NOON)
    await here.schedule(pair, "daily 13:00", at=NOON)
    await here.timetable.look(at=berlin("2026-11-23 13:00"))
    async with here.store.transaction() as tx:
        await tx.rooms.hold(str(pair.room_id), "drift:stranger")
        [row] = await tx.outbox.heads(9)
        assert await dropped(tx, row, at=berlin("2026-11-23 15:00") + MINUTE)
    assert await here.told(pair) == [("23. 13:00", "drift")]
