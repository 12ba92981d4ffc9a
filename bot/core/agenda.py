"""What is to come up in the next session: questions for the therapist, and topics that either of the two brings."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from bot.core.quiet import QuietHours, is_quiet

BEFORE: Final = timedelta(hours=2)  # so long before a session the agenda is shown
TALKED: Final = timedelta(hours=2)  # so long after its beginning a session is over
SHOWN_LETTERS: Final = 280  # of an item in the list; the whole of it stands where it was written
FEW: Final = 5  # items in a room of two; the console shows them all


class AgendaKind(StrEnum):
    """What an item is."""

    ASK = "ask"  # a question for the therapist
    BRING = "bring"  # a topic for the session


@dataclass(frozen=True, kw_only=True, slots=True)
class AgendaItem:
    """One question or topic."""

    item_id: str
    pair_id: str
    number: int  # given by the store, stable in the pair's list
    kind: AgendaKind
    text: str
    by_client: bool
    source: str  # the message that it came from
    room_id: str  # where that stands
    created_at: datetime
    shown_at: datetime | None = None  # before a session
    done_at: datetime | None = None  # the therapist said so, or its session is over


@dataclass(frozen=True, kw_only=True, slots=True)
class Showing:
    """When the agenda of a session is shown, once; and when its items are done with."""

    at: datetime
    until: datetime  # later than this nobody needs it any more
    over: datetime


def showing(begins: datetime, zone: ZoneInfo, quiet: QuietHours | None) -> Showing:
    """Return when the agenda of a session that begins at an instant is shown.

    Two hours before; where that is in quiet hours, at their end, or, when the session begins earlier than that, in the
    last minute of the evening before that is not quiet (the bot chooses no quiet time, DESIGN §8).
    """
    at = begins - BEFORE
    if is_quiet(quiet, at, zone) and quiet is not None:
        local = at.astimezone(zone)
        day = local.date() + timedelta(days=quiet.ends <= quiet.starts and local.time() >= quiet.starts)
        ends = datetime.combine(day, quiet.ends, tzinfo=zone).astimezone(begins.tzinfo)
        if ends < begins - timedelta(minutes=15):
            at = ends
        else:
            back = local.date() - timedelta(days=quiet.ends <= quiet.starts and local.time() < quiet.starts)
            at = datetime.combine(back, quiet.starts, tzinfo=zone).astimezone(begins.tzinfo) - timedelta(minutes=1)
    return Showing(at=at, until=begins, over=begins + TALKED)
