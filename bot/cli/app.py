"""The commands by noun."""

import os
import resource

import typer

from bot.cli import demo, doctor, goal, init, pair, prompts, run, schedule, schemas, session, trust
from bot.cli.frame import Frame

app = typer.Typer(
    name="interlude",
    cls=Frame,
    help="End-to-end encrypted prompts, answers and goals between two therapy sessions, on Matrix.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("demo")(demo.demo)
app.add_typer(pair.app, name="pair", help="A client and a therapist who work together.")
app.add_typer(goal.app, name="goal", help="What a pair has agreed to work on.")
app.command("trust")(trust.trust)
app.add_typer(prompts.app, name="prompts", help="What the bot can ask.")
app.add_typer(schedule.app, name="schedule", help="When the bot asks.")
app.add_typer(session.app, name="session", help="When the two meet; prompts can come around it.")
app.command("doctor")(doctor.doctor)
app.command("schemas")(schemas.schemas)


def main() -> None:
    """Run the command line."""
    os.umask(0o077)  # whatever is made holds a person's data, or keys
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash must not write keys and words to disk
    app()
