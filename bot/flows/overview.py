"""How a pair stands, gathered for whoever looks: the operator's lists and `doctor`."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.goals import Goal
from bot.core.pairs import overdue
from bot.core.people import Pair, Schedule
from bot.core.trust import Device, Identity
from bot.ports import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonView:
    """One of the two, and what is known of the own devices."""

    role: str  # client | therapist
    user_id: str
    name: str
    membership: str
    fingerprint: str | None
    pinned_at: datetime | None
    violation: str | None
    signed: int
    unsigned: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Somebody who was invited and has not joined."""

    role: str
    days: int
    overdue: bool  # three days and more

    def __str__(self) -> str:
        """Return it as the end of a sentence."""
        return f"{self.role} has not joined" + (f" for {self.days} days" if self.overdue else " yet")


@dataclass(frozen=True, kw_only=True, slots=True)
class PairView:
    """A pair with its people, goals and schedules."""

    pair: Pair
    people: tuple[PersonView, ...]
    goals: tuple[Goal, ...]
    schedules: tuple[Schedule, ...]
    hold: str | None  # why nothing is sent in the room
    waiting: tuple[Waiting, ...]


async def view_pair(tx: Tx, pair: Pair, *, at: datetime) -> PairView:
    """Gather everything about a pair."""
    users = (pair.client, pair.therapist)
    identities, devices = await tx.devices.identities(users), await tx.devices.devices(users)
    members = (await tx.rooms.members([pair.room_id])).get(pair.room_id, {}) if pair.room_id else {}
    room = await tx.rooms.get(pair.room_id) if pair.room_id else None
    people = tuple(
        _person(role, user, name, members.get(user), identities.get(user), devices.get(user, ()))
        for role, user, name in (
            ("client", pair.client, pair.client_name),
            ("therapist", pair.therapist, pair.therapist_name),
        )
    )
    return PairView(
        pair=pair,
        people=people,
        goals=await tx.pairs.goals(pair.pair_id),
        schedules=await tx.schedules.of_pair(pair.pair_id),
        hold=room.hold if room else None,
        waiting=tuple(_waiting(pair, person, at) for person in people if _awaited(pair, person)),
    )


def _person(
    role: str, user: str, name: str, membership: str | None, identity: Identity | None, devices: tuple[Device, ...]
) -> PersonView:
    present = [device for device in devices if not device.removed and not device.dehydrated]
    return PersonView(
        role=role,
        user_id=user,
        name=name,
        membership={"join": "in the room", "invite": "invited"}.get(membership or "", "not in the room"),
        fingerprint=identity.pinned_master if identity else None,
        pinned_at=identity.pinned_at if identity else None,
        violation=identity.violation.value.replace("_", " ") if identity and identity.violation else None,
        signed=sum(device.signed for device in present),
        unsigned=sum(not device.signed for device in present),
    )


def _awaited(pair: Pair, person: PersonView) -> bool:
    return pair.standing.live and person.membership == "invited"


def _waiting(pair: Pair, person: PersonView, at: datetime) -> Waiting:
    since = pair.invited_at or at
    return Waiting(role=person.role, days=(at - since).days, overdue=overdue(since, at))
