"""What is checked before the bot does anything: its token, its keys on the homeserver, and that it is no old copy."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

import structlog

from bot.errors import KeyMismatch, Refusal
from bot.ports import Clock, Store, Tx

log = structlog.get_logger()

START = "care.interlude.start"  # account data: how often the device was started
STARTS = "starts"  # fact: the same number here
ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a fact
HIGH_WATER = "clock_high_water"  # fact: the latest real time that a process of this instance saw
SIMULATION = "simulation"  # fact: how a running bot's schedules are simulated
CLOCK_BEHIND = timedelta(minutes=5)


class Whose(Protocol):
    """Whose access token is in use."""

    @property
    def user_id(self) -> str: ...
    @property
    def device_id(self) -> str | None: ...


class OwnKeys(Protocol):
    """The bot's own identity, as far as a check needs it."""

    async def differences(self, tx: Tx, keys_query_answer: object) -> tuple[str, ...]: ...
    async def fingerprint(self, tx: Tx) -> str: ...


class OwnServer(Protocol):
    """The homeserver, as far as a check needs it."""

    async def whoami(self) -> Whose: ...
    async def query_keys(self, users: Sequence[str]) -> dict[str, Any]: ...
    async def account_data(self, data_type: str) -> Mapping[str, Any] | None: ...
    async def set_account_data(self, data_type: str, content: Mapping[str, Any]) -> None: ...


async def check_token(server: OwnServer, *, user_id: str, device_id: str) -> None:
    """Make sure that the access token is good and belongs to this device.

    Raises KeyMismatch when it is not; Unreachable.
    """
    try:
        whose = await server.whoami()
    except Refusal as refusal:
        if refusal.status != 401:
            raise
        raise KeyMismatch(
            "The homeserver no longer knows the bot's access token. Run `interlude init` again to log in: "
            "it keeps the same device and keys."
        ) from None
    if (whose.user_id, whose.device_id) != (user_id, device_id):
        raise KeyMismatch(
            f"The access token belongs to {whose.user_id} on device {whose.device_id}, "
            f"but this instance is {user_id} on device {device_id}."
        )


async def check_own_keys(
    store: Store, server: OwnServer, own: OwnKeys, *, user_id: str, device_id: str
) -> tuple[str, ...]:
    """Compare the bot's keys with the homeserver's, and return the account's other devices (CRYPTO 7, 32).

    Raises KeyMismatch that names each difference; Unreachable.
    """
    answer = await server.query_keys([user_id])
    async with store.transaction() as tx:
        differences = await own.differences(tx, answer)
    if differences:
        raise KeyMismatch(
            f"The homeserver shows other keys for {user_id} than this instance has, so nothing is sent: "
            f"{'; '.join(differences)}. If you did not change them, somebody else did: compare with the fingerprint "
            "that you noted. If they are only missing, `interlude init` uploads them again."
        )
    return other_devices(answer, user_id=user_id, device_id=device_id)


def other_devices(keys_query_answer: Mapping[str, Any], *, user_id: str, device_id: str) -> tuple[str, ...]:
    """Name the devices that the homeserver shows on the bot's account beside its own."""
    by_user = keys_query_answer.get("device_keys")
    devices = by_user.get(user_id) if isinstance(by_user, Mapping) else None
    if not isinstance(devices, Mapping):
        return ()
    return tuple(sorted(str(device) for device in devices if device != device_id))


async def starts_on_server(server: OwnServer) -> int:
    """Return how many starts the homeserver has seen of this device."""
    content = await server.account_data(START)
    starts = content.get("starts") if content else 0
    return starts if isinstance(starts, int) and not isinstance(starts, bool) else 0


async def count_start(store: Store, server: OwnServer) -> int:
    """Count one start, here first and then on the homeserver (CRYPTO 18).

    Raises KeyMismatch when the homeserver has seen more starts than this database: it is a copy, or was restored, and
    its ratchets have been used already. Unreachable.
    """
    seen = await starts_on_server(server)
    async with store.transaction() as tx:
        known = int(await tx.facts.read(STARTS) or 0)
        if seen > known:
            raise KeyMismatch(
                f"This bot has been started {seen} times, but its database knows of {known}: it is an old copy, or "
                "another copy of it runs elsewhere. Nothing is sent. Stop the other one, or bring back the newest "
                "database."
            )
        starts = await tx.facts.increment(STARTS)
    await server.set_account_data(START, {"v": 1, "starts": starts})
    return starts


async def note_clock(store: Store, clock: Clock, *, behind: timedelta, simulation: str | None) -> None:
    """Note how far real time has come and whether schedules are simulated.

    A machine clock more than five minutes behind what was seen before ends all running room sessions (CRYPTO 33).
    """
    async with store.transaction() as tx:
        await tx.facts.write(HIGH_WATER, clock.real().isoformat())
        await tx.facts.write(SIMULATION, simulation)
        if behind > CLOCK_BEHIND and await tx.facts.once("clock:behind", clock.real(), every_seconds=3600):
            log.error("clock.behind", seconds=round(behind.total_seconds()))
            await tx.megolm.drop_outbound([room.room_id for room in await tx.rooms.every()])
