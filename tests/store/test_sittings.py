"""The conversations about prompts."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.core.sittings import Sitting, SittingState
from bot.errors import StaleRow
from bot.store.database import Database
from bot.store.tables import sittings
from tests.store.examples import AT, MINUTE, sitting


async def test_a_sitting_comes_back_whole(store: Database) -> None:
    """Every field, empty ones too; saving takes the place of what was there, adding does not."""
    plain = Sitting(delivery_id="d2", pair_id="p1", expires_at=AT)
    async with store.transaction() as tx:
        await tx.sittings.add_all([sitting(), plain])
    async with store.transaction() as tx:
        assert await tx.sittings.of_deliveries(["d1", "d2", "d3"]) == {"d1": sitting(), "d2": plain}
        changed = sitting(step="other", asked=("situation", "belief", "other"), replaces=False)
        await tx.sittings.save(changed)
        assert await tx.sittings.of_deliveries(["d1"]) == {"d1": changed}
        await tx.sittings.save(sitting("d4"))
        assert await tx.sittings.of_deliveries([]) == {}
    async with store.transaction() as tx:
        with pytest.raises(StaleRow):
            await tx.sittings.add_all([sitting()])


async def test_open_sittings_of_pairs(store: Database) -> None:
    """Ended ones, those of other pairs and those to which nobody has said anything lately are left out."""
    lately: dict[str, Any] = {"last_answered_at": AT}
    async with store.transaction() as tx:
        await tx.sittings.add_all(
            [
                sitting(**lately),
                sitting("d2", pair_id="p2", **lately),
                sitting("d3", pair_id="p3", **lately),
                sitting("d4", state=SittingState.STOPPED, **lately),
                sitting("d5", last_answered_at=None),
                sitting("d6", last_answered_at=AT - MINUTE),
            ]
        )
        found = await tx.sittings.open_of(["p1", "p2"], answered_after=AT - MINUTE)
        assert [each.delivery_id for each in found] == ["d1", "d2"]
        assert await tx.sittings.open_of([], answered_after=AT) == ()


async def test_sittings_wake_in_time_and_in_order(store: Database) -> None:
    """What has come is found, the earliest first; the next one is known; what never wakes is not looked at."""
    quiet: dict[str, Any] = {"ask_next_at": None, "later_at": None, "last_answered_at": None, "polls": {}}
    async with store.transaction() as tx:
        await tx.sittings.add_all(
            [
                sitting("soon"),  # its row is over in a minute
                sitting("now", **quiet, expires_at=AT),
                sitting("voted", **(quiet | {"polls": {"o": AT - MINUTE}}), state=SittingState.DONE),
                sitting("over", **quiet, state=SittingState.DONE),
            ]
        )
        assert [each.delivery_id for each in await tx.sittings.waking(until=AT)] == ["voted", "now"]
        assert [each.delivery_id for each in await tx.sittings.waking(until=AT, limit=1)] == ["voted"]
        assert await tx.sittings.next_wake(after=AT) == AT + MINUTE
        assert await tx.sittings.next_wake(after=AT + timedelta(days=9)) is None


async def test_a_sitting_from_the_upgrade_has_no_path(store: Database) -> None:
    """Where nothing says which steps were asked, none is named: the prompt had one."""
    async with store.transaction() as tx:
        await tx.sittings.add_all([sitting()])
        await tx.session.connection.execute(update(sittings).values(path=None))
        found = (await tx.sittings.of_deliveries(["d1"]))["d1"]
        assert (found.step, found.asked, found.skipped, found.polls) == (None, (), frozenset(), sitting().polls)
