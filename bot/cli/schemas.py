"""`interlude schemas`: the JSON Schemas of our events and of the prompt files."""

from typing import Annotated

import typer

from bot.cli.frame import fail, say, show
from bot.resource import resource
from bot.schema_files import check_schemas, write_schemas


def schemas(
    *,
    check: Annotated[bool, typer.Option("--check", help="Fail when a schema differs from the code.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the schemas from the code.")] = False,
) -> None:
    """Check the JSON Schemas against the code, or write them."""
    directory = resource("schemas")
    if check == write:
        raise typer.BadParameter("give either --check or --write")
    if write:
        write_schemas(directory)
        show(str(directory))
        return
    wrong = check_schemas(directory)
    for sentence in wrong:
        say(sentence)
    if wrong:
        fail("The schemas differ from the code.")
