"""An open prompt is shown once more: on request, or for a device that could not read it before."""

from datetime import datetime

from bot.core.people import Pair
from bot.core.posting import repeated
from bot.core.wording import say as fill
from bot.flows.answering import Asked, asked_of
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
    """Show a prompt once more, silently."""
    intro = intro or fill(voice.words(place).again, title=asked.open.title)
    content = repeated(asked.delivery, asked.prompt, asked.goal, intro=intro)
    delivery_id = asked.delivery.delivery_id
    await post(tx, place, content, purpose="repeat", at=at, delivery_id=delivery_id, not_after=not_after)


async def repeat_open(tx: Tx, place: Place, pair: Pair, voice: Voice, *, at: datetime) -> None:
    """Show the newest prompt that still waits for its answer once more."""
    asked = await asked_of(tx, pair, voice.pack(pair).prompts)
    waiting = [each for each in asked if each.record is None and at < each.delivery.expires_at]
    if waiting:
        await repeat(tx, place, max(waiting, key=lambda each: each.open.order), voice, at=at)
