"""Device lists and what follows from an answer (CRYPTO 2, 3, 7, 21, 22)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import vodozemac

from bot.core.megolm import OutboundSession
from bot.core.olm import KeyQuestion, TrustNews
from bot.core.pairs import PairState
from bot.core.people import ManagedRoom, Pair, Purpose
from bot.core.trust import Device, Identity, Violation
from bot.crypto.device_lists import OWN_IDENTITY_HOLD, DeviceLists
from bot.crypto.identity import CrossSigningSeeds, device_signing_upload_body
from bot.crypto.ratchets import PICKLE_KEY
from bot.store.database import Database
from tests.crypto.peers import BOT, BOT_DEVICE, CLIENT, NOW, STRANGER, THERAPIST, Bot, Peer, create_bot, keys_answer
from tests.crypto.peers import open_store as open_database

ROOM = "!pair"


class World:
    """A bot that follows a client, with a running session in their room."""

    def __init__(self, store: Database, bot: Bot) -> None:
        self.store = store
        self.lists = DeviceLists(bot.own)
        self.phone = Peer(CLIENT, "PHONE")

    async def asked(self) -> KeyQuestion | None:
        async with self.store.transaction() as tx:
            return await self.lists.question(tx)

    async def told(self, answer: dict[str, Any], question: KeyQuestion | None = None) -> tuple[TrustNews, ...]:
        question = question or await self.asked()
        assert question is not None
        async with self.store.transaction() as tx:
            return await self.lists.answer(tx, question, answer, NOW)

    async def sees(self, *peers: Peer, unsigned: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        """What is news when the client's list is asked for anew and the answer shows these devices."""
        async with self.store.transaction() as tx:
            await self.lists.changed(tx, changed=[CLIENT], left=[])
        return [(each.kind, each.detail) for each in await self.told(keys_answer(*peers, unsigned=unsigned))]

    async def identity(self) -> Identity:
        async with self.store.transaction() as tx:
            return (await tx.devices.identities([CLIENT]))[CLIENT]

    async def devices(self) -> dict[str, Device]:
        async with self.store.transaction() as tx:
            return {device.device_id: device for device in (await tx.devices.devices([CLIENT]))[CLIENT]}

    async def outdated(self) -> set[str]:
        async with self.store.transaction() as tx:
            return set(await tx.devices.outdated()) - {BOT}

    async def begin_session(self) -> None:
        group = vodozemac.GroupSession()
        session = OutboundSession(
            room_id=ROOM,
            session_id=group.session_id,
            pickle=group.pickle(PICKLE_KEY).encode(),
            created_at=NOW,
            messages=0,
            version=0,
        )
        async with self.store.transaction() as tx:
            await tx.megolm.save_outbound([session])

    async def session_runs(self) -> bool:
        async with self.store.transaction() as tx:
            return ROOM in await tx.megolm.outbound([ROOM])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = await open_database(tmp_path)
    world = World(store, await create_bot(store))
    async with store.transaction() as tx:
        await tx.devices.track([CLIENT])
        await tx.rooms.add(ManagedRoom(room_id=ROOM, purpose=Purpose.CONSOLE, pair_id=None, therapist=THERAPIST))
        await tx.rooms.set_members(ROOM, {BOT: "join", CLIENT: "join", THERAPIST: "invite"})
    await world.begin_session()
    yield world
    await store.close()


async def test_first_sight_pins_and_knows_the_devices(world: World) -> None:
    """The first answer about a person of a pair pins the master key and stores each device with its trust."""
    tablet = Peer(CLIENT, "TABLET", world.phone.seeds)
    news = await world.sees(world.phone, tablet, unsigned=("TABLET",))
    master = world.phone.seeds.master.public_key
    assert news == [("pinned", master), ("unsigned_device", "TABLET"), ("newly_signed", "PHONE")]
    identity, devices = await world.identity(), await world.devices()
    assert (identity.pinned_master, identity.pinned_at) == (master, NOW)
    assert {device_id: device.signed for device_id, device in devices.items()} == {"PHONE": True, "TABLET": False}
    assert devices["PHONE"].curve25519 == world.phone.curve25519
    assert await world.outdated() == set()
    assert await world.session_runs()


async def test_same_answer_again_is_no_news(world: World) -> None:
    """An answer that shows what is known tells nothing and ends no session."""
    await world.sees(world.phone)
    assert await world.sees(world.phone) == []
    assert await world.session_runs()


async def test_device_signed_later_is_told_once(world: World) -> None:
    """A device that its owner signs afterwards is news of its own."""
    await world.sees(world.phone, unsigned=("PHONE",))
    assert await world.sees(world.phone) == [("newly_signed", "PHONE")]
    assert await world.sees(world.phone) == []


async def test_changed_master_key_is_a_violation(world: World) -> None:
    """Another master key keeps the pin and its date, is told once, and ends the room's session (CRYPTO 3)."""
    await world.sees(world.phone)
    pinned = (await world.identity()).pinned_master
    impostor = Peer(CLIENT, "PHONE2")
    assert ("violation", Violation.MASTER_CHANGED.value) in await world.sees(impostor)
    identity = await world.identity()
    assert (identity.pinned_master, identity.violation) == (pinned, Violation.MASTER_CHANGED)
    assert identity.master == impostor.seeds.master.public_key
    assert not (await world.devices())["PHONE2"].signed
    assert not await world.session_runs()
    assert "violation" not in {kind for kind, _ in await world.sees(impostor)}


async def test_changed_device_keys_are_a_violation_and_the_old_record_stays(world: World) -> None:
    """Other keys under a known device id never replace the first ones (CRYPTO 3)."""
    await world.sees(world.phone)
    news = await world.sees(Peer(CLIENT, "PHONE", world.phone.seeds))
    assert news == [("violation", "device_keys_changed PHONE")]
    device = (await world.devices())["PHONE"]
    assert (device.ed25519, device.curve25519) == (world.phone.ed25519, world.phone.curve25519)
    assert device.violation is Violation.DEVICE_KEYS_CHANGED
    assert not await world.session_runs()


async def test_return_of_a_removed_device_is_a_violation(world: World) -> None:
    """A removed device ends the session; the same device shown again is no device to trust (CRYPTO 3)."""
    tablet = Peer(CLIENT, "TABLET", world.phone.seeds)
    await world.sees(world.phone, tablet)
    assert await world.sees(world.phone) == []
    assert not await world.session_runs()
    assert (await world.devices())["TABLET"].removed
    assert ("violation", "device_returned TABLET") in await world.sees(world.phone, tablet)


async def test_lost_signature_ends_the_session(world: World) -> None:
    """A device that is no longer signed is told and cannot read on."""
    await world.sees(world.phone)
    assert await world.sees(world.phone, unsigned=("PHONE",)) == [("unsigned_device", "PHONE")]
    assert not await world.session_runs()


async def test_sessions_of_other_rooms_go_on(world: World) -> None:
    """Only rooms in which the person is or is invited get new sessions."""
    await world.sees(world.phone)
    async with world.store.transaction() as tx:
        await tx.rooms.set_members(ROOM, {BOT: "join", CLIENT: "leave", THERAPIST: "join"})
    await world.sees(Peer(CLIENT, "PHONE2"))
    assert await world.session_runs()


async def test_change_while_the_question_is_in_flight_stays_outdated(world: World) -> None:
    """An answer does not clear the mark of a change that came after its question (CRYPTO 21)."""
    question = await world.asked()
    async with world.store.transaction() as tx:
        await world.lists.changed(tx, changed=[CLIENT], left=[])
    await world.told(keys_answer(world.phone), question)
    assert await world.outdated() == {CLIENT}
    assert await world.sees(world.phone) == []
    assert await world.outdated() == set()


async def test_late_answer_does_not_undo_a_newer_one(world: World) -> None:
    """An answer that arrives after the answer to a newer question changes nothing."""
    tablet = Peer(CLIENT, "TABLET", world.phone.seeds)
    old = await world.asked()
    assert await world.sees(world.phone, tablet) != []
    assert await world.told(keys_answer(world.phone), old) == ()
    assert not (await world.devices())["TABLET"].removed


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"device_keys": {}},
        {"device_keys": {CLIENT: None}},
        {"device_keys": [], "failures": []},
        {"device_keys": {CLIENT: {}}, "failures": {"example.org": {"status": 503}}},
    ],
)
async def test_unanswered_users_stay_outdated(world: World, answer: dict[str, Any]) -> None:
    """Who is missing from an answer, or whose server failed, is asked about again; known devices stay."""
    await world.sees(world.phone)
    async with world.store.transaction() as tx:
        await world.lists.changed(tx, changed=[CLIENT], left=[])
    assert await world.told(answer) == ()
    assert await world.outdated() == {CLIENT}
    assert not (await world.devices())["PHONE"].removed


async def test_malformed_devices_are_not_shown(world: World) -> None:
    """Devices without a valid signature of their own, or of another name or person, are left out."""
    answer = keys_answer(world.phone)
    shown = answer["device_keys"][CLIENT]
    unsigned = Peer(CLIENT, "A", world.phone.seeds).keys()
    unsigned["signatures"] = {}
    shown |= {"A": unsigned, "B": world.phone.keys(), "C": 7, "D": Peer(THERAPIST, "D").keys(), "": {"keys": []}}
    await world.told(answer)
    assert set(await world.devices()) == {"PHONE"}


async def test_self_signing_key_of_somebody_else_signs_nothing(world: World) -> None:
    """A self-signing key that the master key did not sign makes no device trusted (CRYPTO 2)."""
    other = Peer(CLIENT, "PHONE")
    answer = keys_answer(other)
    answer["master_keys"][CLIENT] = device_signing_upload_body(CLIENT, world.phone.seeds)["master_key"]
    news = await world.told(answer)
    assert ("unsigned_device", "PHONE") in [(each.kind, each.detail) for each in news]
    assert not (await world.devices())["PHONE"].signed


async def test_other_master_key_over_the_same_self_signing_key_is_not_trusted(world: World) -> None:
    """A master key that adopts the genuine self-signing key takes no trust over from the pinned one (CRYPTO 3)."""
    await world.sees(world.phone)
    adopted = replace(CrossSigningSeeds.generate(), self_signing=world.phone.seeds.self_signing)
    answer = keys_answer(world.phone)
    body = device_signing_upload_body(CLIENT, adopted)
    answer["master_keys"][CLIENT] = body["master_key"]
    answer["self_signing_keys"][CLIENT] = body["self_signing_key"]
    async with world.store.transaction() as tx:
        await world.lists.changed(tx, changed=[CLIENT], left=[])
    assert ("violation", "master_changed") in [(each.kind, each.detail) for each in await world.told(answer)]
    assert not (await world.devices())["PHONE"].signed


async def test_self_signing_key_without_the_masters_signature_signs_nothing(world: World) -> None:
    """The known self-signing key shown without its signature makes no device trusted."""
    await world.sees(world.phone)
    answer = keys_answer(world.phone)
    answer["self_signing_keys"][CLIENT]["signatures"] = {}
    async with world.store.transaction() as tx:
        await world.lists.changed(tx, changed=[CLIENT], left=[])
    await world.told(answer)
    assert not (await world.devices())["PHONE"].signed
    assert not await world.session_runs()


async def test_strangers_are_never_asked_about(world: World) -> None:
    """A change of somebody who is not tracked is nothing to ask about (CRYPTO 1)."""
    await world.sees(world.phone)
    async with world.store.transaction() as tx:
        await world.lists.changed(tx, changed=[STRANGER], left=[STRANGER])
        assert await tx.devices.tracked() == {CLIENT, BOT}
    assert await world.outdated() == set()


async def test_who_left_and_stands_in_no_pair_is_untracked(world: World) -> None:
    """`left` ends the tracking of people in no pair; who stands in one is asked about again (CRYPTO 21)."""
    await world.sees(world.phone)
    async with world.store.transaction() as tx:
        await tx.devices.track([THERAPIST])
        await tx.devices.clear_outdated({THERAPIST: 10**6})
        await tx.pairs.add(_pair())
        await world.lists.changed(tx, changed=[], left=[CLIENT, THERAPIST, STRANGER])
        assert await tx.devices.tracked() == {CLIENT, THERAPIST, BOT}
        assert set(await tx.devices.outdated()) >= {CLIENT, THERAPIST}
    async with world.store.transaction() as tx:
        await tx.devices.track([STRANGER])
        await world.lists.changed(tx, changed=[], left=[STRANGER])
        assert STRANGER not in await tx.devices.tracked()


async def own_hold(world: World) -> str | None:
    async with world.store.transaction() as tx:
        return await tx.facts.read(OWN_IDENTITY_HOLD)


async def test_unknown_own_device_stops_everything_until_it_is_gone(world: World) -> None:
    """A device beside the bot's own is told once and noted as a hold, which ends with the device (CRYPTO 7)."""
    question = KeyQuestion(marks={BOT: 10**6})
    async with world.store.transaction() as tx:
        await tx.devices.track([BOT])
    intruder: dict[str, Any] = {"device_keys": {BOT: {BOT_DEVICE: {}, "OTHER": {}}}}
    news = await world.told(intruder, question)
    assert [(each.user_id, each.kind, each.detail) for each in news] == [(BOT, "own_device", "device OTHER")]
    assert await own_hold(world) == "device OTHER"
    assert await world.told(intruder, question) == ()
    assert await world.told({"device_keys": {BOT: {BOT_DEVICE: {}}}}, question) == ()
    assert await own_hold(world) is None


async def test_other_own_master_key_stops_everything(world: World) -> None:
    """Another master key of the bot's own account is a hold as well (CRYPTO 7)."""
    await world.asked()
    other = Peer(BOT, BOT_DEVICE)
    news = await world.told(keys_answer(other), KeyQuestion(marks={BOT: 10**6}))
    assert [each.detail for each in news] == [f"master key {other.seeds.master.public_key}"]
    assert await own_hold(world) is not None


def _pair() -> Pair:
    return Pair(
        pair_id="pair-1",
        number=0,
        client=CLIENT,
        therapist=THERAPIST,
        client_name="C",
        therapist_name="T",
        timezone="Europe/Berlin",
        language="en",
        country="DE",
        word="heron",
        state=PairState.ACTIVE,
        paused=False,
        therapist_gone=False,
        created_at=NOW - timedelta(days=1),
    )
