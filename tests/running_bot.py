"""The real bot in the test's own process: the real store, cipher, homeserver and flows, without the command line."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from bot.clock import SimulatedClock, SystemClock
from bot.core.goals import Goal
from bot.core.pack import Pack
from bot.core.pairs import PairState
from bot.core.people import Pair
from bot.core.practice import Practice
from bot.core.prompts import parse_prompt
from bot.core.records import Record
from bot.core.trust import fingerprint_groups
from bot.crypto.cipher import build_cipher
from bot.crypto.own_identity import OwnIdentity
from bot.crypto.vault import Vault, create_master_key
from bot.demo.homeserver import LocalHomeserver
from bot.flows.enrol import Credentials, Enrolment
from bot.flows.intents import intent
from bot.flows.library import Library
from bot.flows.serve import Service
from bot.flows.speak import Voice
from bot.flows.start import ACCESS_TOKEN, check_own_keys, check_token, count_start
from bot.matrix.account import avatar
from bot.matrix.homeserver import NioHomeserver
from bot.packs import check_packs, read_packs
from bot.resource import resource
from bot.scheduler import Alarm
from bot.service import build_service
from bot.store.database import Database

PRACTICE = Practice(
    name="The practice", line="the practice, 555 0100", country="DE", language="en", timezone="Europe/Berlin"
)


ONE_TAP = parse_prompt((Path(__file__).parent / "one-tap.yaml").read_text(), source="one-tap.yaml")


def with_one_tap() -> Mapping[str, Pack]:
    """The packs, with a prompt that is a poll and nothing else."""
    packs = read_packs(resource("prompts"))
    return {language: replace(pack, prompts={**pack.prompts, ONE_TAP.id: ONE_TAP}) for language, pack in packs.items()}


@dataclass
class Counts:
    """Implements `ports.Meter`."""

    seen: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, by: int = 1) -> None:
        self.seen[name] = self.seen.get(name, 0) + by


class RunningBot:
    """One bot account; `start` and `stop` may follow each other as often as a test likes, on the same data."""

    def __init__(
        self,
        directory: Path,
        homeserver: LocalHomeserver,
        *,
        localpart: str,
        clock: SystemClock | SimulatedClock | None = None,
        url: str | None = None,
        database: str | None = None,
    ) -> None:
        self.directory = directory
        self.user_id = f"@{localpart}:{homeserver.server_name}"
        self.device_id = f"BOT{localpart.upper()}"
        self.counts = Counts()
        self.fingerprint = ""
        self.recovery_key: str | None = None
        self.store: Database
        self.service: Service
        self.server: NioHomeserver
        self.clock = clock or SystemClock()
        self.database = database or f"sqlite:///{directory / 'interlude.db'}"
        self.url = url or homeserver.url  # another one leads through a proxy
        self._homeserver = homeserver
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Enrol where that is still to be done, and run."""
        await self.open()
        self._task = asyncio.create_task(self.service.run())

    async def open(self) -> None:
        """Open everything without running the service."""
        master = self.directory / "master.key"
        if not master.exists():
            create_master_key(master)
        self.vault = Vault(self.directory / "vault", master_key=master)
        self.vault.create(f"account:{self.user_id}")
        await asyncio.to_thread(self.vault.open_all)
        self.store = await Database.open(self.database, account=self.user_id, sealers=self.vault.sealer)
        self.server = NioHomeserver(self.url)
        self.enrolment = Enrolment(
            store=self.store,
            server=self.server,
            identity=OwnIdentity(self.user_id, self.device_id),
            user_id=self.user_id,
            device_id=self.device_id,
            picture=avatar(),
        )
        await self._check_in()
        self.alarm = Alarm(self.clock)
        self.alarm.start()
        self.cipher = build_cipher(self.user_id, self.device_id)
        self.service = build_service(
            store=self.store,
            cipher=self.cipher,
            homeserver=self.server,
            clock=self.clock,
            alarm=self.alarm,
            meter=self.counts,
            voice=Voice(
                packs=Library(with_one_tap(), read=lambda: check_packs(resource("prompts"))),
                practice=PRACTICE,
                own_user=self.user_id,
                fingerprint=fingerprint_groups(self.fingerprint),
            ),
        )

    async def _check_in(self) -> None:
        """Enrol at the first start; at each later one only check, as `interlude run` does."""
        async with self.store.transaction() as tx:
            token = await tx.facts.read(ACCESS_TOKEN)
        if token is None or not self.fingerprint:
            secret = self._homeserver.registration_secret_file.read_text().strip()
            enrolled = await self.enrolment.enrol(Credentials(registration_secret=secret))
            self.fingerprint, self.recovery_key = enrolled.fingerprint, enrolled.recovery_key
            return
        self.server.authorise(user_id=self.user_id, access_token=token)
        await check_token(self.server, user_id=self.user_id, device_id=self.device_id)
        own = OwnIdentity(self.user_id, self.device_id)
        await check_own_keys(self.store, self.server, own, user_id=self.user_id, device_id=self.device_id)
        await count_start(self.store, self.server)

    async def stop(self) -> None:
        """Finish what is in hand and end."""
        if self._task is not None:
            self.service.stop()
            task, self._task = self._task, None
            await task
        await self.close()

    async def close(self) -> None:
        """Close what `open` opened."""
        self.alarm.stop()
        await self.server.close()
        await self.store.close()

    async def ask(self, kind: str, payload: Mapping[str, object], *, timeout: float = 20.0) -> Mapping[str, object]:
        """Leave a request as the command line does, and follow it to its end."""
        request = intent(kind, dict(payload), at=datetime.now(UTC))
        async with self.store.transaction() as tx:
            await tx.intents.add(request)
        self.service._requests.wake()
        async with asyncio.timeout(timeout):
            while True:
                async with self.store.transaction() as tx:
                    found = await tx.intents.get(request.intent_id)
                if found is not None and found.state != "queued":
                    assert found.state == "done", found.error
                    return found.result
                self._raise_if_ended()
                await asyncio.sleep(0.05)  # another process's request has no event to await

    async def pair(self, client: str, therapist: str, *, client_name: str = "Alex", timeout: float = 20.0) -> Pair:
        """Add a pair, its rooms made and its invitations out."""
        pair_id = secrets.token_hex(4)
        self.vault.create(f"pair:{pair_id}")
        async with self.store.transaction() as tx:
            await tx.pairs.add(
                Pair(
                    pair_id=pair_id,
                    number=0,
                    client=client,
                    therapist=therapist,
                    client_name=client_name,
                    therapist_name="Dr. Lee",
                    timezone="Europe/Berlin",
                    language="en",
                    country="DE",
                    word="heron",
                    state=PairState.PROVISIONING,
                    paused=False,
                    therapist_gone=False,
                    created_at=datetime.now(UTC),
                )
            )
        await self.ask("pair_add", {"pair_id": pair_id}, timeout=timeout)
        async with self.store.transaction() as tx:
            pair = await tx.pairs.get(pair_id)
        assert pair is not None
        return pair

    async def goal(self, pair: Pair, title: str = "Walk") -> Goal:
        """Add a goal and let the bot post it."""
        goal = Goal(
            goal_id=secrets.token_hex(4),
            number=0,
            title=title,
            low=0,
            high=10,
            rhythm="fri 18:00",
            revision=1,
            since=datetime.now(UTC),
        )
        async with self.store.transaction() as tx:
            goal = await tx.pairs.add_goal(pair.pair_id, goal)
        await self.ask("goal_add", {"pair_id": pair.pair_id, "goal_id": goal.goal_id})
        return goal

    async def send_prompt(self, pair: Pair, prompt_id: str) -> None:
        """Post a prompt now."""
        await self.ask("prompt_send", {"pair_id": pair.pair_id, "prompt_id": prompt_id})

    async def current(self, pair: Pair) -> Pair:
        """Return a pair as it stands now."""
        async with self.store.transaction() as tx:
            found = await tx.pairs.get(pair.pair_id)
        assert found is not None
        return found

    def look_again(self) -> None:
        """Let the bot look at once at what is due and at who is missing."""
        self.alarm.ring()
        self.service._watching.wake()

    async def records(self, pair: Pair) -> tuple[Record, ...]:
        """Return what is on record, newest first."""
        async with self.store.transaction() as tx:
            return await tx.records.newest(pair.pair_id)

    def _raise_if_ended(self) -> None:
        if self._task is not None and self._task.done():
            self._task.result()
            raise AssertionError("the bot has ended")


@asynccontextmanager
async def running(
    directory: Path, homeserver: LocalHomeserver, *, localpart: str, clock: SystemClock | SimulatedClock | None = None
) -> AsyncIterator[RunningBot]:
    """Run a bot for the length of a test."""
    bot = RunningBot(directory, homeserver, localpart=localpart, clock=clock)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.stop()
