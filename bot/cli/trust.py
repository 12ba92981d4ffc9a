"""`interlude trust`: a person has a new identity, and it is really theirs."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.frame import DATA, PATIENCE, AsJson, DataDir, Timeout, Wait, perform
from bot.cli.requests import finish, leave, short_of
from bot.errors import InterludeError
from bot.flows.asking import IntentKind
from bot.instance import open_instance


def trust(
    *,
    user: Annotated[str, typer.Argument(metavar="@USER:SERVER", help="Whose new identity it is.")],
    fingerprint: Annotated[str, typer.Option(metavar="F", help="As the person reads it out from Element's settings.")],
    data_dir: DataDir = DATA,
    wait: Wait = False,
    timeout: Timeout = PATIENCE,
    as_json: AsJson = False,
) -> None:
    """Confirm a person's new identity by its fingerprint, so that messages reach them again."""
    perform(data_dir, _trust(data_dir, user, fingerprint, wait=wait, timeout=timeout, as_json=as_json))


async def _trust(data_dir: Path, user: str, fingerprint: str, *, wait: bool, timeout: float, as_json: bool) -> None:
    payload = {"user": user, "fingerprint": short_of(fingerprint)}
    async with open_instance(data_dir) as instance:
        async with instance.database.transaction() as tx:
            if not await tx.pairs.of_person(user):
                raise InterludeError(f"{user} stands in no pair; `interlude pair list` names everybody.")
            intent = await leave(tx, IntentKind.TRUST, payload)
        await finish(
            instance, intent, wait=wait, timeout=timeout, as_json=as_json, done=f"{user} is trusted under this key."
        )
