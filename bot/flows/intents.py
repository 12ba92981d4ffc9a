"""What the command line asked for, carried out by the running bot, each request once."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from bot.core.events import GOAL, GoalRecord, GoalStatus, to_content
from bot.core.pairs import PairEvent
from bot.core.people import Intent, Pair
from bot.errors import InterludeError, PairError, Unreachable
from bot.flows.deliver import Deliverer
from bot.flows.library import Library
from bot.flows.life import Life
from bot.flows.places import place_of
from bot.flows.provision import Provisioner
from bot.flows.speak import post
from bot.ports import Cipher, Clock, Store, Tx

log = structlog.get_logger()

InTransaction = Callable[[Tx, Intent, Pair, datetime], Awaitable[Mapping[str, Any]]]


class Intents:
    """Carries out requests."""

    def __init__(
        self,
        *,
        store: Store,
        cipher: Cipher,
        provisioner: Provisioner,
        life: Life,
        deliverer: Deliverer,
        library: Library,
        clock: Clock,
    ) -> None:
        self._store = store
        self._cipher = cipher
        self._provisioner = provisioner
        self._life = life
        self._deliverer = deliverer
        self._library = library
        self._clock = clock
        self._inside: dict[str, InTransaction] = {
            "pair_pause": self._pause,
            "pair_resume": self._event(PairEvent.RESUME),
            "pair_end": self._event(PairEvent.END),
            "prompt_send": self._prompt,
            "goal_add": self._goal,
        }

    async def carry_out(self) -> int:
        """Carry out every queued request; return how many there were."""
        async with self._store.transaction() as tx:
            queued = await tx.intents.queued()
        for intent in queued:
            try:
                await self._carry_out(intent)
            except Unreachable:
                raise  # stays queued and is tried again
            except InterludeError as error:
                await self._finish(replace(intent, state="failed", error=str(error)))
            except Exception:
                log.exception("intent.failed", intent=intent.intent_id, kind=intent.kind)
                message = "This failed inside the bot; its log has the details."
                await self._finish(replace(intent, state="failed", error=message))
        return len(queued)

    async def _carry_out(self, intent: Intent) -> None:
        if intent.kind == "pair_add":
            pair = await self._provisioner.provision(intent.payload["pair_id"])
            result = {"pair": pair.pair_id, "room": pair.room_id, "console": pair.console_id}
            await self._finish(replace(intent, state="done", result=result))
        elif intent.kind == "prompts_reload":
            await self._finish(replace(intent, state="done", result=await self._reload()))
        elif intent.kind == "withdraw_invitation":
            await self._provisioner.withdraw(intent.payload["pair_id"])
            await self._finish(replace(intent, state="done"))
        else:
            async with self._store.transaction() as tx:
                result = dict(await self._in_transaction(tx, intent))
                await tx.intents.save(replace(intent, state="done", result=result))
        log.info("intent.done", intent=intent.intent_id, kind=intent.kind)

    async def _in_transaction(self, tx: Tx, intent: Intent) -> Mapping[str, Any]:
        if intent.kind == "trust":
            return await self._trust(tx, intent)
        act = self._inside.get(intent.kind)
        if act is None:
            raise PairError(f"This bot does not know the request {intent.kind!r}; is it older than the command line?")
        pair = await tx.pairs.get(intent.payload["pair_id"])
        if pair is None:
            raise PairError("There is no such pair; `interlude pair list` names them.")
        return await act(tx, intent, pair, self._clock.now())

    async def _reload(self) -> Mapping[str, Any]:
        packs = await self._library.fetch()
        async with self._store.transaction() as tx:
            pairs = {pair.pair_id: pair for pair in await tx.pairs.every()}
            asking = [(pairs[each.pair_id], each) for each in await tx.schedules.every() if each.pair_id in pairs]
        live = [(pair, schedule) for pair, schedule in asking if pair.standing.live]
        return {"prompts": self._library.swap(packs, in_use=live)}

    async def _finish(self, intent: Intent) -> None:
        async with self._store.transaction() as tx:
            await tx.intents.save(intent)

    def _event(self, event: PairEvent) -> InTransaction:
        async def act(tx: Tx, _intent: Intent, pair: Pair, at: datetime) -> Mapping[str, Any]:
            step = await self._life.happen(tx, pair, event, at=at)
            return {"pair": pair.pair_id, "state": step.standing.shown}

        return act

    async def _pause(self, tx: Tx, intent: Intent, pair: Pair, at: datetime) -> Mapping[str, Any]:
        until = intent.payload.get("until")
        ends = datetime.fromisoformat(until) if until else None
        step = await self._life.happen(tx, pair, PairEvent.PAUSE, at=at, until=ends, by="operator")
        return {"pair": pair.pair_id, "state": step.standing.shown}

    async def _prompt(self, tx: Tx, intent: Intent, pair: Pair, at: datetime) -> Mapping[str, Any]:
        posted = await self._deliverer.send_now(
            tx, pair, intent.payload["prompt_id"], key=f"hand:{intent.intent_id}", at=at
        )
        return {"pair": pair.pair_id, "posted": posted}

    async def _goal(self, tx: Tx, intent: Intent, pair: Pair, at: datetime) -> Mapping[str, Any]:
        goal_id = intent.payload["goal_id"]
        goal = next((each for each in await tx.pairs.goals(pair.pair_id) if each.goal_id == goal_id), None)
        place = await place_of(tx, pair.room_id) if pair.room_id else None
        if goal is None or place is None:
            raise PairError("The goal's room does not exist yet; wait until `interlude pair list` says invited.")
        record = GoalRecord(
            goal_id=goal.goal_id,
            number=goal.number,
            revision=goal.revision,
            status=GoalStatus.AGREED,
            title=goal.title,
            low=goal.low,
            high=goal.high,
            rhythm=goal.rhythm,
            since=goal.since,
            recorded_at=at,
        )
        await post(tx, place, to_content(record), event_type=GOAL, purpose="record", at=at, record_id=goal_id)
        return {"pair": pair.pair_id, "goal": goal.goal_id, "number": goal.number}

    async def _trust(self, tx: Tx, intent: Intent) -> Mapping[str, Any]:
        user, fingerprint = intent.payload["user"], intent.payload["fingerprint"]
        if not await self._cipher.confirm(tx, user, fingerprint, self._clock.real()):
            raise PairError(
                f"That is not the fingerprint that the homeserver shows for {user}. "
                "Ask the person to read it out from Element's security settings, and type it again."
            )
        return {"user": user}


def intent(kind: str, payload: Mapping[str, Any], *, at: datetime) -> Intent:
    """Return a new request for the running bot."""
    return Intent(
        intent_id=secrets.token_hex(8), kind=kind, payload=payload, state="queued", result={}, error="", created_at=at
    )
