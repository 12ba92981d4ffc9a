"""The command line from outside: help, exit statuses, one line per error."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from bot.cli import schemas
from bot.cli.app import app
from bot.demo.homeserver import free_port
from tests.cli.interlude import ended, interlude, interlude_now, start

PACK = Path(__file__).parent.parent.parent / "prompts"


def commands() -> Iterator[tuple[str, ...]]:
    """Every command and group."""
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        yield (name,)
        for below in getattr(command, "commands", {}):
            yield name, below


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    """--help explains every command and every option, with status 0."""
    shown = interlude_now(*words, "--help")
    assert shown.status == 0
    assert f"interlude {' '.join(words)}" in shown.stdout or "Usage:" in shown.stdout


def test_the_commands_of_the_design_are_there() -> None:
    """Nothing that the design names is missing."""
    known = {" ".join(words) for words in commands()}
    assert known >= {
        *("init", "run", "demo", "trust", "doctor", "schemas"),
        *("pair add", "pair list", "pair show", "pair set", "pair pause", "pair resume", "pair end"),
        *("session add", "session list", "session move", "session cancel"),
        *("goal add", "goal list", "prompts check", "prompts list", "prompts send"),
        *("schedule add", "schedule list", "schedule remove", "schedule preview"),
    }


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["pair", "add"],
        ["pair", "add", "--client"],
        ["schemas"],
        ["goal", "add", "--pair", "1", "--title", "Walk", "--timeout", "soon"],
        ["init", "--password-file", "a", "--access-token-file", "b"],
    ],
)
def test_wrong_usage_is_status_2(words: list[str]) -> None:
    """Who types a command wrongly is told what is wrong with it."""
    shown = interlude_now(*words)
    assert shown.status == 2
    assert "Error" in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["pair", "list"],
        ["pair", "show", "1"],
        ["goal", "list", "--pair", "1"],
        ["schedule", "list"],
        ["prompts", "send", "--pair", "1", "--prompt", "mood"],
        ["trust", "@a:localhost", "--fingerprint", "A" * 43],
    ],
)
def test_a_missing_instance_is_one_line_and_status_1(words: list[str], tmp_path: Path) -> None:
    """Every command that needs an instance says that there is none, and makes nothing."""
    shown = interlude_now(*words, "--data-dir", tmp_path / "nowhere")
    assert shown.status == 1
    assert shown.stdout == ""
    assert len(shown.stderr.splitlines()) == 1
    assert "There is no instance in" in shown.stderr
    assert not (tmp_path / "nowhere").exists()


async def test_statuses_reach_the_shell(tmp_path: Path) -> None:
    """As a process the command ends with 0, 1 and 2."""
    outcomes = [
        await ended(await start(*words))
        for words in (["--help"], ["pair", "list", "--data-dir", tmp_path / "nowhere"], ["nonsense"])
    ]
    assert [outcome.status for outcome in outcomes] == [0, 1, 2]
    assert "Traceback" not in "".join(outcome.stderr for outcome in outcomes)


async def test_an_unexpected_error_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug ends in one line as well; its place stands in the log."""

    def broken(_: Path) -> list[str]:
        raise RuntimeError("secret words")

    monkeypatch.setattr(schemas, "check_schemas", broken)
    shown = await interlude("schemas", "--check")
    assert shown.status == 1
    assert shown.stderr == "interlude: Something unexpected went wrong (RuntimeError); the details are in the log.\n"


async def test_an_unreachable_homeserver_leaves_nothing(tmp_path: Path) -> None:
    """A wrong address is noticed before anything is written."""
    url = f"http://127.0.0.1:{free_port()}"
    shown = await interlude("init", "--homeserver", url, "--server-name", "hs", "--data-dir", tmp_path / "data")
    assert (shown.status, len(shown.stderr.splitlines())) == (1, 1)
    assert "cannot be reached" in shown.stderr
    assert not (tmp_path / "data").exists()


def test_a_new_instance_needs_a_homeserver(tmp_path: Path) -> None:
    """Init without knowing where says what it needs."""
    shown = interlude_now("init", "--data-dir", tmp_path / "data")
    assert shown.status == 1
    assert "--homeserver and --server-name" in shown.stderr


def test_the_shipped_prompts_have_no_mistakes() -> None:
    """What is shipped passes its own check, as folder and by default."""
    assert interlude_now("prompts", "check", PACK).stdout == interlude_now("prompts", "check").stdout
    listed = interlude_now("prompts", "list", "--json").data
    assert {"evening-reflection", "mood", "goal-checkin"} <= {prompt["id"] for prompt in listed}


def test_a_mistake_in_a_pack_is_named_with_its_line(tmp_path: Path) -> None:
    """Status 1, and file, line, column and field on stderr."""
    for path in [*PACK.glob("en/*.yaml"), PACK / "crisis.yaml"]:
        copy = tmp_path / path.relative_to(PACK)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text())
    mood = tmp_path / "en" / "mood.yaml"
    mood.write_text(mood.read_text().replace("title:", "titel:"))
    line = next(number for number, text in enumerate(mood.read_text().splitlines(), 1) if text.startswith("titel:"))
    shown = interlude_now("prompts", "check", tmp_path)
    assert shown.status == 1
    assert f"mood.yaml:{line}:1: titel: is not a known field" in shown.stderr


def test_the_schemas_agree_with_the_code() -> None:
    """`interlude schemas --check` passes on what is in the repository."""
    shown = interlude_now("schemas", "--check")
    assert (shown.status, shown.stderr) == (0, "")
