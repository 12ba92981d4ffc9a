"""What the tests of flows share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flows.practice import berlin, practice
from tests.flows.room import Room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A pair in its room, with nothing asked yet."""
    async with practice(tmp_path) as opened:
        yield Room(practice=opened, pair=await opened.pair(at=berlin("2026-11-23 08:00")))
