"""A hundred messages as people really type them in a room of two: command, answer, conversation, or asked back.

Each message stands alone in a fresh room. Before it, a prompt may be open; `talked` says that the therapist has written
since, so that words are for the therapist.
"""

from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path

import pytest

from tests.flows.two_rooms import Rooms, rooms


class Taken(StrEnum):
    """What a message is taken for."""

    COMMAND = "command"  # the bot does something, or says why not
    ANSWER = "answer"  # it goes on record
    TALK = "talk"  # conversation: no word from the bot, nothing recorded
    BACK = "asked back"  # the bot asks, or says what would fit


COMMAND, ANSWER, TALK, BACK = Taken
NOTHING, WORDS, TAP, TALKED = "nothing open", "evening-reflection", "mood", "mood, talked"

CLIENT = [
    # Nothing is open: commands
    ("help", NOTHING, COMMAND),
    ("Help!", NOTHING, COMMAND),
    ("help me", NOTHING, COMMAND),
    ("I need help now", NOTHING, COMMAND),
    ("crisis", NOTHING, COMMAND),
    ("Schedule?", NOTHING, COMMAND),
    ("what comes next", NOTHING, COMMAND),
    ("progress", NOTHING, COMMAND),
    ("journal", NOTHING, COMMAND),
    ("thought", NOTHING, COMMAND),
    ("Log urge", NOTHING, COMMAND),
    ("pause", NOTHING, COMMAND),
    ("pause until friday", NOTHING, COMMAND),
    ("Pause for a week.", NOTHING, COMMAND),
    ("move mood to 7pm", NOTHING, COMMAND),
    ("fewer mood", NOTHING, COMMAND),
    ("stop mood", NOTHING, COMMAND),
    ("stop mood and energy", NOTHING, COMMAND),
    ("timezone Lisbon", NOTHING, COMMAND),
    ("ask: is it normal to feel worse first?", NOTHING, COMMAND),
    ("Bring: the thing with mum", NOTHING, COMMAND),
    ("agenda", NOTHING, COMMAND),
    ("session thu 15:00", NOTHING, COMMAND),
    ("!undo", NOTHING, COMMAND),
    ("!stop", NOTHING, COMMAND),
    ("!what", NOTHING, COMMAND),
    ("schedule mood daily 8:00", NOTHING, COMMAND),
    # Nothing is open: conversation
    ("hi", NOTHING, TALK),
    ("thanks, that helps", NOTHING, TALK),
    ("can you help me with this tomorrow?", NOTHING, TALK),
    ("ok", NOTHING, TALK),
    ("7", NOTHING, TALK),
    ("yes", NOTHING, TALK),
    ("stop", NOTHING, TALK),
    ("stop it!!", NOTHING, TALK),
    ("later", NOTHING, TALK),
    ("Later today I see my brother", NOTHING, TALK),
    ("skip", NOTHING, TALK),
    ("back", NOTHING, TALK),
    ("Done!", NOTHING, TALK),
    ("undo", NOTHING, TALK),
    ("why?", NOTHING, TALK),
    ("fewer", NOTHING, TALK),
    ("keep", NOTHING, TALK),
    ("move to 19:00", NOTHING, TALK),
    ("move to Berlin in spring, maybe", NOTHING, TALK),
    ("pause for a second", NOTHING, TALK),
    ("I had to pause until I could breathe", NOTHING, TALK),
    ("the timezone is killing me", NOTHING, TALK),
    ("ask me anything", NOTHING, TALK),
    ("ask:", NOTHING, TALK),
    ("send help", NOTHING, TALK),
    ("send mood", NOTHING, COMMAND),
    ("done 2", NOTHING, TALK),
    ("try mood", NOTHING, TALK),
    ("/help", NOTHING, TALK),
    ("😭", NOTHING, TALK),
    # A question that takes words
    ("Walked by the river, felt lighter.", WORDS, ANSWER),
    ("nothing much", WORDS, ANSWER),
    ("7", WORDS, ANSWER),
    ("I need help with the dishes, otherwise good", WORDS, ANSWER),
    ("no idea", WORDS, ANSWER),
    ("!help", WORDS, COMMAND),
    ("Skip.", WORDS, COMMAND),
    ("not today", WORDS, COMMAND),
    ("later", WORDS, COMMAND),
    ("later 21:30", WORDS, COMMAND),
    ("later in 30 min", WORDS, COMMAND),
    ("stop", WORDS, COMMAND),
    ("why?", WORDS, COMMAND),
    ("again", WORDS, COMMAND),
    ("help", WORDS, COMMAND),
    ("emergency", WORDS, COMMAND),
    ("bring: this again", WORDS, COMMAND),
    # A question with options
    ("good", TAP, ANSWER),
    ("Very low", TAP, ANSWER),
    ("4", TAP, ANSWER),
    ("very good!", TAP, ANSWER),
    ("why", TAP, COMMAND),
    ("move to 18:00", TAP, COMMAND),
    ("fewer", TAP, COMMAND),
    ("hm, it was a long day with the kids", TAP, TALK),
    ("are you there?", TAP, TALK),
    # The therapist has written since
    ("good", TALKED, BACK),
    ("4", TALKED, BACK),
    ("Good, and how are you?", TALKED, TALK),
    ("why?", TALKED, TALK),
    ("fewer", TALKED, TALK),
    ("move to 18:00", TALKED, TALK),
    ("skip", TALKED, COMMAND),
    ("help", TALKED, COMMAND),
]
THERAPIST = [
    ("How was the week?", NOTHING, TALK),
    ("good", TAP, TALK),
    ("4", TAP, TALK),
    ("stop", TAP, TALK),
    ("skip", TAP, TALK),
    ("journal", NOTHING, TALK),
    ("undo", TAP, TALK),
    ("help", NOTHING, COMMAND),
    ("prompts", NOTHING, COMMAND),
    ("schedules", NOTHING, COMMAND),
    ("schedule sleep daily 8:00", NOTHING, COMMAND),
    ("schedule a walk for thursday", NOTHING, TALK),
    ("send sleep", NOTHING, COMMAND),
    ("send me the diary when you like", NOTHING, TALK),
    ("stop mood", NOTHING, COMMAND),
    ("stop worrying about mood", NOTHING, TALK),
    ("pause until monday", NOTHING, COMMAND),
    ("pause and breathe", NOTHING, TALK),
    ("session tue 10:00 weekly", NOTHING, COMMAND),
    ("session was moved to thursday, ok?", NOTHING, TALK),
    ("bring: sleep diary", NOTHING, COMMAND),
    ("ask: yourself what helped", NOTHING, TALK),
    ("resume mood", NOTHING, COMMAND),
    ("try mood", NOTHING, COMMAND),
    ("done 7", NOTHING, COMMAND),
    ("!journal", NOTHING, COMMAND),
]
GERMAN = [
    ("Hilfe", NOTHING, COMMAND),
    ("hilf mir bitte beim Umzug", NOTHING, TALK),
    ("ich brauche Hilfe", NOTHING, COMMAND),
    ("Pause bis Montag", NOTHING, COMMAND),
    ("Pause machen wäre schön", NOTHING, TALK),
    ("stopp schlaf", NOTHING, COMMAND),
    ("Frage: ist das normal?", NOTHING, COMMAND),
    ("Frage mich was", NOTHING, TALK),
    ("verschiebe mood auf 19 Uhr", NOTHING, COMMAND),
    ("später", WORDS, COMMAND),
    ("später vielleicht", WORDS, ANSWER),
    ("später", NOTHING, TALK),
    ("gut", TAP, ANSWER),
    ("Zeitzone Lissabon", NOTHING, COMMAND),
    ("schedule", NOTHING, COMMAND),
]


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Rooms]:
    """A room in English."""
    async with rooms(tmp_path) as opened:
        yield opened


async def taken(here: Rooms, who: str, text: str, situation: str) -> Taken:
    """Bring a situation about, let somebody write, and see what became of it."""
    await here.console("schedule mood daily 20:00")
    if situation != NOTHING:
        await here.console("send evening-reflection" if situation == WORDS else "send mood")
    if situation == TALKED:
        await here.therapist("How did it go with your brother?")
    said = await (here.client(text) if who == "client" else here.therapist(text))
    async with here.store.transaction() as tx:
        records = await tx.records.newest("p1")
    posts = [row for row in here.sent if row.purpose == "question"]
    if records and records[0].kind != "journal":
        return ANSWER
    if posts:
        return BACK
    return COMMAND if said else TALK


@pytest.mark.parametrize(("text", "situation", "expected"), CLIENT)
async def test_what_a_client_writes(here: Rooms, text: str, situation: str, expected: Taken) -> None:
    """The whole of a message counts, and what is open."""
    assert await taken(here, "client", text, situation) is expected


@pytest.mark.parametrize(("text", "situation", "expected"), THERAPIST)
async def test_what_a_therapist_writes(here: Rooms, text: str, situation: str, expected: Taken) -> None:
    """Never an answer; a command only when it can mean nothing else."""
    assert await taken(here, "therapist", text, situation) is expected


@pytest.mark.parametrize(("text", "situation", "expected"), GERMAN)
async def test_what_a_client_writes_in_german(tmp_path: Path, text: str, situation: str, expected: Taken) -> None:
    """The same in the client's language; English words work as well."""
    async with rooms(tmp_path, language="de") as german:
        assert await taken(german, "client", text, situation) is expected


def test_there_are_a_hundred() -> None:
    """And each is written once in its situation."""
    every = [("client", *row) for row in CLIENT] + [("therapist", *row) for row in THERAPIST]
    assert len(every) + len(GERMAN) >= 100
    assert len({row[:3] for row in every}) == len(every)
