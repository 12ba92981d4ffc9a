"""`interlude schedule`: when the bot asks."""

from typing import Annotated

import typer

from bot.cli.frame import DATA, AsJson, DataDir, PairName, perform, rows_to_json, show, show_json, show_table
from bot.cli.preview import preview
from bot.flows.entry import Entry, find_pair, find_schedule, next_due
from bot.instance import open_instance

app = typer.Typer(no_args_is_help=True)
app.command("preview")(preview)

COLUMNS = ("number", "pair", "prompt", "rule", "timezone", "goal", "next")


@app.command("add")
def add(
    *,
    pair: PairName,
    prompt: Annotated[str, typer.Option(metavar="ID", help="Which prompt; `interlude prompts list` names them.")],
    rule: Annotated[str, typer.Option(metavar="R", help='Such as "daily 20:00" or "mon, thu 09:00".')],
    goal: Annotated[str | None, typer.Option(metavar="N", help="Ask about this goal only.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="Else the pair's.")] = None,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """Ask a prompt again and again, at a local time."""

    async def work() -> None:
        async with open_instance(data_dir) as instance:
            known = instance.settings.homeserver
            entry = Entry(packs=instance.packs(), own_user=known.user_id, server_name=known.server_name)
            at = await instance.now()
            async with instance.database.transaction() as tx:
                found = await find_pair(tx, pair)
                made = await entry.add_schedule(
                    tx, found, prompt_id=prompt, rule=rule, timezone=timezone, goal=goal, at=at
                )
        due = next_due(made, found, at=at)
        if as_json:
            data = {"number": made.number, "id": made.schedule_id, "prompt": prompt, "rule": made.rule, "next": due}
            show_json({"pair": found.pair_id, **data})
        else:
            comes = f"next {due:%a %Y-%m-%d %H:%M}" if due else "nothing comes any more"
            show(f"schedule {made.number}: {prompt}, {made.rule}, {comes}")

    perform(data_dir, work())


@app.command("list")
def show_all(
    *,
    pair: Annotated[str | None, typer.Option("--pair", metavar="ID", help="Only this pair's.")] = None,
    data_dir: DataDir = DATA,
    as_json: AsJson = False,
) -> None:
    """List schedules, and when each comes next."""

    async def work() -> None:
        rows: list[tuple[object, ...]] = []
        async with open_instance(data_dir) as instance:
            at = await instance.now()
            async with instance.database.transaction() as tx:
                for found in [await find_pair(tx, pair)] if pair else await tx.pairs.every():
                    goals = {goal.goal_id: goal.number for goal in await tx.pairs.goals(found.pair_id)}
                    for each in await tx.schedules.of_pair(found.pair_id):
                        zone = each.timezone or found.timezone
                        goal = goals.get(each.goal_id or "", "")
                        due = next_due(each, found, at=at)
                        rows.append((each.number, found.number, each.prompt_id, each.rule, zone, goal, due))
        if as_json:
            show_json(rows_to_json(COLUMNS, rows))
        else:
            show_table(COLUMNS, rows, empty="There are no schedules yet: `interlude schedule add`.")

    perform(data_dir, work())


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
