"""Prompt packs as folders."""

import shutil
from pathlib import Path

import pytest

from bot.errors import PackError
from bot.packs import read_pack, read_packs
from tests.core.english import PROMPTS


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A copy of the shipped packs to break."""
    return Path(shutil.copytree(PROMPTS, tmp_path / "prompts"))


def test_the_shipped_pack() -> None:
    """English has its prompts, and the check-in asks about a goal."""
    pack = read_packs(PROMPTS)["en"]
    assert {"evening-reflection", "mood", "goal-checkin"} < set(pack.prompts)
    assert pack.prompts["goal-checkin"].of_goal
    assert "DE" in pack.crisis.countries


def test_all_files_are_checked_in_one_run(prompts: Path) -> None:
    """Mistakes of several files come together, each with its file and line."""
    (prompts / "en" / "mood.yaml").write_text("id: mood\n")
    (prompts / "en" / "other.yaml").write_bytes(b"\xff\xfe")
    (prompts / "en" / "large.yaml").write_text("ü" * 40_000)
    (prompts / "en" / "bot.yaml").unlink()
    (prompts / "en" / "renamed.yaml").write_text((prompts / "en" / "evening-reflection.yaml").read_text())
    (prompts / "crisis.yaml").unlink()
    with pytest.raises(PackError) as caught:
        read_packs(prompts)
    lines = str(caught.value)
    for expected in (
        "bot.yaml:1:1: file: is missing",
        "mood.yaml:1:1: version: is missing",
        "other.yaml:1:1: file: is not UTF-8",
        "large.yaml:1:1: file: larger than 64 kB",
        "renamed.yaml:1:1: id: is evening-reflection",
        "crisis.yaml:1:1: file: is missing",
    ):
        assert expected in lines


def test_an_unknown_language_is_told() -> None:
    """A folder that is not there is named, with what to do."""
    with pytest.raises(PackError, match="there is no such prompt pack"):
        read_pack(PROMPTS / "tlh")


def test_a_byte_order_mark_is_no_mistake(prompts: Path) -> None:
    """Some editors begin a file with a mark; it changes nothing."""
    path = prompts / "en" / "mood.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_pack(prompts / "en").prompts["mood"].title == "Mood and energy"
