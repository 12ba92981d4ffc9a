"""A YAML file that a person wrote, read as text with the place of every value, so that each mistake has a line.

Scalars stay as written (`no`, `07:00` and `1.0` are text); the models give them their types. Anchors, aliases, tags,
duplicate keys, deep nesting and large files are refused: none of them is needed here, each of them can do harm.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import PackError

MAX_BYTES = 64_000
MAX_DEPTH = 10
PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"}

Place = tuple[str | int, ...]  # the field names and list positions that lead to a value
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Mistake:
    """One thing that is wrong in a file, and what to do about it. Lines and columns count from 1."""

    line: int
    column: int
    field: str
    what: str
    advice: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The content of a file as text, lists and mappings, and where each part of it begins."""

    source: str
    value: Any
    marks: Mapping[Place, tuple[int, int]]

    def mistake(self, path: Place, what: str, advice: str, *, missing: str = "") -> Mistake:
        """Return a mistake at the deepest part of `path` that stands in the file, about its field `missing` if given.

        Parts that do not stand there are left out: pydantic puts the tag of a union into the place of an error.
        """
        found: Place = ()
        for part in path:
            if (*found, part) in self.marks:
                found = (*found, part)
        line, column = self.marks[found]
        named = (*found, missing) if missing else found
        name = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in named)
        return Mistake(line=line, column=column, field=name.lstrip(".") or "file", what=what, advice=advice)


def pack_error(source: str, mistakes: list[Mistake]) -> PackError:
    """Return the error that lists every mistake as `file:line:column: field: what is wrong; what to do`."""
    lines = [f"{source}:{m.line}:{m.column}: {m.field}: {m.what}; {m.advice}" for m in sorted(set(mistakes))]
    return PackError("\n".join(lines))


def read_document(text: str, *, source: str) -> Document:
    """Read a YAML file.

    Raises PackError when it is too large, is no YAML, or uses what is refused here.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _one(source, 1, 1, f"larger than {MAX_BYTES // 1000} kB", "split it or shorten it")
    try:
        _refuse_tricks(text, source)
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = _place(mark)
        raise _one(source, line, column, f"not valid YAML ({error.problem})", "check indentation and quotes") from None
    except yaml.YAMLError:
        raise _one(source, 1, 1, "holds a character that YAML does not allow", "save it as plain UTF-8 text") from None
    if not isinstance(node, yaml.MappingNode):
        raise _one(source, 1, 1, "must be a list of `field: value` lines", "begin with a line such as `id: my-prompt`")
    marks: dict[Place, tuple[int, int]] = {}
    mistakes: list[Mistake] = []
    value = _plain(node, (), marks, mistakes)
    if mistakes:
        raise pack_error(source, mistakes)
    return Document(source=source, value=value, marks=marks)


def validate(model: type[M], document: Document) -> M:
    """Return the document as `model`; raises PackError with every mistake and its line."""
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        mistakes = [_explain(document, detail, model) for detail in details if not _follows(detail, details)]
        raise pack_error(document.source, mistakes) from None


def _one(source: str, line: int, column: int, what: str, advice: str) -> PackError:
    return pack_error(source, [Mistake(line=line, column=column, field="file", what=what, advice=advice)])


def _place(mark: Any) -> tuple[int, int]:
    """Return a PyYAML mark, of which there are two kinds, as line and column from 1."""
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _refuse_tricks(text: str, source: str) -> None:
    # Looked for in the stream of events, before anything is built: a bomb is never expanded.
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        line, column = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _one(
                source, line, column, "uses & or * to refer to another place", "write the value out, or quote it"
            )
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag not in PLAIN_TAGS:
            raise _one(source, line, column, f"uses the tag {event.tag}", "remove the tag, or put the value in quotes")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _one(source, line, column, "holds a second document after ---", "put each into its own file")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _one(source, line, column, f"is nested more than {MAX_DEPTH} levels deep", "make it flatter")


def _plain(
    node: yaml.Node,
    path: Place,
    marks: dict[Place, tuple[int, int]],
    mistakes: list[Mistake],
) -> Any:
    marks.setdefault(path, _place(node.start_mark))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), marks, mistakes) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    found: dict[str, Any] = {}
    for key, value in node.value:
        line, column = _place(key.start_mark)
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name is None or name in found:
            what = "is no plain field name" if name is None else "stands here a second time"
            advice = "keep one plain name per value"
            mistakes.append(Mistake(line=line, column=column, field=str(name or "file"), what=what, advice=advice))
            continue
        marks[(*path, name)] = (line, column)
        found[name] = _plain(value, (*path, name), marks, mistakes)
    return found


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Tell whether a list is called too short only because its items have mistakes of their own."""
    length = len(detail["loc"])
    inner = any(len(other["loc"]) > length and other["loc"][:length] == detail["loc"] for other in details)
    return detail["type"] == "too_short" and inner


def _explain(document: Document, detail: ErrorDetails, model: type[BaseModel]) -> Mistake:
    context = detail.get("ctx") or {}
    kind = detail["type"]
    if kind in ("value_error", "mistake"):  # the second one is ours: `fields.refuse`
        what, _, advice = str(context.get("error", detail["msg"])).partition("; ")
        return document.mistake(detail["loc"], what, advice or "correct it")
    if kind == "extra_forbidden":
        return document.mistake(detail["loc"], "is not a known field", _nearest(str(detail["loc"][-1]), model))
    what, advice = SENTENCES.get(kind, (detail["msg"][:1].lower() + detail["msg"][1:], "correct it"))
    missing = str(detail["loc"][-1]) if kind == "missing" else ""
    place = detail["loc"][:-1] if missing else detail["loc"]
    return document.mistake(place, what.format(**context), advice.format(**context), missing=missing)


def _nearest(name: str, model: type[BaseModel]) -> str:
    known = set(_field_names(model.model_json_schema()))
    if name in known:
        return "it has no meaning in this place, remove it"
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean `{near[0]}`?" if near else "remove it, or check its spelling"


def _field_names(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from _field_names(part)
    elif isinstance(schema, list):
        for part in cast("list[object]", schema):
            yield from _field_names(part)


# Type of a pydantic error -> what is wrong, what to do.
SENTENCES = {
    "missing": ("is missing", "add it"),
    "string_type": ("must be text", "write it on one line, in quotes if it holds a colon"),
    "string_too_short": ("is empty", "write at least {min_length} character"),
    "string_too_long": ("is too long", "keep it to {max_length} characters"),
    "string_pattern_mismatch": ("has a form that is not allowed", "it must match {pattern}"),
    "int_parsing": ("is no whole number", "write digits only"),
    "int_type": ("is no whole number", "write digits only"),
    "int_from_float": ("is no whole number", "write digits only"),
    "bool_parsing": ("is neither yes nor no", "write true or false"),
    "greater_than_equal": ("is too small", "the smallest is {ge}"),
    "less_than_equal": ("is too large", "the largest is {le}"),
    "too_short": ("is too short a list", "at least {min_length} are needed"),
    "too_long": ("is too long a list", "at most {max_length} are allowed"),
    "tuple_type": ("must be a list", "write one item per line, each after a dash"),
    "list_type": ("must be a list", "write one item per line, each after a dash"),
    "dict_type": ("must hold `name: value` lines", "indent them under the field"),
    "model_type": ("must hold `field: value` lines", "indent them under the field"),
    "model_attributes_type": ("must hold `field: value` lines", "indent them under the field"),
    "enum": ("is not one of the allowed words", "use {expected}"),
    "literal_error": ("is not one of the allowed words", "use {expected}"),
    "date_from_datetime_parsing": ("is no date", "write it as 2026-11-23"),
    "date_parsing": ("is no date", "write it as 2026-11-23"),
}
