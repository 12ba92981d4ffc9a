"""Other people's identities and devices, and which of their lists are out of date."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from sqlalchemy import bindparam, delete, select, update

from bot.core.trust import Device, Identity
from bot.store.key_tables import device_lists, devices, identities, wedges
from bot.store.session import MINE, AnyRow, Session, among, both, unless_known, upsert

_TRACK = unless_known(device_lists)
_of_list_users = (device_lists.c.account == MINE, device_lists.c.user_id.in_(among("of_users")))
_UNTRACK = delete(device_lists).where(*_of_list_users)
_TRACKED = select(device_lists.c.user_id).where(device_lists.c.account == MINE)
_OUTDATE = update(device_lists).where(*_of_list_users).values(mark=bindparam("new_mark"), outdated=True)
_OUTDATED = select(device_lists.c.user_id, device_lists.c.mark).where(
    device_lists.c.account == MINE, device_lists.c.outdated
)
_CLEAR = (
    update(device_lists)
    .where(
        device_lists.c.account == MINE,
        device_lists.c.user_id == bindparam("of_user"),
        device_lists.c.mark <= bindparam("of_mark"),
    )
    .values(outdated=False)
)
_IDENTITIES = select(*[identities.c[field.name] for field in fields(Identity)]).where(
    identities.c.account == MINE, identities.c.user_id.in_(among("of_users"))
)
_SAVE_IDENTITY = upsert(identities)
_DEVICE_COLUMNS = [devices.c[field.name] for field in fields(Device)]
_DEVICES = (
    select(*_DEVICE_COLUMNS)
    .where(devices.c.account == MINE, devices.c.user_id.in_(among("of_users")))
    .order_by(devices.c.device_id)
)
_BY_CURVE = (
    select(*_DEVICE_COLUMNS)
    .where(devices.c.account == MINE, devices.c.curve25519 == bindparam("of_curve"))
    .order_by(devices.c.removed, devices.c.first_seen, devices.c.user_id, devices.c.device_id)
)
_SAVE_DEVICES = upsert(devices)
_WEDGES = select(wedges.c.user_id, wedges.c.device_id, wedges.c.count).where(
    wedges.c.account == MINE, wedges.c.user_id.in_(among("of_users"))
)
_RAISE_WEDGE = both(
    lambda insert: insert(wedges).on_conflict_do_update(
        index_elements=["account", "user_id", "device_id"], set_={"count": wedges.c.count + 1}
    )
)


class DeviceRows:
    """Implements `ports.DeviceRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def track(self, users: Iterable[str]) -> None:
        """Follow these users' device lists; new ones start out of date."""
        if wanted := set(users):
            mark = await self._session.next("device_lists")
            rows = [{"user_id": user, "mark": mark, "outdated": True} for user in sorted(wanted)]
            await self._session.write(_TRACK, rows)

    async def untrack(self, users: Iterable[str]) -> None:
        """Stop following these users' device lists."""
        if unwanted := sorted(set(users)):
            await self._session.run(_UNTRACK, of_users=unwanted)

    async def tracked(self) -> frozenset[str]:
        """Return whose device lists are followed."""
        return frozenset([row[0] for row in await self._session.rows(_TRACKED)])

    async def mark_outdated(self, users: Iterable[str]) -> None:
        """Give each tracked user of these a new, higher mark (CRYPTO 21)."""
        if changed := sorted(set(users)):
            mark = await self._session.next("device_lists")
            await self._session.run(_OUTDATE, of_users=changed, new_mark=mark)

    async def outdated(self) -> Mapping[str, int]:
        """Return the users whose lists are out of date, each with its mark."""
        return {row[0]: row[1] for row in await self._session.rows(_OUTDATED)}

    async def clear_outdated(self, marks: Mapping[str, int]) -> None:
        """Clear a user's mark where it is not higher than the one given (CRYPTO 21)."""
        await self._session.run_each(_CLEAR, [{"of_user": user, "of_mark": mark} for user, mark in marks.items()])

    async def identities(self, users: Iterable[str]) -> Mapping[str, Identity]:
        """Return the identities that are known of these users."""
        if not (wanted := sorted(set(users))):
            return {}
        return {row.user_id: _identity(row) for row in await self._session.rows(_IDENTITIES, of_users=wanted)}

    async def save_identity(self, identity: Identity) -> None:
        """Store a person's identity in place of the former one."""
        values = {field.name: getattr(identity, field.name) for field in fields(Identity)}
        await self._session.write_one(_SAVE_IDENTITY, **values)

    async def devices(self, users: Iterable[str]) -> Mapping[str, tuple[Device, ...]]:
        """Return all devices ever seen of these users, removed ones too."""
        if not (wanted := sorted(set(users))):
            return {}
        found: dict[str, list[Device]] = defaultdict(list)
        for row in await self._session.rows(_DEVICES, of_users=wanted):
            found[row[0]].append(_device(row))
        return {user: tuple(theirs) for user, theirs in found.items()}

    async def save_devices(self, devices: Sequence[Device]) -> None:
        """Store devices in place of the former records."""
        names = [field.name for field in fields(Device)]
        await self._session.write(_SAVE_DEVICES, [{name: getattr(each, name) for name in names} for each in devices])

    async def by_curve(self, curve25519: str) -> Device | None:
        """Return the device with this identity key: one that is still there first, then the one seen first."""
        row = await self._session.row(_BY_CURVE, of_curve=curve25519)
        return None if row is None else _device(row)

    async def wedges(self, users: Iterable[str]) -> Mapping[tuple[str, str], int]:
        """Return wedge counters by (user, device); absent means 0 (CRYPTO 17)."""
        if not (wanted := sorted(set(users))):
            return {}
        rows = await self._session.rows(_WEDGES, of_users=wanted)
        return {(user, device): count for user, device, count in rows}

    async def raise_wedge(self, user_id: str, device_id: str) -> None:
        """Count one more inbound session that the device had to make (CRYPTO 17)."""
        await self._session.write_one(_RAISE_WEDGE, user_id=user_id, device_id=device_id, count=1)


def _identity(row: AnyRow) -> Identity:
    values = dict(row._mapping)  # noqa: SLF001 - the documented name of SQLAlchemy's mapping view
    values["superseded_self_signing"] = frozenset(values["superseded_self_signing"])
    return Identity(**values)


def _device(row: AnyRow) -> Device:
    values = dict(row._mapping)  # noqa: SLF001 - the documented name of SQLAlchemy's mapping view
    values["former_ed25519"] = frozenset(values["former_ed25519"])
    return Device(**values)
