"""Prompts on disk and in the running bot: checked, laid over the shipped ones, swapped as a whole."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.homeserver import LocalHomeserver
from bot.errors import InterludeError
from bot.flows.asking import IntentKind, ask, follow
from bot.instance import open_instance
from tests.cli.interlude import interlude, interlude_now
from tests.cli.test_run import running
from tests.conftest import Account
from tests.core.english import PROMPTS
from tests.core.test_prompts import EVERY_KIND


def configured(data_dir: Path) -> Path:
    """Give an instance a folder of its own prompts."""
    settings = data_dir / "interlude.toml"
    settings.write_text(settings.read_text().replace('# prompts = "prompts"', 'prompts = "prompts"'))
    (data_dir / "prompts" / "en").mkdir(parents=True)
    return data_dir / "prompts"


def test_a_folder_is_checked_over_the_shipped_packs(tmp_path: Path) -> None:
    """One file of a practice is enough; its mistakes stand in it."""
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "day.yaml").write_text(EVERY_KIND)
    shown = interlude_now("prompts", "check", tmp_path)
    counts = {line.split()[0]: int(line.split()[1]) for line in shown.stdout.splitlines()}
    assert counts["en:"] == counts["de:"] + 1
    (tmp_path / "en" / "day.yaml").write_text(EVERY_KIND.replace("equals: low", "equals: sad"))
    shown = interlude_now("prompts", "check", tmp_path)
    assert shown.status == 1
    assert shown.stderr == (
        f"interlude: {tmp_path}/en/day.yaml:18:24: steps[2].when.equals: 'sad' is no answer of 'mood'; "
        "write one of low, good\n"
    )


def test_a_whole_folder_is_checked_by_itself(tmp_path: Path) -> None:
    """What a complete folder lacks is not filled from the shipped packs."""
    shutil.copytree(PROMPTS, tmp_path / "all")
    for language in ("en", "de"):
        (tmp_path / "all" / language / "sleep.yaml").unlink()
    shipped, shown = interlude_now("prompts", "check"), interlude_now("prompts", "check", tmp_path / "all")
    assert (shipped.status, shown.status) == (0, 0)
    assert shown.stdout != shipped.stdout
    (tmp_path / "all" / "de" / "mood.yaml").unlink()
    shown = interlude_now("prompts", "check", tmp_path / "all")
    assert shown.status == 1
    assert f"{tmp_path}/all/de/mood.yaml:1:1: file: is missing; translate" in shown.stderr


async def test_without_a_running_bot_they_are_checked(copy: Path) -> None:
    """Nothing waits to be done: a bot reads them when it starts."""
    own = configured(copy)
    (own / "en" / "day.yaml").write_text(EVERY_KIND)
    shown = await interlude("prompts", "reload", "--json", "--data-dir", copy)
    assert (shown.status, shown.data["prompts"]["en"]) == (0, shown.data["prompts"]["de"] + 1)
    assert "it reads them when it starts" in (await interlude("prompts", "reload", "--data-dir", copy)).stderr
    (own / "en" / "day.yaml").write_text("id: day\n")
    shown = await interlude("prompts", "reload", "--data-dir", copy)
    assert (shown.status, f"{own}/en/day.yaml:1:1: version: is missing; add it" in shown.stderr) == (1, True)
    async with open_instance(copy) as instance, instance.database.transaction() as tx:
        assert await tx.intents.queued() == ()


@pytest_asyncio.fixture
async def pair(fresh: Path, account: Account) -> Path:
    """An instance with a pair that waits for its bot."""
    client, therapist = (await account("alex"))[0], (await account("lee"))[0]
    added = await interlude(
        *("pair", "add", "--client", client, "--therapist", therapist, "--yes", "--data-dir", fresh)
    )
    assert added.status == 0, added.stderr
    return fresh


async def known(data_dir: Path, prompt: str) -> bool:
    """Tell whether the running bot knows a prompt: it refuses it for the client who has not joined, or as unknown."""
    async with open_instance(data_dir) as instance:
        async with instance.database.transaction() as tx:
            [found] = await tx.pairs.every()
            payload = {"pair_id": found.pair_id, "prompt_id": prompt}
            left = await ask(tx, IntentKind.PROMPT_SEND, payload, at=datetime.now(UTC))
        with pytest.raises(InterludeError) as caught:
            await follow(instance.database, left, timeout=30)
    assert "There is no prompt" in str(caught.value) or "not joined" in str(caught.value)
    return "not joined" in str(caught.value)


async def test_the_running_bot_takes_new_prompts(pair: Path, homeserver: LocalHomeserver) -> None:
    """It uses them from then on; with a mistake it keeps the old ones, and the command names file and line."""
    own = configured(pair)
    day = own / "en" / "day.yaml"
    async with running(pair):
        assert not await known(pair, "day")
        day.write_text(EVERY_KIND)
        shown = await interlude("prompts", "reload", "--data-dir", pair)
        assert (shown.status, shown.stderr) == (0, "The bot uses them from now on.\n")
        assert await known(pair, "day")
        day.write_text(EVERY_KIND.replace("version: 1", "version: one"))
        (own / "en" / "mood.yaml").write_text("id: mood\n")
        shown = await interlude("prompts", "reload", "--data-dir", pair)
        assert shown.status == 1
        assert f"{day}:2:1: version: 'one' is no whole number; write digits only" in shown.stderr
        assert f"{own}/en/mood.yaml:1:1: version: is missing; add it" in shown.stderr
        assert await known(pair, "day")
        assert await known(pair, "mood")


async def test_a_prompt_that_a_schedule_asks_cannot_be_taken_away(pair: Path) -> None:
    """Somebody waits for it: the command says whose schedule is to be removed first."""
    day = configured(pair) / "en" / "day.yaml"
    day.write_text(EVERY_KIND)
    added = await interlude(
        *("schedule", "add", "--pair", "1", "--prompt", "day", "--rule", "daily 20:00", "--data-dir", pair)
    )
    assert added.status == 0, added.stderr
    async with running(pair):
        day.unlink()
        shown = await interlude("prompts", "reload", "--data-dir", pair)
        assert shown.status == 1
        assert "en/day.yaml:1:1: file: is gone, and pair 1 has a schedule that asks it" in shown.stderr
        assert await known(pair, "day")
        removed = await interlude("schedule", "remove", "1", "--pair", "1", "--data-dir", pair)
        assert removed.status == 0, removed.stderr
        assert (await interlude("prompts", "reload", "--data-dir", pair)).status == 0
        assert not await known(pair, "day")


async def test_a_bot_starts_beside_translations_that_differ(fresh: Path) -> None:
    """Each file is right in itself, so people are not left alone; the check and the doctor name the difference."""
    own = configured(fresh)
    text = (PROMPTS / "en" / "sleep.yaml").read_text(encoding="utf-8")
    (own / "en" / "sleep.yaml").write_text(text.replace("version: 1", "version: 7"))
    async with running(fresh):
        pass
    assert (await interlude("prompts", "check", "--data-dir", fresh)).status == 1
    findings = (await interlude("doctor", "--json", "--data-dir", fresh)).data
    assert any("sleep.yaml" in str(finding) and "is 7, in" in str(finding) for finding in findings)
