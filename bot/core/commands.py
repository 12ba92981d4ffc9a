"""What is a command (DESIGN 7): a whole message, nothing else, so that people can talk about anything undisturbed."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.core.spelling import bare_words, unified


class CommandName(StrEnum):
    """What a person can ask the bot to do."""

    HELP = "help"
    CRISIS = "crisis"
    PROGRESS = "progress"
    PAUSE = "pause"
    RESUME = "resume"
    UNDO = "undo"
    JOURNAL = "journal"
    DONE = "done"
    AGAIN = "again"
    SKIP = "skip"
    TRUST = "trust"


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command and its arguments."""

    name: CommandName
    arguments: tuple[str, ...] = ()  # of `trust`: user id and fingerprint, as typed
    explicit: bool = False  # began with `!`: whoever wrote it expects an answer in any case


@dataclass(frozen=True, kw_only=True, slots=True)
class Miss:
    """Meant for the bot, but nothing that it knows."""

    word: str


# Works in every language beside its own words, and stays when a practice changes its wording.
ENGLISH: Mapping[CommandName, tuple[str, ...]] = {
    CommandName.HELP: ("help",),
    CommandName.CRISIS: ("crisis", "help me", "i need help", "emergency"),
    CommandName.PROGRESS: ("progress",),
    CommandName.PAUSE: ("pause",),
    CommandName.RESUME: ("resume",),
    CommandName.UNDO: ("undo",),
    CommandName.JOURNAL: ("journal",),
    CommandName.DONE: ("done",),
    CommandName.AGAIN: ("again",),
    CommandName.SKIP: ("skip",),
    CommandName.TRUST: ("trust",),
}
# These act only while the sender has something open; the flow knows, and takes them for conversation otherwise.
NEEDS_SOMETHING_OPEN = frozenset({CommandName.SKIP, CommandName.DONE, CommandName.UNDO})

_BOTH = {
    CommandName.HELP,
    CommandName.CRISIS,
    CommandName.PROGRESS,
    CommandName.PAUSE,
    CommandName.RESUME,
    CommandName.UNDO,
}
FOR_CLIENT = frozenset({*_BOTH, CommandName.JOURNAL, CommandName.DONE, CommandName.AGAIN, CommandName.SKIP})
FOR_THERAPIST = frozenset(_BOTH)
IN_CONSOLE = frozenset({CommandName.HELP, CommandName.CRISIS, CommandName.TRUST})

_END = ".!?…,;:。！？؟ \t"
_TRUSTED = re.compile(r"(?P<user>@[^\s:]+:\S+)\s+(?P<fingerprint>\S[\S ]*)")


def command_form(text: str) -> str:
    """Return a message as commands are compared: NFKC, lower case, plain dashes and quotes, no end punctuation."""
    return " ".join(unified(text).lower().split()).rstrip(_END).strip("\"'").rstrip(_END)


def parse_command(
    text: str,
    words: Mapping[CommandName, Iterable[str]],
    *,
    from_therapist: bool,
    console: bool,
) -> Command | Miss | None:
    """Tell whether a message is a command; None means that it is conversation.

    `words` are the language's own command words. A Miss needs a leading `!`, or a `trust` in the console that lacks
    its fingerprint.
    """
    if len(text) > 1000:  # no command is that long; the longest is `trust` with a spaced fingerprint
        return None
    explicit, body = _marked(text)
    form = command_form(body)
    if not any(character.isalnum() for character in form):
        return None
    known = _known(words)
    name = known.get(form)
    if name is None and known.get(bare_words(form)) is CommandName.CRISIS and not form.startswith("/"):
        name = CommandName.CRISIS  # "help me 😭": here a needless answer harms nobody, a missing one might
    allowed = IN_CONSOLE if console else FOR_THERAPIST if from_therapist else FOR_CLIENT
    if name is not None and name in allowed and name is not CommandName.TRUST:
        return Command(name=name, explicit=explicit)
    first = form.split()[0]
    if console and known.get(first) is CommandName.TRUST:
        found = _TRUSTED.fullmatch(" ".join(body.split()[1:]))
        if found is None:
            return Miss(word=first)
        arguments = (found["user"], found["fingerprint"])
        return Command(name=CommandName.TRUST, arguments=arguments, explicit=explicit)
    return Miss(word=first) if explicit else None


def _marked(text: str) -> tuple[bool, str]:
    plain = text.strip()
    if plain[:1] in {"!", "！"}:
        return True, plain[1:].strip()
    return False, plain


def _known(words: Mapping[CommandName, Iterable[str]]) -> dict[str, CommandName]:
    known: dict[str, CommandName] = {}
    for vocabulary in (words, ENGLISH):  # English last: a word of it can never come to mean something else
        for name, forms in vocabulary.items():
            known.update({command_form(form): name for form in forms})
    return known
