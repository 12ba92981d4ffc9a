"""The answer to `crisis`: always, at once, and readable on every device of the person who asked (CRYPTO 10)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.core.command_names import CommandName
from bot.core.commands import Command, parse_command
from bot.flows.places import Place
from bot.flows.speak import MESSAGE, Voice, call, post
from bot.ports import Tx

CRISIS = "crisis"


def calls_for_help(place: Place, sender: str, event_type: str, content: Mapping[str, Any], voice: Voice) -> bool:
    """Say whether a client calls for help, from whatever device and in whatever form."""
    body = content.get("body")
    if place.role(sender) != "client" or event_type != MESSAGE or not isinstance(body, str):
        return False
    command = parse_command(body, voice.words(place).grammar)
    return isinstance(command, Command) and command.name is CommandName.CRISIS


async def answer_crisis(tx: Tx, place: Place, event_id: str, person: str, voice: Voice, *, at: datetime) -> None:
    """Put the public crisis text into the outbox; `purpose` crisis passes every hold and goes before all else.

    One call for help gets one answer, also when its event is read again because its device was signed meanwhile.
    """
    if await tx.facts.once(f"crisis:{event_id}", at, every_seconds=0):
        await post(tx, place, call(voice.crisis_text(place), person=person), purpose=CRISIS, at=at, addressed=person)
