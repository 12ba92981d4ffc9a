"""The packs that the bot speaks from, swapped as a whole while it runs."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping

import structlog

from bot.core.document import Mark, Mistake, pack_error
from bot.core.pack import Pack
from bot.core.people import Pair, Schedule

log = structlog.get_logger()

Packs = Mapping[str, Pack]
InUse = Iterable[tuple[Pair, Schedule]]


class Library(Packs):
    """Packs by language. Whoever looks sees the old ones or the new ones, never some of each."""

    def __init__(self, packs: Packs, *, read: Callable[[], Packs]) -> None:
        """Begin with `packs`; `read` brings those that lie on disk and raises PackError when they are wrong."""
        self._packs = packs
        self._read = read

    def __getitem__(self, language: str) -> Pack:
        return self._packs[language]

    def __iter__(self) -> Iterator[str]:
        return iter(self._packs)

    def __len__(self) -> int:
        return len(self._packs)

    async def fetch(self) -> Packs:
        """Read what lies on disk, in a thread: people are answered meanwhile. Raises PackError."""
        return await asyncio.to_thread(self._read)

    def swap(self, packs: Packs, *, in_use: InUse) -> dict[str, int]:
        """Take other packs into use, and return how many prompts each language has.

        Raises PackError, and keeps the old ones, when a schedule asks a prompt that is no longer there.
        """
        gone = [
            Mistake(
                mark=Mark(f"{pair.language}/{schedule.prompt_id}.yaml", 1, 1),
                field="file",
                what=f"is gone, and pair {pair.number} has a schedule that asks it",
                advice="bring it back, or remove the schedule first",
            )
            for pair, schedule in in_use
            if schedule.prompt_id in _pack(self._packs, pair).prompts
            and schedule.prompt_id not in _pack(packs, pair).prompts
        ]
        if gone:
            raise pack_error(gone)
        self._packs = packs
        counts = {language: len(pack.prompts) for language, pack in sorted(packs.items())}
        log.info("prompts.reloaded", **counts)
        return counts


def _pack(packs: Packs, pair: Pair) -> Pack:
    return packs.get(pair.language) or packs["en"]
