"""The demo's own data directory: who may use it, what it remembers, and starting over."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from bot.core.everyday_words import WORDS
from bot.errors import ConfigurationError

MARKER = ".interlude-demo"
CREDENTIALS = "credentials.json"
PACKAGES = "example-client"  # survives a fresh start: fetching it again takes a minute and a network
MARKER_TEXT = "This directory belongs to `interlude demo`, which may empty it.\n"
PASSWORD_WORDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """An example person's way in."""

    user: str  # localpart
    name: str
    password: str
    recovery_key: str = ""  # empty until the first device has set it up


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What a second run needs of the first one."""

    client: Account
    therapist: Account
    pair: str = ""
    room: str = ""
    console: str = ""
    simulated_until: str = ""  # ISO 8601, the demo's time
    complete: bool = False  # the conversation was played to its end

    @classmethod
    def new(cls) -> Self:
        """Invent the two people and their passwords."""
        return cls(
            client=Account(user="alex", name="Alex", password=_password()),
            therapist=Account(user="lee", name="Dr. Lee", password=_password()),
        )

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `text` wrote; raises ValueError, KeyError or TypeError when it has another form."""
        fields: dict[str, Any] = json.loads(text)
        client, therapist = Account(**fields.pop("client")), Account(**fields.pop("therapist"))
        return cls(client=client, therapist=therapist, **fields)

    @property
    def text(self) -> str:
        """Return the form that `read` reads."""
        return json.dumps(asdict(self), indent=2)


class DemoDirectory:
    """A directory that one running demo has for itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.memory = Memory.new()

    @property
    def homeserver(self) -> Path:
        """Where Synapse keeps its data."""
        return self.path / "homeserver"

    @property
    def bot(self) -> Path:
        """The data directory of the bot, as its command line knows it."""
        return self.path / "bot"

    @property
    def packages(self) -> Path:
        """Where the example client's packages are."""
        return self.path / PACKAGES

    @property
    def credentials(self) -> Path:
        """The file with the example people's secrets, for trying only."""
        return self.path / CREDENTIALS

    @property
    def bot_output(self) -> Path:
        """What the bot writes to its output: its log."""
        return self.path / "bot.log"

    @property
    def people_output(self) -> Path:
        """What the example client writes beside the protocol."""
        return self.path / "people.log"

    @property
    def used(self) -> bool:
        """Whether an earlier run left something."""
        return self.credentials.exists()

    def remember(self, **changes: Any) -> None:
        """Change what is remembered, and keep it on disk."""
        self.memory = replace(self.memory, **changes)
        fresh = self.credentials.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self.memory.text)
        fresh.replace(self.credentials)

    def simulated_until(self) -> datetime | None:
        """Return the demo's time at which the last run ended."""
        text = self.memory.simulated_until
        return datetime.fromisoformat(text) if text else None

    def open(self) -> bool:
        """Take up an earlier run's memory; False when it is missing or unfinished, so that the data is of no use."""
        try:
            self.memory = Memory.read(self.credentials.read_text())
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return self.memory.complete

    def empty(self) -> None:
        """Remove everything but the packages; the marker, which says that this may be done, stays as well."""
        for entry in self.path.iterdir():
            if entry.name in (MARKER, PACKAGES):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.memory = Memory.new()


@contextmanager
def claim(path: Path) -> Iterator[DemoDirectory]:
    """Take `path` for one run of the demo, making it if need be.

    Raises ConfigurationError when it holds anything else than a demo's data, or another demo is using it.
    """
    path = Path(os.path.abspath(path))
    marker = path / MARKER
    if path.exists() and not path.is_dir():
        raise ConfigurationError(f"{path} is no directory.")
    if path.exists() and not marker.exists() and any(entry.name != PACKAGES for entry in path.iterdir()):
        raise ConfigurationError(
            f"{path} holds something else than a demo's data, so the demo does not touch it. "
            "Choose another directory with --data-dir."
        )
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    with marker.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(f"Another demo is running in {path}; stop it first.") from None
        if marker.stat().st_size == 0:
            lock.write(MARKER_TEXT)
            lock.flush()
        yield DemoDirectory(path)


def _password() -> str:
    return "-".join(secrets.choice(WORDS) for _ in range(PASSWORD_WORDS))
