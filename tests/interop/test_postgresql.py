"""The same main job with PostgreSQL below it."""

from pathlib import Path

from bot.core.events import CHECKIN
from bot.demo.homeserver import LocalHomeserver
from tests.conftest import SignedIn
from tests.interop.trio import meet
from tests.postgres import new_postgres_database
from tests.running_bot import RunningBot


async def test_a_checkin_is_recorded_on_postgresql_and_survives_a_restart(
    tmp_path: Path, homeserver: LocalHomeserver, signed_in: SignedIn, postgres_socket: Path
) -> None:
    """From the prompt to the record, a restart in between."""
    database = await new_postgres_database(postgres_socket)
    bot = RunningBot(tmp_path, homeserver, localpart="postgresql", database=database)
    await bot.start()
    trio = await meet(bot, await signed_in("alex"), await signed_in("lee"))
    await bot.goal(trio.pair, "Swim")
    await bot.send_prompt(trio.pair, "goal-checkin")
    asked = await trio.client.wait_for(trio.room, sender=bot.user_id, contains="goal-checkin")
    await bot.stop()
    await trio.client.send_text(trio.room, "4 - cold water")
    await bot.start()
    checkin = await trio.client.wait_for(trio.room, type=CHECKIN, since=asked["event_id"])
    assert (checkin["content"]["value"], checkin["content"]["note"]) == (4, "cold water")
    assert len(await bot.records(trio.pair)) == 1
    await bot.stop()
