"""`interlude doctor`: what is wrong, and what to do about it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.text import Text

from bot.cli.frame import DATA, AsJson, DataDir, perform, show_json
from bot.config import LOOPBACK, Settings, load
from bot.core.crisis import is_stale
from bot.crypto.own_identity import OwnIdentity
from bot.errors import ConfigurationError, InterludeError, PackError, SealingError, StoreRefused
from bot.flows.doctor import Finding, Level, examine_database, examine_server, ok, warn, wrong
from bot.instance import Instance, checked_packs, load_packs, open_instance

STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def doctor(*, data_dir: DataDir = DATA, as_json: AsJson = False) -> None:
    """Say what is wrong, and what to do about it; status 1 when something does not work."""
    findings = perform(data_dir, _examine(data_dir))
    if as_json:
        show_json(
            [{"level": each.level, "topic": each.topic, "text": each.text, "mend": each.mend} for each in findings]
        )
    else:
        console = Console(soft_wrap=True, highlight=False)
        for each in findings:
            console.print(Text.assemble((f"{each.level:<5}", STYLES[each.level]), f"{each.topic}: {each.text}"))
            if each.mend:
                console.print(Text(f"     → {each.mend}"))
    if any(each.level is Level.FAIL for each in findings):
        raise typer.Exit(1)


async def _examine(data_dir: Path) -> list[Finding]:
    try:
        settings = load(data_dir)
    except ConfigurationError as error:
        mend = "Correct the lines named, or make an instance with `interlude init`."
        return [wrong("settings", line, mend) for line in str(error).splitlines()]
    found = [ok("settings", str(data_dir / "interlude.toml")), *_practice(settings), *_files(settings), *_web(settings)]
    try:
        async with open_instance(data_dir) as instance:
            return [*found, *await _opened(instance)]
    except (ConfigurationError, SealingError) as error:
        mend = "Restore the file named, with its permissions; without the master key nothing can be opened."
        return [*found, wrong("vault", str(error), mend)]
    except InterludeError as error:
        return [*found, wrong("database", str(error), "Bring the database back, or make it writable.")]


async def _opened(instance: Instance) -> list[Finding]:
    known = instance.settings.homeserver
    own = OwnIdentity(known.user_id, known.device_id)
    found = [ok("vault", "The master key opens it.")]
    try:
        async with instance.database.transaction() as tx:
            await tx.facts.write("probe", datetime.now(UTC).isoformat())
        found.append(ok("database", "It can be written."))
    except StoreRefused as error:
        return [*found, wrong("database", str(error), "Make room on the disk, or make the file writable.")]
    try:
        async with instance.homeserver() as server:
            found += await examine_server(
                instance.database, server, own, user_id=known.user_id, device_id=known.device_id
            )
    except ConfigurationError as error:
        found.append(wrong("token", str(error), "Run `interlude init` again."))
    found += await examine_database(instance.database, own, at=await instance.now(), machine=datetime.now(UTC))
    running = await instance.is_running()
    stopped = warn("bot", "It is not running.", "`interlude run`")
    return [*found, ok("bot", "It is running.") if running else stopped]


def _practice(settings: Settings) -> list[Finding]:
    try:
        packs = load_packs(settings.prompts_directory)
    except (PackError, ConfigurationError) as error:
        return [wrong("prompts", line, "Correct the line named.") for line in str(error).splitlines()]
    practice = settings.practice
    if practice.language not in packs:
        return [wrong("prompts", f"There is no pack for the language {practice.language}.", "Correct [practice].")]
    pack = packs[practice.language]
    found = [ok("prompts", ", ".join(f"{name}: {len(each.prompts)}" for name, each in sorted(packs.items())))]
    found += _disagreements(settings)
    checks: list[tuple[Callable[[], bool], str, str]] = [
        (
            lambda: is_stale(pack.crisis, at=datetime.now(UTC)),
            f"The crisis numbers were last checked on {pack.crisis.checked}.",
            "Check them against their sources and date crisis.yaml anew.",
        ),
        (
            lambda: practice.country not in pack.crisis.countries,
            f"There are no crisis numbers for {practice.country or 'no country'}.",
            "Set `country` in [practice], or add it to crisis.yaml.",
        ),
        (
            lambda: not practice.line,
            "The practice names no telephone for a crisis.",
            "Set `line` in [practice].",
        ),
    ]
    return [*found, *(warn("crisis", text, mend) for applies, text, mend in checks if applies())]


def _disagreements(settings: Settings) -> list[Finding]:
    """What files owe each other: the bot works without it, and somebody meets a prompt that is not as it should be."""
    try:
        checked_packs(settings.prompts_directory)
    except PackError as error:
        return [warn("prompts", line, "Correct the line named.") for line in str(error).splitlines()]
    return []


def _files(settings: Settings) -> list[Finding]:
    """Who else on this machine may look into the data."""
    return [
        warn("files", f"{path} is open to other users.", f"chmod go-rwx {path}")
        for path in (settings.data_dir, settings.data_dir / "interlude.toml", settings.vault_directory)
        if path.exists() and path.stat().st_mode & 0o077
    ]


def _web(settings: Settings) -> list[Finding]:
    found = []
    if settings.web.port and settings.web.host not in LOOPBACK:
        text = f"Health and metrics are served on {settings.web.host}, not on loopback alone."
        found.append(warn("web", text, "They name nobody; still, set `host` in [web] to 127.0.0.1 if you can."))
    url = urlsplit(settings.homeserver.url)
    if url.scheme == "http" and not settings.homeserver.on_loopback:
        text = "The homeserver is reached over http: the access token can be read on the way."
        found.append(warn("homeserver", text, "Use an https address."))
    return found
