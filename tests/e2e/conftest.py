"""A practice of its own for each kill test: its homeserver is killed too, so nobody else may use it."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from bot.demo.homeserver import LocalHomeserver
from bot.demo.node import prepare_client
from bot.demo.person import People
from tests.conftest import CLIENT_DIRECTORY
from tests.e2e.bot_process import BotProcess
from tests.e2e.practice_life import Practice, Seen

COUNT = itertools.count(1)

NewPractice = Callable[[int], Awaitable[Practice]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def new_practice(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[NewPractice]:
    """Open a practice with this many pairs; the bot runs."""
    async with AsyncExitStack() as stack:

        async def make(pairs: int) -> Practice:
            directory = tmp_path_factory.mktemp("practice")
            homeserver = LocalHomeserver()
            stack.push_async_callback(homeserver.stop)
            await homeserver.start(directory / "homeserver")
            seen = Seen()
            client = await prepare_client(CLIENT_DIRECTORY, say=print)
            people = await stack.enter_async_context(
                People(client, on_event=seen.hear, output=directory / "client.log")
            )
            bot = BotProcess(directory / "data")
            stack.push_async_callback(bot.close)
            practice = Practice(bot=bot, homeserver=homeserver, people=people, seen=seen)
            await practice.open(pairs)
            return practice

        yield make
