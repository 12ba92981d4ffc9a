"""A conversation while time runs 600 times as fast: half a second is five minutes."""

from datetime import UTC, datetime
from pathlib import Path

from bot.clock import SimulatedClock, Simulation, SystemClock
from bot.demo.homeserver import LocalHomeserver
from tests.conftest import SignedIn
from tests.interop.trio import meet
from tests.running_bot import running

START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


async def test_at_600_times_the_speed_replies_reach_their_step(
    tmp_path: Path, homeserver: LocalHomeserver, signed_in: SignedIn
) -> None:
    """The row is over before one can type on, the next question is there, and a reply still joins the one before."""
    clock = SimulatedClock(Simulation(start=START, speed=600), system=SystemClock())
    async with running(tmp_path, homeserver, localpart="simulated", clock=clock) as bot:
        trio = await meet(bot, await signed_in("alex"), await signed_in("lee"))
        first = await trio.ask("thought-record")
        await trio.client.send_text(trio.room, "The bus was late.")
        thought = await trio.notice("What went through your mind?", since=first["event_id"])
        await trio.client.send_text(trio.room, "I ran.", reply_to=first["event_id"])
        await trio.client.send_text(trio.room, "They are waiting for me.", reply_to=thought["event_id"])
        await trio.notice("How true did that thought feel", since=thought["event_id"])
        await trio.client.send_text(trio.room, "stop")
        entry = await trio.entry(thought["event_id"])
        assert [(each["step"], each["text"]) for each in entry["content"]["answers"]] == [
            ("situation", "The bus was late.\nI ran."),
            ("thought", "They are waiting for me."),
        ]
