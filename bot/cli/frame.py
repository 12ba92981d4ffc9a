"""What every command shares: where the instance is, how data is printed, and how an error ends in one line."""

import asyncio
import json
import sys
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import structlog
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from bot.errors import InterludeError
from bot.logs import set_up_logs

log = structlog.get_logger()

Result = TypeVar("Result")

DataDir = Annotated[
    Path, typer.Option("--data-dir", metavar="DIR", help="The instance: its settings, database and keys.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print data for programs.")]
PairName = Annotated[str, typer.Option("--pair", metavar="ID", help="The pair's number or id.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until the running bot has done it.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait.", min=0.0)]

DATA = Path("data")
PATIENCE = 60.0  # seconds


class Frame(TyperGroup):
    """The outermost command: an error of ours ends in one line and status 1, an unexpected one in the log too."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except InterludeError as error:
            fail(str(error))
        except (KeyboardInterrupt, asyncio.CancelledError):
            fail("Interrupted.")
        except OSError as error:
            log.exception("cli.failed")
            fail(f"{error.strerror or type(error).__name__}: {error.filename or 'see the log'}")
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            if type(error).__module__.startswith(("click", "typer")):
                raise  # a usage error, which is shown with its usage and status 2
            log.exception("cli.failed")
            fail(f"Something unexpected went wrong ({type(error).__name__}); the details are in the log.")


def fail(sentence: str) -> None:
    """End with status 1 and a sentence on stderr. Always raises typer.Exit."""
    print(f"interlude: {sentence}", file=sys.stderr)  # noqa: T201 - what a person reads
    raise typer.Exit(1)


def perform(data_dir: Path | None, work: Coroutine[Any, Any, Result], *, logs_to_stderr: bool = False) -> Result:
    """Run a command's work with its logs in the instance's directory."""
    set_up_logs(data_dir, to_stderr=logs_to_stderr)
    return asyncio.run(work)


def say(sentence: str) -> None:
    """Tell the person at the terminal something that is no data."""
    print(sentence, file=sys.stderr)  # noqa: T201 - what a person reads


def show(sentence: str) -> None:
    """Print a line of data or of a result."""
    print(sentence)  # noqa: T201 - what a person reads


def show_json(value: object) -> None:
    """Print data for programs."""
    show(json.dumps(value, default=_plain, ensure_ascii=False, indent=2))


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print rows for people, or the sentence `empty` when there are none."""
    if not rows:
        show(empty)
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(_plain(cell))) for cell in row))
    # Piped, a line is never broken: another program or a log reads it.
    Console(width=None if sys.stdout.isatty() else 500, soft_wrap=not sys.stdout.isatty()).print(table)


def rows_to_json(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[Mapping[str, object]]:
    """Return rows as objects."""
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    return value if isinstance(value, str | int | float) else str(value)
