"""`interlude run`: the bot itself."""

from typing import Annotated

import typer

from bot.cli.frame import DATA, DataDir, perform


def run(
    *,
    data_dir: DataDir = DATA,
    simulate: Annotated[
        str | None,
        typer.Option(metavar="START@SPEED", help="Simulated time, for example 2026-11-23T07:00:00+01:00@600."),
    ] = None,
) -> None:
    """Run the bot until Ctrl-C or SIGTERM; what is in hand is finished."""
    from bot import wiring  # noqa: PLC0415 - its imports would slow down every other command

    perform(data_dir, wiring.run(data_dir, simulate=simulate), logs_to_stderr=True)
