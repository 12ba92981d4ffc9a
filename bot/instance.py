"""One instance, opened: its settings, its vault and its database, for the command line and for the running bot."""

import secrets
import string
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.clock import SystemClock, running_simulation
from bot.config import (
    FILE,
    HomeserverSettings,
    PracticeSettings,
    Settings,
    homeserver_settings,
    load,
    write_initial,
)
from bot.core.pack import Pack
from bot.crypto.own_identity import OwnIdentity
from bot.crypto.vault import Vault, create_master_key
from bot.errors import ConfigurationError
from bot.flows.enrol import Credentials, Enrolled, Enrolment
from bot.flows.start import ACCESS_TOKEN, HIGH_WATER, SIMULATION
from bot.matrix.account import avatar
from bot.matrix.homeserver import NioHomeserver
from bot.packs import check_packs, read_packs
from bot.resource import resource
from bot.store.database import Database
from bot.store.lease import acquire, holder_now, release, this_process

_DEVICE_ID_LENGTH = 10
_INIT_LEASE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """An opened instance."""

    settings: Settings
    vault: Vault
    database: Database

    async def access_token(self) -> str:
        """Return the bot's access token. Raises ConfigurationError before the bot has logged in."""
        async with self.database.transaction() as tx:
            token = await tx.facts.read(ACCESS_TOKEN)
        if token is None:
            raise ConfigurationError("The bot has not logged in yet: run `interlude init` again.")
        return token

    @asynccontextmanager
    async def homeserver(self) -> AsyncIterator[NioHomeserver]:
        """Talk to the homeserver as the bot. Raises ConfigurationError before the bot has logged in."""
        known, token = self.settings.homeserver, await self.access_token()
        server = NioHomeserver(known.url, user_id=known.user_id, access_token=token)
        try:
            yield server
        finally:
            await server.close()

    async def clock(self) -> SystemClock:
        """Return the clock, which does not go back behind what an earlier process saw (CRYPTO 33)."""
        async with self.database.transaction() as tx:
            text = await tx.facts.read(HIGH_WATER)
        return SystemClock(high_water=datetime.fromisoformat(text) if text else None)

    async def now(self) -> datetime:
        """Return the time that the running bot's schedules live by, which a simulation moves."""
        real = (await self.clock()).now()
        async with self.database.transaction() as tx:
            text = await tx.facts.read(SIMULATION)
        return running_simulation(text).at(real) if text and await self.is_running() else real

    async def is_running(self) -> bool:
        """Tell whether a bot drives this instance's device now."""
        return await holder_now(self.database, at=(await self.clock()).real()) is not None

    def packs(self) -> Mapping[str, Pack]:
        """Read the prompt packs by language. Raises PackError, ConfigurationError."""
        return load_packs(self.settings.prompts_directory)

    def checked_packs(self) -> Mapping[str, Pack]:
        """Read the prompt packs and hold their files to each other. Raises PackError, ConfigurationError."""
        return checked_packs(self.settings.prompts_directory)


def load_packs(own: Path | None) -> Mapping[str, Pack]:
    """Read all languages: those that come with Interlude, and the practice's `own` folder over them.

    Raises PackError, and ConfigurationError when the folder is not there.
    """
    return read_packs(resource("prompts"), own=_present(own))


def checked_packs(own: Path | None) -> Mapping[str, Pack]:
    """Read what `load_packs` reads, and hold the files to each other. Raises PackError, ConfigurationError."""
    return check_packs(resource("prompts"), own=_present(own))


def _present(own: Path | None) -> Path | None:
    if own is not None and not own.is_dir():
        raise ConfigurationError(f"The folder of prompt packs {own} is not there; see `prompts` in {FILE}.")
    return own


@asynccontextmanager
async def open_instance(data_dir: Path) -> AsyncIterator[Instance]:
    """Open the instance in `data_dir`, without its lease.

    Raises ConfigurationError, SealingError, StoreRefused, SchemaTooNew.
    """
    settings = load(data_dir)
    file = settings.sqlite_file
    if file is not None and not file.exists():
        raise ConfigurationError(f"The database {file} is missing; bring it back, or run `interlude init` again.")
    async with _opened(settings) as instance:
        yield instance


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Instance]:
    vault = Vault(settings.vault_directory, master_key=settings.master_key_file)
    user_id = settings.homeserver.user_id
    vault.sealer(f"account:{user_id}")  # a wrong master key is named before the database is touched
    if settings.sqlite_file is not None:
        settings.sqlite_file.touch(mode=0o600)  # SQLite gives its log and index files the same mode
    database = await Database.open(settings.database_url, account=user_id, sealers=vault.sealer)
    try:
        yield Instance(settings=settings, vault=vault, database=database)
    finally:
        await database.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """What `interlude init` was told; what was left out is None."""

    homeserver: str | None
    server_name: str | None
    user: str
    database: str | None
    practice: PracticeSettings
    credentials: Credentials


@asynccontextmanager
async def initialised(data_dir: Path, beginning: Beginning) -> AsyncIterator[Enrolled]:
    """Make the instance in `data_dir`, or complete it; the recovery key is dropped when the block ends well.

    Raises ConfigurationError, KeyMismatch, LeaseLost, Refusal, Unreachable.
    """
    settings = await _settings(data_dir, beginning)
    if not settings.master_key_file.exists() and not settings.vault_directory.exists():
        create_master_key(settings.master_key_file)
    Vault(settings.vault_directory, master_key=settings.master_key_file).create(
        f"account:{settings.homeserver.user_id}"
    )
    async with _opened(settings) as instance:
        at = (await instance.clock()).real()
        # A running bot's device is not to be touched: it would answer to keys that it does not expect.
        lease = await acquire(instance.database, holder=this_process(), at=at, ttl=_INIT_LEASE)
        server = NioHomeserver(settings.homeserver.url, user_id=settings.homeserver.user_id)
        try:
            enrolment = _enrolment(instance, server)
            yield await enrolment.enrol(beginning.credentials)
            await enrolment.forget_recovery_key()
        finally:
            await server.close()
            await release(instance.database, lease, at=at)


def _enrolment(instance: Instance, server: NioHomeserver) -> Enrolment:
    known = instance.settings.homeserver
    return Enrolment(
        store=instance.database,
        server=server,
        identity=OwnIdentity(known.user_id, known.device_id),
        user_id=known.user_id,
        device_id=known.device_id,
        picture=avatar(),
    )


async def _settings(data_dir: Path, beginning: Beginning) -> Settings:
    """Return the instance's settings, written now if there are none; then its device id is fixed (CRYPTO 32)."""
    if (data_dir / FILE).exists():
        settings = load(data_dir)
        known = settings.homeserver
        for name, told, stands in (
            ("--homeserver", beginning.homeserver and beginning.homeserver.rstrip("/"), known.url),
            ("--server-name", beginning.server_name, known.server_name),
        ):
            if told not in (None, stands):
                raise ConfigurationError(f"{name} says {told}, this instance says {stands}; edit {data_dir / FILE}.")
        return settings
    if beginning.homeserver is None or beginning.server_name is None:
        raise ConfigurationError("A new instance needs --homeserver and --server-name.")
    device = await _device(beginning.homeserver, beginning)
    return write_initial(data_dir, homeserver=device, practice=beginning.practice, database=beginning.database)


async def _device(url: str, beginning: Beginning) -> HomeserverSettings:
    """Decide whose account and which device it is; asks the homeserver, so that a wrong address leaves nothing."""
    token = beginning.credentials.access_token
    server = NioHomeserver(url, access_token=token)
    try:
        await server.versions()
        whose = await server.whoami() if token else None
    finally:
        await server.close()
    server_name = str(beginning.server_name)
    user_id = whose.user_id if whose else f"@{beginning.user}:{server_name}"
    if whose and not whose.device_id:
        raise ConfigurationError("This access token belongs to no device; log in with a password instead.")
    if user_id.partition(":")[2] != server_name:
        raise ConfigurationError(f"The account is {user_id}, but --server-name says {server_name}.")
    device_id = (whose.device_id if whose else None) or "".join(
        secrets.choice(string.ascii_uppercase) for _ in range(_DEVICE_ID_LENGTH)
    )
    return homeserver_settings(url=url, server_name=server_name, user_id=user_id, device_id=device_id)
