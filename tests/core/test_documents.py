"""Files that nobody should write: each ends in a clear error, at the cost of a small file."""

import copy
import re
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.core.crisis import CrisisTable
from bot.core.document import (
    MAX_BYTES,
    MAX_MISTAKES,
    MAX_SHOWN,
    Document,
    Mark,
    Place,
    decode,
    overlay,
    read_document,
    validate,
)
from bot.core.prompts import Prompt
from bot.core.wording import Wording
from bot.errors import PackError
from tests.core.english import PROMPTS
from tests.core.test_prompts import EVERY_KIND

LINE = re.compile(r"my\.yaml:[1-9]\d*:[1-9]\d*: [^;]+: [^;]+; .+")
PYDANTIC = re.compile(r"[Ii]nput should|[Vv]alue should|is not allowed here|valid (?!YAML)")
MEMORY = 48_000_000  # bytes: what the largest file that is read may take for a moment


def read(data: bytes) -> Prompt:
    """Read a file as it lies on disk."""
    return validate(Prompt, read_document(decode(data, source="my.yaml"), source="my.yaml"))


def outcome(data: bytes) -> list[str]:
    """Return the lines of the error that a file gets, none if it is a prompt; any other exception fails the test."""
    try:
        read(data)
    except PackError as error:
        lines = str(error).split("\n")
        assert 0 < len(lines) <= MAX_MISTAKES + 1
        for line in lines:
            assert LINE.fullmatch(line), line
            assert line.isprintable()
            assert len(line) < 3 * MAX_SHOWN + 60
            assert not PYDANTIC.search(line), line
        return lines
    return []


def test_a_file_that_ends_too_early() -> None:
    """Cut at any byte, also in the middle of a character, a file is a shorter prompt or gets its error."""
    data = EVERY_KIND.replace("Anything else?", "Noch etwas, für später – „egal“?").encode()
    assert outcome(data) == []
    refused = sum(bool(outcome(data[:length])) for length in range(len(data)))
    assert refused > len(data) / 2  # a shorter text or fewer steps may well be a prompt


PIECES = [
    *(
        "\t",
        "\x00",
        "\ufeff",
        "\r\n",
        "\r",
        "\u2028",
        "\x85",
        "\x1b[31m",
        "&a ",
        "*a",
        "!!python/object:x ",
        "!t ",
        "---\n",
        "...\n",
    ),
    *("<<: ", "? ", "- ", ": ", "{", "}", "[", "]", "'", '"', "|\n", ">\n", "#", "%YAML 9.9\n", "@", "`", "~", "null"),
    *("kind: ", "when: ", "steps:\n", "id: mood\n", "{step: mood, equals: low}", "  ", "\n", "\\x41", "…", "9" * 500),
]


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 0.2), st.sampled_from(PIECES).map(str.encode) | st.binary(max_size=4)),
        min_size=1,
        max_size=4,
    )
)
def test_a_file_with_slips(slips: list[tuple[float, float, bytes]]) -> None:
    """Wherever something is inserted or lost, the file is a prompt or gets its error."""
    data = EVERY_KIND.encode()
    for place, lost, put in slips:
        start = int(place * len(data))
        data = data[:start] + put + data[start + int(lost * lost * len(data)) :]
    outcome(data)


WRONG: list[Any] = [
    "",
    "x",
    "-1",
    "1e999",
    "x" * 5000,
    [],
    {},
    ["x"],
    {"a": "b"},
    [["x"]],
    [{"step": "mood"}],
    {"step": []},
]


def spoiled(value: Any, wrongs: list[Any]) -> Iterator[Any]:
    """Every copy of a value in which one part is missing, or has something wrong in its place."""

    def places(part: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        yield path
        for key in part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ():
            yield from places(part[key], (*path, key))

    for path in places(value, ()):
        if not path:
            continue
        for wrong in [*wrongs, None]:
            changed = copy.deepcopy(value)
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            if wrong is None:
                del holder[path[-1]]
            else:
                holder[path[-1]] = wrong
            yield changed


def test_wrong_types_everywhere() -> None:
    """Whatever stands in the place of a value, the error says so in words, at a place of the file."""
    good = yaml.load(EVERY_KIND, Loader=yaml.BaseLoader)
    marks: dict[Place, Mark] = {(): Mark("my.yaml", 1, 1)}
    for value in spoiled(good, WRONG):
        try:
            validate(Prompt, Document(source="my.yaml", value=value, marks=marks))
        except PackError as error:
            for line in str(error).split("\n"):
                assert LINE.fullmatch(line), line
                assert not PYDANTIC.search(line), (line, value)


@pytest.mark.parametrize(("name", "model"), [("en/bot.yaml", Wording), ("crisis.yaml", CrisisTable)])
def test_wrong_types_in_the_other_files(name: str, model: type[Wording] | type[CrisisTable]) -> None:
    """The bot's words and the crisis numbers are read as carefully."""
    good = read_document((PROMPTS / name).read_text(encoding="utf-8"), source="my.yaml")
    for value in spoiled(good.value, ["", [], {"a": "b"}]):
        try:
            validate(model, Document(source="my.yaml", value=value, marks={(): Mark("my.yaml", 1, 1)}))
        except PackError as error:
            for line in str(error).split("\n"):
                assert LINE.fullmatch(line), line
                assert not PYDANTIC.search(line), (line, value)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
FULL = MAX_BYTES - 200
HARMFUL = {
    "billion laughs": LAUGHS,
    "billion laughs with merge keys": LAUGHS.replace("[", "{<<: [").replace("]", "]}"),
    "an anchor": "id: &a x\n",
    "an alias to itself": "id: &a [*a]\n",
    "a list in lists": "id: " + "[" * FULL,
    "a mapping in mappings": "{a: " * (FULL // 4),
    "dashes": "- " * (FULL // 2),
    "question marks": "? " * (FULL // 2),
    "indentation": "".join(f"{' ' * depth}a:\n" for depth in range(300)),
    "unknown fields": "".join(f"f{number}: x\n" for number in range(FULL // 9)),
    "one field again and again": "id: x\n" * (FULL // 6),
    "steps without end": "steps:\n" + "- {kind: text}\n" * (FULL // 15),
    "options without end": EVERY_KIND.replace(
        "    options:\n", "    options:\n" + "      - {id: x, label: X}\n" * 2000
    ),
    "mistakes without end": "steps:\n" + "- {id: A, kind: scale, ask: '{x}', when: {all: []}, scale: 9, x: 1}\n" * 800,
    "one very long name": f'"{"x" * FULL}": y\n',
    "one very long text": EVERY_KIND.replace("Anything else?", "x" * 50_000),
    "one very long number": EVERY_KIND.replace("version: 1", "version: " + "9" * 50_000),
    "one very long tag": f"id: !{'x' * FULL} y\n",
    "one very long time": EVERY_KIND.replace("20h", "9" * 50_000 + "h"),
    "a name that steers a terminal": '"\\e[2J\\u202E\\n\\r": x\n',
    "marks without end": EVERY_KIND.replace("Anything else?", "'" + "*_`[<" * 150 + "'"),
    "nested lists in a question": EVERY_KIND.replace(
        "ask: Anything else?", "ask: |\n" + "".join(f"      {'  ' * depth}- x\n" for depth in range(18))
    ),
    "spaces": " " * FULL,
    "newlines": "\n" * FULL,
    "a comment": "#" * FULL,
    "an open quote": "id: '" + "x " * (FULL // 2),
    "escapes": 'id: "' + "\\x41" * (FULL // 4),
    "brackets": "id: " + "[]" * (FULL // 2),
    "commas": "id: [" + "," * FULL,
    "documents": "---\n" * (FULL // 4),
    "directives": "%TAG ! x\n" * (FULL // 9),
    "null characters": "id: x\x00y",
    "a tab": "steps:\n\t- id: x\n",
    "nothing": "",
    "too much": "x" * (MAX_BYTES + 1),
    "a list": "- id: x\n",
    "a word": "hello",
    "surrogates": "id: \ud800\n",
}

HARMLESS = ("nested lists in a question", "marks without end")  # ugly, and a prompt all the same


@pytest.mark.parametrize("kind", HARMFUL)
def test_harm_is_bounded(kind: str) -> None:
    """Each ends in a few printable lines, and takes no more memory than any file of that size may."""
    data = HARMFUL[kind].encode("utf-8", "surrogatepass")
    assert len(data) <= MAX_BYTES + 1
    tracemalloc.start()
    try:
        lines = outcome(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lines or kind in HARMLESS
    assert peak < MEMORY, peak


def test_ten_megabytes_are_not_read() -> None:
    """A file of any size is refused by its size alone, before it is looked at."""
    tracemalloc.start()
    try:
        lines = outcome(b"id: x\n" * 1_700_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lines == ["my.yaml:1:1: file: larger than 64 kB; split it or shorten it"]
    assert peak < 11_000_000  # the test's own ten megabytes, and nothing beside them


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"id: x\ntitle: \xe9t\xe9\n", "my.yaml:2:8: file: is not UTF-8 text; save it as UTF-8"),
        ("title: für \x07\n".encode(), "my.yaml:1:12: file: holds a character that YAML does not allow; "),
        ("id: x\n".encode("utf-16"), "my.yaml:1:1: file: is not UTF-8 text; save it as UTF-8"),
        (b"\xef\xbb\xbfid: x\nid: y\n", "my.yaml:2:1: id: stands here a second time; "),
        (b"id: x\r\nid: y\r\n", "my.yaml:2:1: id: stands here a second time; "),
        (b"steps:\n\t- id: x\n", "my.yaml:2:1: file: not valid YAML, a tab stands where spaces belong; indent with"),
        (
            b"ask: **Hi** there\n",
            "my.yaml:1:7: file: not valid YAML, a text begins with * or &; put the text in quotes",
        ),
        (b"ask: How: are you?\n", "my.yaml:1:9: file: not valid YAML, a colon stands inside a text; put the text in"),
        (b"ask: 'What's up?'\n", "my.yaml:1:12: file: not valid YAML, something is out of line; "),
        (b"ask: {client}, hello\n", "my.yaml:1:14: file: not valid YAML, something is out of line; "),
        (
            b"ask: @home\n",
            "my.yaml:1:6: file: not valid YAML, a text begins with a sign that YAML keeps for itself; put",
        ),
    ],
)
def test_slips_that_people_make(data: bytes, line: str) -> None:
    """What happens often is said in plain words, with the line and column of the slip."""
    assert outcome(data)[0].startswith(line)


def test_a_mark_and_windows_lines_change_nothing() -> None:
    """Some editors begin a file with a mark and end lines with two characters."""
    data = b"\xef\xbb\xbf" + EVERY_KIND.replace("\n", "\r\n").encode()
    assert read(data) == read(EVERY_KIND.encode())


def test_what_lies_over_a_file_replaces_its_values() -> None:
    """Mappings are joined key by key, all else is replaced, and each value keeps the place where it was written."""
    base = read_document("a: 1\nb: {c: 2, d: [3, 4]}\ne: {f: 5}\n", source="base")
    own = read_document("b:\n  d: [6]\n  g: 7\ne: 8\n", source="own")
    both = overlay(base, own)
    assert both.value == {"a": "1", "b": {"c": "2", "d": ["6"], "g": "7"}, "e": "8"}
    assert both.mark(("a",)) == ("base", 1, 1)
    assert both.mark(("b", "c")) == ("base", 2, 5)
    assert both.mark(("b", "d", 0)) == ("own", 2, 7)
    assert both.mark(("b", "d", 1)) == ("own", 2, 3)  # the second item is gone: the list itself
    assert both.mark(("e", "f")) == ("own", 4, 1)
