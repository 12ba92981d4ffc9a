"""Known phrases at the beginning of a message, however they are spaced, cased and punctuated."""

import re
from functools import lru_cache

from bot.core.spelling import unified

# Arrows, signs and emoji, so that "😀 7" begins with its 7.
SIGNS = "\u2190-\u21ff\u2300-\u2bff\U0001f000-\U0001faff"
_OPENERS = re.compile(rf"[\s\"'(\[{{*_`=#•{SIGNS}]*")
_CLOSERS = " \"')]}*_`"
_SPACES = re.compile(r"[^\S\n]+")


def plain(text: str) -> str:
    """Return a message as it is read: unified, single spaces, without the quotes and stars around it."""
    tidy = _SPACES.sub(" ", unified(text)).strip()
    start = _OPENERS.match(tidy)
    if start is None or not start[0].strip():
        return tidy
    return tidy[start.end() :].rstrip(_CLOSERS)


def after(text: str, phrases: tuple[str, ...]) -> str | None:
    """Return what follows the longest of the phrases that `text` begins with; None when it begins with none."""
    found = _pattern(phrases).match(text) if phrases else None
    return text[found.end() :] if found else None


def without_opening(text: str, phrases: tuple[str, ...]) -> str | None:
    """Like `after`, without the comma or the space behind the phrase."""
    rest = after(text, phrases)
    return None if rest is None else re.sub(r"^(?:[,.:;!]+(?=\s|$))?\s*", "", rest)


def ends_with(text: str, phrases: tuple[str, ...]) -> bool:
    """Tell whether one of the phrases stands at the end of `text`."""
    return bool(phrases and _ending_pattern(phrases).search(text[-80:]))


def split_at(text: str, phrases: tuple[str, ...]) -> list[str]:
    """Return the parts of a text between the phrases."""
    return _between_pattern(phrases).split(text) if phrases else [text]


@lru_cache(maxsize=512)
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    spelled = sorted({_SPACES.sub(" ", unified(phrase)).strip() for phrase in phrases}, key=len, reverse=True)
    return re.compile("|".join(map(_as_pattern, spelled)), re.IGNORECASE)


@lru_cache(maxsize=512)
def _ending_pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{_pattern(phrases).pattern}) ?$", re.IGNORECASE)


@lru_cache(maxsize=512)
def _between_pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{_pattern(phrases).pattern})(?!\w)", re.IGNORECASE)


def _as_pattern(phrase: str) -> str:
    # An apostrophe is often left out on a phone; a word must not go on where the phrase ends.
    escaped = re.escape(phrase).replace("'", "'?")
    return escaped + (r"(?!\w)" if phrase[-1:].isalnum() else "")
