"""The lease: two processes never drive one device (CRYPTO 27).

A holder renews its lease; whoever takes it over raises the epoch, and every transaction checks the epoch. So a process
that was asleep, or cut off, cannot write any more once another one has begun.
"""

import os
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import bindparam, select, update

from bot.errors import LeaseLost
from bot.store.session import MINE, Session, unless_known
from bot.store.tables import lease as leases

_READ = select(leases.c.epoch, leases.c.holder, leases.c.expires_at).where(leases.c.account == MINE)
_TAKE_FIRST = unless_known(leases)
_this_epoch = (leases.c.account == MINE, leases.c.epoch == bindparam("of_epoch"))
_TAKE_OVER = (
    update(leases)
    .where(*_this_epoch)
    .values(epoch=bindparam("new_epoch"), holder=bindparam("new_holder"), expires_at=bindparam("new_expiry"))
)
_RENEW = update(leases).where(*_this_epoch).values(expires_at=bindparam("new_expiry"))
_RELEASE = update(leases).where(*_this_epoch).values(holder="", expires_at=bindparam("new_expiry"))
# FOR SHARE: on PostgreSQL a take-over waits for the transaction that has checked (SQLite has the write lock anyway).
_CHECK = select(leases.c.epoch).where(*_this_epoch).with_for_update(read=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The right to drive an account's device."""

    account: str
    holder: str
    epoch: int  # goes up with each take-over
    expires_at: datetime  # in real time


class LeasedTransaction(Protocol):
    """What the lease needs of a transaction."""

    session: Session


class LeasedStore(Protocol):
    """What the lease needs of a database; one that was opened without a lease."""

    account: str

    def transaction(self) -> AbstractAsyncContextManager[LeasedTransaction]: ...


async def acquire(database: LeasedStore, *, holder: str, at: datetime, ttl: timedelta) -> Lease:
    """Take the lease of the database's account until `at` + `ttl` (real time).

    A holder that has released it, let it expire or died on this machine is followed at once. Raises LeaseLost, naming
    holder and expiry, while another one lives.
    """
    async with database.transaction() as tx:
        session, expires_at = tx.session, at + ttl
        if await session.write_one(_TAKE_FIRST, epoch=1, holder=holder, expires_at=expires_at):
            return Lease(account=database.account, holder=holder, epoch=1, expires_at=expires_at)
        row = await session.row(_READ.with_for_update())
        epoch, former, until = row if row is not None else (0, "", at)
        if former and former != holder and until > at and not has_died(former):
            raise LeaseLost(f"{former} drives this bot until {until:%Y-%m-%d %H:%M:%S} UTC; stop it first, or wait.")
        taken = await session.run(
            _TAKE_OVER, of_epoch=epoch, new_epoch=epoch + 1, new_holder=holder, new_expiry=expires_at
        )
        if not taken:
            raise LeaseLost
        return Lease(account=database.account, holder=holder, epoch=epoch + 1, expires_at=expires_at)


async def renew(database: LeasedStore, lease: Lease, *, at: datetime, ttl: timedelta) -> Lease:
    """Return the lease with a later expiry. Raises LeaseLost when another process has taken over."""
    async with database.transaction() as tx:
        if not await tx.session.run(_RENEW, of_epoch=lease.epoch, new_expiry=at + ttl):
            raise LeaseLost
    return replace(lease, expires_at=at + ttl)


async def release(database: LeasedStore, lease: Lease, *, at: datetime) -> None:
    """Give the lease back, so that the next process need not wait; one that is lost already stays lost."""
    async with database.transaction() as tx:
        await tx.session.run(_RELEASE, of_epoch=lease.epoch, new_expiry=at)


async def holder_now(database: LeasedStore, *, at: datetime) -> str | None:
    """Return who holds the lease of the database's account at an instant (real time), None when nobody does."""
    async with database.transaction() as tx:
        row = await tx.session.row(_READ)
    if row is None:
        return None
    _, holder, until = row
    return holder if holder and until > at and not has_died(holder) else None


async def check(session: Session, lease: Lease) -> None:
    """Make sure that nobody has taken over before this transaction. Raises LeaseLost (CRYPTO 27)."""
    if await session.row(_CHECK, of_epoch=lease.epoch) is None:
        raise LeaseLost


def this_process() -> str:
    """Name this process so that others on this machine can tell whether it lives: host, boot, process, start."""
    pid = os.getpid()
    return " ".join((socket.gethostname(), _boot(), str(pid), _started(pid) or "-"))


def has_died(holder: str) -> bool:
    """Whether a holder named by `this_process` ran on this machine, since its last start, and is gone.

    Where that cannot be known (another machine, another container, no /proc), the answer is no.
    """
    parts = holder.rsplit(" ", 3)
    if len(parts) != 4 or parts[1] != _boot() or "?" in parts[1] or not parts[2].isdigit():
        return False
    return _started(int(parts[2])) != parts[3]


def _boot() -> str:
    """Name this start of this machine, and the process namespace: containers number their processes anew."""
    boot = _read(lambda: Path("/proc/sys/kernel/random/boot_id").read_text())
    return f"{boot}/{_read(lambda: os.readlink('/proc/self/ns/pid'))}"


def _started(pid: int) -> str | None:
    """When a process started, in ticks since the machine did; None when there is no such process."""
    status = _read(lambda: Path(f"/proc/{pid}/stat").read_text())
    fields = status.rpartition(")")[2].split()  # the name before it may hold anything
    return fields[19] if len(fields) > 19 and fields[0] not in {"Z", "X"} else None


def _read(source: Callable[[], str]) -> str:
    try:
        return source().strip()
    except OSError:
        return "?"
