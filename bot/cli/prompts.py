"""`interlude prompts`: what the bot can ask."""

from pathlib import Path
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
    say,
    show,
    show_json,
    show_table,
)
from bot.cli.requests import finish, leave
from bot.config import FILE, load
from bot.flows.asking import IntentKind, follow
from bot.flows.entry import Entry, find_pair
from bot.instance import checked_packs, load_packs, open_instance
from bot.packs import check_packs, is_complete

app = typer.Typer(no_args_is_help=True)

COLUMNS = ("language", "id", "version", "title", "kind", "steps", "why")


@app.command("check")
def check(
    *,
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help="A folder of languages, laid over the packs that come with Interlude; else the instance's.",
        ),
    ] = None,
    data_dir: DataDir = DATA,
) -> None:
    """Check prompt packs; every mistake is named with its file and line.

    A folder that has `crisis.yaml` and a `bot.yaml` in each language is checked by itself.
    """

    async def work() -> None:
        if path is not None and path.is_dir() and is_complete(path):
            packs = check_packs(path)
        else:
            packs = checked_packs(path or _own_packs(data_dir))
        for language, pack in sorted(packs.items()):
            show(f"{language}: {len(pack.prompts)} prompts, no mistakes")

    perform(None, work())


@app.command("list")
def show_all(*, data_dir: DataDir = DATA, as_json: AsJson = False) -> None:
    """List the prompts."""

    async def work() -> None:
        packs = load_packs(_own_packs(data_dir))
        rows = [
            (language, prompt.id, prompt.version, prompt.title, prompt.step.kind, len(prompt.steps), prompt.why)
            for language, pack in sorted(packs.items())
            for prompt in sorted(pack.prompts.values(), key=lambda prompt: prompt.id)
        ]
        if as_json:
            show_json(rows_to_json(COLUMNS, rows))
        else:
            show_table(COLUMNS, rows, empty="There are no prompts.")

    perform(None, work())


@app.command("send")
def send(
    *,
    pair: PairName,
    prompt: Annotated[str, typer.Option(metavar="ID", help="Which prompt; `interlude prompts list` names them.")],
    data_dir: DataDir = DATA,
    wait: Wait = False,
    timeout: Timeout = PATIENCE,
    as_json: AsJson = False,
) -> None:
    """Post a prompt now."""

    async def work() -> None:
        async with open_instance(data_dir) as instance:
            known = instance.settings.homeserver
            entry = Entry(packs=instance.packs(), own_user=known.user_id, server_name=known.server_name)
            async with instance.database.transaction() as tx:
                found = await find_pair(tx, pair)
                await entry.check_send(tx, found, prompt)
                payload = {"pair_id": found.pair_id, "prompt_id": prompt}
                intent = await leave(tx, IntentKind.PROMPT_SEND, payload)
            await finish(instance, intent, wait=wait, timeout=timeout, as_json=as_json, done=f"{prompt} is on its way.")

    perform(data_dir, work())


@app.command("reload")
def reload(*, data_dir: DataDir = DATA, timeout: Timeout = PATIENCE, as_json: AsJson = False) -> None:
    """Have the running bot take the prompts and words that now lie on disk; with a mistake it keeps the old ones."""

    async def work() -> None:
        async with open_instance(data_dir) as instance:
            if await instance.is_running():
                async with instance.database.transaction() as tx:
                    intent = await leave(tx, IntentKind.PROMPTS_RELOAD, {})
                counts = dict((await follow(instance.database, intent, timeout=timeout)).result["prompts"])
                said = "The bot uses them from now on."
            else:
                counts = {name: len(pack.prompts) for name, pack in sorted(instance.checked_packs().items())}
                said = "The bot is not running; it reads them when it starts."
            if as_json:
                show_json({"prompts": counts})
                return
            for language, count in counts.items():
                show(f"{language}: {count} prompts, no mistakes")
            say(said)

    perform(data_dir, work())


def _own_packs(data_dir: Path) -> Path | None:
    return load(data_dir).prompts_directory if (data_dir / FILE).exists() else None
