"""Who gets the keys of a room now, judged from rows that are loaded once for many rooms (CRYPTO 1-3, 6, 7, 21)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.megolm import Audience, Hold, OutboundSession, Share
from bot.core.rotation import SessionAge, must_rotate, rotation_settings
from bot.core.trust import Device, Identity, can_read, word_counts
from bot.crypto.device_lists import OWN_IDENTITY_HOLD
from bot.ports import Tx

_PRESENT = ("join", "invite")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipients:
    """The devices of one room."""

    trusted: tuple[Device, ...]
    untrusted: tuple[Device, ...]  # they get a notice instead
    violated: frozenset[str]  # people whose identity is not the pinned one


@dataclass(frozen=True, kw_only=True, slots=True)
class _Person:
    trusted: tuple[Device, ...]
    untrusted: tuple[Device, ...]
    violated: bool
    reads: bool  # a device that counts as the person (CRYPTO 6)


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What was read from the database about some rooms, their people and their sessions."""

    own_user: str
    own_hold: bool
    encryption: Mapping[str, Mapping[str, Any]]  # room -> content of m.room.encryption
    members: Mapping[str, Mapping[str, str]]
    unknown_lists: frozenset[str]  # people whose device list is out of date, or not followed
    people: Mapping[str, _Person]
    wedges: Mapping[tuple[str, str], int]
    sessions: Mapping[str, OutboundSession]
    shares: Mapping[str, Mapping[tuple[str, str], Share]]  # session -> device -> share

    def judge(self, audience: Audience) -> Recipients | Hold:
        """The recipients of a room, or why nothing may be encrypted there."""
        members = self.members.get(audience.room_id, {})
        present = {user for user, membership in members.items() if membership in _PRESENT} - {self.own_user}
        if (reason := self._objection(audience, members, present)) is not None:
            return Hold(room_id=audience.room_id, reason=reason)
        people = [(user, self.people[user]) for user in sorted(present)]
        return Recipients(
            trusted=tuple(device for _, person in people for device in person.trusted),
            untrusted=tuple(device for _, person in people for device in person.untrusted),
            violated=frozenset(user for user, person in people if person.violated),
        )

    def expired(self, session: OutboundSession, recipients: Recipients, at: datetime) -> bool:
        """Whether the session must be replaced: worn out, or a device that was given its key is no longer trusted.

        That covers whoever left, was removed, or broke a pin, without anybody having to say so (CRYPTO 22).
        """
        settings = rotation_settings(self.encryption.get(session.room_id, {}))
        age = SessionAge(created_at=session.created_at, messages=session.messages)
        if must_rotate(age, settings, at):
            return True
        now = {(device.user_id, device.device_id): device.curve25519 for device in recipients.trusted}
        held = self.shares.get(session.session_id, {})
        return any(now.get(key) != share.curve25519 for key, share in held.items())

    def lacking(self, session: OutboundSession, recipients: Recipients) -> list[Device]:
        """The devices that were not given the key, or whose Olm session was replaced since (CRYPTO 17)."""
        held = self.shares.get(session.session_id, {})
        return [device for device in recipients.trusted if self._lacks(held, device)]

    def unacknowledged(self, session: OutboundSession) -> bool:
        """Whether the server has not yet taken all the keys that were given."""
        return any(not share.acknowledged for share in self.shares.get(session.session_id, {}).values())

    def share_of(self, session_id: str, device: Device) -> Share | None:
        return self.shares.get(session_id, {}).get((device.user_id, device.device_id))

    def wedge(self, device: Device) -> int:
        """The device's wedge counter."""
        return self.wedges.get((device.user_id, device.device_id), 0)

    def _lacks(self, held: Mapping[tuple[str, str], Share], device: Device) -> bool:
        share = held.get((device.user_id, device.device_id))
        return share is None or share.wedge < self.wedge(device)

    def _objection(self, audience: Audience, members: Mapping[str, str], present: set[str]) -> str | None:
        if self.own_hold:
            return "own_identity"
        if present - audience.people or audience.room_id not in self.encryption:
            return "drift"
        if audience.addressed is not None and members.get(audience.addressed) != "join":
            return "not_joined"
        if present & self.unknown_lists:
            return "outdated"
        if audience.addressed is not None and not self.people[audience.addressed].reads:
            return "no_device"
        return None


async def load_view(tx: Tx, own_user: str, audiences: Sequence[Audience]) -> View:
    """Read all that is needed to judge these rooms, in as many statements for many rooms as for one."""
    room_ids = sorted({audience.room_id for audience in audiences})
    users = sorted({user for audience in audiences for user in audience.people} - {own_user})
    sessions = await tx.megolm.outbound(room_ids)
    shares: dict[str, dict[tuple[str, str], Share]] = {}
    for share in await tx.megolm.shares(sorted(session.session_id for session in sessions.values())):
        shares.setdefault(share.session_id, {})[share.user_id, share.device_id] = share
    devices, identities = await tx.devices.devices(users), await tx.devices.identities(users)
    followed, outdated = await tx.devices.tracked(), await tx.devices.outdated()
    return View(
        own_user=own_user,
        own_hold=await tx.facts.read(OWN_IDENTITY_HOLD) is not None,
        encryption={room.room_id: room.encryption for room in await tx.rooms.among(room_ids)},
        members=await tx.rooms.members(room_ids),
        unknown_lists=frozenset(user for user in users if user in outdated or user not in followed),
        people={user: _person(devices.get(user, ()), identities.get(user) or Identity(user_id=user)) for user in users},
        wedges=await tx.devices.wedges(users),
        sessions=sessions,
        shares=shares,
    )


def _person(devices: Iterable[Device], identity: Identity) -> _Person:
    present = [device for device in devices if not device.removed]
    trusted = tuple(device for device in present if word_counts(device, identity).counts)
    return _Person(
        trusted=trusted,
        untrusted=tuple(device for device in present if device not in trusted),
        violated=identity.violation is not None,
        reads=can_read(present, identity),
    )
