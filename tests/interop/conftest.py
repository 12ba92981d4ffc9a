"""What the tests with real people share: a bot whose clock can be moved, and pairs in their rooms."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from bot.demo.homeserver import LocalHomeserver
from tests.conftest import SignedIn
from tests.interop.trio import MovableClock, Trio, meet
from tests.running_bot import RunningBot, running

COUNT = itertools.count(1)

NewTrio = Callable[[], Awaitable[Trio]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(tmp_path_factory: pytest.TempPathFactory, homeserver: LocalHomeserver) -> AsyncIterator[RunningBot]:
    """A bot for the tests of one file."""
    directory = tmp_path_factory.mktemp("bot")
    async with running(directory, homeserver, localpart=f"loop{next(COUNT)}", clock=MovableClock()) as bot:
        yield bot


@pytest.fixture(scope="module")
def new_trio(bot: RunningBot, signed_in: SignedIn) -> NewTrio:
    """Make another pair of the file's bot, everybody signed and joined."""

    async def make() -> Trio:
        return await meet(bot, await signed_in("alex"), await signed_in("lee"))

    return make


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def trio(new_trio: NewTrio) -> Trio:
    """The pair that the tests of one file share."""
    return await new_trio()
