"""What `crisis` needs when the store refuses writes: a second, empty store in memory (CRYPTO 10).

There the same cipher answers with sessions that nobody has used before. They end with that store, and nothing that it
learns is brought back, so no ratchet of the real store can fork.
"""

from collections.abc import Sequence

from bot.core.megolm import Audience
from bot.crypto.account import SEEDS
from bot.ports import Tx

_NOT_STORED = 0


async def prepare_standby(source: Tx, standby: Tx, audiences: Sequence[Audience]) -> None:
    """Copy the account, these rooms and their people's devices into an empty store, while the real one can be read.

    No Olm and no Megolm session comes along. Raises `StaleRow` where the standby store is not empty.
    """
    pickle, _ = await source.olm.account()
    await standby.olm.save_account(pickle, _NOT_STORED)
    await standby.facts.write(SEEDS, await source.facts.read(SEEDS))
    people = frozenset(user for audience in audiences for user in audience.people)
    room_ids = sorted({audience.room_id for audience in audiences})
    for room in [await source.rooms.get(room_id) for room_id in room_ids]:
        if room is not None:
            await standby.rooms.add(room)
    for room_id, members in (await source.rooms.members(room_ids)).items():
        await standby.rooms.set_members(room_id, members)
    for identity in (await source.devices.identities(people)).values():
        await standby.devices.save_identity(identity)
    for devices in (await source.devices.devices(people)).values():
        await standby.devices.save_devices(devices)
