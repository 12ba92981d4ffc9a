"""The little HTML that clients show (m.room.message), made of simple markdown; the plain body beside it has no marks.

Bold, italic, lists, https links, `code` and line breaks; all else stays as typed. What fills a placeholder is no
markdown and no HTML: a title with `*` or `<b>` shows as typed.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.core.template import GAP

_CODE = re.compile(r"`([^`\n]+)`")
_HTML_FORMAT = "org.matrix.custom.html"
_TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a", "code"}
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_BLOCKS, _BLOCK_ENDS = ("<p>", "<ul>", "<ol>"), ("</p>", "</ul>", "</ol>")
_PLAIN = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak"}
# Private characters stand for the values while markdown is read; in a text of a file they mean nothing.
_FIRST, _LAST = 0xE000, 0xF8FF
_PRIVATE = dict.fromkeys(range(_FIRST, _LAST + 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A message as people see it."""

    body: str  # without marks
    html: str | None  # None: it would add nothing to the body

    @property
    def content(self) -> dict[str, str]:
        """The part of a message's content that says it."""
        if self.html is None:
            return {"body": self.body}
        return {"body": self.body, "format": _HTML_FORMAT, "formatted_body": self.html}

    def above(self, *lines: str) -> "Shown":
        """Return it with plain lines below it, in which words in backticks are code."""
        return _stacked(self, _sentences(lines)) if lines else self

    def below(self, *lines: str) -> "Shown":
        """Return it with plain lines above it."""
        return _stacked(_sentences(lines), self) if lines else self


def render(template: str, **values: object) -> Shown:
    """Return a markdown template, its gaps filled, as body and HTML.

    Raises KeyError when the template has a gap that no value fills.
    """
    filled: list[str] = []

    def keep(gap: re.Match[str]) -> str:
        filled.append(str(values[gap[1]]))
        return chr(_FIRST + len(filled) - 1)

    tokens = _reader().parse(GAP.sub(keep, template.translate(_PRIVATE)))
    body = _fill(_blocks(tokens), filled)
    if not _has_marks(tokens):
        return Shown(body=body, html=None)
    raw = _reader().renderer.render(tokens, _reader().options, {})
    clean = nh3.clean(raw, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"https"}, link_rel=None)
    return Shown(body=body, html=_fill(_tidy(clean), [html.escape(value) for value in filled]))


def markup_mistakes(template: str) -> Iterator[str]:
    """Yield `what is wrong; what to do` for all that would not be shown as its writer means it."""
    if re.search(r"</?[A-Za-z][^<>\n]*>", template):
        yield "has HTML, which people would see as typed; write **bold**, *italic* or a list with dashes"
    if re.search(r"!\[[^\]\n]*\]\(", template):
        yield "has a picture, which is not shown here; describe it in words"
    if re.search(r"\[[^\]\n]*\]\((?!https://)", template):
        yield "has a link that is no https:// address; write the whole address"
    if re.search(r"\]\([^)\n]*\{", template):
        yield "has a placeholder inside a link, where strangers could read it; put it into the text"
    elif "**" in _blocks(_reader().parse(template)) and "\\*" not in template:
        yield "has ** without its partner; put ** directly before and after the words, or write \\*"


def formatted(text: str) -> dict[str, str]:
    """Return `format` and `formatted_body` for a sentence of the bot with words in backticks; {} for any other."""
    shown = _sentences([text])
    return {} if shown.html is None else {"format": _HTML_FORMAT, "formatted_body": shown.html}


def _sentences(lines: Sequence[str]) -> Shown:
    text = "\n".join(lines)
    return Shown(body=text, html=_with_code(text) if _CODE.search(text) else None)


def _with_code(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", html.escape(text, quote=False)).replace("\n", "<br>")


def _stacked(upper: Shown, lower: Shown) -> Shown:
    body = f"{upper.body}\n{lower.body}"
    if upper.html is None and lower.html is None:
        return Shown(body=body, html=None)
    high, low = (_with_code(each.body) if each.html is None else each.html for each in (upper, lower))
    return Shown(
        body=body, html=f"{high}{'' if high.endswith(_BLOCK_ENDS) or low.startswith(_BLOCKS) else '<br>'}{low}"
    )


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    # Only what is named here is read; everything else, HTML and pictures included, stays text.
    reader = MarkdownIt("zero", {"html": False, "breaks": True})
    reader.enable(["list", "newline", "escape", "backticks", "emphasis", "link", "balance_pairs", "fragments_join"])
    reader.validateLink = lambda url: url.startswith("https://")  # type: ignore[method-assign]  # made to be replaced
    return reader


def _fill(text: str, values: Sequence[str]) -> str:
    return text.translate({_FIRST + place: value for place, value in enumerate(values)})


def _has_marks(tokens: Sequence[Token]) -> bool:
    return any(token.type not in _PLAIN or _has_marks(token.children or ()) for token in tokens)


def _tidy(found: str) -> str:
    """Return HTML without the lines between its tags, and without a paragraph that stands alone."""
    flat = re.sub(r"\s*\n\s*", "", found.strip())
    alone = flat.count("<p>") == 1 and flat.startswith("<p>") and flat.endswith("</p>")
    return flat.removeprefix("<p>").removesuffix("</p>") if alone else flat


def _blocks(tokens: Sequence[Token]) -> str:
    """Return paragraphs and lists as plain lines: `- ` or `1. ` before an item, deeper ones further in."""
    lines: list[str] = []
    lists: list[int | None] = []  # the number of the next item of each open list, None where dashes mark them
    mark = ""
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists.append(int(token.attrGet("start") or 1) if token.type == "ordered_list_open" else None)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
        elif token.type == "list_item_open":
            number = lists[-1]
            mark = "- " if number is None else f"{number}. "
            lists[-1] = None if number is None else number + 1
        elif token.type == "inline":
            if lines and not lists:
                lines.append("")
            inset = "  " * max(0, len(lists) - 1)
            for line in _inline(token.children or ()).split("\n"):
                lines.append(inset + (mark or "  " * bool(lists)) + line)
                mark = ""
    return "\n".join(lines)


def _inline(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    targets: list[tuple[str, int]] = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif token.type == "link_open":
            targets.append((str(token.attrGet("href")), len(parts)))
        elif token.type == "link_close":
            address, start = targets.pop()
            if "".join(parts[start:]) != address:
                parts.append(f" ({address})")
        else:
            parts.append(token.content)
    return "".join(parts)
