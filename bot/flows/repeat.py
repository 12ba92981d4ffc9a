"""An open question is shown once more: on request, or for a device that could not read it before."""

from datetime import datetime

from bot.core.people import Pair
from bot.core.posting import repeated
from bot.flows.asked import Asked, asked_of
from bot.flows.places import Place
from bot.flows.speak import Voice, post
from bot.ports import Tx


async def repeat(
    tx: Tx,
    place: Place,
    asked: Asked,
    voice: Voice,
    *,
    at: datetime,
    intro: str | None = None,
    not_after: datetime | None = None,
) -> None:
    """Show the question at which a sitting stands once more, silently."""
    pack = voice.pack(place.pair)
    step = next((each for each in asked.prompt.steps if each.id == asked.sitting.step), asked.prompt.step)
    content = repeated(asked.question(step, place.pair, pack), intro=intro)
    delivery_id = asked.delivery.delivery_id
    await post(tx, place, content, purpose="repeat", at=at, delivery_id=delivery_id, not_after=not_after)


async def repeat_open(tx: Tx, place: Place, pair: Pair, voice: Voice, *, at: datetime) -> None:
    """Show the newest question that still waits for its answer once more."""
    asked = await asked_of(tx, pair, voice.pack(pair))
    waiting = [each for each in asked if each.waits(at)]
    if waiting:
        await repeat(tx, place, max(waiting, key=lambda each: each.order), voice, at=at)
