"""What prompt files owe each other: translations ask the same, and no word starts two things."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.core.command_forms import Grammar, command_form
from bot.core.commands import Command, parse_command
from bot.core.document import Document, Mistake
from bot.core.prompts import ChoiceStep, NumberStep, Prompt, ScaleStep, Step, TimeStep


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptFile:
    """A prompt, and the file that it was read from."""

    prompt: Prompt
    document: Document
    own: bool = False  # of the practice: where two files differ, the mistake is looked for in this one


def translation_mistakes(translations: Iterable[PromptFile]) -> Iterator[Mistake]:
    """Yield where the files of one prompt differ in what does not depend on the language.

    All are held to one of them: the first that came with Interlude, or else simply the first.
    """
    reference, *others = sorted(translations, key=lambda file: file.own)
    for file in others:
        yield from _differences(reference, file)


def start_mistakes(files: Iterable[PromptFile], grammar: Grammar) -> Iterator[Mistake]:
    """Yield the `starts` of one language that are a command, or start another prompt too."""
    taken: dict[str, str] = {}
    for file in sorted(files, key=lambda file: (file.own, file.prompt.id)):
        for place, start in enumerate(file.prompt.starts):
            form = command_form(start)
            other = taken.setdefault(form, file.prompt.id)
            command = parse_command(start, grammar)
            if isinstance(command, Command):
                text = f"{start!r} is a command already ({command.name}); choose other words"
                yield file.document.mistake(("starts", place), text)
            elif other != file.prompt.id:
                text = f"{start!r} starts {other} already; choose other words"
                yield file.document.mistake(("starts", place), text)


def _differences(reference: PromptFile, file: PromptFile) -> Iterator[Mistake]:
    mine, theirs, source = file.prompt, reference.prompt, reference.document.source
    if mine.version != theirs.version:
        text = f"is {mine.version}, in {source} it is {theirs.version}; give both the same version"
        yield file.document.mistake(("version",), text)
    for place, (step, other) in enumerate(zip(mine.steps, theirs.steps, strict=False)):
        if step.id != other.id:
            text = f"is {step.id}, in {source} this step is {other.id}; keep ids and order the same"
            yield file.document.mistake(("steps", place, "id"), text)
            return
        own, held = _meaning(step), _meaning(other)
        for name in sorted(own.keys() | held.keys()):
            if own.get(name) != held.get(name):
                what = f"`{name}` differs from {source}; keep what is not language the same"
                yield file.document.mistake(("steps", place, name), what)
    if len(mine.steps) != len(theirs.steps):
        text = f"are {len(mine.steps)}, in {source} they are {len(theirs.steps)}; add or remove the others"
        yield file.document.mistake(("steps",), text)


def _meaning(step: Step) -> dict[str, object]:
    """Return what a step means in every language, by field."""
    meaning: dict[str, object] = {"kind": step.kind, "optional": step.optional, "when": step.when}
    match step:
        case ScaleStep():
            meaning |= {"scale": step.scale, "of": step.of}
        case ChoiceStep():
            meaning |= {"options": [option.id for option in step.options]}
        case NumberStep():
            meaning |= {"low": step.low, "high": step.high}
        case TimeStep():
            meaning |= {"within": step.within}
        case _:
            pass
    return meaning
