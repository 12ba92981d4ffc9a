"""What the two want to talk about: put on the list, shown in time, corrected, done."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.pairs import PairState
from tests.flows.two_rooms import CLIENT, CONSOLE, ROOM, THERAPIST, Rooms, rooms


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Rooms]:
    """The rooms of one pair, on a Monday at noon in Berlin."""
    async with rooms(tmp_path) as opened:
        yield opened


async def texts(here: Rooms) -> list[str]:
    """What is on the list."""
    async with here.store.transaction() as tx:
        return [item.text for item in await tx.agenda.open_of("p1")]


async def test_a_question_reaches_the_therapist(here: Rooms) -> None:
    """It is noted in the room; the console hears of it without its words, and shows it when asked."""
    console, noted = await here.client("ask: May I try\nthe evening walk?")
    if console.startswith("Noted"):
        console, noted = noted, console
    assert console == "Alex has a question for you in heron. `agenda` shows it."
    assert noted == "Noted as number 1, a question for your therapist."
    await here.therapist("bring: sleep diary")
    expected = "To talk about:\n1. Alex asks: May I try the evening walk?\n2. sleep diary (Dr. Lee)"
    assert await here.client("agenda") == [expected]
    assert await here.therapist("agenda") == [expected]
    assert await here.console("agenda") == [f"Alex: {expected}"]


async def test_the_agenda_is_shown_once_before_the_session(here: Rooms) -> None:
    """Two hours before, quietly, in the room of the two; after the session the list is empty."""
    await here.client("session tue 10:00 weekly")
    assert (await here.client("bring: my sister"))[0].endswith("The next session is on Tue 1 Dec, 10:00.")
    assert await here.pass_to("2026-12-01 07:59") == []
    assert await here.pass_to("2026-12-01 09:59") == ["To talk about on Tue 1 Dec, 10:00:\n1. my sister (Alex)"]
    assert here.sent[-1].content["msgtype"] == "m.notice"
    assert here.sent[-1].content["m.mentions"] == {}
    assert here.sent[-1].room_id == ROOM
    await here.client("bring: the weekend")  # too late to be shown, not too late to be talked about
    assert await here.pass_to("2026-12-01 12:01") == []
    assert await texts(here) == []
    await here.client("bring: work")
    assert await here.pass_to("2026-12-08 09:00") == ["To talk about on Tue 8 Dec, 10:00:\n3. work (Alex)"]


async def test_the_agenda_comes_with_the_preparation(here: Rooms) -> None:
    """Where a prompt prepares for the session, the list stands beside it."""
    await here.client("session wed 10:00")
    await here.console("schedule session-preparation session -1 day 18:00")
    await here.client("bring: my sister")
    said = await here.pass_to("2026-12-01 18:01")
    assert said[-1] == "To talk about on Wed 2 Dec, 10:00:\n1. my sister (Alex)"
    assert [line for line in await here.pass_to("2026-12-02 11:00") if "sister" in line] == []


async def test_a_moved_session_moves_its_agenda(here: Rooms) -> None:
    """And a cancelled one has none."""
    await here.client("session tue 10:00")
    await here.client("bring: my sister")
    await here.client("session move thu 15:00")
    assert await here.pass_to("2026-12-03 12:59") == []
    assert len(await here.pass_to("2026-12-03 13:01")) == 1
    await here.pass_to("2026-12-04 12:00")
    await here.client("session tue 10:00")
    await here.client("bring: work")
    await here.client("session cancel")
    assert await here.pass_to("2026-12-09 12:00") == []
    assert await texts(here) == ["work"]


async def test_the_therapist_marks_an_item_as_done(here: Rooms) -> None:
    """By its number; the client's `done 2` is no command."""
    await here.client("bring: my sister")
    await here.client("bring: work")
    assert await here.client("done 2") == []
    assert await here.therapist("done 2") == ["Number 2 is done."]
    assert await here.console("done 2") == ["Alex: There is no number 2 on the list. `agenda` shows what is there."]
    assert await texts(here) == ["my sister"]
    assert await here.console("done 1") == ["Alex: Number 1 is done."]
    assert await here.client("agenda") == ["Nothing is on the list. `ask: …` and `bring: …` put something on it."]


async def test_an_edit_changes_the_item(here: Rooms) -> None:
    """What was shown of it before is taken back; a slip that is mended puts it on the list."""
    await here.client("bring: my sistr")
    original = here.last_event
    await here.client("agenda")
    shown = here.sent[-1]
    await here.edit(CLIENT, ROOM, original, "bring: my sister")
    assert await texts(here) == ["my sister"]
    assert (here.sent[-1].event_type, here.sent[-1].relates_row) == ("m.room.redaction", shown.outbox_id)
    await here.edit(CLIENT, ROOM, original, "never mind")
    assert await texts(here) == []
    await here.client("brng: work")
    await here.edit(CLIENT, ROOM, here.last_event, "bring: work")
    assert await texts(here) == ["work"]


async def test_a_deleted_message_takes_its_item_along(here: Rooms) -> None:
    """From the list and from what the bot has shown in both rooms; nobody else can do that."""
    await here.client("bring: my sister")
    original = here.last_event
    await here.client("agenda")
    in_room = here.sent[-1]
    await here.console("agenda")
    in_console = here.sent[-1]
    await here.redact(THERAPIST, ROOM, original)
    assert await texts(here) == ["my sister"]
    await here.redact(CLIENT, ROOM, original)
    assert await texts(here) == []
    redacted = {row.relates_row for row in here.sent if row.event_type == "m.room.redaction"}
    assert redacted == {in_room.outbox_id, in_console.outbox_id}


async def test_the_therapist_brings_something_from_the_console(here: Rooms) -> None:
    """And takes it back there."""
    assert await here.console("bring: the report") == ["Alex: Noted as number 1 for the next session."]
    await here.redact(THERAPIST, CONSOLE, here.last_event)
    assert await texts(here) == []


async def test_a_long_list_ends_early_in_the_room(here: Rooms) -> None:
    """The console has all of it, with long words cut."""
    for number in range(7):
        await here.client(f"bring: topic {number} {'x' * 400}")
    [short] = await here.client("agenda")
    assert len(short.splitlines()) == 7
    [whole] = await here.console("agenda")
    assert len(whole.splitlines()) == 8
    assert max(map(len, whole.splitlines())) < 320


async def test_nothing_is_shown_where_the_work_rests(here: Rooms) -> None:
    """Neither after the end nor without the therapist, to whom nothing can be asked then."""
    await here.client("session tue 10:00")
    await here.client("bring: my sister")
    await here.change(therapist_gone=True)
    assert (await here.client("ask: are you there?"))[0].startswith("Your therapist is not in this room")
    await here.change(state=PairState.ENDED)
    assert await here.pass_to("2026-12-01 09:59") == []
