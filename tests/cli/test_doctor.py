"""`interlude doctor` on instances that somebody broke: it names what is wrong and how to mend it."""

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.crypto.vault import create_master_key
from bot.demo.homeserver import free_port
from bot.instance import open_instance
from tests.cli.interlude import interlude
from tests.conftest import Account, LogIn


async def examine(data_dir: Path) -> tuple[int, dict[str, list[tuple[str, str, str]]]]:
    """The status, and the findings by level as (topic, text, mend)."""
    shown = await interlude("doctor", "--json", "--data-dir", data_dir)
    levels: dict[str, list[tuple[str, str, str]]] = {"ok": [], "warn": [], "fail": []}
    for finding in shown.data:
        levels[finding["level"]].append((finding["topic"], finding["text"], finding["mend"]))
    return shown.status, levels


async def failure(data_dir: Path) -> tuple[str, str, str]:
    """The one thing that does not work."""
    status, levels = await examine(data_dir)
    assert status == 1
    [found] = levels["fail"]
    assert found[2], "every failure says what to do"
    return found


def edit(data_dir: Path, old: str, new: str) -> None:
    """Change the settings."""
    path = data_dir / "interlude.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


async def test_a_healthy_instance(copy: Path) -> None:
    """Everything works; only the bot does not run."""
    status, levels = await examine(copy)
    assert (status, levels["fail"]) == (0, [])
    assert levels["warn"] == [("bot", "It is not running.", "`interlude run`")]
    topics = {topic for topic, _, _ in levels["ok"]}
    assert topics >= {"settings", "prompts", "vault", "database", "homeserver", "token", "keys", "fingerprint", "clock"}


async def test_for_people_each_finding_is_a_line(copy: Path) -> None:
    """Level, topic, sentence, and the mend below it."""
    shown = await interlude("doctor", "--data-dir", copy)
    assert shown.status == 0
    assert "warn bot: It is not running.\n     → `interlude run`\n" in shown.stdout


async def test_no_instance(tmp_path: Path) -> None:
    """A directory without an instance."""
    topic, _, mend = await failure(tmp_path)
    assert (topic, "interlude init" in mend) == ("settings", True)


async def test_a_wrong_setting(copy: Path) -> None:
    """The line of the mistake."""
    edit(copy, 'timezone = "Europe/London"', 'timezone = "London"')
    topic, text, _ = await failure(copy)
    assert topic == "settings"
    assert "interlude.toml:" in text


async def test_a_homeserver_that_is_away(copy: Path) -> None:
    """What needs no homeserver is examined all the same."""
    _, levels = await examine(copy)
    url = next(line for line in (copy / "interlude.toml").read_text().splitlines() if line.startswith("url"))
    edit(copy, url, f'url = "http://127.0.0.1:{free_port()}"')
    status, away = await examine(copy)
    assert status == 1
    assert [topic for topic, _, _ in away["fail"]] == ["homeserver"]
    assert {"fingerprint", "clock", "outbox"} <= {topic for topic, _, _ in away["ok"]}
    assert levels["fail"] == []


async def test_a_token_that_is_no_longer_known(copy: Path) -> None:
    """The mend is to run init again."""
    async with open_instance(copy) as instance, instance.database.transaction() as tx:
        await tx.facts.write("access_token", "syt_nonsense")
    topic, text, mend = await failure(copy)
    assert topic == "token"
    assert "no longer knows" in text
    assert "interlude init" in mend


async def test_a_missing_master_key(copy: Path) -> None:
    """Without it nothing can be opened, and nothing is made anew."""
    (copy / "master.key").unlink()
    topic, text, _ = await failure(copy)
    assert topic == "vault"
    assert "master key" in text
    assert not (copy / "master.key").exists()


async def test_another_master_key(copy: Path) -> None:
    """A key that opens nothing is told from a missing one."""
    (copy / "master.key").unlink()
    create_master_key(copy / "master.key")
    topic, text, _ = await failure(copy)
    assert topic == "vault"
    assert "another master key" in text


async def test_a_master_key_that_others_may_read(copy: Path) -> None:
    """The command that mends it is named."""
    (copy / "master.key").chmod(0o644)
    topic, text, _ = await failure(copy)
    assert topic == "vault"
    assert "chmod 600" in text


async def test_a_missing_database_is_not_made_anew(copy: Path) -> None:
    """An empty one in its place would look like a bot without people."""
    (copy / "interlude.sqlite").unlink()
    _, text, _ = await failure(copy)
    assert "interlude.sqlite is missing" in text
    assert not (copy / "interlude.sqlite").exists()


async def test_a_database_of_a_newer_version(copy: Path) -> None:
    """This version does not touch it."""
    with sqlite3.connect(copy / "interlude.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    topic, text, _ = await failure(copy)
    assert topic == "database"
    assert "newer" in text


async def test_open_directories(copy: Path) -> None:
    """Who else may look is a warning with the command that mends it."""
    await asyncio.to_thread(copy.chmod, 0o755)
    _, levels = await examine(copy)
    assert ("files", f"{copy} is open to other users.", f"chmod go-rwx {copy}") in levels["warn"]


async def test_a_broken_prompt(copy: Path) -> None:
    """The practice's own pack is examined; its mistakes have lines."""
    (copy / "prompts" / "en").mkdir(parents=True)
    (copy / "prompts" / "crisis.yaml").write_text("checked: soon\n")
    edit(copy, '# prompts = "prompts"', 'prompts = "prompts"')
    topic, text, _ = (await examine(copy))[1]["fail"][0]
    assert topic == "prompts"
    assert "crisis.yaml:1:1: checked" in text


async def test_old_crisis_numbers(copy: Path, tmp_path: Path) -> None:
    """A table that nobody has checked for six months is named with its date; so is a practice without a telephone."""
    source = Path(__file__).parent.parent.parent / "prompts"
    for path in [*source.glob("en/*.yaml"), source / "crisis.yaml"]:
        place = copy / "prompts" / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(path.read_text())
    table = copy / "prompts" / "crisis.yaml"
    lines = ["checked: 2020-01-31" if line.startswith("checked:") else line for line in table.read_text().splitlines()]
    table.write_text("\n".join(lines) + "\n")
    edit(copy, '# prompts = "prompts"', 'prompts = "prompts"')
    edit(copy, 'line = "020 7946 0000"', 'line = ""')
    _, levels = await examine(copy)
    warnings = [text for topic, text, _ in levels["warn"] if topic == "crisis"]
    assert warnings == [
        "The crisis numbers were last checked on 2020-01-31.",
        "The practice names no telephone for a crisis.",
    ]


async def test_a_clock_that_went_back(copy: Path) -> None:
    """The machine's clock is compared with what the bot has seen before."""
    async with open_instance(copy) as instance, instance.database.transaction() as tx:
        await tx.facts.write("clock_high_water", (datetime.now(UTC) + timedelta(hours=3)).isoformat())
    topic, text, _ = await failure(copy)
    assert topic == "clock"
    assert "behind" in text


async def test_an_old_copy(copy: Path) -> None:
    """The homeserver has seen more starts than this database knows of (CRYPTO 18)."""
    async with open_instance(copy) as instance, instance.database.transaction() as tx:
        await tx.facts.write("starts", "0")
    topic, text, _ = await failure(copy)
    assert topic == "database"
    assert "old copy" in text


async def test_pages_for_everybody(copy: Path) -> None:
    """Health and metrics beyond loopback are a warning, unless they are turned off."""
    edit(copy, 'host = "127.0.0.1"', 'host = "0.0.0.0"')
    assert "web" in {topic for topic, _, _ in (await examine(copy))[1]["warn"]}
    edit(copy, "port = 9470", "port = 0")
    assert "web" not in {topic for topic, _, _ in (await examine(copy))[1]["warn"]}


async def test_somebody_is_logged_in_as_the_bot(fresh: Path, log_in: LogIn, account: Account) -> None:
    """Another device on the bot's account stops it, so it is a failure."""
    async with open_instance(fresh) as instance:
        async with instance.database.transaction() as tx:
            password = await tx.facts.read("password")
        user = instance.settings.homeserver.user_id
    assert password is not None
    await log_in(user, password)
    topic, text, mend = await failure(fresh)
    assert topic == "keys"
    assert "other devices" in text
    assert "Log them out" in mend


@pytest.mark.parametrize("command", ["pause", "end"])
async def test_a_pair_is_named(copy: Path, account: Account, command: str) -> None:
    """Each pair has its line, also while a request about it waits."""
    client, therapist = (await account("a"))[0], (await account("b"))[0]
    words = ("--client", client, "--therapist", therapist, "--yes", "--data-dir", copy)
    assert (await interlude("pair", "add", *words)).status == 0
    assert (await interlude("pair", command, "1", "--data-dir", copy)).status == 0
    _, levels = await examine(copy)
    assert next(text for topic, text, _ in levels["ok"] if topic == "pair 1").startswith("provisioning, room")
