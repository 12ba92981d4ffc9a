"""What the command line asks of the running bot: intents, left in the database and followed to their end."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.core.people import Intent
from bot.errors import InterludeError
from bot.flows.intents import intent
from bot.ports import Store, Tx

LOOK_EVERY = 0.2  # seconds; the other process tells nobody when it is done


class IntentKind(StrEnum):
    """What can be asked for, with what its payload carries."""

    PAIR_ADD = "pair_add"  # pair_id
    PAIR_PAUSE = "pair_pause"  # pair_id, until (an instant, or nothing)
    PAIR_RESUME = "pair_resume"  # pair_id
    PAIR_END = "pair_end"  # pair_id
    PROMPT_SEND = "prompt_send"  # pair_id, prompt_id
    GOAL_ADD = "goal_add"  # pair_id, goal_id
    TRUST = "trust"  # user, fingerprint
    PROMPTS_RELOAD = "prompts_reload"  # nothing


async def ask(tx: Tx, kind: IntentKind, payload: Mapping[str, Any], *, at: datetime) -> Intent:
    """Leave an intent for the running bot; `at` is real time."""
    left = intent(kind.value, payload, at=at)
    await tx.intents.add(left)
    return left


async def follow(store: Store, left: Intent, *, timeout: float) -> Intent:
    """Wait until an intent is carried out and return it; `timeout` in seconds.

    Raises InterludeError when it failed, is gone, or is still queued in the end.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        async with store.transaction() as tx:
            current = await tx.intents.get(left.intent_id)
        if current is None:
            raise InterludeError("What was asked for is gone from the database.")
        if current.state == "failed":
            raise InterludeError(current.error or "The bot could not do it; see its log.")
        if current.state == "done":
            return current
        if asyncio.get_running_loop().time() >= deadline:
            raise InterludeError(f"Not done after {timeout:g} s. It stays queued; is the bot running?")
        await asyncio.sleep(LOOK_EVERY)
