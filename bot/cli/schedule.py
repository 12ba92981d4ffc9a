"""`interlude schedule`: when the bot asks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer

from bot.cli.frame import DATA, AsJson, DataDir, PairName, perform, rows_to_json, say, show, show_json, show_table
from bot.cli.preview import preview
from bot.core.people import Pair
from bot.core.planning import parse_reminder
from bot.core.schedules import SessionRule, parse_rule
from bot.flows.entry import find_pair, find_schedule
from bot.flows.schedules import Schedules, ScheduleView
from bot.instance import Instance, open_instance

app = typer.Typer(no_args_is_help=True)
app.command("preview")(preview)

COLUMNS = ("number", "pair", "prompt", "rule", "timezone", "goal", "next", "coming", "last")


@app.command("add")
def add(
    *,
    pair: PairName,
    prompt: Annotated[str, typer.Option(metavar="ID", help="Which prompt; `interlude prompts list` names them.")],
    rule: Annotated[
        str,
        typer.Option(
            metavar="R",
            help='Such as "daily 20:00", "mon, thu 09:00", "3 times between 10:00 and 20:00, 90 min apart" '
            'or "session -1 day 18:00".',
        ),
    ],
    goal: Annotated[str | None, typer.Option(metavar="N", help="Ask about this goal only.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="Else the pair's.")] = None,
    reminder: Annotated[
        str | None, typer.Option(metavar="T", help='After how long without an answer: "2h", or "none". Else 3 hours.')
    ] = None,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Ask a prompt again and again, at a local time."""

    async def work() -> None:
        wait = None if reminder is None else parse_reminder(reminder)
        async with open_instance(data_dir) as instance:
            at = await instance.now()
            async with instance.database.transaction() as tx:
                found = await find_pair(tx, pair)
                made = await _schedules(instance).add(
                    tx, found, prompt_id=prompt, rule=rule, timezone=timezone, goal=goal, reminder=wait, at=at
                )
        schedule, following = made.schedule, next(iter(made.coming), None)
        if as_json:
            data = {"number": schedule.number, "id": schedule.schedule_id, "prompt": prompt, "rule": schedule.rule}
            show_json({"pair": found.pair_id, **data, "next": following, "quiet": made.quiet})
            return
        comes = f"next {following:%a %Y-%m-%d %H:%M}" if following else _nothing(schedule.rule)
        show(f"schedule {schedule.number}: {prompt}, {schedule.rule}, {comes}")
        if made.quiet and found.quiet_hours:
            say(f"That lies within the quiet hours ({found.quiet_hours.text}); the time that you chose is kept.")

    perform(data_dir, work())


@app.command("list")
def show_all(
    *,
    pair: Annotated[str | None, typer.Option("--pair", metavar="ID", help="Only this pair's.")] = None,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """List schedules: the next three times of each in local time, and what became of the last ones."""

    async def work() -> None:
        rows: list[tuple[object, ...]] = []
        async with open_instance(data_dir) as instance:
            at = await instance.now()
            schedules = _schedules(instance)
            async with instance.database.transaction() as tx:
                for found in [await find_pair(tx, pair)] if pair else await tx.pairs.every():
                    goals = {goal.goal_id: goal.number for goal in await tx.pairs.goals(found.pair_id)}
                    rows += [_row(found, each, goals) for each in await schedules.views(tx, found, at=at)]
        if as_json:
            show_json(rows_to_json(COLUMNS, rows))
        else:
            shown = [(*row[:6], *_in_words(row)) for row in rows]
            columns = (*COLUMNS[:6], "next", "last")
            show_table(columns, shown, empty="There are no schedules yet: `interlude schedule add`.")

    perform(data_dir, work())


def _row(pair: Pair, view: ScheduleView, goals: Mapping[str, int]) -> tuple[object, ...]:
    schedule = view.schedule
    return (
        schedule.number,
        pair.number,
        schedule.prompt_id,
        schedule.effective_rule,
        view.zone,
        goals.get(schedule.goal_id or "", ""),
        next((local.isoformat(timespec="minutes") for local in view.coming), ""),
        [local.isoformat(timespec="minutes") for local in view.coming],
        ["refused"] if schedule.refused else [each.skip_reason or each.state.value for each in view.results],
    )


def _in_words(row: Sequence[object]) -> tuple[str, str]:
    """The next times, and the last results with the newest first."""
    coming, last = row[7], row[8]
    assert isinstance(coming, list)  # noqa: S101 - made by `_row`
    assert isinstance(last, list)  # noqa: S101
    times = [f"{datetime.fromisoformat(each):%a %m-%d %H:%M}" for each in coming]
    return ", ".join(times) or _nothing(str(row[3])), ", ".join(last)


def _nothing(rule: str) -> str:
    if isinstance(parse_rule(rule), SessionRule):
        return "no session is known: `interlude session add`"
    return "nothing comes any more"


def _schedules(instance: Instance) -> Schedules:
    packs = instance.packs()
    return Schedules(pack_of=lambda pair: packs.get(pair.language) or packs["en"])


@app.command("remove")
def remove(
    *,
    schedule: Annotated[str, typer.Argument(metavar="NUMBER", help="The schedule's number in its pair, or its id.")],
    pair: PairName,
    data_dir: DataDir = DATA,
) -> None:
    """Remove a schedule; what it asked and what was answered stays."""

    async def work() -> None:
        async with open_instance(data_dir) as instance, instance.database.transaction() as tx:
            found = await find_schedule(tx, await find_pair(tx, pair), schedule)
            await tx.schedules.remove(found.schedule_id)
        show(f"schedule {found.number} is removed")

    perform(data_dir, work())
