"""Everything that is said and asked in one language."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.crisis import CrisisTable
from bot.core.prompts import Prompt
from bot.core.wording import Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class Pack:
    """The prompts and the wording of one language, and the crisis numbers of all countries."""

    language: str
    wording: Wording
    prompts: Mapping[str, Prompt]
    crisis: CrisisTable
