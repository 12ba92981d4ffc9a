"""The English pack, as it is shipped."""

from functools import cache
from pathlib import Path

from bot.core.reading import ReadingWords
from bot.core.wording import Wording
from bot.packs import read_pack

PROMPTS = Path(__file__).parents[2] / "prompts"


@cache
def wording() -> Wording:
    """What the bot says in English."""
    return read_pack(PROMPTS / "en").wording


def words() -> ReadingWords:
    """The English words that help to read answers."""
    return wording().reading
