"""`interlude goal`: what a pair works on, entered by the operator as the two agreed."""

from typing import Annotated

import typer

from bot.cli.frame import (
    DATA,
    PATIENCE,
    AsJson,
    DataDir,
    PairName,
    Timeout,
    Wait,
    perform,
    rows_to_json,
    show,
    show_json,
    show_table,
)
from bot.cli.requests import finish, leave
from bot.flows.asking import IntentKind
from bot.flows.entry import Entry, find_pair
from bot.instance import open_instance

app = typer.Typer(no_args_is_help=True)

COLUMNS = ("number", "id", "title", "scale", "rhythm", "revision", "since")


@app.command("add")
def add(
    *,
    pair: PairName,
    title: Annotated[str, typer.Option(metavar="T", help="One line, as the two call it.")],
    scale: Annotated[str, typer.Option(metavar="A-B", help="Whole numbers, such as 0-10.")] = "0-10",
    rhythm: Annotated[str, typer.Option(metavar="RULE", help='When to ask, such as "fri 18:00".')] = "fri 18:00",
    data_dir: DataDir = DATA,
    wait: Wait = False,
    timeout: Timeout = PATIENCE,
    as_json: AsJson = False,
) -> None:
    """Add a goal; the bot records it in the room and asks about it at its rhythm."""

    async def work() -> None:
        async with open_instance(data_dir) as instance:
            known = instance.settings.homeserver
            entry = Entry(packs=instance.packs(), own_user=known.user_id, server_name=known.server_name)
            at = await instance.now()
            async with instance.database.transaction() as tx:
                found = await find_pair(tx, pair)
                goal = await entry.add_goal(tx, found, title=title, scale=scale, rhythm=rhythm, at=at)
                payload = {"pair_id": found.pair_id, "goal_id": goal.goal_id}
                intent = await leave(tx, IntentKind.GOAL_ADD, payload)
            if not as_json:
                show(f"goal {goal.number}: {goal.title}, {goal.scale}, {goal.rhythm}")
            await finish(instance, intent, wait=wait, timeout=timeout, as_json=as_json, done="The goal is in the room.")

    perform(data_dir, work())


@app.command("list")
def show_all(*, pair: PairName, data_dir: DataDir = DATA, as_json: AsJson = False) -> None:
    """List a pair's goals."""

    async def work() -> None:
        async with open_instance(data_dir) as instance, instance.database.transaction() as tx:
            goals = await tx.pairs.goals((await find_pair(tx, pair)).pair_id)
        rows = [
            (each.number, each.goal_id, each.title, str(each.scale), each.rhythm, each.revision, each.since)
            for each in goals
        ]
        if as_json:
            show_json(rows_to_json(COLUMNS, rows))
        else:
            show_table(COLUMNS, rows, empty="This pair has no goals yet: `interlude goal add`.")

    perform(data_dir, work())
