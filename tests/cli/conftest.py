"""Instances on a real homeserver."""

import itertools
import shutil
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.homeserver import LocalHomeserver
from tests.cli.interlude import interlude

NUMBERS = itertools.count(1)


def init_words(homeserver: LocalHomeserver, data_dir: Path, user: str) -> list[str]:
    """The words of an `init` that registers its account."""
    return [
        *("init", "--homeserver", homeserver.url, "--server-name", homeserver.server_name, "--user", user),
        *("--registration-secret-file", str(homeserver.registration_secret_file), "--data-dir", str(data_dir)),
        *("--practice-line", "020 7946 0000", "--country", "GB", "--timezone", "Europe/London"),
    ]


def new_user() -> str:
    """A name that no bot of this run has."""
    return f"bot-{next(NUMBERS)}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(homeserver: LocalHomeserver, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One initialised instance, which tests copy."""
    data_dir = tmp_path_factory.mktemp("template") / "data"
    made = await interlude(*init_words(homeserver, data_dir, new_user()))
    assert made.status == 0, made.stderr
    return data_dir


@pytest.fixture
def copy(template: Path, tmp_path: Path) -> Path:
    """A copy of an initialised instance. One of them may run at a time, and none after another one has run."""
    return Path(shutil.copytree(template, tmp_path / "data"))


@pytest_asyncio.fixture
async def fresh(homeserver: LocalHomeserver, tmp_path: Path) -> Path:
    """An instance of its own, which may run."""
    made = await interlude(*init_words(homeserver, tmp_path / "fresh", new_user()))
    assert made.status == 0, made.stderr
    return tmp_path / "fresh"
