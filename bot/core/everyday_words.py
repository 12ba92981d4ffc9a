"""Everyday words that tell rooms apart without naming anybody.

No first names (robin, hazel), nothing clinical, nothing that reads badly beside somebody's worst day.
"""

from collections.abc import Callable, Collection
from typing import Final

_LIST = """
acorn almond anchor apple apricot arch atlas avocado badger bamboo banjo barley barn basket beech bell birch blackbird
blueberry boat bookmark breeze brook bumblebee button cabin canoe carrot cedar cello chestnut chimney cinnamon
clarinet cloud coast cobalt coconut comet compass cottage cricket crocus curlew cypress dolphin dove dragonfly drum
dune eagle elm falcon feather fennel fiddle finch fjord flamingo flute fountain fox gable garden gazelle geranium
glacier goldfinch guitar hammock harbour harp hedgehog heron hill hive honey horizon iceberg island kestrel kettle
kingfisher kite koala lagoon lake lantern lark lavender lemon lighthouse lilac lime linden llama lobster lotus lupin
lynx mango maple marble meadow meteor moon moss mulberry nutmeg oak oboe orchard orchid osprey otter owl paddle palm
panda papaya peacock pear pebble pelican penguin peony pepper piano pine plum pond poplar puffin pumpkin quail quartz
quince rabbit raft rainbow raspberry reed river sail sandpiper satchel seal shell sparrow spruce squirrel starling
sunflower swan swift tangerine teapot thimble thistle tulip turtle valley velvet walnut waterfall whistle windmill
woodpecker
"""
WORDS: Final = tuple(_LIST.split())


def everyday_word(draw: Callable[[int], int], taken: Collection[str]) -> str:
    """Draw a word that is not taken; when all are, two words together.

    `draw(n)` gives a number from 0 to n - 1, for example `secrets.randbelow`.
    """
    used = frozenset(taken)
    free = [word for word in WORDS if word not in used]
    if not free:
        pairs = (f"{first} {second}" for first in WORDS for second in WORDS if first != second)
        free = [pair for pair in pairs if pair not in used]
    return free[draw(len(free))]
