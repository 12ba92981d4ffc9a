"""What the bot says, put into a room's outbox: notices that stay quiet, and messages that notify (DESIGN §7)."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.core.crisis import crisis_line, crisis_text
from bot.core.markup import formatted
from bot.core.outbox import OutboxEvent, OutboxState
from bot.core.pack import Pack
from bot.core.people import Pair
from bot.core.practice import Practice
from bot.core.wording import Wording
from bot.flows.library import Library
from bot.flows.places import Place
from bot.ports import Tx

MESSAGE = "m.room.message"
REDACTION = "m.room.redaction"


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """The words for each language, and what they say about the practice."""

    packs: Library
    practice: Practice
    own_user: str
    fingerprint: str  # the bot's own, in groups of four

    def pack(self, pair: Pair | None) -> Pack:
        """The pair's pack; the practice's language for a console."""
        return self.packs.get(pair.language if pair else self.practice.language) or self.packs["en"]

    def words(self, place: Place) -> Wording:
        """The wording of a room."""
        return self.pack(place.pair).wording

    def crisis_line(self, place: Place) -> str:
        """Where help is now, in one line."""
        pack = self.pack(place.pair)
        return crisis_line(pack.crisis, pack.wording, country=self._country(place), practice_line=self.practice.line)

    def crisis_text(self, place: Place) -> str:
        """The whole answer to `crisis`: public, without a name (CRYPTO 10)."""
        pack = self.pack(place.pair)
        return crisis_text(pack.crisis, pack.wording, country=self._country(place), practice_line=self.practice.line)

    def _country(self, place: Place) -> str:
        return place.pair.country if place.pair else self.practice.country


def notice(text: str) -> dict[str, Any]:
    """A message that notifies nobody."""
    return {"msgtype": "m.notice", "body": text, "m.mentions": {}, **formatted(text)}


def call(text: str, *, person: str) -> dict[str, Any]:
    """A message that notifies one person."""
    return {"msgtype": "m.text", "body": text, "m.mentions": {"user_ids": [person]}, **formatted(text)}


async def post(  # noqa: PLR0913 - an outbox row has these sides, most of them rare
    tx: Tx,
    place: Place,
    content: Mapping[str, Any],
    *,
    purpose: str,
    at: datetime,
    event_type: str = MESSAGE,
    addressed: str | None = None,
    reply_to: str | None = None,
    relates_row: str | None = None,
    rel_type: str | None = None,
    delivery_id: str | None = None,
    record_id: str | None = None,
    not_after: datetime | None = None,
) -> OutboxEvent:
    """Put an event into the room's outbox; it is held until the room's person can read it (CRYPTO 6)."""
    if reply_to is not None:
        content = {**content, "m.relates_to": {"m.in_reply_to": {"event_id": reply_to}}}
    row = OutboxEvent(
        outbox_id=secrets.token_hex(16),
        room_id=place.room.room_id,
        event_type=event_type,
        content=content,
        purpose=purpose,
        created_at=at,
        addressed=addressed or place.addressed,
        delivery_id=delivery_id,
        record_id=record_id,
        not_after=not_after,
        relates_row=relates_row,
        rel_type=rel_type,
    )
    await tx.outbox.add(row)
    return row


async def withdraw(tx: Tx, place: Place, rows: Iterable[OutboxEvent], *, at: datetime) -> None:
    """Redact our own events; what is still queued is not sent at all."""
    for row in rows:
        if row.state is OutboxState.QUEUED:
            await tx.outbox.update([replace(row, state=OutboxState.DROPPED)])
        elif row.state in (OutboxState.SENT, OutboxState.ENCRYPTED):
            await post(
                tx,
                place,
                {},
                event_type=REDACTION,
                purpose="redaction",
                at=at,
                record_id=row.record_id,
                relates_row=row.outbox_id,
                rel_type="redacts",
            )


async def say(tx: Tx, place: Place, text: str, *, at: datetime, purpose: str = "notice") -> OutboxEvent:
    """Say something quietly."""
    return await post(tx, place, notice(text), purpose=purpose, at=at)
