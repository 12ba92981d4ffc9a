"""`interlude demo` as a person runs it: what it prints lets a new device in, and nothing of it stays behind."""

import asyncio
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.core.events import CHECKIN, ENTRY, GOAL, PROMPT
from bot.core.posting import POLL_START
from bot.demo.directory import CREDENTIALS, MARKER, PACKAGES, claim
from bot.demo.invitation import HEADING
from bot.demo.keepsakes import humming, lake_photo
from bot.demo.person import Event, People, Person
from bot.errors import ConfigurationError
from tests.conftest import CLIENT_DIRECTORY

pytestmark = pytest.mark.asyncio(loop_scope="session")

COMMAND = "from bot.cli import main; main()"
READY_WITHIN_S = 240.0
STOPPED_WITHIN_S = 15.0
NO_SHIELD, GREY_SHIELD = 0, 1
# What people, the bot and its records said; none of it may be readable on disk.
SAID = (
    "The lake was quiet tonight",
    "walked to the lake",
    "That lake again",
    "Yes, I would like that",
    "The water at six",
    "Nobody watches this room",
    "How are you feeling right now",
    "How was your day",
    "Very low",
    "Walk: changed from 7 to 8",
    "Evening reflection: ",
    "how to keep them in winter",
    "a session every week",
    "out of 10",
    "written from a new device",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Printed:
    """One person's way in, exactly as the demo shows it."""

    url: str
    user: str
    password: str
    recovery_key: str


class Demo:
    """The running command, and everything that it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.printed = ""

    @classmethod
    async def start(cls, data_dir: Path) -> "Demo":
        """Start it as a shell would."""
        words = ("demo", "--data-dir", str(data_dir))
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", COMMAND, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
        )

    async def until(self, words: str, *, timeout: float = READY_WITHIN_S) -> None:
        """Read until `words` are printed."""
        assert self.process.stdout is not None
        async with asyncio.timeout(timeout):
            while words not in self.printed:
                line = await self.process.stdout.readline()
                assert line, f"the demo ended before it printed {words!r}:\n{self.printed}"
                self.printed += line.decode()

    async def end(self, number: signal.Signals) -> int:
        """Send a signal, and return the exit status; everything that it had started must be gone."""
        started = list(descendants(self.process.pid))
        assert len(started) >= 3, "homeserver, bot and people run"
        self.process.send_signal(number)
        async with asyncio.timeout(STOPPED_WITHIN_S):
            said, _ = await self.process.communicate()
            while any(lives(pid) for pid in started):  # noqa: ASYNC110 - others' children can only be looked at
                await asyncio.sleep(0.05)
        self.printed += said.decode()
        return int(self.process.returncode or 0)


def descendants(pid: int) -> Iterator[int]:
    """Yield the processes that a process has started, and theirs."""
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int((directory / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                yield int(directory.name)
                yield from descendants(int(directory.name))


def lives(pid: int) -> bool:
    """Say whether a process runs; one that ended and that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ways_in(printed: str) -> list[Printed]:
    """Read what the framed block says."""
    block = printed.partition(HEADING)[2]

    def fields(name: str) -> list[str]:
        return [found.rstrip(" │") for found in re.findall(rf"│ {name} +(.+)", block)]

    [url] = fields("Homeserver")
    people = zip(fields("User"), fields("Password"), fields("Recovery key"), strict=True)
    return [Printed(url=url, user=user, password=password, recovery_key=key) for user, password, key in people]


async def arrive(people: People, way: Printed, device: str) -> Person:
    """Log in on a new device with what was printed, and nothing else."""
    person = await people.login(
        f"{way.user} {device}", url=way.url, user=way.user, password=way.password, device_name=device
    )
    counts = await person.open_with_recovery_key(way.recovery_key)
    assert counts["imported"] == counts["total"] > 0
    return person


async def read_rooms(person: Person) -> list[Event]:
    """Return all that is encrypted in all rooms of a person."""
    rooms = [joined["room"] for joined in await person.joined_rooms()]
    events = [event for room in rooms for event in await person.timeline(room)]
    return [event for event in events if event["state_key"] is None and event["type"] != "m.room.redaction"]


def readable(events: list[Event]) -> bool:
    """Say whether all was encrypted and is read, with no worse mark than that of a key that came from the backup."""
    return all(
        event["wire_type"] == "m.room.encrypted"
        and event["failure"] is None
        and event["shield_reason"] in (None, "AUTHENTICITY_NOT_GUARANTEED")
        and event["shield_colour"] in (NO_SHIELD, GREY_SHIELD)
        for event in events
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory for the demo, with the example client's packages of earlier test runs."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / PACKAGES).symlink_to(CLIENT_DIRECTORY)
    return tmp_path / "demo"


@pytest.mark.slow
async def test_the_demo_from_a_killed_first_run_to_a_second_evening(place: Path, people: People) -> None:
    """A new device reads everything with what is printed; runs end clean, go on from each other, and leave no words."""
    killed = await Demo.start(place)
    await killed.until("The bot runs")
    assert await killed.end(signal.SIGKILL) == -signal.SIGKILL

    first = await Demo.start(place)
    await first.until("Ctrl-C stops all of it")
    assert "so this one starts over" in first.printed
    assert re.search(r"\d\d encrypted events read, 0\s+unreadable, 0 with a warning", first.printed)
    ways = ways_in(first.printed)
    await check_conversation(people, ways, first)
    assert await first.end(signal.SIGINT) == 0
    assert "Everything is stopped." in first.printed

    second = await Demo.start(place)
    await second.until("Ctrl-C stops all of it")
    assert ways_in(second.printed) == ways
    assert "Back again" in second.printed
    assert "Welcome to your room" not in second.printed
    alex = await arrive(people, ways[0], "tablet")
    again = await read_rooms(alex)
    assert [event["failure"] for event in again if event["failure"]] == []
    assert sum(event["type"] == POLL_START for event in again) >= 2
    await alex.logout()
    assert await second.end(signal.SIGTERM) == 0
    assert unsealed(place, ways) == []


async def check_conversation(people: People, ways: list[Printed], demo: Demo) -> None:
    """Both people's new devices read every word, and are read."""
    alex, lee = [await arrive(people, way, "phone") for way in ways]
    for person in (alex, lee):
        events = await read_rooms(person)
        assert readable(events), [(each["type"], each["failure"], each["shield_reason"]) for each in events]
        text = str([event["content"] for event in events])
        assert all(words in text for words in SAID[:6])
        kinds = [event["type"] for event in events]
        # The evening to the letter; of the week, in which an evening takes a third of a second, most of it.
        assert kinds.count(GOAL) == 1
        assert kinds.count(CHECKIN) >= 2
        assert kinds.count(ENTRY) >= 4 + 5 + 1
        assert sum(PROMPT in event["content"] for event in events) >= 4 + 5 * 2 + 3
    [console] = [each for each in await lee.joined_rooms() if "console" in each["name"].lower()]
    assert "is Alex" in str([event["content"] for event in await lee.timeline(console["room"])])
    [room] = await alex.joined_rooms()
    word = await alex.send_text(room["room"], "written from a new device")
    heard = await lee.wait_for(room["room"], event_id=word)
    assert (heard["content"]["body"], heard["shield_colour"]) == ("written from a new device", NO_SHIELD)
    asked = await alex.send_text(room["room"], "progress")
    answer = await alex.wait_for(room["room"], since=asked, contains="How it has been going")
    assert answer["shield_colour"] == NO_SHIELD
    await demo.until("written from a new device", timeout=20)
    for person in (alex, lee):
        await person.logout()


def unsealed(place: Path, ways: list[Printed]) -> list[tuple[str, str]]:
    """Return every file with something in it that only people may read, and what."""
    secrets = [each for way in ways for each in (way.password, way.recovery_key, way.recovery_key.replace(" ", ""))]
    needles = [text.encode() for text in (*SAID, *secrets)] + [humming()[100:164], lake_photo()[60:124]]
    found = []
    for file in place.rglob("*"):
        if PACKAGES in file.parts or file.name == CREDENTIALS or not file.is_file():
            continue
        content = file.read_bytes()
        found += [(file.name, repr(needle)) for needle in needles if needle in content]
    return found


async def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    """The demo refuses a directory that it did not make, in one sentence with status 1, and writes nothing there."""
    (tmp_path / "thesis.txt").write_text("years of work")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, "demo", "--data-dir", str(tmp_path), "--fresh", stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 1
    assert "something else than a demo's data" in " ".join(said.decode().split())
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]  # noqa: ASYNC240 - a test waits for nobody


async def test_two_demos_never_share_a_directory(tmp_path: Path) -> None:
    """While one demo has a directory, another one is refused; afterwards it is free."""
    with claim(tmp_path / "demo"), pytest.raises(ConfigurationError, match="Another demo"), claim(tmp_path / "demo"):
        pass
    with claim(tmp_path / "demo") as directory:
        assert not directory.open()


async def test_starting_over_keeps_nothing_but_the_packages(tmp_path: Path) -> None:
    """Emptying removes data, logs and secrets; linked packages are neither removed nor followed."""
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "package.json").write_text("{}")
    with claim(tmp_path / "demo") as directory:
        (directory.path / PACKAGES).symlink_to(packages)
        (directory.homeserver / "media").mkdir(parents=True)
        (directory.path / "elsewhere").symlink_to(packages)
        directory.remember(complete=True)
        assert (directory.credentials.stat().st_mode & 0o777, directory.open()) == (0o600, True)
        before = directory.memory.client.password
        directory.empty()
        assert sorted(each.name for each in directory.path.iterdir()) == [MARKER, PACKAGES]
        assert (packages / "package.json").exists()
        assert directory.memory.client.password != before


async def test_what_is_remembered_survives(tmp_path: Path) -> None:
    """A second run reads the memory of the first; a damaged one counts as none."""
    with claim(tmp_path) as directory:
        directory.remember(pair="p1", room="!r", simulated_until="2026-11-23T18:00:00+00:00", complete=True)
        told = directory.memory
    with claim(tmp_path) as again:
        assert again.open()
        assert again.memory == told
        assert again.credentials.read_text()
        again.credentials.write_text('{"client": 1}')
        assert not again.open()
