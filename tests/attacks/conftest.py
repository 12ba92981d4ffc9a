"""One bot for the attacks of a file, and one pair."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from bot.demo.homeserver import LocalHomeserver
from bot.logs import set_up_logs
from tests.attacks.scene import Scene
from tests.attacks.scene import scene as open_scene
from tests.running_bot import RunningBot, running

COUNT = itertools.count(1)


@pytest.fixture(scope="package", autouse=True)
def logs() -> Iterator[None]:
    """The bot's own logs: those of structlog's default print each failure's variables, which takes half a second."""
    set_up_logs(None, to_stderr=False)
    yield
    structlog.reset_defaults()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(tmp_path_factory: pytest.TempPathFactory, homeserver: LocalHomeserver) -> AsyncIterator[RunningBot]:
    """The bot under attack."""
    directory: Path = tmp_path_factory.mktemp("attacked")
    async with running(directory, homeserver, localpart=f"attacked{next(COUNT)}") as bot:
        yield bot


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(bot: RunningBot, homeserver: LocalHomeserver) -> AsyncIterator[Scene]:
    """A pair of the bot's."""
    async with open_scene(bot, homeserver) as scene:
        yield scene
