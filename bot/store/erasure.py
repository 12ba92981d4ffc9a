"""Deleting the rows of a pair (CRYPTO 35): what its key sealed, and what says that it was there."""

from sqlalchemy import Delete, bindparam, delete, or_, select

from bot.core.outbox import OutboxState
from bot.core.people import Purpose
from bot.store.key_tables import (
    megolm_inbound,
    megolm_ledger,
    megolm_outbound,
    megolm_shares,
    megolm_withheld,
    to_device,
)
from bot.store.sealing import pair_owner
from bot.store.session import MINE, Session
from bot.store.tables import (
    agenda,
    choices,
    counters,
    deliveries,
    draws,
    gaps,
    goals,
    inbox,
    intents,
    members,
    outbox,
    pairs,
    questions,
    record_sources,
    records,
    rooms,
    schedules,
    session_changes,
    sessions,
    sittings,
    talk,
)

_OF_PAIR = (
    records,
    sittings,
    deliveries,
    draws,
    schedules,
    session_changes,
    sessions,
    choices,
    agenda,
    questions,
    goals,
    pairs,
)
_FINAL = (OutboxState.SENT, OutboxState.DROPPED, OutboxState.PARKED)
_PAIR_IDS = select(pairs.c.pair_id).where(pairs.c.account == MINE).order_by(pairs.c.number)
_own_rooms = select(rooms.c.room_id).where(
    rooms.c.account == MINE, rooms.c.pair_id == bindparam("of_pair"), rooms.c.purpose == Purpose.PAIR
)
_consoles = select(pairs.c.console_id).where(
    pairs.c.account == MINE, pairs.c.pair_id == bindparam("of_pair"), pairs.c.console_id.is_not(None)
)
_megolm_ids = select(megolm_inbound.c.session_id).where(
    megolm_inbound.c.account == MINE, megolm_inbound.c.owner == bindparam("of_owner")
)


def _statements() -> tuple[Delete, ...]:
    """Return what to delete, in an order in which each statement still finds what it asks for."""
    by_session = [
        delete(table).where(table.c.account == MINE, table.c.session_id.in_(_megolm_ids))
        for table in (megolm_shares, megolm_withheld, megolm_ledger, to_device)
    ]
    by_owner = [
        delete(table).where(table.c.account == MINE, table.c.owner == bindparam("of_owner"))
        for table in (megolm_outbound, megolm_inbound, inbox)
    ]
    by_room = [
        delete(table).where(table.c.account == MINE, table.c.room_id.in_(_own_rooms)) for table in (members, gaps, talk)
    ]
    of_pair = [
        delete(table).where(table.c.account == MINE, table.c.pair_id == bindparam("of_pair")) for table in _OF_PAIR
    ]
    # The console was told who is who, and finished intents carry names: both are sealed by the account's key.
    out = delete(outbox).where(
        outbox.c.account == MINE,
        or_(
            outbox.c.owner == bindparam("of_owner"),
            outbox.c.room_id.in_(_consoles) & outbox.c.state.in_(_FINAL),
        ),
    )
    finished = delete(intents).where(intents.c.account == MINE, intents.c.state != "queued")
    sources = delete(record_sources).where(
        record_sources.c.account == MINE,
        record_sources.c.record_id.in_(
            select(records.c.record_id).where(records.c.account == MINE, records.c.pair_id == bindparam("of_pair"))
        ),
    )
    numbers = delete(counters).where(
        counters.c.account == MINE, counters.c.name.in_(bindparam("of_names", expanding=True))
    )
    its_rooms = delete(rooms).where(rooms.c.room_id.in_(_own_rooms), rooms.c.account == MINE)
    return (*by_session, *by_owner, *by_room, out, finished, sources, *of_pair, its_rooms, numbers)


_STATEMENTS = _statements()


async def pair_ids(session: Session) -> tuple[str, ...]:
    """Return the ids of all pairs without opening anything."""
    return tuple([row[0] for row in await session.rows(_PAIR_IDS)])


async def purge_pair(session: Session, pair_id: str) -> None:
    """Delete all rows of a pair, finished messages to its console and finished intents."""
    names = [f"{noun}:{pair_id}" for noun in ("goals", "schedules", "sessions", "agenda", "deliveries")]
    binds = {"of_pair": pair_id, "of_owner": pair_owner(pair_id), "of_names": names}
    for statement in _STATEMENTS:
        used = {name: value for name, value in binds.items() if name in statement.compile().params}
        await session.run(statement, **used)
