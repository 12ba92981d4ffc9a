"""Ten thousand generated to-device messages and room events: the way in survives each of them (DESIGN promise 6).

They come as the bytes of a /sync answer, through the real translation, cipher, store and flows; only the network is
missing. After each batch a good answer of the client is still read.
"""

import asyncio
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.clock import SystemClock
from bot.core.batch import SyncBatch
from bot.core.inbox import InboxEvent, InboxState
from bot.crypto.identity import OwnDevice
from bot.flows.library import Library
from bot.flows.receive import Receiver
from bot.flows.speak import Voice
from bot.matrix.sync import translate_sync
from bot.matrix.wire import decode
from bot.packs import read_packs
from bot.resource import resource
from bot.scheduler import Alarm
from bot.service import build_service
from tests.crypto.peers import BOT, CLIENT, STRANGER, THERAPIST
from tests.crypto.room_world import CONSOLE, NOON, ROOM, RoomPeer, World, pair
from tests.running_bot import PRACTICE, Counts

BATCHES, SENT_TOGETHER = 240, 4  # each comes in eleven ways
NOBODY: Any = None  # the homeserver: nothing is sent here

TYPES = [
    "m.room.encrypted", "m.room.message", "m.room.member", "m.room.power_levels", "m.room.encryption", "m.room.create",
    "m.room.redaction", "m.room.name", "m.room.tombstone", "m.reaction", "m.room_key", "m.room_key_request", "m.dummy",
    "m.room_key.withheld", "m.key.verification.request", "m.key.verification.start", "m.forwarded_room_key",
    "m.secret.send", "org.matrix.msc3381.poll.response", "care.interlude.entry", "x", "",
]  # fmt: skip
NAMES = [
    "algorithm", "sender_key", "ciphertext", "session_id", "device_id", "body", "type", "content", "room_id", "msgtype",
    "m.relates_to", "rel_type", "event_id", "m.new_content", "membership", "users", "redacts", "code", "action",
    "request_id", "requesting_device_id", "from_device", "transaction_id", "keys", "url", "file", "info", "answers",
    "unsigned", "redacted_because", "m.in_reply_to", "m.mentions", "session_key", "rotation_period_ms", "state_key",
]  # fmt: skip
WORDS = [
    "m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2", "m.text", "m.image", "m.audio", "join", "leave", "ban",
    "m.replace", "m.reference", "m.thread", "request", "m.unverified", "m.no_olm", "help", "undo", "7/10", "journal",
    "pause", ROOM, CONSOLE, CLIENT, BOT, "", "\x00", "\ud800", "A" * 43, "x" * 5000,
]  # fmt: skip
SCALARS = st.one_of(
    st.sampled_from([*WORDS, None, True, False, 0, -1, 2**70, 1.5, float("nan"), float("inf")]), st.text(max_size=6)
)
KEYS = st.sampled_from(NAMES)
LISTS = st.lists(SCALARS, max_size=2)
VALUES = st.one_of(SCALARS, LISTS, st.dictionaries(KEYS, st.one_of(SCALARS, LISTS), max_size=3))
CONTENT = st.dictionaries(KEYS, VALUES, max_size=5)
PEOPLE = st.sampled_from([CLIENT, CLIENT, CLIENT, THERAPIST, STRANGER, BOT, "", "@x"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """One generated content, which comes in every way in which a content can come."""

    event_type: str
    sender: str
    content: dict[str, Any]
    other: Any  # stands where an object should
    state_key: str


SENT = st.builds(
    Sent,
    event_type=st.sampled_from(TYPES),
    sender=PEOPLE,
    content=CONTENT,
    other=VALUES,
    state_key=st.sampled_from(["", CLIENT, THERAPIST, STRANGER, BOT]),
)


class Way:
    """The way in, without a network."""

    def __init__(self, world: World, phone: RoomPeer, own: OwnDevice) -> None:
        self.world = world
        self.phone = phone
        self.own = own
        self.counts = Counts()
        clock = SystemClock()
        packs = read_packs(resource("prompts"))
        service = build_service(
            store=world.store,
            cipher=world.cipher,
            homeserver=NOBODY,
            clock=clock,
            alarm=Alarm(clock),
            meter=self.counts,
            voice=Voice(packs=Library(packs, read=lambda: packs), practice=PRACTICE, own_user=BOT, fingerprint="abcd"),
        )
        self.receiver: Receiver = service._receiver
        self.taken = 0

    async def batch(self, sent: list[Sent]) -> None:
        """Apply one batch that holds all of these, in which a good message is the last."""
        to_device = [event for each in sent for event in self._to_device(each)]
        timeline = [event for each in sent for event in self._timeline(each)]
        good = self.phone.event(f"$good-{secrets.token_hex(8)}", content={"msgtype": "m.text", "body": "a good word"})
        room = {"timeline": {"events": [*timeline, good], "limited": False, "prev_batch": "p"}, "state": {"events": []}}
        answer = {
            "next_batch": f"s{self.taken}",
            "to_device": {"events": to_device},
            "rooms": {"join": {ROOM: room, "!unknown": room}},
        }
        await self.receiver.apply(translated(answer))
        self.taken += len(to_device) + len(timeline)
        async with self.world.store.transaction() as tx:
            stored = await tx.inbox.get(good["event_id"])
            assert stored is not None
            assert stored.state is InboxState.DONE, stored.reason
            assert await tx.facts.read("since") == answer["next_batch"]

    def _to_device(self, sent: Sent) -> Iterator[Any]:
        """In clear, over Olm, and with the wrong thing in its place."""
        yield {"type": sent.event_type, "sender": sent.sender, "content": sent.content}
        yield {"type": "m.room.encrypted", "sender": CLIENT, "content": {**_OLM, **sent.content}}
        yield {"type": sent.event_type, "sender": CLIENT, "content": sent.other}
        kind = sent.event_type if sent.other is None else "m.room_key"
        yield self.phone.message(self.own, kind, {**self.phone.room_key(), **sent.content})
        yield self.phone.encrypted(self.own, _json({"type": kind, "content": sent.content, "keys": sent.other}))

    def _timeline(self, sent: Sent) -> Iterator[Any]:
        """In clear, as state, over Megolm, and with the wrong thing in its place."""
        common = {"type": sent.event_type, "sender": sent.sender}
        yield {**common, "event_id": _new(), "content": sent.content, "unsigned": sent.other, "redacts": sent.other}
        yield {**common, "event_id": _new(), "content": sent.content, "state_key": sent.state_key}
        yield {**common, "event_id": "$same", "content": sent.content, "origin_server_ts": sent.other}
        inside = {"type": sent.event_type, "content": sent.content, "room_id": ROOM}
        said = self.phone.raw_event(_new(), _json(inside))
        yield said
        said = self.phone.raw_event(_new(), _json({**inside, "type": "m.room.message"}))
        yield {**said, "content": {**said["content"], "m.relates_to": sent.other}}
        yield {**said, "event_id": _new(), "content": {**said["content"], **sent.content}}


_OLM = {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": "A" * 43, "ciphertext": {}}


def _new() -> str:
    return f"${secrets.token_hex(8)}"


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=True).encode("utf-8", "surrogatepass")


def translated(answer: dict[str, Any]) -> SyncBatch:
    """The batch as the homeserver's bytes become one."""
    return translate_sync(decode(_json(answer)))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """An event loop of this file's own: hypothesis calls from outside of one."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def way(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """A pair, the client's signed phone and its room key."""
    directory: Path = tmp_path_factory.mktemp("generated")

    async def begin() -> Way:
        phone = RoomPeer(CLIENT, "PHONE")
        world = await World.begin(directory, phone)
        await world.accept(phone)
        async with world.store.transaction() as tx:
            body = await world.cipher.key_upload(tx, NOON)
            own = await world.cipher._out._own.own_device(tx)
        assert body is not None
        phone.begin(own, next(iter(body["one_time_keys"].values())))
        return Way(world, phone, own)

    way = runner.run(begin())
    yield way
    runner.run(way.world.store.close())


@settings(
    max_examples=BATCHES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(sent=st.lists(SENT, min_size=SENT_TOGETHER, max_size=SENT_TOGETHER))
def generated(way: Way, runner: asyncio.Runner, sent: list[Sent]) -> None:
    """Feed one generated batch."""
    runner.run(_mended(way))
    runner.run(way.batch(sent))


async def _mended(way: Way) -> None:
    """Undo what forged state of the batch before did to the room: a hostile homeserver may do that, and it is held."""
    async with way.world.store.transaction() as tx:
        await tx.rooms.set_members(ROOM, {BOT: "join", CLIENT: "join", THERAPIST: "join"})
        await tx.rooms.hold(ROOM, None)
        known = await tx.pairs.get("pair-1")
        assert known is not None
        await tx.pairs.save(replace(pair(), number=known.number))


async def _failed(way: Way) -> tuple[InboxEvent, ...]:
    """Events in whose handler something was not thought of."""
    async with way.world.store.transaction() as tx:
        return await tx.inbox.waiting(InboxState.FAILED)


def test_ten_thousand_generated_events_are_survived(way: Way, runner: asyncio.Runner) -> None:
    """Nothing stops the loop: each batch is committed with its token, and its last message is read."""
    generated(way, runner)
    assert way.taken >= 10_000
    assert runner.run(_failed(way)) == ()
