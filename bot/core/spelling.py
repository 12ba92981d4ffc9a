"""What differently typed texts have in common, so that a phone's curly quotes and keycaps change nothing."""

import re
import unicodedata

# Keycap emoji are a digit and marks; the marks and invisible characters carry no meaning here.
_DIRECTIONS = (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))
DROPPED = dict.fromkeys([0xFE0E, 0xFE0F, 0x20E3, 0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF, *_DIRECTIONS])
DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
QUOTES = dict.fromkeys(map(ord, "‘’‚‛′`´＇"), "'") | dict.fromkeys(map(ord, "“”„‟″«»＂"), '"')
# NFKC would turn 7½ into 71⁄2 and 7² into 72: a caret keeps them from being taken for other numbers.
RAISED = {ord(sign): "^" + unicodedata.normalize("NFKC", sign) for sign in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉"}
UNIFIED = {**DROPPED, **DASHES, **QUOTES, **RAISED, 0x1F51F: "10"}  # the keycap ten is one character


def unified(text: str) -> str:
    """Return the text in NFKC with one kind of dash and quote and without invisible marks; case and lines stay."""
    return unicodedata.normalize("NFKC", text.translate(UNIFIED)).translate(UNIFIED)


def bare_words(text: str) -> str:
    """Return what two spellings of a label have in common: letters and digits, folded, one space between words."""
    return " ".join(re.findall(r"[^\W_]+", unified(text).casefold()))
