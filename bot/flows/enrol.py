"""`interlude init`: the bot's account gets its one device and its identity; run again, it gets the same ones.

Device id and identity are committed before the first login, and each step can be repeated, so that an interruption
anywhere is mended by running it once more (CRYPTO 32).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from bot.errors import ConfigurationError, KeyMismatch, Refusal
from bot.flows.start import ACCESS_TOKEN, OwnKeys, OwnServer, check_own_keys, check_token, count_start
from bot.ports import Store, Tx

log = structlog.get_logger()

DISPLAY_NAME = "Interlude"
RECOVERY_KEY = "recovery_key"  # fact: shown once, then removed
PASSWORD = "password"  # noqa: S105 - fact: of an account that `init` registered, to log in again one day
BACKUP_VERSION = "backup_version"
PROFILE = "profile"  # fact: name and picture were set; a practice may change them afterwards


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """One way into the account; all empty where this instance has logged in before."""

    registration_secret: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolled:
    """The bot's account as it stands now."""

    user_id: str
    device_id: str
    fingerprint: str
    recovery_key: str | None = field(repr=False)  # None: it has been shown before
    other_devices: tuple[str, ...]


class Uploads(Protocol):
    """The bodies that put the identity onto the homeserver."""

    @property
    def device_keys(self) -> Mapping[str, Any]: ...
    @property
    def cross_signing(self) -> Mapping[str, Any]: ...
    @property
    def signatures(self) -> Mapping[str, Any]: ...
    @property
    def account_data(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def backup_version(self) -> Mapping[str, Any]: ...


class Identity(OwnKeys, Protocol):
    """The bot's own identity."""

    async def create(self, tx: Tx) -> None: ...
    async def uploads(self, tx: Tx) -> Uploads: ...


class AccountServer(OwnServer, Protocol):
    """The homeserver, as far as an account's first day needs it."""

    def authorise(self, *, user_id: str, access_token: str) -> None: ...
    async def register_with_secret(self, user: str, secret: str, *, password: str, admin: bool = False) -> str: ...
    async def login_password(self, user: str, password: str, device_id: str) -> str: ...
    async def upload_keys(self, body: dict[str, Any]) -> dict[str, Any]: ...
    async def upload_device_signing(self, body: dict[str, Any]) -> None: ...
    async def upload_signatures(self, body: dict[str, Any]) -> None: ...
    async def create_backup(self, body: dict[str, Any]) -> str: ...
    async def backup_info(self) -> dict[str, Any] | None: ...
    async def set_display_name(self, name: str) -> None: ...
    async def set_avatar(self, mxc: str) -> None: ...
    async def upload(self, data: bytes, mimetype: str) -> str: ...


class Enrolment:
    """Brings one account, one device and one identity together."""

    def __init__(
        self, *, store: Store, server: AccountServer, identity: Identity, user_id: str, device_id: str, picture: bytes
    ) -> None:
        self._store = store
        self._server = server
        self._identity = identity
        self._user_id = user_id
        self._device_id = device_id
        self._picture = picture

    async def enrol(self, credentials: Credentials) -> Enrolled:
        """Do all that is missing, and check what the homeserver shows afterwards.

        The recovery key is returned until `forget_recovery_key`. Raises KeyMismatch when the account has another
        identity already, Refusal, Unreachable, ConfigurationError.
        """
        async with self._store.transaction() as tx:
            await self._identity.create(tx)
        await self._log_in(credentials)
        await self._refuse_foreign_identity()
        await count_start(self._store, self._server)
        await self._publish()
        others = await check_own_keys(
            self._store, self._server, self._identity, user_id=self._user_id, device_id=self._device_id
        )
        await self._introduce()
        async with self._store.transaction() as tx:
            fingerprint = await self._identity.fingerprint(tx)
            recovery_key = await tx.facts.read(RECOVERY_KEY)
        log.info("init.done", user=self._user_id, device=self._device_id)
        return Enrolled(
            user_id=self._user_id,
            device_id=self._device_id,
            fingerprint=fingerprint,
            recovery_key=recovery_key,
            other_devices=others,
        )

    async def forget_recovery_key(self) -> None:
        """Drop the recovery key, once it was shown."""
        async with self._store.transaction() as tx:
            await tx.facts.write(RECOVERY_KEY, None)

    async def _log_in(self, credentials: Credentials) -> None:
        async with self._store.transaction() as tx:
            token = await tx.facts.read(ACCESS_TOKEN)
        if token is not None and await self._accepted(token):
            return
        token = credentials.access_token or await self._new_token(credentials)
        self._server.authorise(user_id=self._user_id, access_token=token)
        await check_token(self._server, user_id=self._user_id, device_id=self._device_id)
        async with self._store.transaction() as tx:
            await tx.facts.write(ACCESS_TOKEN, token)

    async def _accepted(self, token: str) -> bool:
        self._server.authorise(user_id=self._user_id, access_token=token)
        try:
            await self._server.whoami()
        except Refusal as refusal:
            if refusal.status != 401:
                raise
            return False
        await check_token(self._server, user_id=self._user_id, device_id=self._device_id)
        return True

    async def _new_token(self, credentials: Credentials) -> str:
        password = credentials.password
        if password is None:
            async with self._store.transaction() as tx:
                password = await tx.facts.read(PASSWORD)
        if credentials.registration_secret is not None:
            password = await self._register(credentials.registration_secret, password)
        if password is None:
            raise ConfigurationError(
                "The bot has to log in: give --registration-secret-file, --password-file or --access-token-file."
            )
        try:
            return await self._server.login_password(self._user_id, password, self._device_id)
        except Refusal as refusal:
            if refusal.status != 403:
                raise
            raise ConfigurationError(
                f"The homeserver refuses the password of {self._user_id}. If the account is not this instance's own, "
                "choose another name with --user; otherwise give its password with --password-file."
            ) from None

    async def _register(self, secret: str, known: str | None) -> str:
        """Create the account unless it is there; its password is stored before, so that no answer can be lost."""
        password = known or secrets.token_urlsafe(32)
        async with self._store.transaction() as tx:
            await tx.facts.write(PASSWORD, password)
        user = self._user_id.removeprefix("@").partition(":")[0]
        try:
            created = await self._server.register_with_secret(user, secret, password=password)
        except Refusal as refusal:
            if refusal.errcode == "M_USER_IN_USE":
                return password  # an earlier run's, or the login says that it is somebody else's
            if refusal.status == 403:
                raise ConfigurationError("The homeserver refuses the registration secret.") from None
            raise
        if created != self._user_id:
            raise ConfigurationError(
                f"The homeserver calls the account {created}, not {self._user_id}: is --server-name right?"
            )
        return password

    async def _refuse_foreign_identity(self) -> None:
        """Never replace an identity: the account's clients would warn of it for ever (FACTS)."""
        answer = await self._server.query_keys([self._user_id])
        shown = answer.get("master_keys")
        master = shown.get(self._user_id) if isinstance(shown, Mapping) else None
        keys = master.get("keys") if isinstance(master, Mapping) else None
        async with self._store.transaction() as tx:
            ours = await self._identity.fingerprint(tx)
        if isinstance(keys, Mapping) and ours not in keys.values():
            raise KeyMismatch(
                f"The account {self._user_id} has a cross-signing identity already, which is not this instance's. "
                "Use an account of its own, or the data directory that made it."
            )

    async def _publish(self) -> None:
        async with self._store.transaction() as tx:
            uploads = await self._identity.uploads(tx)
            version = await tx.facts.read(BACKUP_VERSION)
        await self._server.upload_keys(dict(uploads.device_keys))
        await self._server.upload_device_signing(dict(uploads.cross_signing))
        await self._server.upload_signatures(dict(uploads.signatures))
        for data_type, content in uploads.account_data.items():
            await self._server.set_account_data(data_type, content)
        if version is None:
            version = await self._own_backup(uploads) or await self._server.create_backup(dict(uploads.backup_version))
            async with self._store.transaction() as tx:
                await tx.facts.write(BACKUP_VERSION, version)

    async def _own_backup(self, uploads: Uploads) -> str | None:
        """Return the version of our backup when it exists: the answer to its creation may have been lost."""
        info = await self._server.backup_info()
        auth_data = info.get("auth_data") if info else None
        if info is None or not isinstance(auth_data, Mapping):
            return None
        ours = uploads.backup_version["auth_data"]["public_key"]
        version = info.get("version")
        return version if auth_data.get("public_key") == ours and isinstance(version, str) else None

    async def _introduce(self) -> None:
        async with self._store.transaction() as tx:
            if await tx.facts.read(PROFILE) is not None:
                return
        await self._server.set_display_name(DISPLAY_NAME)
        await self._server.set_avatar(await self._server.upload(self._picture, "image/png"))
        async with self._store.transaction() as tx:
            await tx.facts.write(PROFILE, "set")
