"""Nothing that people exchanged stands readable on any disk, in any log or metric (DESIGN promise 1, CRYPTO 34)."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.core.events import CHECKIN
from bot.demo.homeserver import LocalHomeserver
from bot.logs import set_up_logs
from bot.web.metrics import Metrics
from tests.attacks.scene import Scene
from tests.attacks.scene import scene as open_scene
from tests.running_bot import Counts, RunningBot

SECRETS = {
    "the client's name": "Zebedeus",
    "an answer": "quokkaberry",
    "an edit of it": "marmalotte",
    "a removed answer": "oxblossom",
    "said while the bot was down": "thistlemoon",
    "a goal": "plumwhistle",
    "a note": "gingersnail",
    "a caption": "velvetowl",
    "a journal": "cinderplum",
    "what the therapist said": "walnutrain",
    "a refused message": "brassfeather",
    "an untrusted word": "copperlily",
}
EVERY_FORM = 3  # offsets of base64


class Metered(Counts):
    """Counts as the operator sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = Metrics()

    def count(self, name: str, by: int = 1) -> None:
        super().count(name, by)
        self.metrics.count(name, by)


@pytest.fixture(scope="module", autouse=True)
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The bot's own logs, in a file."""
    directory = tmp_path_factory.mktemp("logs")
    set_up_logs(directory, to_stderr=False)
    yield directory
    set_up_logs(None, to_stderr=False)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def secretive(
    tmp_path_factory: pytest.TempPathFactory, homeserver: LocalHomeserver, logs: Path
) -> AsyncIterator[Scene]:
    """A pair that has exchanged all of the secrets; its bot still runs."""
    bot = RunningBot(tmp_path_factory.mktemp("secretive"), homeserver, localpart="secretive")
    bot.counts = Metered()
    await bot.start()
    async with open_scene(bot, homeserver, client_name=SECRETS["the client's name"]) as scene:
        await converse(scene, homeserver)
        yield scene
    await bot.stop()


async def converse(scene: Scene, homeserver: LocalHomeserver) -> None:
    """Say each secret once, in its way."""
    client, room, bot = scene.client, scene.room, scene.bot
    record = await scene.still_works(SECRETS["an answer"])
    await client.put(room, client.edit_content(room, record.sources[0], SECRETS["an edit of it"]))
    await scene.answered(SECRETS["an edit of it"])
    removed = await scene.still_works(SECRETS["a removed answer"])
    await client.request("PUT", f"/_matrix/client/v3/rooms/{room}/redact/{removed.sources[0]}/1")
    await bot.goal(scene.pair, SECRETS["a goal"])
    await scene.ask("goal-checkin")
    await client.say(room, f"7/10 - {SECRETS['a note']}")
    await client.until(lambda: client.heard(room, SECRETS["a note"], kind=CHECKIN))
    await scene.ask()
    file = {"url": "mxc://localhost/abc", "v": "v2", "key": {}, "iv": "", "hashes": {}}
    image = {"msgtype": "m.image", "body": SECRETS["a caption"], "filename": "walk.jpg", "file": file, "info": {}}
    await client.put(room, client.sealed(room, "m.room.message", image))
    await scene.answered(SECRETS["a caption"])
    await client.say(room, "journal")
    await client.say(room, SECRETS["a journal"])
    await client.say(room, "done")
    await scene.answered(SECRETS["a journal"])
    await scene.therapist.say(room, SECRETS["what the therapist said"])
    refused = client.message_content(room, SECRETS["a refused message"])
    for _ in range(2):
        await client.put(room, refused)
    other = await client.another(homeserver)
    other.bot = client.bot
    other.begin(client.bot, await other.claim())
    await other.share(room)
    await other.say(room, SECRETS["an untrusted word"])
    await bot.stop()
    await client.say(room, SECRETS["said while the bot was down"])
    await bot.start()
    await scene.still_works("the last word")
    await scene.quiet()
    await other.close()


def forms(word: str) -> dict[str, bytes]:
    """A word as it may stand in a file: also within something that was encoded whole."""
    found = {"utf-8": word.encode(), "utf-16-le": word.encode("utf-16-le"), "utf-16-be": word.encode("utf-16-be")}
    for offset in range(EVERY_FORM):
        whole = base64.b64encode(b"\0" * offset + word.encode())
        # The characters at both ends depend on the neighbours.
        found[f"base64 at {offset}"] = whole[4 if offset else 0 : len(whole) // 4 * 4 - 4]
    return found


def readable(place: Path, words: dict[str, str]) -> list[str]:
    """Where in the files below a directory one of the words stands, in whatever form."""
    wanted = [(what, name, form) for what, word in words.items() for name, form in forms(word).items()]
    return [
        f"{what} as {name} in {file.relative_to(place)}"
        for file in sorted(place.rglob("*"))
        if file.is_file()
        for content in [file.read_bytes()]
        for what, name, form in wanted
        if form in content
    ]


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """Each form is found, also in the middle of a larger text that was encoded whole."""
    for number in range(6):
        text = "x" * number + SECRETS["an answer"] + "and more"
        (tmp_path / "file").write_bytes(base64.b64encode(text.encode()))
        assert readable(tmp_path, SECRETS)
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        (tmp_path / "file").write_bytes(json.dumps({"a": SECRETS["a goal"]}).encode(encoding))
        assert readable(tmp_path, SECRETS)


async def test_nothing_is_readable_on_the_bots_disk(secretive: Scene) -> None:
    """Database, write-ahead log, vault and keys, while the bot runs and once it has stopped."""
    directory = secretive.bot.directory
    names = {file.name for file in directory.rglob("*")}
    assert {"interlude.db", "interlude.db-wal"} <= names
    assert readable(directory, {"the bot's name": "secretive"}), "the search reads the database"
    assert readable(directory, SECRETS) == []


async def test_nothing_is_readable_on_the_homeservers_disk(secretive: Scene, homeserver: LocalHomeserver) -> None:
    """Synapse's database, its write-ahead log, media and logs."""
    assert readable(homeserver._directory, {"the bot's name": "secretive"})
    assert readable(homeserver._directory, SECRETS) == []


async def test_nothing_is_readable_in_logs_and_metrics(secretive: Scene, logs: Path, tmp_path: Path) -> None:
    """The log file of the whole run, and the page that the operator's monitoring reads."""
    counts = secretive.bot.counts
    assert isinstance(counts, Metered)
    (tmp_path / "metrics").write_bytes(await counts.metrics.page())
    assert readable(logs, {"the bot's name": "secretive"})
    assert readable(tmp_path, {"a counter": "records"})
    assert readable(logs, SECRETS) == []
    assert readable(tmp_path, SECRETS) == []


async def test_nothing_becomes_readable_when_the_bot_stops(secretive: Scene) -> None:
    """What the write-ahead log held goes into the database, sealed as it was."""
    await secretive.bot.stop()
    assert readable(secretive.bot.directory, SECRETS) == []
    await secretive.bot.start()
