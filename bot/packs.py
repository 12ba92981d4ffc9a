"""Prompt packs on disk: a folder per language with `bot.yaml` and one file per prompt; `crisis.yaml` beside them."""

from collections.abc import Mapping
from pathlib import Path

from bot.core.crisis import CrisisTable, parse_crisis_table
from bot.core.document import MAX_BYTES
from bot.core.pack import Pack
from bot.core.prompts import Prompt, parse_prompt
from bot.core.wording import Wording, parse_wording
from bot.errors import PackError

WORDING_FILE = "bot.yaml"
CRISIS_FILE = "crisis.yaml"


def read_pack(directory: Path) -> Pack:
    """Read `prompts/<language>`, and the crisis numbers beside it.

    Raises PackError that lists every mistake of every file with its line.
    """
    mistakes: list[str] = []
    prompts: dict[str, Prompt] = {}
    wording: Wording | None = None
    if not directory.is_dir():
        raise PackError(f"{directory}: there is no such prompt pack; make the folder, or name another language")
    for path in sorted({*directory.glob("*.yaml"), directory / WORDING_FILE}):
        try:
            if path.name == WORDING_FILE:
                wording = parse_wording(_read(path), source=str(path))
            else:
                prompt = parse_prompt(_read(path), source=str(path))
                _check_name(path, prompt)
                prompts[prompt.id] = prompt
        except PackError as error:
            mistakes.append(str(error))
    try:
        crisis = read_crisis_table(directory.parent)
    except PackError as error:
        mistakes.append(str(error))
    if mistakes or wording is None:
        raise PackError("\n".join(mistakes))
    return Pack(language=directory.name, wording=wording, prompts=prompts, crisis=crisis)


def read_packs(directory: Path) -> Mapping[str, Pack]:
    """Read every language below `directory`, by its name; raises PackError that lists every mistake of all of them."""
    packs: dict[str, Pack] = {}
    mistakes: list[str] = []
    for folder in sorted(path for path in directory.iterdir() if path.is_dir()):
        try:
            packs[folder.name] = read_pack(folder)
        except PackError as error:
            mistakes += str(error).splitlines()
    if mistakes:
        raise PackError("\n".join(dict.fromkeys(mistakes)))  # those of crisis.yaml once
    return packs


def read_crisis_table(directory: Path) -> CrisisTable:
    """Read `crisis.yaml` of the folder that holds the languages; raises PackError."""
    path = directory / CRISIS_FILE
    return parse_crisis_table(_read(path), source=str(path))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            # One byte more than is allowed is enough to be refused as too large.
            return file.read(MAX_BYTES + 1).decode("utf-8-sig")
    except FileNotFoundError:
        raise PackError(f"{path}:1:1: file: is missing; add it") from None
    except UnicodeDecodeError as error:
        if error.end > MAX_BYTES:  # cut in the middle of a character
            raise PackError(f"{path}:1:1: file: larger than {MAX_BYTES // 1000} kB; shorten it") from None
        raise PackError(f"{path}:1:1: file: is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise PackError(f"{path}:1:1: file: cannot be read ({error.strerror}); check its permissions") from None


def _check_name(path: Path, prompt: Prompt) -> None:
    # One name for a prompt in the folder, in schedules and in records; two files cannot share an id either.
    if path.stem != prompt.id:
        raise PackError(f"{path}:1:1: id: is {prompt.id}, the file is {path.name}; call it {prompt.id}.yaml")
