"""The bot's own keys: made once, found again with the recovery key, and never beside a device that it does not know."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.core.events import ENTRY
from bot.crypto.device_lists import OWN_IDENTITY_HOLD
from bot.demo.homeserver import LocalHomeserver
from bot.flows.enrol import PASSWORD
from bot.matrix.homeserver import NioHomeserver
from tests.conftest import LogIn, SignedIn
from tests.interop.trio import Trio, meet
from tests.running_bot import running


@pytest_asyncio.fixture(loop_scope="session")
async def own(tmp_path: Path, homeserver: LocalHomeserver, signed_in: SignedIn) -> AsyncIterator[Trio]:
    """A bot for one test, with one pair."""
    async with running(tmp_path, homeserver, localpart=f"own{tmp_path.name[-1]}{id(tmp_path) % 997}") as bot:
        yield await meet(bot, await signed_in("alex"), await signed_in("lee"))


async def until(true: Callable[[Any], bool], look: Callable[[], Any], *, seconds: float = 20.0) -> None:
    """Look again and again until it is true; the database tells nobody when it changes."""
    async with asyncio.timeout(seconds):
        while not true(await look()):  # noqa: ASYNC110 - what is looked at lies in the database
            await asyncio.sleep(0.05)


def identity_keys(answer: dict[str, Any], user: str) -> dict[str, Any]:
    """Return all that the homeserver shows of an account's identity and devices, signatures included."""
    return {
        kind: answer[kind][user] for kind in ("master_keys", "self_signing_keys", "user_signing_keys", "device_keys")
    }


async def test_the_identity_survives_ten_restarts_without_a_new_upload(
    trio: Trio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The homeserver shows the same keys and signatures, nothing is uploaded, and clients still see no shield."""
    bot = trio.bot
    before = identity_keys(await bot.server.query_keys([bot.user_id]), bot.user_id)

    async def refuse(_server: NioHomeserver, body: dict[str, Any]) -> None:
        raise AssertionError(f"uploaded again: {sorted(body)}")

    monkeypatch.setattr(NioHomeserver, "upload_device_signing", refuse)
    monkeypatch.setattr(NioHomeserver, "upload_signatures", refuse)
    for _ in range(10):
        await bot.stop()
        await bot.start()
    assert identity_keys(await bot.server.query_keys([bot.user_id]), bot.user_id) == before
    asked = await trio.ask("evening-reflection")
    assert (asked["shield_colour"], asked["failure"]) == (0, None)
    await trio.client.send_text(trio.room, "Still the same bot.")
    assert (await trio.entry(asked["event_id"]))["shield_colour"] == 0
    assert await trio.client.fingerprint_of(bot.user_id) == bot.fingerprint


async def test_the_recovery_key_opens_everything_and_an_unknown_device_stops_the_bot(own: Trio, log_in: LogIn) -> None:
    """Another device of the bot's account: the bot holds all it has to say until the device is gone again.

    The device itself opens secret storage and key backup with the key that `init` showed, and reads the whole room.
    """
    bot = own.bot
    asked = await own.ask("evening-reflection")
    await own.client.send_text(own.room, "Kept in the backup.")
    entry = await own.client.wait_for(own.room, type=ENTRY, since=asked["event_id"])
    await own.settled()
    await bot.service._keys.back_up()

    async def fact(name: str) -> str | None:
        async with bot.store.transaction() as tx:
            return await tx.facts.read(name)

    async def holds() -> set[str | None]:
        async with bot.store.transaction() as tx:
            return {row.hold for row in await tx.outbox.heads(10, skip_rooms=set())}

    password = await fact(PASSWORD)
    assert password is not None
    assert bot.recovery_key is not None
    other = await log_in(bot.user_id, password)
    await until(lambda hold: hold == f"device {other.device_id}", lambda: fact(OWN_IDENTITY_HOLD))
    sent = await own.client.send_text(own.room, "!hello")
    await until(lambda found: "own_identity" in found, holds)
    counts = await other.open_with_recovery_key(bot.recovery_key)
    assert counts["imported"] == counts["total"] >= 2
    read = {event["event_id"]: event for event in await other.timeline(own.room)}
    assert read[asked["event_id"]]["content"]["body"] == asked["content"]["body"]
    assert read[entry["event_id"]]["failure"] is None
    assert await other.own_fingerprint() == bot.fingerprint
    said = [event for event in await own.client.timeline(own.room) if event["sender"] == bot.user_id]
    assert "hello" not in str(said)
    await other.logout()
    await own.notice('I don\'t know "hello"', since=sent)


async def test_what_was_said_while_the_bot_was_down_is_recorded_once(trio: Trio) -> None:
    """Answer, command and vote: each has its effect when the bot is back."""
    asked = await trio.ask("evening-reflection")
    await trio.bot.stop()
    sent = await trio.client.send_text(trio.room, "Nobody was there to hear it.")
    await trio.client.send_text(trio.room, "pause")
    await trio.bot.start()
    entry = await trio.entry(asked["event_id"])
    assert entry["content"]["answers"][0]["sources"] == [sent]
    paused = await trio.notice("My questions are paused", since=asked["event_id"])
    await trio.client.send_text(trio.room, "resume")
    await trio.notice("Welcome back", since=paused["event_id"])
    said = await trio.said(asked["event_id"])
    assert len([event for event in said if event["type"] == ENTRY]) == 1


async def test_an_answer_before_a_limited_timeline_is_recorded(trio: Trio) -> None:
    """More was written while the bot was down than one /sync brings; the gap is filled and the order kept."""
    asked = await trio.ask("evening-reflection")
    await trio.bot.stop()
    first = await trio.client.send_text(trio.room, "The first words.")
    for number in range(62):
        await trio.therapist.send_text(trio.room, f"Talk number {number}.")
    await trio.client.wait_for(trio.room, contains="Talk number 61.")
    last = await trio.client.send_text(trio.room, "The last words.", reply_to=asked["event_id"])
    await trio.bot.start()
    entry = await trio.entry(asked["event_id"])
    assert entry["content"]["answers"][0]["text"] == "The first words."
    entries = [event for event in await trio.said(asked["event_id"]) if event["type"] == ENTRY]
    assert entries[-1]["content"]["answers"][0]["sources"] == [first, last]
    assert [event["content"]["revision"] for event in entries] == [1, 2]
