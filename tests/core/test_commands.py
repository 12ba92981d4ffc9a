"""What is a command and what is conversation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.commands import Command, CommandName, Miss, parse_command
from tests.core.english import wording

GERMAN = {CommandName.PAUSE: ("Pause", "mach mal Pause"), CommandName.CRISIS: ("Krise", "hilf mir")}
KEY = "AbCd EfGh IjKl MnOp QrSt UvWx Yz01 2345 6789 +/Ab Cde"


def parse(text: str, *, therapist: bool = False, console: bool = False) -> Command | Miss | None:
    """Parse as English in the pair room unless told otherwise."""
    return parse_command(text, wording().commands, from_therapist=therapist, console=console)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("help", CommandName.HELP),
        (" Help! ", CommandName.HELP),
        ("“undo”.", CommandName.UNDO),
        ("ＰＡＵＳＥ", CommandName.PAUSE),
        ("not   today", CommandName.SKIP),
        ("Take it back…", CommandName.UNDO),
    ],
)
def test_a_whole_message_is_a_command(text: str, name: CommandName) -> None:
    """Case, width, quotes, spaces and end punctuation make no difference."""
    assert parse(text) == Command(name=name)


@pytest.mark.parametrize(
    "text", ["crisis", "Help me!!", "I need help", "EMERGENCY", "i’m in crisis", "help me 😭", "!crisis", "Help, me"]
)
@pytest.mark.parametrize(("therapist", "console"), [(False, False), (True, False), (True, True)])
def test_crisis_always_works(text: str, therapist: bool, console: bool) -> None:
    """Every form of the call for help is understood, by everybody and everywhere."""
    found = parse(text, therapist=therapist, console=console)
    assert isinstance(found, Command)
    assert found.name is CommandName.CRISIS


@pytest.mark.parametrize(
    "text",
    ["", "can you help?", "I want to pause for a second", "/help", "/crisis", "help help", "...", "!", "!?", "🙂"],
)
def test_anything_else_is_conversation(text: str) -> None:
    """A command word inside a sentence, or after a slash, means nothing."""
    assert parse(text) is None


def test_an_exclamation_mark_wants_an_answer() -> None:
    """Only a leading `!` turns what is not understood into a miss, and marks a command as meant for the bot."""
    assert parse("!foo bar") == Miss(word="foo")
    assert parse("! Undo") == Command(name=CommandName.UNDO, explicit=True)
    assert parse("foo bar") is None


def test_a_therapist_has_no_client_commands() -> None:
    """Words that only a client can use are conversation for the therapist, or a miss after `!`."""
    assert parse("journal", therapist=True) is None
    assert parse("!journal", therapist=True) == Miss(word="journal")
    assert parse("undo", therapist=True) == Command(name=CommandName.UNDO)


def test_english_works_beside_the_language() -> None:
    """The language's words and the English ones both work."""
    for text in ("mach mal Pause", "pause"):
        assert parse_command(text, GERMAN, from_therapist=False, console=False) == Command(name=CommandName.PAUSE)
    assert parse_command("help me", GERMAN, from_therapist=False, console=False) == Command(name=CommandName.CRISIS)


def test_trust_in_the_console() -> None:
    """`trust` takes a user id and a fingerprint exactly as typed, only in the console."""
    trust = Command(name=CommandName.TRUST, arguments=("@Heron:hs.example", KEY))
    assert parse(f"Trust @Heron:hs.example {KEY}", therapist=True, console=True) == trust
    assert parse("trust @heron:hs.example", therapist=True, console=True) == Miss(word="trust")
    assert parse(f"trust @heron:hs.example {KEY}", therapist=True) is None
    assert parse("trust me", therapist=True) is None


@given(st.text(), st.booleans(), st.booleans())
def test_any_text_can_be_parsed(text: str, therapist: bool, console: bool) -> None:
    """No text raises, with or without the mark."""
    parse(text, therapist=therapist, console=console)
    parse(f"!{text}", therapist=therapist, console=console)
