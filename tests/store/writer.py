"""A process of its own that writes to a database; run as `python -m tests.store.writer URL NAME COUNT`.

Each transaction raises the number of NAME, writes rows that belong to it, and prints the number once it is committed.
"""

import asyncio
import sys

from bot.store.database import Database
from tests.store.conftest import ACCOUNT
from tests.store.examples import intent, outbox_event
from tests.store.keyring import Keyring


async def write(url: str, name: str, count: int) -> None:
    """Write `count` transactions."""
    database = await Database.open(url, account=ACCOUNT, sealers=Keyring())
    for _ in range(count):
        async with database.transaction() as tx:
            number = await tx.facts.increment(name)
            async with tx.savepoint():
                await tx.outbox.add(outbox_event(f"{name}-{number}-a", content={"n": number}))
            await tx.intents.add(intent(f"{name}-{number}"))
            await tx.outbox.add(outbox_event(f"{name}-{number}-b", content={"n": number}))
        print(number, flush=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
