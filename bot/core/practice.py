"""The practice that runs the bot, as people meet it in the rooms."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Practice:
    """Who runs the bot, and how to reach them."""

    name: str
    line: str  # telephone or words; shown in crisis answers
    country: str  # ISO 3166 alpha-2
    language: str
    timezone: str  # IANA
