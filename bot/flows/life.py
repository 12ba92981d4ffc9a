"""What happens to a pair: the table in `core.pairs` decides, this acts on it."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

import structlog

from bot.core.lateness import SkipReason
from bot.core.outbox import OutboxState
from bot.core.pairs import Effect, PairEvent, PairState, Step, blockers, step
from bot.core.people import Intent, Pair
from bot.core.wording import say as fill
from bot.errors import PairError
from bot.flows.console import Console
from bot.flows.places import Place, place_of
from bot.flows.posted import unsendable
from bot.flows.speak import Voice, call, post, say
from bot.ports import Tx

log = structlog.get_logger()

# Effects that are one sentence in the console; {person} is whom the event was about.
CONSOLE_TEXT = {
    Effect.TELL_CONSOLE_CLIENT_OVERDUE: "console_waiting",
    Effect.TELL_CONSOLE_THERAPIST_OVERDUE: "console_waiting",
    Effect.TELL_CONSOLE_DECLINED: "console_declined",
    Effect.TELL_CONSOLE_LEFT: "console_left",
    Effect.TELL_CONSOLE_REMOVED: "console_removed",
    Effect.TELL_CONSOLE_DEACTIVATED: "console_deactivated",
    Effect.TELL_CONSOLE_BACK: "console_back",
    Effect.TELL_CONSOLE_ENDED: "console_pair_ended",
}
ABOUT_THERAPIST = frozenset({Effect.TELL_CONSOLE_THERAPIST_OVERDUE})


class Life:
    """Lets things happen to pairs."""

    def __init__(self, *, voice: Voice, console: Console) -> None:
        self._voice = voice
        self._console = console
        self._acts: dict[Effect, Callable[[Tx, Place, datetime], Awaitable[None]]] = {
            Effect.WELCOME: self._welcome,
            Effect.ROTATE_KEYS: self._rotate,
            Effect.STOP_PROMPTS: self._stop_prompts,
            Effect.WITHDRAW_INVITATION: self._withdraw,
            Effect.TELL_CLIENT_THERAPIST_GONE: self._therapist_gone,
            Effect.TELL_CLIENT_ENDED: self._ended,
        }

    async def happen(
        self,
        tx: Tx,
        pair: Pair,
        event: PairEvent,
        *,
        at: datetime,
        what: str = "",
        until: datetime | None = None,
        by: str | None = None,
    ) -> Step:
        """Take a pair through one event of the table; raises PairError where the table refuses.

        A pause lasts `until` an instant (None: until somebody ends it), and `by` says who wanted it.
        """
        taken = step(pair.standing, event)
        standing = taken.standing
        pair = replace(pair, state=standing.state, paused=standing.paused, therapist_gone=standing.therapist_gone)
        if event is PairEvent.PAUSE:
            pair = replace(pair, paused_until=until, paused_by=by)
        elif not pair.paused:
            pair = replace(pair, paused_until=None, paused_by=None)
        await tx.pairs.save(pair)
        log.info("pair.event", pair=pair.pair_id, happened=event.value, state=standing.state.value)
        place = await place_of(tx, pair.room_id) if pair.room_id else None
        for effect in taken.effects:
            if effect in self._acts and place is not None:
                await self._acts[effect](tx, place, at)
            else:
                await self._tell(tx, pair, effect, at, what)
        return taken

    async def end_pauses(self, tx: Tx, *, at: datetime) -> datetime | None:
        """End the pauses that were to last until now; return when the next one ends."""
        following = await tx.pairs.next_pause_end()
        if following is None or following > at:
            return following
        for pair in await tx.pairs.pauses_over(at):
            try:
                await self.happen(tx, pair, PairEvent.RESUME, at=at)
            except PairError:  # the work is over: nothing goes on
                await tx.pairs.save(replace(pair, paused_until=None))
        return await tx.pairs.next_pause_end()

    async def _tell(self, tx: Tx, pair: Pair, effect: Effect, at: datetime, what: str) -> None:
        if effect is Effect.TELL_CONSOLE_DRIFT:
            await self._console.tell(tx, pair, "console_drift", at=at, what=what)
        elif effect is Effect.TELL_CONSOLE_ROOM_LOST:
            await self._console.tell(tx, pair, "console_held", at=at, what="the bot was taken out of the room")
        elif effect in CONSOLE_TEXT:
            person = pair.therapist_name if effect in ABOUT_THERAPIST else pair.client_name
            text = "console_withdrawn" if pair.state is PairState.WITHDRAWN else CONSOLE_TEXT[effect]
            await self._console.tell(tx, pair, text, at=at, person=person)

    async def _welcome(self, tx: Tx, place: Place, at: datetime) -> None:
        if place.pair and await tx.facts.once(f"welcome:{place.pair.pair_id}", at, every_seconds=0):
            text = fill(self._voice.words(place).welcome, crisis_line=self._voice.crisis_line(place))
            await say(tx, place, text, at=at, purpose="welcome")

    async def _rotate(self, tx: Tx, place: Place, _at: datetime) -> None:
        await tx.megolm.drop_outbound([place.room.room_id])

    async def _stop_prompts(self, tx: Tx, place: Place, at: datetime) -> None:
        """Drop the prompts that have not gone out yet; what is encrypted is resolved, not withdrawn (CRYPTO 31)."""
        pair = await tx.pairs.get(place.pair.pair_id) if place.pair else None
        reasons = blockers(pair.standing) if pair else ()
        reason = next((each for each in SkipReason if each in reasons), SkipReason.ENDED)
        for row in await tx.outbox.queued(place.room.room_id):
            if row.purpose == "prompt" and row.state is OutboxState.QUEUED:
                await unsendable(tx, row, at=at, reason=reason.value)

    async def _withdraw(self, tx: Tx, place: Place, at: datetime) -> None:
        """Have the client's open invitation taken back; the request itself is made outside the transaction."""
        if place.pair:
            await tx.intents.add(
                Intent(
                    intent_id=secrets.token_hex(8),
                    kind="withdraw_invitation",
                    payload={"pair_id": place.pair.pair_id},
                    state="queued",
                    result={},
                    error="",
                    created_at=at,
                )
            )

    async def _therapist_gone(self, tx: Tx, place: Place, at: datetime) -> None:
        text = fill(self._voice.words(place).therapist_gone, practice=self._voice.practice.line)
        await post(tx, place, call(text, person=place.addressed), purpose="notice", at=at)

    async def _ended(self, tx: Tx, place: Place, at: datetime) -> None:
        text = fill(self._voice.words(place).pair_ended, practice=self._voice.practice.line)
        await say(tx, place, text, at=at)
