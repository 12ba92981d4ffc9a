"""`interlude init`: a new instance, or an interrupted one completed."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.frame import DATA, AsJson, DataDir, perform, say, show, show_json
from bot.config import practice_settings
from bot.core.trust import fingerprint_groups
from bot.errors import ConfigurationError
from bot.flows.enrol import Credentials, Enrolled
from bot.instance import Beginning, initialised

SecretFile = Path | None

RECOVERY = "Recovery key, shown only now: it alone brings the bot's keys and history back if this machine is lost."


def init(  # noqa: PLR0913 - one parameter per option
    *,
    data_dir: DataDir = DATA,
    homeserver: Annotated[str | None, typer.Option(metavar="URL", help="Address of the homeserver.")] = None,
    server_name: Annotated[str | None, typer.Option(metavar="NAME", help="The part after the colon in ids.")] = None,
    user: Annotated[str, typer.Option(metavar="NAME", help="Name of the bot's account.")] = "interlude",
    registration_secret_file: Annotated[
        SecretFile, typer.Option(metavar="F", help="Create the account with Synapse's registration secret.")
    ] = None,
    access_token_file: Annotated[
        SecretFile, typer.Option(metavar="F", help="Use this token, whose device the bot takes over.")
    ] = None,
    password_file: Annotated[SecretFile, typer.Option(metavar="F", help="Log in with the account's password.")] = None,
    database: Annotated[str | None, typer.Option(metavar="URL", help="postgresql://...; else SQLite.")] = None,
    practice_name: Annotated[str | None, typer.Option(metavar="TEXT", help="Who runs the bot.")] = None,
    practice_line: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Telephone or words for the welcome and for `crisis`.")
    ] = None,
    country: Annotated[str | None, typer.Option(metavar="XX", help="For crisis numbers: two letters.")] = None,
    language: Annotated[str | None, typer.Option(metavar="XX", help="Language of consoles and new pairs.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="Time zone of new pairs.")] = None,
    as_json: AsJson = False,
) -> None:
    """Set up the bot: its account, its one device, its keys. Run it again to complete or to check it."""
    given = [path for path in (registration_secret_file, access_token_file, password_file) if path is not None]
    if len(given) > 1:
        raise typer.BadParameter("give one of --registration-secret-file, --access-token-file and --password-file")
    beginning = Beginning(
        homeserver=homeserver,
        server_name=server_name,
        user=user,
        database=database,
        practice=practice_settings(
            name=practice_name, line=practice_line, country=country, language=language, timezone=timezone
        ),
        credentials=Credentials(
            registration_secret=_secret(registration_secret_file),
            access_token=_secret(access_token_file),
            password=_secret(password_file),
        ),
    )
    perform(data_dir, _init(data_dir, beginning, as_json=as_json))


async def _init(data_dir: Path, beginning: Beginning, *, as_json: bool) -> None:
    async with initialised(data_dir, beginning) as enrolled:
        _show(enrolled, as_json=as_json)


def _show(enrolled: Enrolled, *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "user": enrolled.user_id,
                "device": enrolled.device_id,
                "fingerprint": enrolled.fingerprint,
                "recovery_key": enrolled.recovery_key,
                "other_devices": list(enrolled.other_devices),
            }
        )
        return
    show(f"The bot is {enrolled.user_id} on device {enrolled.device_id}.")
    show(f"Its fingerprint is {fingerprint_groups(enrolled.fingerprint)}")
    if enrolled.recovery_key is not None:
        show(f"\n{RECOVERY}\n\n    {enrolled.recovery_key}\n")
    if enrolled.other_devices:
        say(
            f"The account has other devices ({', '.join(enrolled.other_devices)}). Log them out: "
            "while they exist the bot sends nothing."
        )


def _secret(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    if not text:
        raise ConfigurationError(f"{path} is empty.")
    return text
