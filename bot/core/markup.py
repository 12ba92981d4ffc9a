"""The little HTML that clients show: words in backticks become code, lines stay lines (m.room.message)."""

import html
import re

_CODE = re.compile(r"`([^`\n]+)`")


def formatted(text: str) -> dict[str, str]:
    """Return `format` and `formatted_body` for a text with words in backticks; {} for any other text."""
    if not _CODE.search(text):
        return {}
    escaped = html.escape(text, quote=False)
    return {
        "format": "org.matrix.custom.html",
        "formatted_body": _CODE.sub(r"<code>\1</code>", escaped).replace("\n", "<br>"),
    }
