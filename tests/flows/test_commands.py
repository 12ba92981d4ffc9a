"""What people ask the bot to do, in the room of the two and in the console, on the real store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.pairs import PairState
from bot.errors import PairError
from bot.flows.schedules import Schedules
from tests.flows.practice import berlin
from tests.flows.two_rooms import CLIENT, CONSOLE, PACKS, ROOM, THERAPIST, VOICE, Rooms, new_pair, rooms


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Rooms]:
    """The rooms of one pair, on a Monday at noon in Berlin."""
    async with rooms(tmp_path) as opened:
        yield opened


async def test_a_therapist_plans_a_prompt(here: Rooms) -> None:
    """One sentence with the next time on the client's clock; planning it anew takes its place."""
    assert await here.console("schedule mood weekdays 20:00") == [
        "Alex: Mood and energy now comes on weekdays at 20:00; next: Mon 30 Nov, 20:00."
    ]
    assert await here.therapist("schedule mood mon, thu 9 am") == [
        "Mood and energy now comes on Mon and Thu at 09:00; next: Thu 3 Dec, 09:00."
    ]
    [listed] = await here.console("schedules")
    assert listed.splitlines()[1].endswith("Mood and energy: on Mon and Thu at 09:00; next: Thu 3 Dec, 09:00")
    assert await here.therapist("stop mood") == ["Mood and energy is not planned any more."]
    assert await here.console("schedules") == ["Alex: Nothing is planned."]


async def test_a_quiet_time_is_said_once_and_kept(here: Rooms) -> None:
    """A wall time that a person chose is kept."""
    [said] = await here.therapist("schedule mood daily 22:30")
    assert said.endswith(
        "That lies in the quiet hours (21:30–07:30). It comes all the same, because you chose the time."
    )
    assert "How are you feeling" in "\n".join(await here.pass_to("2026-11-30 22:31"))


async def test_a_prompt_around_sessions_needs_a_session(here: Rooms) -> None:
    """It says so, and comes once there is one."""
    [said] = await here.console("schedule session-preparation session -1 day 18:00")
    assert said.startswith("Alex: Session preparation now comes the day before each session at 18:00, once I know of")
    assert await here.client("session wed 10:00 weekly") == [
        "Noted: a session every week, first on Wed 2 Dec, 10:00. "
        "Only my questions move with it; the appointment itself is between the two of you."
    ]
    [listed] = await here.client("schedule")
    assert "next: Tue 1 Dec, 18:00" in listed
    assert "The next session is on Wed 2 Dec, 10:00." in listed
    [moved] = await here.therapist("session move fri 11:00")
    assert moved.startswith("The session of Wed 2 Dec, 10:00 is now on Fri 4 Dec, 11:00. Only my questions")
    [listed] = await here.client("schedule")
    assert "next: Thu 3 Dec, 18:00" in listed
    [cancelled] = await here.client("session cancel")
    assert cancelled.startswith("The session of Fri 4 Dec, 11:00 is cancelled. The next one is on Wed 9 Dec, 10:00.")
    [ended] = await here.console("session end")
    assert ended.startswith("Alex: There are no more sessions of this series.")
    assert await here.client("session") == ["I know of no session. Write for example `session tue 10:00 weekly`."]


async def test_a_client_moves_thins_out_and_refuses(here: Rooms) -> None:
    """Each in one sentence, and the therapist cannot lift it."""
    await here.console("schedule mood daily 20:00")
    assert await here.client("move mood to 19:00") == [
        "Mood and energy now comes every day at 19:00; next: Mon 30 Nov, 19:00."
    ]
    assert await here.client("fewer mood") == [
        "Mood and energy now comes on Mon, Wed and Fri at 19:00; next: Mon 30 Nov, 19:00."
    ]
    [listed] = await here.console("schedules")
    assert "(Alex changed it; planned was every day at 20:00)" in listed
    assert await here.therapist("schedule mood weekdays 18:00") == [
        "Alex asked for fewer, and that stays. "
        "Mood and energy now comes on Mon, Wed and Fri at 18:00; next: Mon 30 Nov, 18:00."
    ]
    await here.therapist("stop mood")
    assert await here.console("schedule mood daily 18:00") == [
        "Alex: Alex asked for fewer, and that stays. "
        "Mood and energy now comes on Mon, Wed and Fri at 18:00; next: Mon 30 Nov, 18:00."
    ]
    [refused] = await here.client("stop mood")
    assert refused.startswith("Mood and energy will not come any more.")
    for text in ("schedule mood daily 18:00", "send mood"):
        assert await here.therapist(text) == [
            "Alex does not want Mood and energy any more, and only Alex can bring it back."
        ]
    assert await here.therapist("resume mood") == ["Only Alex can do that."]
    assert "Alex does not want: Mood and energy" in (await here.console("schedules"))[0]
    assert await here.pass_to("2026-12-03 12:00") == []
    assert await here.client("resume mood") == ["Mood and energy now comes every day at 18:00; next: Thu 3 Dec, 18:00."]


async def test_a_refusal_outlives_the_schedule(here: Rooms) -> None:
    """What was refused before anything was planned, or is planned anew, does not come."""
    await here.client("stop sleep")
    assert await here.console("schedule sleep daily 8:00") == [
        "Alex: Alex does not want Sleep any more, and only Alex can bring it back."
    ]
    assert await here.client("resume sleep") == ["Sleep may come again. Your therapist plans when."]
    assert len(await here.console("schedule sleep daily 8:00")) == 1
    assert await here.client("resume sleep") == ["Sleep is not stopped, so everything stays as it is."]


async def test_a_pause_until_a_day(here: Rooms) -> None:
    """Nothing comes until then, nothing piles up, and the therapist cannot lift it."""
    await here.console("schedule mood daily 20:00")
    [said] = await here.client("pause until wednesday")
    assert said.startswith("My questions are paused until Wed 2 Dec.")
    for text in ("resume", "pause until monday"):
        assert await here.therapist(text) == ["Alex has paused my questions, and only Alex can start them again."]
    assert await here.console("send mood") == ["Alex: My questions for Alex are paused, so I have not sent it."]
    assert [line for line in await here.pass_to("2026-12-02 19:59") if "feeling" in line] == []
    assert not (await here.pair()).paused
    assert len([line for line in await here.pass_to("2026-12-02 20:01") if "feeling" in line]) == 1


async def test_a_therapists_pause_is_lifted_by_either(here: Rooms) -> None:
    """`resume` says what comes next."""
    await here.console("schedule mood daily 20:00")
    assert (await here.console("pause for a week"))[0].startswith(
        "Alex: My questions are paused until Mon 7 Dec, 12:00."
    )
    assert await here.client("resume") == [
        "Welcome back. My questions start again; next: Mood and energy, Mon 30 Nov, 20:00."
    ]
    assert await here.client("resume") == ["My questions are not paused."]
    assert await here.client("pause until 2026-11-29") == [
        "That day is over already. Please name one that is still to come."
    ]


async def test_the_client_is_somewhere_else(here: Rooms) -> None:
    """A city is enough; only what comes later is planned anew."""
    await here.console("schedule mood daily 20:00")
    assert await here.client("timezone Lisbon") == [
        "Your times are now those of Lisbon, where it is Mon 30 Nov, 11:00. Next: Mood and energy, Mon 30 Nov, 20:00."
    ]
    assert (await here.pair()).timezone == "Europe/Lisbon"
    assert await here.client("timezone usa") == [
        "I am not sure which place you mean. Did you mean New York, Chicago and Los Angeles?"
    ]
    assert (await here.client("timezone Hobbiton"))[0].startswith("I do not know that place.")
    assert (await here.client("timezone"))[0].startswith("Your times are those of Lisbon")
    assert await here.client("timezone differences between us are hard") == []
    assert await here.therapist("timezone Berlin") == ["Only Alex can do that."]


async def test_try_leaves_no_trace(here: Rooms) -> None:
    """The questions, in the console alone: no delivery, no record."""
    [said] = await here.console("try thought-record")
    lines = said.splitlines()
    assert lines[0].startswith("Thought record – ")
    assert "asked only after certain answers" in said or "may be left out" in said
    assert lines[-1] == "Only you see this. Nothing was asked or kept."
    assert await here.therapist("try mood") == [
        "Please write that in your console with me, so that this room stays quiet."
    ]
    assert await here.client("try mood") == []
    async with here.store.transaction() as tx:
        assert await tx.deliveries.recent("p1") == ()


async def test_prompts_lists_them_all_in_the_console(here: Rooms) -> None:
    """One line each, by a number that stays; in the room of the two the list ends early."""
    [listed] = await here.console("prompts")
    assert len(listed.splitlines()) == len(PACKS["en"].prompts) + 1
    number = next(line.split(".")[0] for line in listed.splitlines() if "Mood and energy" in line)
    [short] = await here.therapist("prompts")
    assert len(short.splitlines()) == 7
    assert short.endswith("you see them all when you write this in your console.")
    [said] = await here.therapist(f"schedule {number} daily 20:00")
    assert said.startswith("Mood and energy now comes")
    assert (await here.client("prompts"))[0].startswith("Your therapist sets up what comes.")


async def test_send_asks_now(here: Rooms) -> None:
    """In the room the question itself is the answer; the console says that it is on its way."""
    said = await here.console("send mood")
    assert said[0].startswith("How are you feeling")
    assert said[-1] == "Alex: Mood and energy is on its way."
    assert len(await here.therapist("send gratitude")) == 1
    assert await here.console("send goal-checkin") == ["Alex: Goal check-in asks about a goal, and there is none yet."]


async def test_the_console_of_several_clients(here: Rooms) -> None:
    """Without a name it asks for whom; every answer names the client."""
    async with here.store.transaction() as tx:
        sam = new_pair("p2", client="@sam:hs", client_name="Sam", word="owl", room_id="!sam:hs")
        await tx.pairs.add(sam)
    [asked] = await here.console("schedules")
    assert asked.startswith("Which client is it for?")
    assert "Sam (owl)" in asked
    assert (await here.console("for Sam: schedule mood daily 20:00"))[0].startswith("Sam: Mood and energy now comes")
    assert await here.console("for heron schedules") == ["Alex: Nothing is planned."]
    assert "Your clients are Alex (heron), Sam (owl)" in (await here.console("for Bob schedules"))[0]
    async with here.store.transaction() as tx:
        await tx.pairs.save(replace(sam, number=2, state=PairState.ENDED))
    assert await here.console("schedules") == ["Alex: Nothing is planned."]
    assert (await here.console("for Sam schedules"))[
        0
    ] == "Sam: The work with Sam is ended, so nothing comes there any more."


async def test_a_miss_is_said_only_where_it_was_meant(here: Rooms) -> None:
    """Behind `!`, and in the console for a word that begins a command."""
    assert await here.therapist("schedule mood someday") == []
    for said in (await here.therapist("!schedule mood someday"), await here.console("schedule mood someday")):
        assert said == ["I can read it when it is written like this: `schedule mood weekdays 20:00`"]
    assert await here.console("thank you") == []
    assert await here.therapist("!journal") == ['I don\'t know "journal". Write `help` to see what I can do.']
    assert await here.therapist("journal") == []


async def test_help_begins_with_the_crisis_line_everywhere(here: Rooms) -> None:
    """The everyday words first, the rest in `help more`."""
    for write in (here.client, here.therapist, here.console):
        for text in ("help", "help more"):
            [said] = await write(text)
            assert said.startswith("If you need help now, call 112")
    [said] = await here.client("crisis")
    assert said.startswith("If you or someone else is in danger")


async def test_after_the_end_only_help_is_answered(here: Rooms) -> None:
    """In the room; the console says that it is over."""
    await here.change(state=PairState.ENDED)
    for text in ("schedule", "pause", "stop mood", "ask: why?", "!foo", "agenda"):
        assert await here.client(text) == []
    assert len(await here.client("help")) == 1
    assert len(await here.client("crisis")) == 1
    assert await here.console("send mood") == ["Alex: The work with Alex is ended, so nothing comes there any more."]


async def test_the_console_has_nothing_of_what_is_answered(here: Rooms) -> None:
    """`progress` sends the therapist to the room."""
    assert await here.console("progress") == [
        "Alex: Please write that in the room with Alex; what is answered stays there."
    ]
    assert await here.therapist("progress") != []


async def test_who_says_it_counts_not_where_it_is_said_to_come_from(here: Rooms) -> None:
    """The role is the sender's in the pair's record, whatever the text claims."""
    await here.console("schedule mood daily 20:00")
    await here.say(CLIENT, ROOM, "stop mood")
    assert await here.say(THERAPIST, ROOM, "resume mood") == ["Only Alex can do that."]
    assert await here.say(THERAPIST, CONSOLE, "for Alex: resume mood") == ["Alex: Only Alex can do that."]
    assert berlin("2026-11-30 12:00") == here.clock.at


async def test_the_command_line_lifts_nothing_either(here: Rooms) -> None:
    """A schedule of the operator's keeps to what the client decided, and a refused prompt is not sent."""
    await here.console("schedule mood daily 20:00")
    await here.client("fewer mood")
    await here.console("stop mood")
    pair = await here.pair()
    schedules = Schedules(pack_of=VOICE.pack)
    async with here.store.transaction() as tx:
        changed = await schedules.add(tx, pair, prompt_id="mood", rule="daily 18:00", at=here.clock.at)
    assert changed.schedule.effective_rule == "mon, wed, fri 18:00"
    await here.client("stop mood")
    async with here.store.transaction() as tx:
        with pytest.raises(PairError, match="only the client"):
            await schedules.add(tx, pair, prompt_id="mood", rule="daily 19:00", at=here.clock.at)
        with pytest.raises(PairError, match="only the client"):
            await here.talk.deliverer.send_now(tx, pair, "mood", key="hand:1", at=here.clock.at)


async def test_who_refuses_a_prompt_leaves_its_open_question(here: Rooms) -> None:
    """The question that stands there takes no passing answer any more."""
    await here.console("send mood")
    [said] = await here.client("stop mood")
    assert said.startswith("Mood and energy will not come any more.")
    assert await here.client("good") == []
    async with here.store.transaction() as tx:
        assert await tx.records.newest("p1") == ()


async def test_a_goal_is_named_by_its_title(here: Rooms) -> None:
    """Its check-in is planned, moved and refused by the goal's name; other goals are left alone."""
    for title in ("Walk", "Sleep early"):
        await here.goal(title)
    assert await here.console("schedule walk fri 18:00") == [
        "Alex: Walk now comes on Fri at 18:00; next: Fri 4 Dec, 18:00."
    ]
    assert await here.client("move walk to 17:00") == ["Walk now comes on Fri at 17:00; next: Fri 4 Dec, 17:00."]
    await here.console("schedule sleep early mon 18:00")
    await here.client("stop walk")
    [listed] = await here.client("schedule")
    assert "Sleep early: on Mon at 18:00" in listed
    assert "You have stopped: Walk" in listed
