"""Pairs, goals and schedules as the operator enters them; what can be refused is refused here, with a sentence."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from bot.core.choices import GOAL_PROMPT
from bot.core.everyday_words import everyday_word
from bot.core.goals import Goal, parse_scale, parse_title
from bot.core.pack import Pack
from bot.core.pairs import PairState, blockers
from bot.core.people import Pair, Schedule
from bot.core.prompts import Prompt
from bot.core.schedules import parse_calendar_rule
from bot.errors import PairError, ScheduleError
from bot.flows.schedules import new_schedule, refuse_ended
from bot.ports import Homeserver, Tx

MATRIX_ID = re.compile(r"@[^:\s@]{1,200}:(?P<server>[A-Za-z0-9.:\[\]-]{1,230})")
COUNTRY = re.compile(r"[A-Z]{2}")
NAME_LENGTH = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class NewPair:
    """A pair as the operator describes it."""

    client: str
    therapist: str
    client_name: str | None  # None: the display name
    timezone: str
    language: str
    country: str  # may be empty: no crisis numbers but "the local ones"


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What the two accounts call themselves."""

    client: str
    therapist: str


class Entry:
    """Checks what is entered, and writes it down."""

    def __init__(self, *, packs: Mapping[str, Pack], own_user: str, server_name: str) -> None:
        self._packs = packs
        self._own_user = own_user
        self._server_name = server_name

    def check(self, new: NewPair) -> None:
        """Check what can be checked without the homeserver. Raises PairError."""
        for who, user in (("client", new.client), ("therapist", new.therapist)):
            self._check_user(who, user)
        if new.client == new.therapist:
            raise PairError("Client and therapist are the same account.")
        if new.timezone not in available_timezones():
            raise PairError(f"There is no time zone {new.timezone!r}; write one such as Europe/Berlin.")
        if new.language not in self._packs:
            raise PairError(
                f"There is no prompt pack for {new.language!r}; there are: {', '.join(sorted(self._packs))}."
            )
        if new.country and not COUNTRY.fullmatch(new.country):
            raise PairError(f"{new.country!r} is no country; write two letters such as DE.")
        if new.client_name is not None and not _is_name(new.client_name):
            raise PairError(f"A name is one line of 1 to {NAME_LENGTH} characters.")

    def knows_crisis_numbers(self, new: NewPair) -> bool:
        """Tell whether there are crisis numbers for the pair's country."""
        return new.country in self._packs[new.language].crisis.countries

    def _check_user(self, who: str, user: str) -> None:
        written = MATRIX_ID.fullmatch(user)
        if written is None:
            raise PairError(f"The {who} {user!r} is no Matrix id; write it as @name:{self._server_name}.")
        if written["server"] != self._server_name:
            raise PairError(f"The {who} {user} is on another homeserver; the rooms stay on {self._server_name}.")
        if user == self._own_user:
            raise PairError(f"The {who} {user} is the bot itself.")

    async def names(self, new: NewPair, homeserver: Homeserver) -> Names:
        """Ask the homeserver what the two are called. Raises PairError for an account that does not exist."""
        found = []
        for who, user in (("client", new.client), ("therapist", new.therapist)):
            name = await homeserver.display_name(user)
            if name is None:
                raise PairError(f"The {who} {user} has no account on the homeserver.")
            found.append(" ".join(name.split())[:NAME_LENGTH] or user)
        return Names(client=found[0], therapist=found[1])

    async def refuse_second(self, tx: Tx, new: NewPair) -> None:
        """Raise PairError when one of the two stands in a pair where this one cannot be beside it."""
        for pair in await tx.pairs.every():
            if pair.client == new.client and pair.standing.live:
                raise PairError(f"{new.client} is the client of pair {pair.number} already; end that one first.")
            if pair.standing.live and (pair.therapist == new.client or pair.client == new.therapist):
                raise PairError(f"Nobody can be client here and therapist there: see pair {pair.number}.")

    async def add_pair(self, tx: Tx, new: NewPair, names: Names, *, pair_id: str, at: datetime) -> Pair:
        """Write a pair down, whose data key exists; its rooms are made by the bot. Raises PairError."""
        await self.refuse_second(tx, new)
        taken = {pair.word for pair in await tx.pairs.every()}
        return await tx.pairs.add(
            Pair(
                pair_id=pair_id,
                number=0,  # the store gives it
                client=new.client,
                therapist=new.therapist,
                client_name=new.client_name or names.client,
                therapist_name=names.therapist,
                timezone=new.timezone,
                language=new.language,
                country=new.country,
                word=everyday_word(secrets.randbelow, taken),
                state=PairState.PROVISIONING,
                paused=False,
                therapist_gone=False,
                created_at=at,
            )
        )

    async def add_goal(self, tx: Tx, pair: Pair, *, title: str, scale: str, rhythm: str, at: datetime) -> Goal:
        """Write a goal down, and the schedule that asks about it at its rhythm.

        Raises PairError, GoalError, ScheduleError.
        """
        refuse_ended(pair)
        parsed, name = parse_scale(scale), parse_title(title)
        rule = parse_calendar_rule(rhythm, local=at.astimezone(ZoneInfo(pair.timezone)))
        if any(goal.title.casefold() == name.casefold() for goal in await tx.pairs.goals(pair.pair_id)):
            raise PairError(f"This pair has a goal called {name!r} already.")
        goal = await tx.pairs.add_goal(
            pair.pair_id,
            Goal(
                goal_id=secrets.token_hex(8),
                number=0,  # the store gives it
                title=name,
                low=parsed.low,
                high=parsed.high,
                rhythm=rule.text,
                revision=1,
                since=at,
            ),
        )
        covered = [each for each in await self._goal_schedules(tx, pair) if each.goal_id is None]
        if not covered:
            await tx.schedules.add(new_schedule(pair, GOAL_PROMPT, rule, timezone=None, goal_id=goal.goal_id, at=at))
        return goal

    async def check_send(self, tx: Tx, pair: Pair, prompt_id: str) -> None:
        """Make sure that a prompt can be sent now by hand. Raises PairError."""
        prompt = self.prompt(pair, prompt_id)
        reasons = sorted(reason.value.replace("_", " ") for reason in blockers(pair.standing))
        if reasons:
            raise PairError(f"No prompt goes to this pair now: {', '.join(reasons)}.")
        if prompt.of_goal and not await tx.pairs.goals(pair.pair_id):
            raise PairError(f"{prompt_id} asks about a goal, and this pair has none yet: `interlude goal add`.")

    def prompt(self, pair: Pair, prompt_id: str) -> Prompt:
        """Return a prompt of the pair's language. Raises PairError that names those that there are."""
        pack = self._packs.get(pair.language)
        known = pack.prompts if pack else {}
        if prompt_id not in known:
            raise PairError(
                f"There is no prompt {prompt_id!r} in {pair.language}; there are: {', '.join(sorted(known))}."
            )
        return known[prompt_id]

    async def _goal_schedules(self, tx: Tx, pair: Pair) -> list[Schedule]:
        return [each for each in await tx.schedules.of_pair(pair.pair_id) if each.prompt_id == GOAL_PROMPT]


async def find_pair(tx: Tx, name: str) -> Pair:
    """Return the pair with this number or id. Raises PairError."""
    for pair in await tx.pairs.every():
        if name in (str(pair.number), pair.pair_id):
            return pair
    raise PairError(f"There is no pair {name}; `interlude pair list` names them.")


async def find_schedule(tx: Tx, pair: Pair, name: str) -> Schedule:
    """Return the pair's schedule with this number or id. Raises ScheduleError."""
    for schedule in await tx.schedules.of_pair(pair.pair_id):
        if name in (str(schedule.number), schedule.schedule_id):
            return schedule
    raise ScheduleError(f"This pair has no schedule {name}; `interlude schedule list --pair {pair.number}` names them.")


def _is_name(name: str) -> bool:
    return bool(name.strip()) and name.isprintable() and len(name) <= NAME_LENGTH
