"""What nobody tells the bot: who has not joined for three days, whose account is gone, which rooms drifted."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from bot.core.pairs import PairEvent, PairState, overdue
from bot.core.people import Pair
from bot.errors import Refusal
from bot.flows.life import Life
from bot.flows.places import places_of
from bot.flows.report import UNREADABLE, Reporter
from bot.flows.state import TO_CHECK, RoomState
from bot.ports import Clock, Homeserver, Store, Tx

log = structlog.get_logger()

GONE = ("leave", "ban")
Members = Mapping[str, Mapping[str, str]]
# No fallback key lives half as long, and without one an old pre-key message opens nothing (CRYPTO 16, 19).
REPLAYABLE = timedelta(days=30)


class Watch:
    """Looks after pairs and rooms."""

    def __init__(
        self, *, store: Store, homeserver: Homeserver, life: Life, state: RoomState, reporter: Reporter, clock: Clock
    ) -> None:
        self._store = store
        self._homeserver = homeserver
        self._life = life
        self._state = state
        self._reporter = reporter
        self._clock = clock

    async def look(self) -> bool:
        """Look once; True when something was found."""
        async with self._store.transaction() as tx:
            at = self._clock.real()
            if await tx.facts.once("forget_sights", at, every_seconds=86_400):
                await tx.olm.forget_sights(at - REPLAYABLE)
            for place in (await places_of(tx, await tx.facts.beginning(f"{UNREADABLE}:"))).values():
                await self._reporter.still_unreadable(tx, place)
            pairs = [pair for pair in await tx.pairs.every() if pair.room_id is not None]
            members = await tx.rooms.members([str(pair.room_id) for pair in pairs])
            found = await self._overdue(tx, pairs, members)
            gone = await self._departed(tx, pairs, members)
            to_check = await tx.rooms.among(await tx.facts.beginning(f"{TO_CHECK}:"))
            rooms = [room.room_id for room in to_check if (room.hold or "").startswith("drift:")]
        for pair_id, user in gone:
            found |= await self._account(pair_id, user)
        for room_id in rooms:
            await self.check_room(room_id)
        return found or bool(rooms)

    async def check_room(self, room_id: str) -> tuple[str, ...]:
        """Compare a room with the policy and return what differs."""
        try:
            state = await self._homeserver.state(room_id)
        except Refusal:
            return ("the bot is not in this room any more",)
        async with self._store.transaction() as tx:
            await tx.facts.write(f"{TO_CHECK}:{room_id}", None)
            return await self._state.check(tx, room_id, state)

    async def _overdue(self, tx: Tx, pairs: Sequence[Pair], members: Members) -> bool:
        """Name once who has not joined three days after the invitation."""
        at, found = self._clock.now(), False
        for pair in pairs:
            if pair.invited_at is None or not overdue(pair.invited_at, at):
                continue
            present = members.get(pair.room_id or "", {})
            for user, event in (
                (pair.client, PairEvent.CLIENT_OVERDUE),
                (pair.therapist, PairEvent.THERAPIST_OVERDUE),
            ):
                waiting = present.get(user) == "invite" and pair.standing.live
                if waiting and await tx.facts.once(f"overdue:{pair.pair_id}:{user}", at, every_seconds=0):
                    await self._life.happen(tx, pair, event, at=at)
                    found = True
        return found

    async def _departed(self, tx: Tx, pairs: Sequence[Pair], members: Members) -> list[tuple[str, str]]:
        """People who went; each is looked up once, for a closed account leaves its rooms like anybody else."""
        found = []
        for pair in pairs:
            if pair.state in (PairState.DEACTIVATED, PairState.LOST):
                continue
            present = members.get(pair.room_id or "", {})
            found += [
                (pair.pair_id, user)
                for user in (pair.client, pair.therapist)
                if present.get(user) in GONE
                and await tx.facts.once(f"looked_up:{pair.pair_id}:{user}", self._clock.real(), every_seconds=3600)
            ]
        return found

    async def _account(self, pair_id: str, user: str) -> bool:
        """Note a closed account: its profile is gone."""
        if await self._homeserver.display_name(user) is not None:
            return False
        async with self._store.transaction() as tx:
            pair: Pair | None = await tx.pairs.get(pair_id)
            if pair is None:
                return False
            event = PairEvent.CLIENT_DEACTIVATED if user == pair.client else PairEvent.THERAPIST_DEACTIVATED
            await self._life.happen(tx, pair, event, at=self._clock.now())
        return True
