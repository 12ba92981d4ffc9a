"""`interlude demo`: everything on this machine."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.frame import DataDir

DEMO_DATA = Path("data/demo")


def demo(
    *,
    data_dir: DataDir = DEMO_DATA,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over: the demo's earlier data is removed.")] = False,
) -> None:
    """Start a homeserver, the bot and an example pair on this machine, and play an evening and a week of theirs."""
    from bot.demo.play import run  # noqa: PLC0415 - needs the extra `homeserver`, which no other command does

    raise typer.Exit(asyncio.run(run(data_dir, fresh=fresh)))
