"""`interlude session`: when the two people meet, so that prompts can come around it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.frame import DATA, AsJson, DataDir, PairName, perform, rows_to_json, show, show_json, show_table
from bot.core.people import BookedSeries, Pair
from bot.core.sessions import parse_near_day, parse_session, parse_session_time
from bot.flows.entry import find_pair
from bot.flows.sessions import (
    Booking,
    add_sessions,
    cancel_booking,
    coming_sessions,
    end_series,
    find_series,
    move_booking,
    session_on,
)
from bot.instance import open_instance

app = typer.Typer(no_args_is_help=True)

COLUMNS = ("number", "pair", "session", "timezone", "next")
ONLY_PROMPTS = "Only prompts move with it: the appointment itself is between the two of them."

Day = Annotated[
    str | None, typer.Option("--on", metavar="DATE", help="Which session: its date, or a weekday. Else the next one.")
]


@app.command("add")
def add(
    *,
    pair: PairName,
    when: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="WHEN",
            help='In the pair\'s zone: "2026-12-01 10:00", "tue 10:00", "thu 14:00 every 2 weeks".',
        ),
    ],
    weekly: Annotated[bool, typer.Option("--weekly", help="And at the same time every week.")] = False,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Add a session, or a series of them; what hangs on sessions is planned around it."""

    async def work() -> None:
        async with open_instance(data_dir) as instance:
            at = await instance.now()
            async with instance.database.transaction() as tx:
                found = await find_pair(tx, pair)
                plan = parse_session(f"{when} weekly" if weekly else when, local=_local(at, found))
                booked = await add_sessions(tx, found, plan, at=at)
        if as_json:
            show_json(_data(found, booked))
        else:
            show(f"session {booked.number}: {plan.text}, {booked.series.zone}")

    perform(data_dir, work())


@app.command("list")
def show_all(*, pair: PairName, data_dir: DataDir = DATA, as_json: AsJson = False) -> None:
    """List a pair's sessions, with the next ones in local time."""

    async def work() -> None:
        async with open_instance(data_dir) as instance:
            at = await instance.now()
            async with instance.database.transaction() as tx:
                found = await find_pair(tx, pair)
                booked = await tx.sessions.of_pair(found.pair_id)
                coming = await coming_sessions(tx, found, at=at, count=5 * max(1, len(booked)))
        rows = [_row(found, each, coming) for each in booked]
        if as_json:
            show_json(rows_to_json(COLUMNS, rows))
        else:
            shown = [(*row[:4], _in_words(each, coming)) for row, each in zip(rows, booked, strict=True)]
            show_table(COLUMNS, shown, empty="There are no sessions yet: `interlude session add`.")

    perform(data_dir, work())


@app.command("move")
def move(
    *,
    pair: PairName,
    to: Annotated[str, typer.Option("--to", metavar="WHEN", help='Such as "2026-12-03 15:00" or "thu 15:00".')],
    on: Day = None,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Move one session; the rest of its series stays."""

    async def work() -> None:
        async with open_instance(data_dir) as instance:
            at = await instance.now()
            async with instance.database.transaction() as tx:
                found = await find_pair(tx, pair)
                local = _local(at, found)
                booking = await session_on(tx, found, parse_near_day(on, local=local) if on else None, at=at)
                moved = await move_booking(tx, found, booking, parse_session_time(to, local=local), at=at)
        begins = moved.session.starts.astimezone(ZoneInfo(found.timezone))
        if as_json:
            show_json({**_data(found, moved.booked), "planned": str(moved.session.planned), "begins": begins})
        else:
            show(f"session {moved.booked.number} of {moved.session.planned} is now {begins:%a %Y-%m-%d %H:%M}")
            show(ONLY_PROMPTS)

    perform(data_dir, work())


@app.command("cancel")
def cancel(
    *,
    number: Annotated[
        str | None, typer.Argument(metavar="NUMBER", help="Ends this whole series; left out: one session.")
    ] = None,
    pair: PairName,
    on: Day = None,
    data_dir: DataDir = DATA,
) -> None:
    """Cancel the next session, the one of a date, or a whole series from now on."""

    async def work() -> str:
        async with open_instance(data_dir) as instance:
            at = await instance.now()
            async with instance.database.transaction() as tx:
                found = await find_pair(tx, pair)
                if number is not None:
                    booked = await find_series(tx, found, number)
                    await end_series(tx, found, booked, at=at)
                    return f"session {booked.number} ({booked.series.plan.text}) is over"
                day = parse_near_day(on, local=_local(at, found)) if on else None
                booking = await session_on(tx, found, day, at=at)
                await cancel_booking(tx, found, booking, at=at)
                return f"the session of {booking.session.local:%a %Y-%m-%d %H:%M} is cancelled"

    show(perform(data_dir, work()))
    show(ONLY_PROMPTS)


def _local(at: datetime, pair: Pair) -> datetime:
    return at.astimezone(ZoneInfo(pair.timezone))


def _data(pair: Pair, booked: BookedSeries) -> dict[str, object]:
    series = booked.series
    return {"pair": pair.pair_id, "number": booked.number, "session": series.plan.text, "timezone": series.zone}


def _row(pair: Pair, booked: BookedSeries, coming: Sequence[Booking]) -> tuple[object, ...]:
    series = booked.series
    mine = [each.session.local.isoformat(timespec="minutes") for each in _of(booked, coming)]
    return booked.number, pair.number, series.plan.text, series.zone, mine


def _in_words(booked: BookedSeries, coming: Sequence[Booking]) -> str:
    return ", ".join(f"{each.session.local:%a %m-%d %H:%M}" for each in _of(booked, coming)) or "over"


def _of(booked: BookedSeries, coming: Sequence[Booking]) -> list[Booking]:
    return [each for each in coming if each.booked.series.series_id == booked.series.series_id][:3]
