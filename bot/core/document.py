"""A YAML file that a person wrote, read as text with the place of every value, so that each mistake has a line.

Scalars stay as written (`no`, `07:00`, `1.10` and `null` are text); the models give them their types. Anchors,
aliases, tags, duplicate keys, deep nesting and large files are refused: none of them is needed here, each of them can
do harm. What a bad file can cost is bounded by `MAX_BYTES`, `MAX_DEPTH` and `MAX_MISTAKES`.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import PackError

MAX_BYTES = 64_000
MAX_DEPTH = 10
MAX_MISTAKES = 20  # of one file; more help nobody, and a slip of the indentation can make thousands
MAX_SHOWN = 300  # characters of one part of a message: it may quote the file
PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"}

Place = tuple[str | int, ...]  # the field names and list positions that lead to a value
M = TypeVar("M", bound=BaseModel)


class Mark(NamedTuple):
    """Where something stands: the file, and line and column from 1."""

    source: str
    line: int
    column: int


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Mistake:
    """One thing that is wrong in a file, and what to do about it."""

    mark: Mark
    field: str
    what: str
    advice: str

    def __str__(self) -> str:
        """Return `file:line:column: field: what is wrong; what to do` in one printable line."""
        said = f"{_shown(self.field)}: {_shown(self.what)}; {_shown(self.advice)}"
        return f"{_printable(self.mark.source)}:{self.mark.line}:{self.mark.column}: {said}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The content of a file as text, lists and mappings, and where each part of it begins."""

    source: str
    value: Mapping[str, Any]
    marks: Mapping[Place, Mark]

    def mistake(self, path: Place, text: str, *, missing: str = "") -> Mistake:
        """Return a mistake at the deepest part of `path` that stands in the file, about its field `missing` if given.

        `text` is `what is wrong; what to do`. Parts that do not stand there are left out: pydantic puts the tag of a
        union into the place of an error.
        """
        found = self._found(path)
        named = (*found, missing) if missing else found
        name = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in named)
        what, _, advice = text.partition("; ")
        return Mistake(
            mark=self.marks[found], field=name.lstrip(".") or "file", what=what, advice=advice or "correct it"
        )

    def mark(self, path: Place) -> Mark:
        """Return where the deepest part of `path` stands that is in the file."""
        return self.marks[self._found(path)]

    def _found(self, path: Place) -> Place:
        found: Place = ()
        for part in path:
            if (*found, part) in self.marks:
                found = (*found, part)
        return found


def pack_error(mistakes: Iterable[Mistake], *, more: int = 0) -> PackError:
    """Return the error that lists the first mistakes of a file, and how many there are beside them (`more` or cut)."""
    found = sorted(set(mistakes))
    more += len(found[MAX_MISTAKES:])
    lines = [str(mistake) for mistake in found[:MAX_MISTAKES]]
    if more:
        mark = found[:MAX_MISTAKES][-1].mark
        lines.append(str(Mistake(mark=mark, field="file", what=f"has {more} more mistakes", advice="mend these first")))
    return PackError("\n".join(lines))


def decode(data: bytes, *, source: str) -> str:
    """Return the text of a file, without its byte order mark; raises PackError when it is too large or no UTF-8."""
    if len(data) > MAX_BYTES:
        raise _too_large(source)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        raise _one(_mark_at(source, before), "is not UTF-8 text; save it as UTF-8") from None


def read_document(text: str, *, source: str) -> Document:
    """Read a YAML file.

    Raises PackError when it is too large, is no YAML, or uses what is refused here.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _too_large(source)
    try:
        _refuse_tricks(text, source)
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        raise _one(_mark(source, error.problem_mark or error.context_mark), _sentence(error)) from None
    except yaml.reader.ReaderError as error:
        place = _mark_at(source, text[: error.position])
        raise _one(place, "holds a character that YAML does not allow; remove it, or save it as plain UTF-8") from None
    if not isinstance(node, yaml.MappingNode):
        start = "must be a list of `field: value` lines; begin with a line such as `id: my-prompt`"
        raise _one(Mark(source, 1, 1), start)
    marks: dict[Place, Mark] = {}
    mistakes: list[Mistake] = []
    value = _plain(node, (), source, marks, mistakes)
    if mistakes:
        raise pack_error(mistakes)
    return Document(source=source, value=value, marks=marks)


def overlay(base: Document, own: Document) -> Document:
    """Return `base` with the values of `own` in place of its; what both have as mappings is joined key by key."""
    replaced: set[Place] = set()
    value = _joined(base.value, own.value, (), replaced)
    kept = {path: mark for path, mark in base.marks.items() if not _below(path, replaced)}
    return Document(source=own.source, value=value, marks=kept | dict(own.marks))


def validate(model: type[M], document: Document) -> M:
    """Return the document as `model`; raises PackError with every mistake and its line."""
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    inner = {detail["loc"][:length] for detail in details for length in range(len(detail["loc"]))}
    # A list is called too short also where its items have mistakes of their own.
    told = [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in inner]
    told.sort(key=lambda detail: document.mark(detail["loc"]))
    mistakes = [_explain(document, detail, model) for detail in told[:MAX_MISTAKES]]
    raise pack_error(mistakes, more=len(told[MAX_MISTAKES:]))


def _one(mark: Mark, text: str) -> PackError:
    what, _, advice = text.partition("; ")
    return pack_error([Mistake(mark=mark, field="file", what=what, advice=advice)])


def _too_large(source: str) -> PackError:
    return _one(Mark(source, 1, 1), f"larger than {MAX_BYTES // 1000} kB; split it or shorten it")


def _mark(source: str, mark: Any) -> Mark:
    """Return a mark of PyYAML, of which there are two kinds."""
    return Mark(source, 1, 1) if mark is None else Mark(source, mark.line + 1, mark.column + 1)


def _mark_at(source: str, before: str) -> Mark:
    """Return the place behind the text `before`."""
    return Mark(source, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _shown(text: str) -> str:
    """Return a part of a message in one line: what it quotes may be long, and may steer a terminal."""
    return _printable(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…")


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)


def _refuse_tricks(text: str, source: str) -> None:
    # Looked for in the stream of events, before anything is built: a bomb is never expanded.
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        mark = _mark(source, event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _one(mark, "uses & or * to refer to another place; write the value out, or put it in quotes")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag not in PLAIN_TAGS:
            raise _one(mark, f"uses the tag {event.tag}; remove the tag, or put the value in quotes")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _one(mark, "holds a second document after ---; put each into its own file")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _one(mark, f"is nested more than {MAX_DEPTH} levels deep; make it flatter")


def _plain(node: yaml.Node, path: Place, source: str, marks: dict[Place, Mark], mistakes: list[Mistake]) -> Any:
    marks.setdefault(path, _mark(source, node.start_mark))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), source, marks, mistakes) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    found: dict[str, Any] = {}
    for key, value in node.value:
        mark = _mark(source, key.start_mark)
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name is None or name in found:
            what = "is no plain field name" if name is None else "stands here a second time"
            advice = "keep one plain name per value"
            mistakes.append(Mistake(mark=mark, field=str(name or "file"), what=what, advice=advice))
            continue
        marks[(*path, name)] = mark
        found[name] = _plain(value, (*path, name), source, marks, mistakes)
    return found


def _joined(base: Mapping[str, Any], own: Mapping[str, Any], path: Place, replaced: set[Place]) -> dict[str, Any]:
    found = dict(base)
    for name, value in own.items():
        if isinstance(value, dict) and isinstance(found.get(name), dict):
            found[name] = _joined(found[name], value, (*path, name), replaced)
        else:
            found[name] = value
            replaced.add((*path, name))
    return found


def _below(path: Place, replaced: set[Place]) -> bool:
    return any(path[: length + 1] in replaced for length in range(len(path)))


def _sentence(error: yaml.MarkedYAMLError) -> str:
    """Return what is wrong with a file that is no YAML, and what to do, in the words of somebody who wrote it."""
    problem = f"{error.context or ''}: {error.problem or ''}"
    for part, sentence in YAML_SENTENCES.items():
        if part in problem:
            return f"not valid YAML, {sentence}"
    return "not valid YAML; check indentation and quotes"


def _explain(document: Document, detail: ErrorDetails, model: type[BaseModel]) -> Mistake:
    context = detail.get("ctx") or {}
    kind, place = detail["type"], detail["loc"]
    if kind in ("value_error", "mistake"):  # the second one is ours: `fields.refuse`
        return document.mistake(place, str(context.get("error", detail["msg"])))
    if kind == "extra_forbidden":
        return document.mistake(place, f"is not a known field; {_nearest(str(place[-1]), _names(model))}")
    if kind == "missing":
        return document.mistake(place[:-1], "is missing; add it", missing=str(place[-1]))
    known = SENTENCES.get(kind)
    return document.mistake(place, known.format(**context) if known else "is not allowed here; correct it")


def _nearest(name: str, names: Sequence[str]) -> str:
    if name in names:
        return "it has no meaning in this place, remove it"
    near = difflib.get_close_matches(name[:40], names, n=1)
    return f"did you mean `{near[0]}`?" if near else "remove it, or check its spelling"


@lru_cache(maxsize=8)
def _names(model: type[BaseModel]) -> Sequence[str]:
    return sorted(set(_field_names(model.model_json_schema())))


def _field_names(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from _field_names(part)
    elif isinstance(schema, list):
        for part in cast("list[object]", schema):
            yield from _field_names(part)


# Part of PyYAML's message -> what is wrong; what to do.
YAML_SENTENCES = {
    "found character '\\t'": "a tab stands where spaces belong; indent with spaces",
    "that cannot start any token": "a text begins with a sign that YAML keeps for itself; put the text in quotes",
    "while scanning an a": "a text begins with * or &; put the text in quotes, or on its own lines after `|`",
    "mapping values are not allowed": "a colon stands inside a text; put the text in quotes, or check the indentation",
    "sequence entries are not allowed": "a dash stands where no list can begin; begin the list in the next line",
    "could not find expected ':'": "a line has no colon after its field name; write `field: value`",
    "while scanning a quoted scalar": "quotes are opened and not closed; close them, and write \\ twice inside them",
    "while scanning a double-quoted scalar": "a \\ stands inside double quotes; write it twice, or use single quotes",
    "while parsing a flow": "something in { } or [ ] is not closed, or needs quotes; close it, or quote its texts",
    "expected <block end>": "something is out of line; indent it like what is above it, and quote texts with { or '",
    "while scanning a block scalar": "something stands behind `|` or `>`; begin the text in the next line",
    "while scanning a tag": "a text begins with !; put the text in quotes",
}
# Type of a pydantic error -> what is wrong; what to do.
SENTENCES = {
    "string_type": "must be text; write it on one line, in quotes if it holds a colon or begins with a bracket",
    "string_too_short": "is empty; write at least {min_length} character",
    "string_too_long": "is too long; keep it to {max_length} characters",
    "string_pattern_mismatch": "has a form that is not allowed; it must match {pattern}",
    "int_parsing": "is no whole number; write digits only",
    "int_parsing_size": "is no whole number; write fewer digits",
    "int_type": "is no whole number; write digits only",
    "int_from_float": "is no whole number; write digits only",
    "bool_parsing": "is neither yes nor no; write true or false",
    "bool_type": "is neither yes nor no; write true or false",
    "decimal_type": "is no number; write it in digits, for example 7 or 0.5",
    "greater_than_equal": "is too small; the smallest is {ge}",
    "less_than_equal": "is too large; the largest is {le}",
    "too_short": "is too short a list; at least {min_length} are needed",
    "too_long": "is too long a list; at most {max_length} are allowed",
    "tuple_type": "must be a list; write one item per line, each after a dash",
    "list_type": "must be a list; write one item per line, each after a dash",
    "dict_type": "must hold `name: value` lines; indent them under the field",
    "mapping_type": "must hold `name: value` lines; indent them under the field",
    "model_type": "must hold `field: value` lines; indent them under the field",
    "model_attributes_type": "must hold `field: value` lines; indent them under the field",
    "enum": "is not one of the allowed words; use {expected}",
    "literal_error": "is not one of the allowed words; use {expected}",
    "time_delta_type": "is no length of time; write a number and min, h or d, for example 2h",
    "is_instance_of": "must be text; write it on one line",
    "date_from_datetime_parsing": "is no date; write it as 2026-11-23",
    "date_from_datetime_inexact": "is no date; write it as 2026-11-23",
    "date_parsing": "is no date; write it as 2026-11-23",
    "date_type": "is no date; write it as 2026-11-23",
}
