"""`prompts/README.md` and the JSON Schema: what they show is what is read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bot.core.conditions import StepTest
from bot.core.crisis import CrisisTable
from bot.core.document import overlay, read_document, validate
from bot.core.prompts import KINDS, Prompt, parse_prompt, prompt_schema
from bot.core.wording import Wording
from bot.resource import resource
from tests.core.english import PROMPTS
from tests.core.test_prompts import CHOICE, EVERY_KIND, TEXT

PAGE = (PROMPTS / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
HEAD = "id: example\nversion: 1\ntitle: Example\nwhy: It shows a step.\n"
FILES = sorted(PROMPTS.glob("*/*.yaml"))
PROMPT_FILES = [path for path in FILES if path.name != "bot.yaml"]


def example(text: str) -> Prompt | None:
    """Read an example as the file that it is, or is a part of."""
    start = text.splitlines()[0]
    if start.startswith("# en/bot.yaml"):
        validate(Wording, overlay(shipped("en/bot.yaml"), read_document(text, source="README.md")))
        return None
    if start.startswith("# crisis.yaml"):
        validate(CrisisTable, overlay(shipped("crisis.yaml"), read_document(text, source="README.md")))
        return None
    return parse_prompt(HEAD + text if start == "steps:" else text, source="README.md")


def shipped(name: str) -> Any:
    """Read a file that comes with Interlude."""
    return read_document((PROMPTS / name).read_text(encoding="utf-8"), source=name)


def test_every_example_is_read() -> None:
    """What the page shows can be copied."""
    assert PAGE.count("```yaml") == len(EXAMPLES)
    prompts = [prompt for text in EXAMPLES if (prompt := example(text)) is not None]
    assert len(prompts) == len(EXAMPLES) - 2


def test_the_page_shows_every_kind_and_every_condition() -> None:
    """One example for each kind of step and each form of `when`, and every field is named."""
    prompts = [prompt for text in EXAMPLES if (prompt := example(text)) is not None]
    single = {prompt.step.kind for prompt in prompts if len(prompt.steps) == 1}
    assert single == set(KINDS)
    conditions = [step.when for prompt in prompts for step in prompt.steps if step.when]
    assert {type(each).__name__ for each in conditions} == {"StepTest", "Answered", "AllOf"}  # of `any` and `not`
    tests = {path[0] for each in conditions if isinstance(each, StepTest) for path, _ in each.written}
    assert tests == {"equals", "in", "at_least", "at_most", "between"}
    assert all(f"`{field}`" in PAGE for field in Prompt.model_fields)
    assert all(f"`{word}`" in PAGE or f"{word}:" in PAGE for word in ("optional", "labels", "unit", "confirm", "of"))


def test_the_schema_is_where_the_page_says() -> None:
    """The path in the first example leads from a language's folder to the schema."""
    [path] = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", PAGE, re.MULTILINE)
    assert (PROMPTS / "en" / path).resolve() == (resource("schemas") / "prompt.schema.json").resolve()


class Editor(yaml.SafeLoader):
    """Reads YAML as editors do: the core schema of YAML 1.2, in which `no` and `20:00` are words."""


Editor.yaml_implicit_resolvers = {}
for tag, form, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+0123456789."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    Editor.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{form})$"), list(first))


def complaints(text: str) -> list[str]:
    """Return what an editor would underline in a prompt file."""
    found = Draft202012Validator(prompt_schema()).iter_errors(yaml.load(text, Loader=Editor))
    return [f"{list(error.absolute_path)}: {error.message}" for error in found]


def test_the_schema_is_a_schema() -> None:
    """The file on disk is valid JSON Schema, and the one of the models."""
    on_disk = json.loads((resource("schemas") / "prompt.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(on_disk)
    assert on_disk == prompt_schema()


@pytest.mark.parametrize("path", PROMPT_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_editors_accept_the_shipped_files(path: Path) -> None:
    """Nothing in a good file is underlined."""
    assert complaints(path.read_text(encoding="utf-8")) == []


def test_editors_accept_what_the_loader_accepts() -> None:
    """The examples of the page and of the tests are good in both eyes."""
    prompts = [text for text in EXAMPLES if "steps:" in text]
    for text in [*(HEAD * text.startswith("steps:") + text for text in prompts), EVERY_KIND, TEXT, CHOICE]:
        assert complaints(text) == [], text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind: any", "kind: anything"),
        ("equals: low}", "equal: low}"),
        ("{answered: words}", "{answered: words, step: mood}"),
        ("{step: mood, equals: low}", "{step: mood}"),
        ("version: 1", "version: one"),
        ("title: The day", "titel: The day"),
        ("title: The day", f"title: {'x' * 61}"),
        ("    scale: 0-10\n", ""),
        ("id: day", "id: The Day"),
        ("    ask: Were you alone?\n", ""),
        ("optional: true", "optional: maybe"),
    ],
)
def test_editors_underline_slips(old: str, new: str) -> None:
    """What the loader refuses by its form, an editor shows while one writes."""
    assert complaints(EVERY_KIND.replace(old, new)) != []
