"""What is a command (DESIGN 7): a whole message, nothing else, so that people can talk about anything undisturbed.

Here a message is only read. Whether its sender may do that, and where, is `permissions`.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches

from bot.core.command_forms import Grammar, Match, Readers, command_form, plain_form
from bot.core.command_names import CommandName
from bot.core.schedules import parse_rule
from bot.core.spelling import bare_words
from bot.core.spoken_times import (
    Day,
    Moment,
    in_english,
    read_clock,
    read_day,
    read_length,
    read_moment,
    with_clocks,
)
from bot.core.zones import looks_like_place
from bot.errors import ScheduleError

LONGEST = 1000  # characters; the longest command is `trust` with a spaced fingerprint
LONGEST_WORDS = 20_000  # of a question or a topic behind its colon

_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # a rule that has to count begins then, to see whether it can be read

# These act only while the sender has something open; the flow knows, and takes them for conversation otherwise.
NEEDS_SOMETHING_OPEN = frozenset(
    {
        CommandName.SKIP,
        CommandName.BACK,
        CommandName.STOP,
        CommandName.LATER,
        CommandName.WHY,
        CommandName.DONE,
        CommandName.UNDO,
        CommandName.MOVE,
        CommandName.FEWER,
        CommandName.KEEP,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """Something that people name by title, id or its number in the list."""

    id: str
    number: int
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What can be named in a room."""

    prompts: Sequence[Listed] = ()
    starts: Mapping[str, str] = field(default_factory=dict)  # whole message -> the prompt that it starts
    clients: Sequence[Listed] = ()  # in a console


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command and its arguments, as far as it has them."""

    name: CommandName
    explicit: bool = False  # began with `!`: whoever wrote it expects an answer in any case
    client: str | None = None  # in the console: the pair that it is about
    prompt: str | None = None
    clock: time | None = None
    length: timedelta | None = None
    day: Day | None = None
    moment: Moment | None = None
    rule: str | None = None  # in English, for `parse_rule` with the client's wall time
    place: str | None = None
    words: str | None = None
    number: int | None = None
    user: str | None = None
    fingerprint: str | None = None

    @property
    def needs_something_open(self) -> bool:
        """Whether it is conversation while its sender has nothing open (DESIGN §7)."""
        return self.name in NEEDS_SOMETHING_OPEN and not self.explicit


@dataclass(frozen=True, kw_only=True, slots=True)
class Miss:
    """Meant for the bot, but nothing that it knows."""

    word: str
    near: CommandName | None = None  # what may have been meant
    no_such_client: bool = False  # `for Bob ...`, and there is no Bob


NOTHING_KNOWN = Known()


def could_be_command(text: str, grammar: Grammar, starts: Iterable[str] = ()) -> bool:
    """Tell quickly whether a message may be a command at all, before anything is looked up for it."""
    explicit, body = _marked(text)
    form = command_form(body[:LONGEST])
    first = form.split(" ", 1)[0].rstrip(",:")
    return explicit or first in grammar.first_words or form in starts or _calls_for_help(form, grammar)


def parse_command(
    text: str, grammar: Grammar, known: Known = NOTHING_KNOWN, *, alone: bool = False
) -> Command | Miss | None:
    """Tell whether a message is a command; None means that it is conversation.

    A Miss needs a leading `!`, or a room in which a person is `alone` with the bot and a word that begins a command.
    """
    explicit, body = _marked(text)
    if len(body) > LONGEST_WORDS:
        return None
    client, rest = None, body
    if known.clients and (found := _for_client(body, grammar, known.clients)):
        client, rest = found
    command = _command(rest, grammar, known)
    if command is not None:
        return replace(command, explicit=explicit, client=client)
    return _miss(rest, grammar, known, asked=explicit or client is not None, alone=alone)


def named(text: str, listed: Iterable[Listed]) -> str | None:
    """Return the id of what a text names by title, id or number; None when nothing or more than one thing is."""
    form = bare_words(text)
    number = int(form) if form.isdecimal() and form.isascii() and len(form) < 7 else None
    found = {each.id for each in listed if form and form in {bare_words(name) for name in (each.id, *each.names)}}
    found = found or {each.id for each in listed if number == each.number}
    return found.pop() if len(found) == 1 else None


def _miss(body: str, grammar: Grammar, known: Known, *, asked: bool, alone: bool) -> Miss | None:
    tokens = command_form(body[:LONGEST]).split()
    first = tokens[0].rstrip(",:") if tokens else ""
    if not any(character.isalnum() for character in first) or not (asked or alone):
        return None
    if known.clients and any(tuple(tokens[: len(start)]) == start for start in grammar.for_client if start):
        return Miss(word=first, no_such_client=True)
    near = _near(first, grammar)
    return Miss(word=first, near=near) if asked or near is not None else None


def _command(body: str, grammar: Grammar, known: Known) -> Command | None:
    if (free := _open_ended(body, grammar)) is not None:
        return free
    if len(body) > LONGEST:
        return None
    plain = plain_form(body)
    form = plain.lower()
    name = CommandName.CRISIS if _calls_for_help(form, grammar) else grammar.whole.get(form)
    if name is not None:
        return Command(name=name)
    if (prompt := known.starts.get(form)) is not None:
        return Command(name=CommandName.START, prompt=prompt)
    match = grammar.match(plain.split(), _readers(grammar, known)) if plain else None
    return _filled(match) if match else None


def _open_ended(body: str, grammar: Grammar) -> Command | None:
    """Read `ask: ...`; what follows the colon stays exactly as it was written."""
    head, colon, words = body.replace("：", ":", 1).partition(":")
    name = grammar.open_ended.get(command_form(head)) if colon and len(head) < LONGEST else None
    if name is None or not words.strip():
        return None
    return Command(name=name, words=words.strip())


def _calls_for_help(form: str, grammar: Grammar) -> bool:
    """Read "help me 😭" as well: here a needless answer harms nobody, a missing one might."""
    return grammar.whole.get(bare_words(form)) is CommandName.CRISIS and not form.startswith("/")


def _for_client(body: str, grammar: Grammar, clients: Sequence[Listed]) -> tuple[str, str] | None:
    """Read `for Alex` or `for Alex:` in front of a command; return the client and the command."""
    tokens = body.split()
    lower = [command_form(token) for token in tokens]
    for start in grammar.for_client:
        if tuple(lower[: len(start)]) != start:
            continue
        for end in range(len(tokens) - 1, len(start), -1):
            client = named(" ".join(tokens[len(start) : end]), clients)
            if client is not None:
                return client, body.split(None, end)[-1]
    return None


def _readers(grammar: Grammar, known: Known) -> Readers:
    def english(text: str) -> str:
        return in_english(command_form(text), grammar.time_words)

    def rule(text: str) -> str | None:
        written = with_clocks(english(text))
        with suppress(ScheduleError):
            return parse_rule(written).text
        with suppress(ScheduleError):  # it has to count, from the day on which it is planned
            parse_rule(written, local=_SOME_TIME)
            return written
        return None

    return {
        "prompt": lambda text: named(text, known.prompts),
        "client": lambda text: named(text, known.clients),
        "time": lambda text: read_clock(english(text)),
        "length": lambda text: read_length(english(text), grammar.numbers),
        "day": lambda text: read_day(english(text)),
        "moment": lambda text: read_moment(english(text), repeating=False),
        "session": lambda text: read_moment(english(text), repeating=True),
        "rule": rule,
        "place": lambda text: text if looks_like_place(text) else None,
        "number": lambda text: int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None,
        "user": lambda text: text if text.startswith("@") and ":" in text and " " not in text else None,
        "fingerprint": lambda text: text,
        "words": lambda _text: None,  # only behind a colon
    }


def _filled(match: Match) -> Command:
    names = {"time": "clock", "session": "moment"}
    arguments = {names.get(gap, gap): value for gap, value in match.values.items()}
    return Command(name=match.name, **arguments)  # type: ignore[arg-type]  # each reader gives its field's type


def _near(first: str, grammar: Grammar) -> CommandName | None:
    close = get_close_matches(first, grammar.first_words, n=1, cutoff=0.8)
    return grammar.named_by(close[0]) if close else None


def _marked(text: str) -> tuple[bool, str]:
    plain = text.strip()
    if plain[:1] in {"!", "！"}:
        return True, plain[1:].strip()
    return False, plain
