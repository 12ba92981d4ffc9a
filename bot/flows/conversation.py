"""What the client can ask of the prompt that is open: skip, back, stop, later, done, again, why; and to start one.

Each returns what to say: "" where the next question or the record says it, None where nothing is open, so that the
word may be conversation (DESIGN §7).
"""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.deliveries import BY_CLIENT, Delivery, DeliveryState
from bot.core.goals import Goal
from bot.core.people import Pair
from bot.core.progress import local_day
from bot.core.prompts import DEFAULT_EXPIRES, Prompt
from bot.core.quiet import after_quiet
from bot.core.sittings import PUT_OFF, Refusal, Standing, Turn, turned
from bot.core.wording import Wording
from bot.core.wording import say as fill
from bot.flows.asked import Asked, asked_of
from bot.flows.places import Place
from bot.flows.repeat import repeat
from bot.flows.sitting import Sittings
from bot.flows.speak import Voice
from bot.ports import Tx


class Conversation:
    """Carries out the client's word about an open prompt."""

    def __init__(self, *, voice: Voice, sittings: Sittings) -> None:
        self._voice = voice
        self._sittings = sittings

    async def turn(
        self, tx: Tx, place: Place, turn: Turn, *, at: datetime, until: datetime | None = None
    ) -> str | None:
        """Carry out `skip`, `back`, `stop`, `later` or `done`.

        `later` comes back at `until`, else in two hours, or after the quiet hours where these would be within them.
        """
        asked = await self._at_hand(tx, place, turn, at)
        if asked is None:
            return None
        words = self._voice.words(place)
        if until is None and place.pair is not None:
            until = after_quiet(place.pair.quiet_hours, at + PUT_OFF, ZoneInfo(place.pair.timezone))
        move = turned(asked.sitting, turn, asked.script, at=at, until=until)
        if move.refused is not None:
            return _refused(move.refused, words, asked.title)
        stopped = fill(words.stopped, title=asked.title) if turn is Turn.STOP else None
        await self._sittings.go(tx, place, asked, move, at=at, last_word=stopped)
        if move.sitting.later_at is not None:
            return fill(words.later_until, title=asked.title, time=_local(move.sitting.later_at, at, place, words))
        left_out = asked.sitting.open and not move.sitting.open and not asked.pieces
        return fill(words.skipped, title=asked.title) if left_out else ""

    async def again(self, tx: Tx, place: Place, *, at: datetime) -> str | None:
        """Show the open question once more; one that was put off comes back."""
        asked = await self.current(tx, place, at=at)
        if asked is None:
            return None
        if asked.sitting.standing is Standing.AWAY:
            await self._sittings.go(tx, place, asked, turned(asked.sitting, Turn.RETURN, asked.script, at=at), at=at)
        else:
            await repeat(tx, place, asked, self._voice, at=at)
        return ""

    async def why(self, tx: Tx, place: Place, *, at: datetime) -> str | None:
        """Return what the open prompt is good for."""
        asked = await self.current(tx, place, at=at)
        if asked is None or place.pair is None:
            return None
        return fill(asked.prompt.why, client=place.pair.client_name)

    async def start(self, tx: Tx, place: Place, prompt: Prompt, *, at: datetime) -> str | None:
        """Ask a prompt that the client wants to answer now; None when it cannot be asked."""
        if place.pair is None:
            return None
        asked = False
        for goal in await tx.pairs.goals(place.pair.pair_id) if prompt.of_goal else (None,):
            delivery = await tx.deliveries.add(_started(place.pair, prompt, goal, at))
            if delivery is not None:
                sitting, row = self._sittings.begin(place, delivery, prompt, goal, at=at)
                await tx.sittings.add_all([sitting])
                await tx.outbox.add(row)
                asked = True
        return "" if asked else None

    async def current(self, tx: Tx, place: Place, *, at: datetime) -> Asked | None:
        """Return the prompt whose question was asked last and is open; one that was put off only if no other is."""
        return _newest([each for each in await self._standing(tx, place) if each.is_open(at)])

    async def _at_hand(self, tx: Tx, place: Place, turn: Turn, at: datetime) -> Asked | None:
        """Return the prompt that a word is about; a row of words that goes on is at hand as well."""
        standing = await self._standing(tx, place)
        is_open = _newest([each for each in standing if each.is_open(at)])
        in_a_row = _newest([each for each in standing if each.sitting.takes_more(each.sitting.row or "", at=at)])
        return in_a_row or is_open if turn is Turn.DONE else is_open or in_a_row

    async def _standing(self, tx: Tx, place: Place) -> list[Asked]:
        found = await asked_of(tx, place.pair, self._voice.pack(place.pair)) if place.pair else []
        return [each for each in found if each.since is not None]


def _newest(found: list[Asked]) -> Asked | None:
    return max(found, key=lambda each: (each.sitting.standing is not Standing.AWAY, each.order), default=None)


def _refused(refusal: Refusal, words: Wording, title: str) -> str | None:
    match refusal:
        case Refusal.NOTHING_BEFORE:
            return fill(words.back_at_first, title=title)
        case Refusal.LATER_USED:
            return fill(words.later_used, title=title)
        case _:
            return None


def _local(later: datetime, at: datetime, place: Place, words: Wording) -> str:
    """Return when a prompt comes back, in the client's time; with its day when that is another one."""
    zone = ZoneInfo(place.pair.timezone if place.pair else "UTC")
    clock = f"{later.astimezone(zone):%H:%M}"
    same_day = later.astimezone(zone).date() == at.astimezone(zone).date()
    return clock if same_day else f"{local_day(later, words, zone)}, {clock}"


def _started(pair: Pair, prompt: Prompt, goal: Goal | None, at: datetime) -> Delivery:
    return Delivery(
        delivery_id=secrets.token_hex(12),
        pair_id=pair.pair_id,
        prompt_id=prompt.id,
        prompt_version=prompt.version,
        occurrence=f"{BY_CLIENT}{secrets.token_hex(8)}",
        schedule_id=None,
        goal_id=goal.goal_id if goal else None,
        due=at,
        expires_at=at + (prompt.expires or DEFAULT_EXPIRES),
        state=DeliveryState.DUE,
    )
