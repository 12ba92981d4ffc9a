"""The answer to `crisis`: always, at once, and readable on every device of the person who asked (CRYPTO 10)."""

from datetime import datetime

from bot.flows.places import Place
from bot.flows.speak import Voice, call, post
from bot.ports import Tx

CRISIS = "crisis"


async def answer_crisis(tx: Tx, place: Place, event_id: str, person: str, voice: Voice, *, at: datetime) -> None:
    """Put the public crisis text into the outbox; `purpose` crisis passes every hold and goes before all else.

    One call for help gets one answer, also when its event is read again because its device was signed meanwhile.
    """
    if await tx.facts.once(f"crisis:{event_id}", at, every_seconds=0):
        await post(tx, place, call(voice.crisis_text(place), person=person), purpose=CRISIS, at=at, addressed=person)
