"""Requests to the running bot, left in the database, and followed if wanted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.cli.frame import say, show_json
from bot.core.people import Intent
from bot.errors import InterludeError
from bot.flows.asking import IntentKind, ask, follow
from bot.instance import Instance
from bot.ports import Tx

QUEUED = "queued; the bot is not running"


async def leave(tx: Tx, kind: IntentKind, payload: Mapping[str, Any]) -> Intent:
    """Leave a request, dated by the machine's clock."""
    return await ask(tx, kind, payload, at=datetime.now(UTC))


async def finish(instance: Instance, intent: Intent, *, wait: bool, timeout: float, as_json: bool, done: str) -> None:
    """Follow a request to its end if wanted, and say how it stands.

    Raises InterludeError when it failed, or was not done in time.
    """
    running = await instance.is_running()
    if wait:
        if not running:
            say(f"{QUEUED}; waiting for it")
        result = dict((await follow(instance.database, intent, timeout=timeout)).result)
        show_json(result) if as_json else say(done)
        return
    state = "queued" if running else QUEUED
    named = {name.removesuffix("_id"): value for name, value in intent.payload.items()}
    show_json({**named, "state": state}) if as_json else say(state)


def short_of(fingerprint: str) -> str:
    """Return a typed fingerprint without its spaces. Raises InterludeError when it cannot be one."""
    compact = "".join(fingerprint.split())
    if len(compact) != 43 or not all(each.isalnum() or each in "+/" for each in compact):
        raise InterludeError("A fingerprint has 43 letters, digits, + or /, in groups of four as Element shows it.")
    return compact
