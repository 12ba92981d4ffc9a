"""`interlude run` as a process: its start-up checks, its pages, its end."""

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.core.megolm import OutboundSession
from bot.core.people import ManagedRoom, Purpose
from bot.demo.homeserver import LocalHomeserver, free_port
from bot.flows.start import note_clock
from bot.instance import open_instance
from bot.matrix.homeserver import NioHomeserver
from tests.cli.conftest import new_user
from tests.cli.interlude import NO_WEB, ended, interlude, start, until_logged


@asynccontextmanager
async def running(data_dir: Path, *words: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A bot that has passed its checks; killed in the end if it still runs."""
    process = await start("run", "--data-dir", data_dir, *words, **environment)
    try:
        await until_logged(process, "run.started")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def refused(data_dir: Path, *words: str, **environment: str) -> str:
    """The one line with which a bot does not run."""
    outcome = await ended(await start("run", "--data-dir", data_dir, *words, **environment))
    assert outcome.status == 1
    return next(line for line in outcome.stderr.splitlines() if not line.startswith("{"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_when_asked(fresh: Path, number: signal.Signals) -> None:
    """A signal ends it within five seconds with status 0, and the next one starts at once."""
    for _ in range(2):
        async with running(fresh) as process:
            began = time.monotonic()
            process.send_signal(number)
            outcome = await ended(process)
            assert time.monotonic() - began < 5
            assert (outcome.status, "Traceback" in outcome.stderr) == (0, False)


async def test_it_ends_while_it_waits_for_the_homeserver(fresh: Path) -> None:
    """A homeserver that is not there is waited for; a signal ends that too."""
    process = await start("run", "--data-dir", fresh, INTERLUDE_HOMESERVER__URL=f"http://127.0.0.1:{free_port()}")
    await until_logged(process, "start.unreachable")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    outcome = await ended(process)
    assert outcome.status == 0
    assert time.monotonic() - began < 5


async def test_it_waits_for_the_homeserver(fresh: Path, tmp_path: Path) -> None:
    """A homeserver that comes up later is found."""
    late = LocalHomeserver()
    await late.start(tmp_path / "late")
    try:
        words = ("--homeserver", late.url, "--server-name", late.server_name, "--user", new_user())
        secret = ("--registration-secret-file", late.registration_secret_file)
        assert (await interlude("init", *words, *secret, "--data-dir", tmp_path / "data")).status == 0
        await late.stop()
        process = await start("run", "--data-dir", tmp_path / "data")
        await until_logged(process, "start.unreachable")
        await late.restart()
        await until_logged(process, "run.started", within=90)
        process.send_signal(signal.SIGTERM)
        assert (await ended(process)).status == 0
    finally:
        await late.stop()


async def test_two_never_drive_one_device(fresh: Path) -> None:
    """A second bot, and init beside a running one, are refused with the holder's name."""
    async with running(fresh):
        assert "drives this bot" in await refused(fresh)
        again = await interlude("init", "--data-dir", fresh)
        assert (again.status, "drives this bot" in again.stderr) == (1, True)


async def test_a_killed_bot_is_followed_at_once(fresh: Path) -> None:
    """Nobody waits for the lease of a process that is gone."""
    async with running(fresh) as process:
        process.kill()
        await process.wait()
    async with running(fresh) as process:
        process.send_signal(signal.SIGTERM)
        assert (await ended(process)).status == 0


async def test_an_old_copy_does_not_run(fresh: Path, tmp_path: Path) -> None:
    """A database that was copied before the last start is refused: its ratchets have been used (CRYPTO 18)."""
    shutil.copytree(fresh, tmp_path / "yesterday")
    async with running(fresh) as process:
        process.send_signal(signal.SIGTERM)
        await ended(process)
    assert "old copy" in await refused(tmp_path / "yesterday")


async def test_other_keys_on_the_homeserver_are_refused(fresh: Path) -> None:
    """Somebody put another identity onto the account: the bot names the difference and sends nothing."""
    async with open_instance(fresh) as instance:
        async with instance.database.transaction() as tx:
            password = await tx.facts.read("password")
        own = instance.settings.homeserver
    assert password is not None
    await _reset_identity(own.url, own.user_id, password)
    line = await refused(fresh)
    assert "master key: the server shows" in line
    assert own.user_id in line


async def _reset_identity(url: str, user_id: str, password: str) -> None:
    """Upload new cross-signing keys, as whoever knows the password can."""
    from bot.crypto.identity import CrossSigningSeeds, device_signing_upload_body  # noqa: PLC0415 - the attack only

    server = NioHomeserver(url)
    try:
        token = await server.login_password(user_id, password, "ATTACKER")
    finally:
        await server.close()
    auth = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user_id},
        "password": password,
    }
    body = device_signing_upload_body(user_id, CrossSigningSeeds.generate()) | {"auth": auth}
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{url}/_matrix/client/v3/keys/device_signing/upload", json=body) as answer,
    ):
        assert answer.status == 200, await answer.text()


async def test_a_token_that_is_no_longer_known_ends_it(fresh: Path) -> None:
    """Without a valid token the bot says what to do."""
    async with open_instance(fresh) as instance, instance.database.transaction() as tx:
        await tx.facts.write("access_token", "syt_nonsense")
    assert "interlude init" in await refused(fresh)


async def test_simulated_time_is_for_this_machine_only(fresh: Path) -> None:
    """Real people live in real time, and a wrong form is explained."""
    away = {"INTERLUDE_HOMESERVER__URL": "https://matrix.example.org"}
    assert "--simulate is for" in await refused(fresh, "--simulate", "2026-11-23T07:00:00Z@60", **away)
    assert "START@SPEED" in await refused(fresh, "--simulate", "fast")


async def test_other_commands_follow_simulated_time(fresh: Path) -> None:
    """What is entered while a simulation runs is dated by its clock."""
    async with running(fresh, "--simulate", "2031-05-04T07:00:00Z@60"), open_instance(fresh) as instance:
        assert (await instance.now()).date() == datetime(2031, 5, 4, tzinfo=UTC).date()
    async with open_instance(fresh) as instance:
        assert (await instance.now()).year != 2031


async def test_a_taken_port_is_explained(fresh: Path) -> None:
    """The setting to change is named, and the lease is free again."""
    async with running(fresh, **_web(port := free_port())):
        pass
    blocker = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    async with blocker:
        assert "[web]" in await refused(fresh, **_web(port))
    async with running(fresh) as process:
        process.send_signal(signal.SIGTERM)
        assert (await ended(process)).status == 0


def _web(port: int) -> dict[str, str]:
    assert NO_WEB.keys() == {"INTERLUDE_WEB__PORT"}
    return {"INTERLUDE_WEB__PORT": str(port)}


async def test_it_becomes_ready(fresh: Path) -> None:
    """Once the first sync is stored the bot is ready, and its numbers can be read."""
    port = free_port()
    async with running(fresh, **_web(port)) as process, aiohttp.ClientSession() as session:
        async with asyncio.timeout(20):
            while True:
                async with session.get(f"http://127.0.0.1:{port}/health/ready") as answer:
                    if answer.status == 200:
                        break
                    missing = (await answer.json())["missing"]
                    assert set(missing) <= {"sync"}
                await asyncio.sleep(0.05)
        async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            page = await answer.text()
        assert "interlude_outbox_depth 0.0" in page
        process.send_signal(signal.SIGTERM)
        assert (await ended(process)).status == 0


async def test_it_never_says_a_secret(fresh: Path) -> None:
    """Neither the token nor the password nor a key stands in what a run writes."""
    async with open_instance(fresh) as instance, instance.database.transaction() as tx:
        secrets = [await tx.facts.read(name) for name in ("access_token", "password", "seeds")]
    async with running(fresh) as process:
        process.send_signal(signal.SIGTERM)
        outcome = await ended(process)
    log = (fresh / "logs" / "interlude.log").read_text() + outcome.stderr + outcome.stdout
    assert len(secrets) == 3
    assert not [secret for secret in secrets if secret is None or secret in log]


async def test_a_bot_that_was_overtaken_ends(fresh: Path) -> None:
    """When another process has taken the lease, the first one sends nothing more and says why."""
    async with running(fresh) as process:
        async with open_instance(fresh) as instance, instance.database.transaction() as tx:
            await tx.session.connection.exec_driver_sql("UPDATE lease SET epoch = epoch + 1, holder = 'elsewhere'")
        outcome = await ended(process)
    assert outcome.status == 1
    assert "Another process has taken over" in outcome.stderr


async def test_a_clock_far_behind_ends_the_room_sessions(copy: Path) -> None:
    """Keys of sessions that may have been used in a time that nobody remembers are given up (CRYPTO 33)."""
    async with open_instance(copy) as instance:
        clock = await instance.clock()
        session = OutboundSession(
            room_id="!room", session_id="s", pickle=b"p", created_at=clock.real(), messages=1, version=0
        )
        room = ManagedRoom(room_id="!room", purpose=Purpose.CONSOLE, pair_id=None, therapist="@t:localhost")
        async with instance.database.transaction() as tx:
            await tx.rooms.add(room)
            await tx.megolm.save_outbound([session])
        for behind, left in ((timedelta(minutes=4), 1), (timedelta(minutes=6), 0)):
            await note_clock(instance.database, clock, behind=behind, simulation=None)
            async with instance.database.transaction() as tx:
                assert len(await tx.megolm.outbound(["!room"])) == left
