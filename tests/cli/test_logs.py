"""Logs: JSON lines with ids and actions, private files, and no foreign words in them."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.errors import PairError
from bot.logs import set_up_logs

SECRET = "I could not sleep again"


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory that is logged to, and none afterwards."""
    set_up_logs(tmp_path, to_stderr=False)
    yield tmp_path
    set_up_logs(None, to_stderr=False)


def lines(data_dir: Path) -> list[dict[str, Any]]:
    """What was logged."""
    text = (data_dir / "logs" / "interlude.log").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_is_json_with_its_action(data_dir: Path) -> None:
    """Each line has its event, its fields, its level and its time."""
    structlog.get_logger().info("prompt.posted", pair="p1")
    [line] = lines(data_dir)
    assert (line["event"], line["pair"], line["level"]) == ("prompt.posted", "p1", "info")
    assert line["timestamp"].endswith("Z")


def test_the_file_is_private(data_dir: Path) -> None:
    """Nobody else on the machine reads the log."""
    assert (data_dir / "logs").stat().st_mode & 0o777 == 0o700
    assert (data_dir / "logs" / "interlude.log").stat().st_mode & 0o777 == 0o600


def test_an_exception_is_logged_without_its_words(data_dir: Path) -> None:
    """Foreign messages quote values; only the type and the places in the code are kept."""
    try:
        int(SECRET)
    except ValueError:
        structlog.get_logger().exception("handler.failed")
    [line] = lines(data_dir)
    assert line["error"] == "ValueError"
    assert any(place.startswith("test_logs.py:") for place in line["trace"])
    assert SECRET not in json.dumps(line)


def test_our_own_errors_keep_their_sentence(data_dir: Path) -> None:
    """Ours say what happened, and name nobody's words."""
    structlog.get_logger().error("request.failed", exc_info=PairError("This pair has ended."))
    assert lines(data_dir)[0]["error"] == "PairError: This pair has ended."


def test_other_libraries_pass_from_warnings_up(data_dir: Path) -> None:
    """The stdlib's loggers end in the same file, without the values in their sentences."""
    logging.getLogger("nio.client").info("quiet %s", SECRET)
    logging.getLogger("nio.client").warning("loud %s", SECRET)
    [line] = lines(data_dir)
    assert (line["event"], line["logger"]) == ("loud %s", "nio.client")
    assert SECRET not in json.dumps(line)


def test_without_a_directory_nothing_is_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A command on a directory that does not exist leaves no trace, and prints no log."""
    set_up_logs(tmp_path / "nowhere", to_stderr=False)
    structlog.get_logger().error("anything")
    assert not (tmp_path / "nowhere").exists()
    assert capfd.readouterr() == ("", "")
