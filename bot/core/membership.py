"""What a change of room membership means for a pair (Matrix specification, `m.room.member`)."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from bot.core.pairs import PairEvent

PRESENT: Final = frozenset({"join", "invite"})
GONE: Final = frozenset({"leave", "ban"})


class Who(StrEnum):
    """Whom a membership event is about, by the pair record."""

    CLIENT = "client"
    THERAPIST = "therapist"
    STRANGER = "stranger"
    BOT = "bot"


_JOINED = {Who.CLIENT: PairEvent.CLIENT_JOINED, Who.THERAPIST: PairEvent.THERAPIST_JOINED}
_DECLINED = {Who.CLIENT: PairEvent.CLIENT_DECLINED, Who.THERAPIST: PairEvent.THERAPIST_DECLINED}
_LEFT = {Who.CLIENT: PairEvent.CLIENT_LEFT, Who.THERAPIST: PairEvent.THERAPIST_LEFT, Who.BOT: PairEvent.BOT_REMOVED}
# Nobody but the bot could remove the therapist, so that needs no event of its own.
_REMOVED = {**_LEFT, Who.CLIENT: PairEvent.CLIENT_REMOVED}


def membership_change(before: str | None, after: str, *, by_self: bool, who: Who) -> PairEvent | None:
    """The pair event of a membership change; None when nothing that matters happened (a new name, an invitation).

    `before` is None when it is not known, as after a gap: then a departure counts as one. `by_self` says whether the
    person sent the event.
    """
    if who is Who.STRANGER:
        return _stranger(before, after)
    if after == "join" and before != "join":
        return _JOINED.get(who)
    if after not in GONE or before in GONE:
        return None
    if not by_self:
        return _REMOVED[who]
    return _DECLINED.get(who, _LEFT[who]) if before == "invite" else _LEFT[who]


def _stranger(before: str | None, after: str) -> PairEvent | None:
    if after in PRESENT and before not in PRESENT:
        return PairEvent.STRANGER_CAME
    if after in GONE and before not in GONE:
        return PairEvent.STRANGER_WENT
    return None


def drift(members: Mapping[str, str], allowed: Collection[str]) -> tuple[str, ...]:
    """The people joined or invited whom the pair record does not name, in order (CRYPTO 1)."""
    return tuple(sorted(user for user, state in members.items() if state in PRESENT and user not in allowed))
