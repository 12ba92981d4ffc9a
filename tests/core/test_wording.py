"""What the bot says: complete, checked, and filled in safely."""

import re

import pytest

from bot.core.command_names import ENGLISH, CommandName
from bot.core.template import say
from bot.core.wording import Wording, parse_wording
from bot.errors import PackError
from tests.core.english import PROMPTS, wording

TEXT = (PROMPTS / "en" / "bot.yaml").read_text(encoding="utf-8")


def refused(text: str) -> str:
    """Return the error that a changed bot.yaml gets."""
    with pytest.raises(PackError) as caught:
        parse_wording(text, source="bot.yaml")
    return str(caught.value)


def line_of(start: str) -> int:
    """Return the number of the line that begins so."""
    return next(number for number, line in enumerate(TEXT.splitlines(), 1) if line.startswith(start))


def test_the_english_pack_is_complete() -> None:
    """Every command has its English words in the pack, and every text is there."""
    assert set(wording().commands) == set(CommandName)
    assert all(set(words) <= set(wording().commands[name]) for name, words in ENGLISH.items())


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("\nlate:", "\nlatte:", "latte", "did you mean `late`?"),
        (
            "{title}: your answer is removed",
            "{titel}: your answer is removed",
            "removed",
            "unknown placeholder {titel}",
        ),
        ("help_miss: \"I don't", 'help_miss: "{', "help_miss", "brace"),
        ("My fingerprint: {fingerprint}\nhelp_th", "\nhelp_th", "help", "lacks {fingerprint}"),
        ("changed from {old} to", "changed to", "corrected_value", "lacks {old}"),
        ('paused: "My questions are paused.', 'paused: " " #', "paused", "is empty"),
        ("help: [help, commands]", "help: [help, PAUSE]", "commands.help[2]", "means both help and pause"),
        ("commands:\n", "commands:\n  dance: [dance]\n", "commands.dance", "is not one of the allowed words"),
        ("months: [Jan, ", "months: [", "calendar.months", "at least 12"),
        ("    seven: 7", "    seven: much", "reading.numbers.seven", "whole number"),
    ],
)
def test_a_slip_is_named_with_its_line(old: str, new: str, place: str, words: str) -> None:
    """A missing or unknown text or placeholder is refused with its field and what to do."""
    assert old in TEXT
    message = refused(TEXT.replace(old, new, 1))
    mine = [line for line in message.splitlines() if f": {place}: " in line]
    assert mine, message
    assert words in mine[0]


def test_the_line_is_right() -> None:
    """The place of a mistake is the line on which it stands."""
    number = line_of("removed:")
    assert refused(TEXT.replace("{title}: your answer is removed", "{x} is removed")).startswith(
        f"bot.yaml:{number}:1: removed: "
    )


def test_a_missing_text_is_named() -> None:
    """A text that somebody deleted is named."""
    without = "\n".join(line for line in TEXT.splitlines() if not line.startswith("undone:"))
    assert ": undone: is missing; add it" in refused(without)


def test_values_are_never_read_as_placeholders() -> None:
    """A title with braces is shown as it is, and a gap without a value is a mistake in the code."""
    assert say("For {title}: {value}", title="{value}{x}", value=7) == "For {value}{x}: 7"
    with pytest.raises(KeyError):
        say("For {title}")


def test_the_welcome_is_short_and_says_what_matters() -> None:
    """At most five sentences, three commands, and who can read the room."""
    text = say(wording().welcome, crisis_line="If you need help now, call 112.")
    assert len(re.findall(r"[.!?](?:\s|$)", text)) <= 5
    assert re.findall(r"`(\w+)`", text) == ["help", "crisis", "pause"]
    for needed in ("client", "therapist", "bot of the practice", "around the clock", "call 112"):
        assert needed in text


def test_help_begins_with_the_crisis_line() -> None:
    """Help of any kind begins with where help is now, and ends with the fingerprint."""
    for text in (wording().help, wording().help_therapist, wording().console_help):
        assert text.startswith("{crisis_line}")
        assert text.endswith("{fingerprint}")


def test_the_commands_in_help_exist() -> None:
    """What help offers is understood."""
    known = {word for words in wording().commands.values() for word in words}
    for text in (wording().help, wording().help_therapist):
        assert set(re.findall(r"`(\w+)`", text)) <= known


def test_the_tone_is_plain() -> None:
    """No guilt, no jargon, no blame in anything that the bot says."""
    texts = [text for text in wording().model_dump().values() if isinstance(text, str)]
    assert len(texts) > 70
    for text in texts:
        assert not re.search(
            r"fail|error|invalid|must|forgot|missed|streak|megolm|device id|sorry", text, re.IGNORECASE
        )


def test_a_wording_cannot_be_changed() -> None:
    """Values are frozen."""
    assert Wording.model_config["frozen"]
