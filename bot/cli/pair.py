"""`interlude pair`: who works with whom."""

import secrets
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bot.cli.frame import (
    DATA,
    PATIENCE,
    AsJson,
    DataDir,
    Timeout,
    Wait,
    fail,
    perform,
    rows_to_json,
    say,
    show,
    show_json,
    show_table,
)
from bot.cli.requests import finish, leave
from bot.core.occurrences import instant
from bot.core.pairs import PairEvent, step
from bot.core.people import Pair
from bot.core.quiet import NONE, parse_quiet
from bot.core.sessions import parse_near_day
from bot.core.trust import fingerprint_groups
from bot.errors import ScheduleError
from bot.flows.asking import IntentKind
from bot.flows.entry import Entry, NewPair, find_pair
from bot.flows.overview import PairView, view_pair
from bot.flows.schedules import Schedules
from bot.instance import Instance, open_instance

app = typer.Typer(no_args_is_help=True)

ID = Annotated[str, typer.Argument(metavar="ID", help="The pair's number or id.")]
COLUMNS = ("number", "id", "client", "therapist", "room", "state", "waiting")


@app.command("add")
def add(  # noqa: PLR0913 - one parameter per option
    *,
    client: Annotated[str, typer.Option(metavar="@A:HS")],
    therapist: Annotated[str, typer.Option(metavar="@B:HS")],
    data_dir: DataDir = DATA,
    client_name: Annotated[
        str | None, typer.Option(metavar="N", help="For the console; else the display name.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Such as Europe/Berlin; else the practice's.")
    ] = None,
    language: Annotated[str | None, typer.Option(metavar="XX", help="Else the practice's.")] = None,
    country: Annotated[str | None, typer.Option(metavar="XX", help="For crisis numbers; else the practice's.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether these are the right people.")] = False,
    wait: Wait = False,
    timeout: Timeout = PATIENCE,
    as_json: AsJson = False,
) -> None:
    """Bring a client and a therapist together: the bot makes their rooms and invites them."""

    async def work() -> None:
        async with open_instance(data_dir) as instance:
            practice = instance.settings.practice
            new = NewPair(
                client=client,
                therapist=therapist,
                client_name=" ".join(client_name.split()) if client_name else None,
                timezone=timezone or practice.timezone,
                language=language or practice.language,
                country=_country(country or practice.country),
            )
            await _add(instance, new, yes=yes, wait=wait, timeout=timeout, as_json=as_json)

    perform(data_dir, work())


async def _add(instance: Instance, new: NewPair, *, yes: bool, wait: bool, timeout: float, as_json: bool) -> None:
    known = instance.settings.homeserver
    entry = Entry(packs=instance.packs(), own_user=known.user_id, server_name=known.server_name)
    entry.check(new)
    async with instance.database.transaction() as tx:
        await entry.refuse_second(tx, new)
    async with instance.homeserver() as server:
        names = await entry.names(new, server)
    say(f"Client:    {names.client} ({new.client})")
    say(f"Therapist: {names.therapist} ({new.therapist})")
    if not entry.knows_crisis_numbers(new):
        say(f"There are no crisis numbers for {new.country or 'an unknown country'}: `crisis` says “the local one”.")
    if not yes and not typer.confirm("Are these the right people?", err=True):
        fail("Nothing was changed.")
    pair_id = secrets.token_hex(8)
    now = await instance.now()
    owner = f"pair:{pair_id}"
    instance.vault.create(owner)
    try:
        async with instance.database.transaction() as tx:
            pair = await entry.add_pair(tx, new, names, pair_id=pair_id, at=now)
            intent = await leave(tx, IntentKind.PAIR_ADD, {"pair_id": pair_id})
    except BaseException:
        instance.vault.destroy(owner)  # the pair was not written down: its key opens nothing
        raise
    done = f"Pair {pair.number}: the rooms exist and the invitations are out."
    if not as_json:
        show(f"pair {pair.number} ({pair.pair_id})")
    await finish(instance, intent, wait=wait, timeout=timeout, as_json=as_json, done=done)


def _country(text: str) -> str:
    code = text.strip().upper()
    return "GB" if code == "UK" else code  # what people write for GB


@app.command("list")
def show_all(*, data_dir: DataDir = DATA, as_json: AsJson = False) -> None:
    """List all pairs, and who has not joined."""

    async def work() -> None:
        async with open_instance(data_dir) as instance:
            at = await instance.now()
            async with instance.database.transaction() as tx:
                views = [await view_pair(tx, pair, at=at) for pair in await tx.pairs.every()]
        rows = [_row(view) for view in views]
        if as_json:
            show_json(rows_to_json(COLUMNS, rows))
        else:
            show_table(COLUMNS, rows, empty="There are no pairs yet: `interlude pair add`.")

    perform(data_dir, work())


@app.command("show")
def show_one(*, pair: ID, data_dir: DataDir = DATA, as_json: AsJson = False) -> None:
    """Show one pair: rooms, goals, schedules, and the fingerprints under which keys are given."""

    async def work() -> None:
        async with open_instance(data_dir) as instance:
            at = await instance.now()
            async with instance.database.transaction() as tx:
                view = await view_pair(tx, await find_pair(tx, pair), at=at)
        if as_json:
            show_json(_as_data(view))
        else:
            _show(view)

    perform(data_dir, work())


@app.command("set")
def change(
    *,
    pair: ID,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Where the client lives; plans the future anew.")
    ] = None,
    quiet: Annotated[
        str | None,
        typer.Option(metavar="HOURS", help='When the bot chooses no time: "21:30-07:30", "none", "default".'),
    ] = None,
    cap: Annotated[
        int | None, typer.Option("--daily-cap", metavar="N", help="Prompts on one day at most.", min=1, max=24)
    ] = None,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Change a pair's time zone, quiet hours or daily cap, from now on."""

    async def work() -> Pair:
        hours = None if quiet in (None, "default") else parse_quiet(quiet or "")
        text = None if quiet == "default" else hours.text if hours else NONE
        async with open_instance(data_dir) as instance:
            at = await instance.now()
            packs = instance.packs()
            async with instance.database.transaction() as tx:
                found = await find_pair(tx, pair)
                found = replace(found, quiet=text) if quiet is not None else found
                found = replace(found, daily_cap=cap) if cap is not None else found
                await tx.pairs.save(found)
                if timezone is not None:
                    schedules = Schedules(pack_of=lambda each: packs.get(each.language) or packs["en"])
                    found = await schedules.change_zone(tx, found, timezone, at=at)
        return found

    changed = perform(data_dir, work())
    shown = changed.quiet_hours.text if changed.quiet_hours else NONE
    if as_json:
        show_json({"pair": changed.pair_id, "timezone": changed.timezone, "quiet": shown, "daily_cap": changed.cap})
    else:
        show(f"pair {changed.number}: {changed.timezone}, quiet {shown}, at most {changed.cap} prompts a day")


@app.command("pause")
def pause(
    *,
    pair: ID,
    until: Annotated[
        str | None,
        typer.Option(metavar="DAY", help='Goes on by itself then: a date, "tomorrow" or a weekday, at 00:00 local.'),
    ] = None,
    data_dir: DataDir = DATA,
    wait: Wait = False,
    timeout: Timeout = PATIENCE,
    as_json: AsJson = False,
) -> None:
    """Send no prompts for a while; conversation goes on."""
    _request(
        data_dir, pair, IntentKind.PAIR_PAUSE, PairEvent.PAUSE, "paused", wait=wait, timeout=timeout, as_json=as_json,
        until=until,
    )  # fmt: skip


@app.command("resume")
def resume(
    *, pair: ID, data_dir: DataDir = DATA, wait: Wait = False, timeout: Timeout = PATIENCE, as_json: AsJson = False
) -> None:
    """Send prompts again, from now on."""
    _request(
        data_dir, pair, IntentKind.PAIR_RESUME, PairEvent.RESUME, "resumed", wait=wait, timeout=timeout, as_json=as_json
    )


@app.command("end")
def end(
    *, pair: ID, data_dir: DataDir = DATA, wait: Wait = False, timeout: Timeout = PATIENCE, as_json: AsJson = False
) -> None:
    """End a pair: an open invitation is withdrawn, else prompts stop; the room stays readable, `crisis` answers."""
    _request(data_dir, pair, IntentKind.PAIR_END, PairEvent.END, "ended", wait=wait, timeout=timeout, as_json=as_json)


def _request(  # noqa: PLR0913 - what the three commands share
    data_dir: Path,
    name: str,
    kind: IntentKind,
    event: PairEvent,
    done: str,
    *,
    wait: bool,
    timeout: float,
    as_json: bool,
    until: str | None = None,
) -> None:
    async def work() -> None:
        async with open_instance(data_dir) as instance:
            at = await instance.now()
            async with instance.database.transaction() as tx:
                pair = await find_pair(tx, name)
                step(pair.standing, event)  # refuses at once what the bot would refuse
                payload = {"pair_id": pair.pair_id}
                if until is not None:
                    payload["until"] = _beginning_of(until, pair, at).isoformat()
                intent = await leave(tx, kind, payload)
            sentence = f"Pair {pair.number} is {done}."
            await finish(instance, intent, wait=wait, timeout=timeout, as_json=as_json, done=sentence)

    perform(data_dir, work())


def _beginning_of(day: str, pair: Pair, at: datetime) -> datetime:
    """The first instant of a day in the pair's zone. Raises ScheduleError for one that has begun."""
    zone = ZoneInfo(pair.timezone)
    begins = instant(datetime.combine(parse_near_day(day, local=at.astimezone(zone)), time()), zone)
    if begins <= at:
        raise ScheduleError(f"{begins.astimezone(zone):%Y-%m-%d} has begun; name a later day.")
    return begins


def _row(view: PairView) -> tuple[object, ...]:
    pair = view.pair
    waiting = "; ".join([*map(str, view.waiting), *([f"held: {view.hold}"] if view.hold else [])])
    return pair.number, pair.pair_id, pair.client_name, pair.therapist_name, pair.word, pair.standing.shown, waiting


def _show(view: PairView) -> None:
    pair = view.pair
    show(
        f"Pair {pair.number} ({pair.pair_id}): {pair.standing.shown}, room “{pair.word}”, since {_day(pair.created_at)}"
    )
    show(f"{pair.timezone}, language {pair.language}, country {pair.country or '-'}")
    quiet = pair.quiet_hours.text if pair.quiet_hours else NONE
    show(f"Quiet hours {quiet}, at most {pair.cap} prompts a day")
    if pair.paused:
        until = f" until {_day(pair.paused_until)}" if pair.paused_until else ""
        show(f"Paused{until} by the {pair.paused_by or 'operator'}")
    show(f"Room {pair.room_id or 'not made yet'}, console {pair.console_id or 'not made yet'}")
    for each in view.waiting:
        show(f"The {each}.")
    if view.hold:
        show(f"Nothing is sent in the room: {view.hold}")
    for person in view.people:
        show(f"\n{person.role}: {person.name} ({person.user_id}), {person.membership}")
        if person.fingerprint:
            show(f"  fingerprint {fingerprint_groups(person.fingerprint)}, since {_day(person.pinned_at)}")
        else:
            show("  no fingerprint yet: no signed device was seen")
        if person.violation:
            show(f"  {person.violation}: no keys go there; compare, then `interlude trust {person.user_id}`")
        show(f"  devices: {person.signed} signed, {person.unsigned} not signed")
    show("")
    goals = [(goal.number, goal.title, str(goal.scale), goal.rhythm) for goal in view.goals]
    show_table(("goal", "title", "scale", "rhythm"), goals, empty="No goals.")
    schedules = [(each.number, each.prompt_id, each.rule) for each in view.schedules]
    show_table(("schedule", "prompt", "rule"), schedules, empty="No schedules.")


def _as_data(view: PairView) -> dict[str, Any]:
    pair = view.pair
    return {
        **dict(zip(COLUMNS, _row(view), strict=True)),
        "client_id": pair.client,
        "therapist_id": pair.therapist,
        "timezone": pair.timezone,
        "language": pair.language,
        "country": pair.country,
        "room_id": pair.room_id,
        "console_id": pair.console_id,
        "hold": view.hold,
        "quiet": pair.quiet_hours.text if pair.quiet_hours else NONE,
        "daily_cap": pair.cap,
        "paused_until": pair.paused_until,
        "paused_by": pair.paused_by,
        "people": [
            {
                "user": person.user_id,
                "role": person.role,
                "membership": person.membership,
                "fingerprint": person.fingerprint,
                "pinned_at": person.pinned_at,
                "violation": person.violation,
                "signed_devices": person.signed,
                "unsigned_devices": person.unsigned,
            }
            for person in view.people
        ],
        "goals": [{"number": goal.number, "title": goal.title, "scale": str(goal.scale)} for goal in view.goals],
        "schedules": [{"number": each.number, "prompt": each.prompt_id, "rule": each.rule} for each in view.schedules],
    }


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else "-"
