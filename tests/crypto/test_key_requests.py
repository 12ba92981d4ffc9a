"""Requests for a room key (CRYPTO 8)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import vodozemac

from bot.core.megolm import Share
from bot.core.people import ManagedRoom, Purpose
from bot.core.trust import Violation
from bot.crypto.ratchets import new_own_session
from tests.crypto.intake import ROOM, World, open_world
from tests.crypto.peers import CLIENT, NOW, THERAPIST, Peer, introduce

HOUR = timedelta(hours=1)


class Asked(World):
    """A world in which the phone was given a session from index 0."""

    session_id: str

    async def share(self) -> None:
        group = vodozemac.GroupSession()
        self.session_id = group.session_id
        own = new_own_session(ROOM, self.own, group)
        share = Share(
            session_id=group.session_id,
            user_id=CLIENT,
            device_id="PHONE",
            curve25519=self.phone.curve25519,
            index=0,
            wedge=0,
            acknowledged=True,
        )
        async with self.store.transaction() as tx:
            await tx.rooms.add(ManagedRoom(room_id=ROOM, purpose=Purpose.CONSOLE, pair_id=None, therapist=CLIENT))
            await tx.megolm.save_inbound([own.to_row()])
            await tx.megolm.save_shares([share])
            await self.bot.channel.claimed(tx, {CLIENT: {"PHONE": "x"}}, self.phone.claimed_key())

    def request(self, device_id: str = "PHONE", sender: str = CLIENT, **body: Any) -> dict[str, Any]:
        wanted = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "session_id": self.session_id} | body
        content = {"action": "request", "requesting_device_id": device_id, "request_id": "r", "body": wanted}
        return {"type": "m.room_key_request", "sender": sender, "content": content}


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with open_world(tmp_path) as world:
        asked = Asked(world.store, world.bot, world.own)
        asked.phone = world.phone
        await asked.share()
        yield asked


async def test_key_is_repeated_once_an_hour(asked: Asked) -> None:
    """The device that was given a key gets it again from the same index, over Olm, at most hourly (CRYPTO 8)."""
    outcome = await asked.take(asked.request())
    (reply,) = outcome.reply
    assert (outcome.kind, reply.event_type, reply.session_id) == ("key_request", "m.room.encrypted", asked.session_id)
    payload = asked.phone.read(reply.content)
    assert payload["type"] == "m.room_key"
    ratchet = vodozemac.InboundGroupSession(vodozemac.SessionKey(payload["content"]["session_key"]))
    assert (ratchet.session_id, ratchet.first_known_index) == (asked.session_id, 0)
    assert (await asked.take(asked.request(), NOW + HOUR / 2)).reason == "key_request_too_often"
    assert (await asked.take(asked.request(), NOW + HOUR)).kind == "key_request"


async def test_key_goes_to_nobody_else(asked: Asked) -> None:
    """Another device, another person, another room, a violation or a cancelled request gets no key (CRYPTO 8)."""
    tablet = Peer(CLIENT, "TABLET", asked.phone.seeds)
    await introduce(asked.store, tablet, Peer(THERAPIST, "PHONE"))
    assert (await asked.take(asked.request("TABLET"))).reason == "key_request_not_shared"
    assert (await asked.take(asked.request(sender=THERAPIST))).reason == "key_request_not_shared"
    assert (await asked.take(asked.request(session_id=["x"]))).reason == "key_request_malformed"
    assert (await asked.take(asked.request(room_id="!other"))).kind == "dropped"
    cancelled = asked.request()
    cancelled["content"]["action"] = "request_cancellation"
    assert (await asked.take(cancelled)).kind == "dropped"
    async with asked.store.transaction() as tx:
        await tx.devices.save_identity(replace(asked.phone.identity(), violation=Violation.MASTER_CHANGED))
    assert (await asked.take(asked.request(), NOW + HOUR)).reason == "key_request_not_shared"
