"""Prompt packs on disk: a folder per language with `bot.yaml` and one file per prompt; `crisis.yaml` beside them.

A practice's own folder lies over the packs that come with Interlude: its prompts replace theirs one by one, its
sentences in `bot.yaml` and its countries in `crisis.yaml` theirs; what it does not have stays as it was.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from bot.core.crisis import CrisisTable
from bot.core.document import MAX_BYTES, Document, Mark, Mistake, decode, overlay, pack_error, read_document, validate
from bot.core.pack import Pack
from bot.core.prompts import Prompt
from bot.core.translations import PromptFile, start_mistakes, translation_mistakes
from bot.core.wording import Wording
from bot.errors import PackError

WORDING_FILE = "bot.yaml"
CRISIS_FILE = "crisis.yaml"
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")
MAX_FILES = 200  # of one language; more prompts nobody can choose from

M = TypeVar("M", bound=BaseModel)


@dataclass(kw_only=True, slots=True)
class _Found:
    """What was read so far."""

    mistakes: list[str] = field(default_factory=list)  # of single files
    files: dict[str, dict[str, PromptFile]] = field(default_factory=dict)  # language -> prompt id -> file
    wordings: dict[str, Wording] = field(default_factory=dict)
    crisis: CrisisTable | None = None

    def keep(self, act: Callable[[], M]) -> M | None:
        """Return what `act` returns; keep its mistakes when it raises PackError."""
        try:
            return act()
        except PackError as error:
            self.mistakes += str(error).splitlines()
            return None


def read_packs(directory: Path, *, own: Path | None = None) -> Mapping[str, Pack]:
    """Read every language of `directory`, by its name, with the practice's `own` folder over it.

    Raises PackError that lists every mistake of every file. What files owe each other is left to `check_packs`: a bot
    has to start also when a new version of Interlude brings other prompts than those that a practice has translated.
    """
    layers = _layers(directory, own)
    found = _read(layers)
    if found.mistakes:
        raise PackError("\n".join(dict.fromkeys(found.mistakes)))
    return _packs(found)


def check_packs(directory: Path, *, own: Path | None = None) -> Mapping[str, Pack]:
    """Read the packs and hold the files to each other: translations, and words that start a prompt.

    Raises PackError that lists every mistake, with the file that it is in.
    """
    layers = _layers(directory, own)
    found = _read(layers)
    disagreements = list(_disagreements(layers, found))
    if disagreements:
        found.mistakes += str(pack_error(disagreements)).splitlines()
    if found.mistakes:
        raise PackError("\n".join(dict.fromkeys(found.mistakes)))
    return _packs(found)


def is_complete(directory: Path) -> bool:
    """Tell whether a folder holds packs that need nothing from others."""
    languages = list(_languages(directory))
    return (
        (directory / CRISIS_FILE).exists()
        and bool(languages)
        and all((directory / language / WORDING_FILE).exists() for language in languages)
    )


def read_pack(directory: Path) -> Pack:
    """Read `prompts/<language>`, and the crisis numbers beside it.

    Raises PackError that lists every mistake of every file with its line.
    """
    if not directory.is_dir():
        raise PackError(f"{directory}: there is no such prompt pack; make the folder, or name another language")
    found = _Found()
    _read_language((directory.parent,), directory.name, found)
    found.crisis = found.keep(lambda: read_crisis_table(directory.parent))
    if found.mistakes:
        raise PackError("\n".join(found.mistakes))
    return _packs(found)[directory.name]


def read_crisis_table(*layers: Path) -> CrisisTable:
    """Read `crisis.yaml` of folders that hold languages, the later ones over the first; raises PackError."""
    return validate(CrisisTable, _merged([layer / CRISIS_FILE for layer in layers]))


def _layers(directory: Path, own: Path | None) -> tuple[Path, ...]:
    return (directory,) if own is None or own.resolve() == directory.resolve() else (directory, own)


def _read(layers: Sequence[Path]) -> _Found:
    found = _Found()
    for layer in layers:
        found.mistakes += [str(mistake) for mistake in _strays(layer)]
    for language in sorted({name for layer in layers for name in _languages(layer)}):
        _read_language(layers, language, found)
    found.crisis = found.keep(lambda: read_crisis_table(*layers))
    return found


def _read_language(layers: Sequence[Path], language: str, found: _Found) -> None:
    folders = [layer / language for layer in layers if (layer / language).is_dir()]
    paths = [folder / WORDING_FILE for folder in folders]
    wording = found.keep(lambda: validate(Wording, _merged(paths)))
    if wording is not None:
        found.wordings[language] = wording
    found.files[language] = {}
    chosen = {path.name: path for folder in folders for path in sorted(folder.glob("*.yaml"))}
    chosen.pop(WORDING_FILE, None)
    if len(chosen) > MAX_FILES:
        found.mistakes.append(str(_at(folders[-1], f"holds more than {MAX_FILES} prompts; take some out")))
        return
    for path in sorted(chosen.values()):
        try:
            document = _document(path)
            prompt = validate(Prompt, document)
            if path.stem != prompt.id:  # one name for a prompt in the folder, in schedules and in records
                text = f"is {prompt.id}, the file is {path.name}; call it {prompt.id}.yaml"
                raise pack_error([document.mistake(("id",), text)])
        except PackError as error:
            found.mistakes += str(error).splitlines()
        else:
            own = len(layers) > 1 and path.parent.parent == layers[-1]
            found.files[language][prompt.id] = PromptFile(prompt=prompt, document=document, own=own)


def _packs(found: _Found) -> Mapping[str, Pack]:
    crisis = found.crisis
    if crisis is None:
        raise PackError("There are no crisis numbers.")
    return {
        language: Pack(
            language=language,
            wording=wording,
            prompts={file.prompt.id: file.prompt for file in found.files[language].values()},
            crisis=crisis,
        )
        for language, wording in found.wordings.items()
    }


def _disagreements(layers: Sequence[Path], found: _Found) -> Iterator[Mistake]:
    yield from _missing(layers, sorted(found.files))
    ids = sorted({prompt_id for files in found.files.values() for prompt_id in files})
    for prompt_id in ids:
        # English first: it is what the others are usually translated from.
        languages = sorted(found.files, key=lambda language: (language != "en", language))
        yield from translation_mistakes(
            found.files[language][prompt_id] for language in languages if prompt_id in found.files[language]
        )
    for language, wording in found.wordings.items():
        yield from start_mistakes(found.files[language].values(), wording.grammar)


def _missing(layers: Sequence[Path], languages: Sequence[str]) -> Iterator[Mistake]:
    """Yield the translations that are not there, at the place where they belong.

    What comes with Interlude is needed in every language; a practice's own prompt in those that it has a folder for.
    """
    for layer in layers:
        theirs = sorted(_languages(layer))
        needed = languages if layer is layers[0] else theirs
        written = {language: _names(layer / language) for language in theirs}
        for name in sorted(set().union(*written.values())):
            source = next(layer / language / name for language in theirs if name in written[language])
            for language in needed:
                if not any((each / language / name).exists() for each in layers):
                    home = layer if language in theirs else layers[-1]
                    yield _at(home / language / name, f"is missing; translate {source} there")


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.yaml")} - {WORDING_FILE}


def _languages(directory: Path) -> Iterator[str]:
    return (path.name for path in directory.iterdir() if path.is_dir() and LANGUAGE.fullmatch(path.name))


def _strays(directory: Path) -> Iterator[Mistake]:
    """Yield what somebody has put into a folder and nobody would read."""
    entries = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    if not any(path.is_dir() or path.name == CRISIS_FILE for path in entries):
        yield _at(
            directory, "holds no language; name the folder above the languages, for example prompts and not prompts/en"
        )
    for path in entries:
        if path.is_dir() and not LANGUAGE.fullmatch(path.name):
            yield _at(path, "is no language; call the folder by its code, for example de")
        elif path.is_dir():
            yield from (_at(file, f"is not read; call it {file.stem}.yaml") for file in sorted(path.glob("*.yml")))
        elif path.suffix in (".yaml", ".yml") and path.name != CRISIS_FILE:
            yield _at(path, "is not read in this place; put it into the folder of its language, as .yaml")


def _merged(paths: Iterable[Path]) -> Document:
    """Read the files that are there, each over the ones before it; raises PackError when there is none."""
    known = list(paths)
    merged: Document | None = None
    for path in known:
        if path.exists():
            document = _document(path)
            merged = document if merged is None else overlay(merged, document)
    if merged is None:
        raise pack_error([_at(known[0], "is missing; add it")])
    return merged


def _document(path: Path) -> Document:
    try:
        if not path.is_file():
            raise pack_error([_at(path, "is no plain file; put a text file there")])
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # one byte more than is allowed is enough to be refused as too large
    except OSError as error:
        raise pack_error([_at(path, f"cannot be read ({error.strerror}); check its permissions")]) from None
    return read_document(decode(data, source=str(path)), source=str(path))


def _at(path: Path, text: str) -> Mistake:
    what, _, advice = text.partition("; ")
    return Mistake(mark=Mark(str(path), 1, 1), field="file", what=what, advice=advice)
