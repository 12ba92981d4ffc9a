"""What is a command and what is conversation."""

from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.command_forms import Grammar
from bot.core.command_names import CommandName
from bot.core.commands import Command, Known, Listed, Miss, could_be_command, named, parse_command
from bot.core.spoken_times import Day, Moment
from tests.core.english import wording

GERMAN = Grammar(
    {
        CommandName.PAUSE: ("Pause", "mach mal Pause", "Pause bis {day}", "Pause für {length}"),
        CommandName.CRISIS: ("Krise", "hilf mir"),
        CommandName.MOVE_PROMPT: ("verschiebe {prompt} auf {time}",),
        CommandName.SCHEDULE: ("plane {prompt} {rule}",),
        CommandName.ASK: ("frage: {words}",),
    },
    for_client=("für",),
    time_words={
        "Montag": "monday",
        "do": "thu",
        "werktags": "weekdays",
        "Woche": "week",
        "eine": "a",
        "uhr": "o'clock",
    },
    numbers={"zwei": 2},
)
KEY = "AbCd EfGh IjKl MnOp QrSt UvWx Yz01 2345 6789 +/Ab Cde"
KNOWN = Known(
    prompts=(
        Listed(id="mood", number=1, names=("Mood",)),
        Listed(id="sleep", number=2, names=("Sleep",)),
        Listed(id="sleep-check", number=3, names=("Sleep check",)),
        Listed(id="urge-log", number=4, names=("Urges and skills",)),
    ),
    starts={"log urge": "urge-log"},
    clients=(
        Listed(id="p1", number=1, names=("Alex", "heron")),
        Listed(id="p2", number=2, names=("Alex Miller", "owl")),
        Listed(id="p3", number=3, names=("Sam", "wren")),
        Listed(id="p4", number=4, names=("Sam", "lark")),
    ),
)
ROOM = Known(prompts=KNOWN.prompts, starts=KNOWN.starts)


def parse(text: str, *, known: Known = ROOM, alone: bool = False) -> Command | Miss | None:
    """Parse as English in a room of two unless told otherwise."""
    return parse_command(text, wording().grammar, known, alone=alone)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("help", CommandName.HELP),
        (" Help! ", CommandName.HELP),
        ("help more", CommandName.HELP_MORE),
        ("“undo”.", CommandName.UNDO),
        ("ＰＡＵＳＥ", CommandName.PAUSE),
        ("not   today", CommandName.SKIP),
        ("Take it back…", CommandName.UNDO),
        ("why?", CommandName.WHY),
        ("Schedule", CommandName.NEXT),
    ],
)
def test_a_whole_message_is_a_command(text: str, name: CommandName) -> None:
    """Case, width, quotes, spaces and end punctuation make no difference."""
    assert parse(text) == Command(name=name)


@pytest.mark.parametrize(
    "text", ["crisis", "Help me!!", "I need help", "EMERGENCY", "i’m in crisis", "help me 😭", "!crisis", "Help, me"]
)
@pytest.mark.parametrize("known", [ROOM, KNOWN])
def test_crisis_always_works(text: str, known: Known) -> None:
    """Every form of the call for help is understood, by everybody and everywhere."""
    found = parse(text, known=known, alone=known is KNOWN)
    assert isinstance(found, Command)
    assert found.name is CommandName.CRISIS
    assert could_be_command(text, wording().grammar)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "can you help?",
        "I want to pause for a second",
        "pause for a second",
        "/help",
        "/crisis",
        "help help",
        "...",
        "!",
        "!?",
        "🙂",
        "later today",
        "move to Berlin",
        "fewer tears",
        "stop it",
        "stop worrying about mood",
        "send flowers",
        "schedule moood weekdays 20:00",
        "schedule mood someday",
        "pause until I feel better",
        "timezone differences between us are hard",
        "trust me",
        "ask me anything",
        "ask:",
        "done with it",
        "log urge now",
        "session was good",
        "foo bar",
    ],
)
def test_anything_else_is_conversation(text: str) -> None:
    """A command word inside a sentence, after a slash or with what makes no sense behind it means nothing."""
    assert parse(text) is None


_DAYS = {"monday": Day(weekday=0), "1 dec": Day(month_day=(12, 1)), "thu": Day(weekday=3), "tue": Day(weekday=1)}


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("later 21:00", "later", {"clock": time(21)}),
        ("Later at 9 pm!", "later", {"clock": time(21)}),
        ("later in 30 min", "later", {"length": timedelta(minutes=30)}),
        ("later, in half an hour", "later", {"length": timedelta(minutes=30)}),
        ("move to 7.30pm", "move", {"clock": time(19, 30)}),
        ("Move mood to 19:00.", "move_prompt", {"prompt": "mood", "clock": time(19)}),
        ("move sleep check to 22:15", "move_prompt", {"prompt": "sleep-check", "clock": time(22, 15)}),
        ("fewer 2", "fewer_prompt", {"prompt": "sleep"}),
        ("stop urges and skills", "stop_prompt", {"prompt": "urge-log"}),
        ("stop urge-log", "stop_prompt", {"prompt": "urge-log"}),
        ("pause until monday", "pause", {"day": _DAYS["monday"]}),
        ("pause until 1 Dec", "pause", {"day": _DAYS["1 dec"]}),
        ("pause until 1.12.", "pause", {"day": _DAYS["1 dec"]}),
        ("pause for a week", "pause", {"length": timedelta(weeks=1)}),
        ("pause for two weeks", "pause", {"length": timedelta(weeks=2)}),
        ("timezone Lisbon", "timezone", {"place": "Lisbon"}),
        ("time zone: New York", "timezone", {"place": "New York"}),
        ("Log urge", "start", {"prompt": "urge-log"}),
        ("schedule mood weekdays 20:00", "schedule", {"prompt": "mood", "rule": "weekdays 20:00"}),
        ("schedule 3 mon, thu 9:00", "schedule", {"prompt": "sleep-check", "rule": "mon, thu 09:00"}),
        ("schedule sleep daily 8 pm", "schedule", {"prompt": "sleep", "rule": "daily 20:00"}),
        ("send mood", "send", {"prompt": "mood"}),
        ("try 1", "try", {"prompt": "mood"}),
        ("done 2", "agenda_done", {"number": 2}),
        (
            "session tue 10:00 weekly",
            "session",
            {"moment": Moment(day=_DAYS["tue"], clock=time(10), every_weeks=1)},
        ),
        ("session move thu 11:00", "session_move", {"moment": Moment(day=_DAYS["thu"], clock=time(11))}),
        ("ask: May I\n“skip” it?", "ask", {"words": "May I\n“skip” it?"}),
        ("Bring： my sister", "bring", {"words": "my sister"}),
    ],
)
def test_arguments_are_read(text: str, name: str, arguments: dict[str, Any]) -> None:
    """Prompts by title, id or number; times, days, lengths and rules as people write them; words as they are."""
    assert parse(text) == Command(name=CommandName(name), **arguments)
    assert could_be_command(text, wording().grammar, ROOM.starts)


def test_an_exclamation_mark_wants_an_answer() -> None:
    """Only a leading `!` turns what is not understood into a miss, and marks a command as meant for the bot."""
    assert parse("!foo bar") == Miss(word="foo")
    assert parse("! Undo") == Command(name=CommandName.UNDO, explicit=True)
    assert parse("!schedule mood someday") == Miss(word="schedule", near=CommandName.SCHEDULE)


def test_alone_with_the_bot_a_near_miss_is_a_miss() -> None:
    """In a console a word that begins a command is meant for the bot; anything else stays unanswered."""
    assert parse("schedule mood someday", alone=True) == Miss(word="schedule", near=CommandName.SCHEDULE)
    assert parse("schedul mood daily 20:00", alone=True) == Miss(word="schedul", near=CommandName.SCHEDULE)
    assert parse("trust @heron:hs.example", alone=True) == Miss(word="trust", near=CommandName.TRUST)
    assert parse("thank you", alone=True) is None


def test_english_works_beside_the_language() -> None:
    """The language's words and the English ones both work, also inside rules and times."""
    for text in ("mach mal Pause", "pause"):
        assert parse_command(text, GERMAN) == Command(name=CommandName.PAUSE)
    assert parse_command("help me", GERMAN) == Command(name=CommandName.CRISIS)
    expected = Command(name=CommandName.SCHEDULE, prompt="mood", rule="weekdays 20:00")
    for text in ("plane Mood werktags 20:00", "schedule mood weekdays 20:00", "plane mood werktags 20 Uhr"):
        assert parse_command(text, GERMAN, ROOM) == expected
    assert parse_command("Pause bis Montag", GERMAN) == Command(name=CommandName.PAUSE, day=Day(weekday=0))
    assert parse_command("pause für eine Woche", GERMAN) == Command(name=CommandName.PAUSE, length=timedelta(weeks=1))
    assert parse_command("Frage: darf ich?", GERMAN) == Command(name=CommandName.ASK, words="darf ich?")


@pytest.mark.parametrize(
    ("text", "client"),
    [
        ("for Alex: schedules", "p1"),
        ("for alex schedules", "p1"),
        ("For Alex Miller, schedules", "p2"),
        ("for 2 schedules", "p2"),
        ("for lark: schedules", "p4"),
        ("schedules", None),
    ],
)
def test_a_console_command_names_its_client(text: str, client: str | None) -> None:
    """By name, room or number in front of the command."""
    assert parse(text, known=KNOWN, alone=True) == Command(name=CommandName.SCHEDULES, client=client)


def test_a_client_that_is_not_there_or_not_alone_is_asked_back() -> None:
    """Nobody of that name, and two of the same name: neither is guessed."""
    for text in ("for Bob schedules", "for Sam: schedules"):
        assert parse(text, known=KNOWN, alone=True) == Miss(word="for", no_such_client=True)
    assert parse("for Alex schedules") is None


def test_trust_in_the_console() -> None:
    """`trust` takes a user id and a fingerprint exactly as typed."""
    trust = Command(name=CommandName.TRUST, user="@Heron:hs.example", fingerprint=KEY)
    assert parse(f"Trust @Heron:hs.example {KEY}", alone=True) == trust


def test_two_things_of_the_same_name_are_not_guessed_between() -> None:
    """A number still tells them apart."""
    assert named("sam", KNOWN.clients) is None
    assert named("3", KNOWN.clients) == "p3"
    assert named("", KNOWN.clients) is None


@given(st.text(), st.booleans())
def test_any_text_can_be_parsed(text: str, alone: bool) -> None:
    """No text raises, with or without the mark."""
    for each in (text, f"!{text}", f"schedule mood {text}", f"for alex {text}", f"pause until {text}", f"ask: {text}"):
        parse(each, known=KNOWN, alone=alone)


@given(st.text())
def test_the_quick_look_overlooks_no_command(text: str) -> None:
    """Whatever is a command passes it."""
    for each in (text, f"for alex {text}", f"later {text}", f"log urge {text}"):
        if parse(each, known=KNOWN) is not None:
            assert could_be_command(each, wording().grammar, KNOWN.starts)
