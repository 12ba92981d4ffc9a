"""The JSON Schemas in `schemas/`: written from the models, and checked against them."""

import json
from pathlib import Path

from bot.core.events import event_schemas
from bot.core.prompts import prompt_schema

SUFFIX = ".schema.json"


def schema_texts() -> dict[str, str]:
    """Return the content of each schema file by file name, always in the same form."""
    schemas = {**event_schemas(), "prompt": prompt_schema()}
    return {
        f"{name}{SUFFIX}": json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


def write_schemas(directory: Path) -> None:
    """Write all schemas and remove those of types that no longer exist."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = schema_texts()
    for path in directory.glob(f"*{SUFFIX}"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")


def check_schemas(directory: Path) -> list[str]:
    """Return one sentence for each schema file that differs from the models; empty when all agree."""
    texts = schema_texts()
    wrong = []
    for name, text in texts.items():
        path = directory / name
        if not path.is_file():
            wrong.append(f"{name} is missing; run `interlude schemas --write`.")
        elif path.read_text(encoding="utf-8") != text:
            wrong.append(f"{name} differs from the models; run `interlude schemas --write`.")
    known = {path.name for path in directory.glob(f"*{SUFFIX}")}
    wrong += [f"{name} belongs to no model; run `interlude schemas --write`." for name in sorted(known - set(texts))]
    return wrong
