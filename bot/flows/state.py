"""Room state as the server reports it: who is there, how the room is encrypted, what drifted from the policy.

Only events that stood in clear on the wire come here: a decrypted event never touches state (DESIGN §4).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from bot.core.membership import GONE, Who, membership_change
from bot.core.people import Pair
from bot.core.rooms import CONSOLE_NAME, MEGOLM, pair_room_name, policy_drift
from bot.flows.console import Console
from bot.flows.life import Life
from bot.flows.places import Place, place_of
from bot.ports import Clock, Tx

log = structlog.get_logger()

POLICY = frozenset(
    {
        "m.room.create",
        "m.room.encryption",
        "m.room.power_levels",
        "m.room.join_rules",
        "m.room.guest_access",
        "m.room.history_visibility",
        "m.room.name",
        "m.room.topic",
        "m.room.canonical_alias",
        "m.room.tombstone",
        "m.room.server_acl",
    }
)
TO_CHECK = "rooms_to_check"  # fact: rooms whose whole state is to be compared with the policy


class RoomState:
    """Applies state events."""

    def __init__(self, *, own_user: str, console: Console, life: Life, clock: Clock) -> None:
        self._own_user = own_user
        self._console = console
        self._life = life
        self._clock = clock

    async def apply(
        self, tx: Tx, place: Place, events: Sequence[Mapping[str, Any]], *, membership: str = "join"
    ) -> None:
        """Apply state events in their order; `membership` is our own in this room."""
        for event in events:
            kind = event.get("type")
            if kind == "m.room.member":
                await self._member(tx, place, event)
            elif kind in POLICY and event.get("sender") != self._own_user:
                await self._policy(tx, place, event)
        if membership == "leave":
            await tx.rooms.hold(place.room.room_id, "refused:left")

    async def reconcile(self, tx: Tx, place: Place, members: Mapping[str, str]) -> None:
        """Take over the room's members as the homeserver lists them after a gap (CRYPTO 29)."""
        known = (await tx.rooms.members([place.room.room_id])).get(place.room.room_id, {})
        for user in sorted({*known, *members}):
            now = members.get(user, "leave")
            if known.get(user) != now:
                changed = {"type": "m.room.member", "state_key": user, "sender": user, "content": {"membership": now}}
                await self._member(tx, place, changed)

    async def gone_by(self, tx: Tx, place: Place, event: Mapping[str, Any]) -> None:
        """Somebody came or went during a gap: the room's key changes, whoever is there now (CRYPTO 22)."""
        if event.get("type") == "m.room.member" and event["content"].get("membership") != "join":
            await tx.megolm.drop_outbound([place.room.room_id])

    async def _member(self, tx: Tx, place: Place, event: Mapping[str, Any]) -> None:
        user, after = event.get("state_key"), event["content"].get("membership")
        if not isinstance(user, str) or not isinstance(after, str):
            return
        room_id = place.room.room_id
        before = (await tx.rooms.members([room_id])).get(room_id, {}).get(user)
        await tx.rooms.set_member(room_id, user, after)
        change = membership_change(before, after, by_self=event.get("sender") == user, who=self._who(place, user))
        if place.pair is None:
            await self._console_member(tx, place, user, after)
        elif change is not None:
            pair = await tx.pairs.get(place.pair.pair_id) or place.pair
            await self._life.happen(tx, pair, change, at=self._clock.now(), what="somebody else")
        if self._who(place, user) is Who.STRANGER:
            await self._check_strangers(tx, place)

    async def _console_member(self, tx: Tx, place: Place, user: str, after: str) -> None:
        if user != place.room.therapist:
            return
        if after in GONE:
            await tx.megolm.drop_outbound([place.room.room_id])

    async def _check_strangers(self, tx: Tx, place: Place) -> None:
        """Hold the room while somebody is in it whom the record does not name (DESIGN §6)."""
        members = (await tx.rooms.members([place.room.room_id])).get(place.room.room_id, {})
        allowed = {*place.people, self._own_user}
        strangers = [user for user, state in members.items() if state in ("join", "invite") and user not in allowed]
        room = await tx.rooms.get(place.room.room_id)
        if strangers:
            log.error("room.drift", room=place.room.room_id, people=len(strangers))
            await tx.rooms.hold(place.room.room_id, "drift:members")
        elif room is not None and room.hold == "drift:members":
            await tx.megolm.drop_outbound([place.room.room_id])
            await tx.rooms.hold(place.room.room_id, None)

    async def _policy(self, tx: Tx, place: Place, event: Mapping[str, Any]) -> None:
        """Stop sending when somebody else changed the policy; a full comparison follows outside the transaction."""
        room_id, kind = place.room.room_id, str(event.get("type"))
        if kind == "m.room.encryption" and event["content"].get("algorithm") == MEGOLM:
            await tx.rooms.set_encryption(room_id, event["content"])
        await tx.megolm.drop_outbound([room_id])
        await tx.rooms.hold(room_id, f"drift:{kind}")
        log.error("room.drift", room=room_id, what=kind)
        await tx.facts.write(f"{TO_CHECK}:{room_id}", "1")

    async def check(self, tx: Tx, room_id: str, state: Mapping[tuple[str, str], Mapping[str, Any]]) -> tuple[str, ...]:
        """Compare a room's whole state with the policy; hold it and tell the console, or let it go on."""
        place = await place_of(tx, room_id)
        if place is None:
            return ()
        name = pair_room_name(place.pair.word) if place.pair else CONSOLE_NAME
        drift = policy_drift(state, name=name, therapist=place.room.therapist)
        held = place.room.hold or ""
        if drift:
            await tx.rooms.hold(room_id, f"drift:{drift[0]}")
            if place.pair:
                await self._tell(tx, place.pair, drift)
        elif held.startswith("drift:") and held != "drift:members":
            await tx.rooms.hold(room_id, None)
        return drift

    async def _tell(self, tx: Tx, pair: Pair, drift: tuple[str, ...]) -> None:
        what = ", ".join(drift)
        await self._console.tell_once(
            tx, pair, "console_drift", about=f"{pair.pair_id}:{what}", every_seconds=86_400, at=self._clock.now(),
            what=what,
        )  # fmt: skip

    def _who(self, place: Place, user: str) -> Who:
        if user == self._own_user:
            return Who.BOT
        return Who(place.role(user))
