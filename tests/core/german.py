"""The German pack, as it is shipped."""

from functools import cache

from bot.core.reading import ReadingWords
from bot.core.wording import Wording
from bot.packs import read_pack
from tests.core.english import PROMPTS


@cache
def wording() -> Wording:
    """What the bot says in German."""
    return read_pack(PROMPTS / "de").wording


def words() -> ReadingWords:
    """The German words that help to read answers."""
    return wording().reading
