"""The conversation as it happens: what a person's client reads becomes lines on the screen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.core.events import CHECKIN, ENTRY, GOAL
from bot.core.posting import EXTENSIBLE_TEXT, POLL_END, POLL_START
from bot.demo.person import Event

POLL_RESPONSE = "org.matrix.msc3381.poll.response"
ENCRYPTED = "m.room.encrypted"
VOICE = "org.matrix.msc3245.voice"
# Matrix has no encryption for these.
CLEAR_BY_NATURE = ("m.room.redaction", "m.reaction")
NAME_WIDTH = 12
SEEN = {"m.image": "photo", "m.audio": "audio", "m.video": "video", "m.file": "file"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One thing that somebody did, in words."""

    text: str
    aside: bool = False  # nothing that a client shows, or a trace of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A room through one person's client."""

    who: str
    room: str
    label: str = ""


class Transcript:
    """Prints what is read in the rooms that it watches, and counts how well it could be read."""

    def __init__(self, console: Console, *, since: datetime) -> None:
        self._console = console
        self._since = since.timestamp() * 1000
        self._names: dict[str, str] = {}
        self._programs: set[str] = set()
        self._windows: list[Window] = []
        self._labels: dict[str, str] = {}  # poll answer id -> what it says
        self._read: set[str] = set()
        self._unreadable: set[str] = set()
        self._suspect: set[str] = set()

    def name(self, user: str, name: str, *, program: bool = False) -> None:
        """Say what a Matrix id is called here, and whether it is a person."""
        self._names[user] = name
        if program:
            self._programs.add(user)

    def watch(self, who: str, room: str, *, label: str = "") -> None:
        """Print what `who` reads in `room` from now on."""
        self._windows.append(Window(who=who, room=room, label=label))

    @property
    def summary(self) -> str:
        """How much was read, and with what trust."""
        parts = [f"{len(self._read)} encrypted events read", f"{len(self._unreadable)} unreadable"]
        return ", ".join([*parts, f"{len(self._suspect)} with a warning"])

    @property
    def flawless(self) -> bool:
        """Whether everything was encrypted, could be read, and came from a device that its owner has signed."""
        return not self._unreadable and not self._suspect

    def hear(self, event: Event) -> None:
        """Take an event from a client, in the form of `describe` in timeline.mjs."""
        window = next((each for each in self._windows if (each.who, each.room) == (event["who"], event["room"])), None)
        if window is None or event["state_key"] is not None or event["sent_at"] < self._since:
            return
        self._judge(event)
        for line in self._lines(event):
            self._print(str(event["sender"]), line, window.label)

    def _judge(self, event: Event) -> None:
        known, name = event["event_id"], event["type"]
        if event["failure"]:
            self._unreadable.add(known)
            return
        self._unreadable.discard(known)
        if name in CLEAR_BY_NATURE or event["redacted"]:
            return
        self._read.add(known)
        if event["wire_type"] != ENCRYPTED or event["shield_colour"]:
            self._suspect.add(known)

    def _lines(self, event: Event) -> Iterator[Line]:
        content = event["content"]
        match event["type"]:
            case _ if event["failure"]:
                yield Line(text=f"(not readable here: {event['failure']})", aside=True)
            case "m.room.message":
                yield from _message(content)
            case poll if poll == POLL_START:
                yield self._poll(content[POLL_START])
            case vote if vote == POLL_RESPONSE:
                yield self._vote(content.get(POLL_RESPONSE, {}).get("answers", []))
            case end if end == POLL_END:
                yield Line(text="(the poll is closed)", aside=True)
            case "m.room.redaction":
                yield Line(text="deletes a message", aside=True)
            case record if record in (ENTRY, CHECKIN, GOAL):
                yield Line(text=f"recorded: {record}  {_record(record, content)}", aside=True)

    def _poll(self, poll: Mapping[str, Any]) -> Line:
        answers = {answer["id"]: str(answer[EXTENSIBLE_TEXT]) for answer in poll["answers"]}
        self._labels.update(answers)
        choices = "   ".join(f"( ) {label}" for label in answers.values())
        return Line(text=f"{poll['question'][EXTENSIBLE_TEXT]}\n{choices}")

    def _vote(self, answers: list[str]) -> Line:
        chosen = ", ".join(self._labels.get(answer, "?") for answer in answers)
        return Line(text=f"(x) {chosen}")

    def _print(self, sender: str, line: Line, label: str) -> None:
        speaker = self._names.get(sender, sender)
        style = "cyan" if sender in self._programs else "bold green"
        row = Table.grid(padding=(0, 2), expand=True)
        row.add_column(width=NAME_WIDTH, style=style)
        row.add_column(ratio=1, overflow="fold")
        words = Text(line.text, style="dim" if line.aside else "")
        if label:
            words = Text.assemble((f"[{label}] ", "dim italic"), words)
        row.add_row("" if line.aside else Text(speaker), words)
        self._console.print(Padding(row, (0, 0, 0, 2)))


def _message(content: Mapping[str, Any]) -> Iterator[Line]:
    relation = content.get("m.relates_to") or {}
    replaced = relation.get("rel_type") == "m.replace"
    shown = content.get("m.new_content", content) if replaced else content
    kind, body = shown.get("msgtype"), str(shown.get("body", ""))
    if kind in SEEN:
        yield Line(text=_media(str(kind), shown))
    elif body:
        yield Line(text=f"(edited) {body}" if replaced else body.strip())


def _media(kind: str, content: Mapping[str, Any]) -> str:
    info = content.get("info") or {}
    what = "voice message" if VOICE in content else SEEN[kind]
    length = f", {info['duration'] / 1000:.1f} s" if isinstance(info.get("duration"), int) else ""
    caption = str(content.get("body", ""))
    return f"({what}{length}) {caption}".rstrip()


def _answer(answer: Mapping[str, Any]) -> str:
    """Return what was answered to one step; of an option its label, of a number also what was written behind it."""
    value = None if answer["kind"] in ("choice", "yes_no") else answer["value"]
    unit = answer.get("unit")
    said = [f"{value} {unit}" if unit else str(value)] if value is not None else []
    return " - ".join([*said, *([answer["text"]] if answer["text"] else [])]).replace("\n", " / ")


def _record(kind: str, content: Mapping[str, Any]) -> str:
    """Return a record's substance in one line; it stands in the room's encrypted event word for word."""
    revision = f"revision {content['revision']}"
    if content.get("status") == "removed":
        return f"{revision}, removed"
    if kind == GOAL:
        return f"{content['title']}, {content['low']} to {content['high']}, {content['rhythm']}"
    if kind == CHECKIN:
        return f"{content['goal_title']}: {content['value']} of {content['high']}, {revision}"
    media = [each["kind"] for answer in content["answers"] for each in answer["media"]]
    values = [_answer(answer) for answer in content["answers"]]
    substance = ", ".join([*(value for value in values if value), *media])
    return f"{content['prompt_title'] or 'Journal'}: {substance}, {revision}"
