"""Making the rooms of a pair, in steps that can be taken again after a crash (DESIGN §6, CRYPTO 30).

nonce stored -> createRoom -> room stored -> device lists tracked -> invitations
"""

import secrets
from dataclasses import replace

import structlog

from bot.core.pairs import PairEvent, PairState
from bot.core.people import ManagedRoom, Pair, Purpose
from bot.core.rooms import CONSOLE_NAME, NONCE, creation, pair_room_name
from bot.errors import PairError, Refusal
from bot.flows.console import Console
from bot.flows.life import Life
from bot.ports import Clock, Homeserver, Store

log = structlog.get_logger()

PRESENT = ("join", "invite")


class Provisioner:
    """Makes rooms and invites people."""

    def __init__(
        self, *, store: Store, homeserver: Homeserver, life: Life, console: Console, clock: Clock, own_user: str
    ) -> None:
        self._store = store
        self._homeserver = homeserver
        self._life = life
        self._console = console
        self._clock = clock
        self._own_user = own_user

    async def provision(self, pair_id: str) -> Pair:
        """Bring a pair from its record to open invitations; safe to repeat at any point."""
        pair = await self._pair(pair_id)
        if pair.state is PairState.PROVISIONING:
            console_id = await self._room(f"console:{pair.therapist}", CONSOLE_NAME, pair, purpose=Purpose.CONSOLE)
            room_id = await self._room(f"pair:{pair_id}", pair_room_name(pair.word), pair, purpose=Purpose.PAIR)
            async with self._store.transaction() as tx:
                await tx.devices.track([pair.client, pair.therapist])
                pair = replace(await self._known(tx.pairs.get(pair_id)), room_id=room_id, console_id=console_id)
                await tx.pairs.save(pair)
                await self._life.happen(tx, pair, PairEvent.ROOMS_CREATED, at=self._clock.now())
        pair = await self._pair(pair_id)
        if pair.state is PairState.INVITING:
            await self._invite(pair.console_id, [pair.therapist])
            await self._invite(pair.room_id, [pair.client, pair.therapist])
            async with self._store.transaction() as tx:
                pair = replace(await self._known(tx.pairs.get(pair_id)), invited_at=self._clock.now())
                await self._life.happen(tx, pair, PairEvent.INVITATIONS_SENT, at=self._clock.now())
                await self._console.welcome(tx, pair.therapist, at=self._clock.now())
                await self._console.tell_once(
                    tx, pair, "console_new_pair", about=pair_id, every_seconds=0, at=self._clock.now(),
                    user=pair.client,
                )  # fmt: skip
        return await self._pair(pair_id)

    async def withdraw(self, pair_id: str) -> None:
        """Take the client's open invitation back."""
        pair = await self._pair(pair_id)
        if pair.room_id is None:
            return
        async with self._store.transaction() as tx:
            members = (await tx.rooms.members([pair.room_id])).get(pair.room_id, {})
        if members.get(pair.client) == "invite":
            await self._homeserver.kick(pair.room_id, pair.client)

    async def _pair(self, pair_id: str) -> Pair:
        async with self._store.transaction() as tx:
            return await self._known(tx.pairs.get(pair_id))

    async def _known(self, found: object) -> Pair:
        pair = await found  # type: ignore[misc]  # an awaitable of the store; None becomes a sentence here
        if not isinstance(pair, Pair):
            raise PairError("There is no such pair; `interlude pair list` names them.")
        return pair

    async def _room(self, key: str, name: str, pair: Pair, *, purpose: Purpose) -> str:
        """Return the room called `key`, made now or earlier; one whose answer was lost is found by its nonce."""
        fact = f"room:{key}"
        async with self._store.transaction() as tx:
            known = await tx.facts.read(fact)
            if known is None:
                await tx.facts.write(fact, f"nonce:{secrets.token_hex(16)}")
                known = await tx.facts.read(fact)
        if known is None or not known.startswith("nonce:"):
            return known or ""
        nonce = known.removeprefix("nonce:")
        room_id = await self._made_before(fact, nonce) or await self._homeserver.create_room(
            creation(name=name, nonce=nonce, therapist=pair.therapist)
        )
        state = await self._homeserver.state(room_id)
        async with self._store.transaction() as tx:
            await tx.rooms.add(
                ManagedRoom(
                    room_id=room_id,
                    purpose=purpose,
                    pair_id=pair.pair_id if purpose is Purpose.PAIR else None,
                    therapist=pair.therapist,
                    encryption=state.get(("m.room.encryption", ""), {}),
                )
            )
            await tx.rooms.set_members(room_id, {self._own_user: "join"})
            if purpose is Purpose.PAIR:  # at once, so that what happens in the room belongs to the pair
                await tx.pairs.save(replace(pair, room_id=room_id))
            await tx.facts.write(fact, room_id)
        log.info("room.created", room=room_id, purpose=purpose.value, pair=pair.pair_id)
        return room_id

    async def _made_before(self, fact: str, nonce: str) -> str | None:
        """Look for a room with this nonce; only needed when createRoom was tried before."""
        tried = f"{fact}:tried"
        async with self._store.transaction() as tx:
            before = await tx.facts.read(tried)
            await tx.facts.write(tried, "1")
            known = {room.room_id for room in await tx.rooms.every()}
        if before is None:
            return None
        for room_id in await self._homeserver.joined_rooms():
            if room_id in known:
                continue
            state = await self._homeserver.state(room_id)
            if state.get(("m.room.create", ""), {}).get(NONCE) == nonce:
                return room_id
        return None

    async def _invite(self, room_id: str | None, people: list[str]) -> None:
        if room_id is None:
            return
        members = await self._homeserver.members(room_id)
        for person in people:
            if members.get(person) in PRESENT:
                continue
            try:
                await self._homeserver.invite(room_id, person)
            except Refusal as refusal:
                if refusal.status != 403:
                    raise
                members = await self._homeserver.members(room_id)
                if members.get(person) not in PRESENT:  # otherwise an earlier try had arrived
                    raise
        async with self._store.transaction() as tx:
            known = (await tx.rooms.members([room_id])).get(room_id, {})
            for each in people:
                if each not in known:  # /sync may have told more by now
                    await tx.rooms.set_member(room_id, each, "invite")
