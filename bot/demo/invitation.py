"""What the demo prints at its end: how to come in with Element, and what stays on disk."""

from datetime import datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from bot.demo.directory import Account, DemoDirectory

HEADING = "Ready. Try it yourself in Element"


def shown(
    directory: DemoDirectory, *, url: str, server_name: str, room_name: str, bot_time: datetime
) -> RenderableType:
    """Return the framed block with everything to type, and what it is good for; `bot_time` is local to the pair."""
    memory = directory.memory
    lines = [
        Text("Element Desktop, or Element Web in a browser on this machine: Sign in, Edit homeserver."),
        Text(),
        _field("Homeserver", url),
        *_account(memory.client, "the client", server_name),
        *_account(memory.therapist, "the therapist", server_name),
        Text(),
        Text(f"After the password Element asks to confirm the device: choose the recovery key. The room: {room_name}."),
        Text("As Alex write `help`, `thought`, `journal` or `undo`, answer a question, edit or delete an answer."),
        Text("As Dr. Lee write `prompts` or `send thought record`, and look at the console room as well."),
    ]
    return Group(
        Panel(Group(*lines), title=HEADING, border_style="green"),
        Text(f"All data is in {directory.path}. The passwords and recovery keys above are there as well"),
        Text(
            f"({directory.credentials.name}, readable for you alone): this demo is for trying, never for real people."
        ),
        Text(f"For the bot it is {bot_time:%A, %d %B, %H:%M}, and from now on its time runs as yours does."),
        Text("What is written in Element appears here too. Ctrl-C stops all of it; the next run goes on from here."),
    )


def _account(account: Account, role: str, server_name: str) -> list[Text]:
    return [
        Text(),
        Text(f"{account.name}, {role} (@{account.user}:{server_name})", style="bold"),
        _field("User", account.user),
        _field("Password", account.password),
        _field("Recovery key", account.recovery_key),
    ]


def _field(name: str, value: str) -> Text:
    return Text.assemble((f"{name:<14}", "dim"), (value, "bold cyan"), no_wrap=True)
