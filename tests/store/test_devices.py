"""Identities, devices and which lists are out of date."""

from dataclasses import replace

from bot.core.trust import Identity, Violation
from bot.store.database import Database
from tests.store.examples import AT, CLIENT, MINUTE, THERAPIST, device


async def test_a_new_list_starts_out_of_date(store: Database) -> None:
    """Following a person marks the list once; following again changes nothing."""
    async with store.transaction() as tx:
        await tx.devices.track([CLIENT, THERAPIST])
        marks = await tx.devices.outdated()
        assert set(marks) == {CLIENT, THERAPIST}
        await tx.devices.clear_outdated(marks)
        await tx.devices.track([CLIENT])
        assert await tx.devices.outdated() == {}
        assert await tx.devices.tracked() == {CLIENT, THERAPIST}
        await tx.devices.untrack([CLIENT])
        assert await tx.devices.tracked() == {THERAPIST}


async def test_an_answer_clears_only_the_mark_it_was_asked_for(store: Database) -> None:
    """A change that comes after the question keeps the list out of date (CRYPTO 21)."""
    async with store.transaction() as tx:
        await tx.devices.track([CLIENT])
        asked = await tx.devices.outdated()
        await tx.devices.mark_outdated([CLIENT, "@stranger:hs"])
        newer = await tx.devices.outdated()
        assert newer[CLIENT] > asked[CLIENT]
        assert "@stranger:hs" not in newer
        await tx.devices.clear_outdated(asked)
        assert await tx.devices.outdated() == newer
        await tx.devices.clear_outdated(newer)
        assert await tx.devices.outdated() == {}


async def test_marks_go_up_also_for_a_person_who_was_let_go(store: Database) -> None:
    """An answer to a question from before clears nothing for a person who is followed anew."""
    async with store.transaction() as tx:
        await tx.devices.track([CLIENT])
        asked = await tx.devices.outdated()
        await tx.devices.untrack([CLIENT])
        await tx.devices.track([CLIENT])
        await tx.devices.clear_outdated(asked)
        assert set(await tx.devices.outdated()) == {CLIENT}


async def test_an_identity_comes_back_whole(store: Database) -> None:
    """All fields of an identity are kept, and a later one replaces it."""
    bare = Identity(user_id=THERAPIST)
    full = Identity(
        user_id=CLIENT,
        pinned_master="M",
        pinned_at=AT,
        master="N",
        self_signing="S",
        superseded_self_signing=frozenset({"old", "older"}),
        violation=Violation.MASTER_CHANGED,
    )
    async with store.transaction() as tx:
        await tx.devices.save_identity(bare)
        await tx.devices.save_identity(replace(full, violation=None))
        await tx.devices.save_identity(full)
        assert await tx.devices.identities([CLIENT, THERAPIST, "@nobody:hs"]) == {CLIENT: full, THERAPIST: bare}
        assert await tx.devices.identities([]) == {}


async def test_devices_come_back_whole_by_person(store: Database) -> None:
    """All fields of a device are kept, removed devices too, and a later record replaces the former."""
    phone = device(former_ed25519=frozenset({"e1", "e2"}), violation=Violation.DEVICE_RETURNED)
    gone = device(device_id="GONE", removed=True, signed=False, dehydrated=True, curve25519="c2")
    other = device(THERAPIST, curve25519="c3")
    async with store.transaction() as tx:
        await tx.devices.save_devices([replace(phone, signed=False), gone, other])
        await tx.devices.save_devices([phone])
        found = await tx.devices.devices([CLIENT, THERAPIST, "@nobody:hs"])
    assert {user: set(theirs) for user, theirs in found.items()} == {CLIENT: {phone, gone}, THERAPIST: {other}}


async def test_a_device_is_found_by_its_identity_key(store: Database) -> None:
    """A device that is still there is preferred, then the one that was seen first."""
    removed = device(device_id="A", removed=True, first_seen=AT - MINUTE)
    first, second = device(device_id="C"), device("@thief:hs", "B", first_seen=AT + MINUTE)
    async with store.transaction() as tx:
        await tx.devices.save_devices([second, removed, first])
        assert await tx.devices.by_curve("curve") == first
        assert await tx.devices.by_curve("unknown") is None


async def test_wedge_counters_go_up(store: Database) -> None:
    """A counter starts at nothing and goes up by one per device (CRYPTO 17)."""
    async with store.transaction() as tx:
        await tx.devices.raise_wedge(CLIENT, "PHONE")
        await tx.devices.raise_wedge(CLIENT, "PHONE")
        await tx.devices.raise_wedge(THERAPIST, "LAPTOP")
        assert await tx.devices.wedges([CLIENT]) == {(CLIENT, "PHONE"): 2}
        assert await tx.devices.wedges([]) == {}
