"""The place that is measured: one homeserver, one bot with its pairs, and as many rooms of a peer of the same shape.

Making it takes longer than measuring it, so it is kept in a directory and used again; delete it to begin anew.
"""

import asyncio
import gc
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import vodozemac

from bot.core.goals import Goal
from bot.core.pairs import PairState
from bot.core.people import Pair
from bot.core.rooms import creation
from bot.crypto.canonical import from_unpadded, unpadded
from bot.crypto.identity import CrossSigningSeeds
from bot.crypto.ratchets import PICKLE_KEY
from bot.crypto.signatures import sign_json
from bot.demo.homeserver import LocalHomeserver
from bot.flows.intents import intent
from bot.store.lease import acquire
from tests.attacks.attacker import API, Attacker
from tests.running_bot import RunningBot

THERAPISTS_EVERY = 10  # rooms per therapist
WORKERS = 4
MANY_A_DAY = 100_000  # prompts that a client may get: each run brings several
Item = TypeVar("Item")


class Townsperson(Attacker):
    """A person with one signed device and no client: accepts invitations, and answers where a benchmark asks for it."""

    def kept(self) -> dict[str, str]:
        """What brings this device back in a later run."""
        return {
            "user": self.user_id,
            "device": self.device_id,
            "token": self.token,
            "seeds": unpadded(self.seeds.to_bytes()),
            "account": self.account.pickle(PICKLE_KEY),
        }

    @classmethod
    def again(cls, kept: dict[str, str], url: str) -> "Townsperson":
        """Bring back what `kept` gave."""
        seeds = CrossSigningSeeds.from_bytes(from_unpadded(kept["seeds"]))
        person = cls(kept["user"], kept["device"], url=url, token=kept["token"], seeds=seeds)
        person.account = vodozemac.Account.from_pickle(kept["account"], PICKLE_KEY)
        return person

    async def upload_fallback_key(self) -> None:
        """Let sessions begin also when all one-time keys are used up: every run takes some."""
        self.account.generate_fallback_key()  # type: ignore[attr-defined]  # missing from the stub
        [(key_id, key)] = self.account.fallback_key.items()  # type: ignore[attr-defined]  # missing from the stub
        body = sign_json(
            {"key": key.to_base64(), "fallback": True}, self.user_id, f"ed25519:{self.device_id}", self.sign
        )
        self.account.mark_keys_as_published()
        await self.request("POST", f"{API}/keys/upload", {"fallback_keys": {f"signed_curve25519:{key_id}": body}})


@dataclass(kw_only=True)
class Town:
    """What the benchmarks are run on."""

    directory: Path
    homeserver: LocalHomeserver
    bot: RunningBot
    pairs: list[Pair]
    people: dict[str, Townsperson]
    peer_user: str
    peer_password: str
    peer_rooms: list[str]
    goals: dict[str, Goal]

    @property
    def rooms(self) -> list[str]:
        """The bot's pair rooms."""
        return [pair.room_id for pair in self.pairs if pair.room_id]


@asynccontextmanager
async def town(directory: Path, *, rooms: int) -> AsyncIterator[Town]:
    """Open the town in `directory`, built first where something is missing; its bot runs."""
    await asyncio.to_thread((directory / "bot").mkdir, parents=True, exist_ok=True)
    homeserver = LocalHomeserver()
    await homeserver.start(directory / "synapse")
    bot = RunningBot(directory / "bot", homeserver, localpart="bench")
    await start(bot)
    built = None
    try:
        built = await _build(directory, homeserver, bot, rooms)
        yield built
    finally:
        if built is not None:
            await asyncio.gather(*(person.close() for person in built.people.values()))
        await bot.stop()
        await homeserver.stop()


async def start(bot: RunningBot) -> None:
    """Start the bot with a lease, which every transaction checks, and with its heap frozen, as the real one does."""
    await bot.start()
    gc.freeze()
    # Nobody else wants it, so that it need not last: the next run takes over at once.
    bot.store.lease = await acquire(
        bot.store, holder=secrets.token_hex(8), at=bot.clock.real(), ttl=timedelta(milliseconds=1)
    )


async def _build(directory: Path, homeserver: LocalHomeserver, bot: RunningBot, rooms: int) -> Town:
    file = directory / "town.json"
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"people": [], "peer": {}}
    known = [Townsperson.again(each, homeserver.url) for each in kept["people"]]
    people = {person.user_id: person for person in known}

    def save() -> None:
        kept["people"] = [person.kept() for person in people.values()]
        file.write_text(json.dumps(kept))

    therapists = -(-rooms // THERAPISTS_EVERY)
    names = [f"client{i}" for i in range(rooms)] + [f"therapist{i}" for i in range(therapists)]
    missing = [name for name in names if not any(user.startswith(f"@{name}-") for user in people)]

    async def register(name: str) -> None:
        person = await Townsperson.register(homeserver, name)
        await person.upload_fallback_key()
        people[person.user_id] = person

    await _each(missing, register)
    save()
    ordered = {user.removeprefix("@").partition("-")[0]: user for user in people}
    couples = [(ordered[f"client{i}"], ordered[f"therapist{i // THERAPISTS_EVERY}"]) for i in range(rooms)]
    peer = kept["peer"]
    if not peer:
        peer |= {"password": secrets.token_hex(8), "rooms": []}
        peer["user"] = await homeserver.register("peer", peer["password"])
        save()
    await _peer_rooms(homeserver, peer, people, couples, save)
    pairs = await _pairs(bot, people, couples)
    goals = await _goals(bot, pairs)
    return Town(
        directory=directory, homeserver=homeserver, bot=bot, pairs=pairs, people=people, goals=goals,
        peer_user=peer["user"], peer_password=peer["password"], peer_rooms=peer["rooms"][:rooms],
    )  # fmt: skip


async def _each(items: Iterable[Item], act: Callable[[Item], Awaitable[None]]) -> None:
    """Do something with every item, a few at a time."""
    waiting = list(items)[::-1]

    async def work() -> None:
        while waiting:
            await act(waiting.pop())

    async with asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(work())


async def _peer_rooms(
    homeserver: LocalHomeserver,
    peer: dict[str, Any],
    people: dict[str, Townsperson],
    couples: list[tuple[str, str]],
    save: Callable[[], None],
) -> None:
    missing = couples[len(peer["rooms"]) :]
    if not missing:
        return
    token = (await log_in(homeserver, peer["user"], peer["password"], "PEERSETUP"))["access_token"]
    made: dict[int, str] = {}

    async def make(numbered: tuple[int, tuple[str, str]]) -> None:
        number, couple = numbered
        body = creation(name=f"Peer {number}", nonce=secrets.token_hex(8), therapist=couple[1])
        answer = await homeserver.request("POST", f"{API}/createRoom", body=body, token=token)
        room = str(answer["room_id"])
        for user in couple:
            await homeserver.request("POST", f"{API}/rooms/{room}/invite", body={"user_id": user}, token=token)
            await people[user].join(room)
        made[number] = room

    await _each(enumerate(missing), make)
    await homeserver.request("POST", f"{API}/logout", body={}, token=token)
    peer["rooms"] += [made[number] for number in range(len(missing))]
    save()


async def log_in(homeserver: LocalHomeserver, user: str, password: str, device: str) -> dict[str, Any]:
    """Log an account in on a device."""
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user},
        "password": password,
        "device_id": device,
    }
    return await homeserver.request("POST", f"{API}/login", body=body)


async def _pairs(bot: RunningBot, people: dict[str, Townsperson], couples: list[tuple[str, str]]) -> list[Pair]:
    async with bot.store.transaction() as tx:
        known = {pair.client: pair for pair in await tx.pairs.every()}
    new = [(client, therapist) for client, therapist in couples if client not in known]
    for client, therapist in new:
        await _add_pair(bot, client, therapist)
    bot.service._requests.wake()
    pairs = await _until(bot, couples, lambda pair: pair.state not in (PairState.PROVISIONING, PairState.INVITING))

    async def join(couple: tuple[str, str]) -> None:
        pair = pairs[couple[0]]
        for user, room in ((couple[1], pair.console_id), (couple[1], pair.room_id), (couple[0], pair.room_id)):
            await people[user].join(str(room))

    await _each(new, join)
    pairs = await _until(bot, couples, lambda pair: pair.state is PairState.ACTIVE)
    uncapped = [replace(pairs[client], daily_cap=MANY_A_DAY) for client, _ in couples]
    async with bot.store.transaction() as tx:
        for pair in uncapped:
            await tx.pairs.save(pair)
    return uncapped


async def _until(bot: RunningBot, couples: list[tuple[str, str]], fits: Callable[[Pair], bool]) -> dict[str, Pair]:
    """Wait until all pairs stand like this, and return them by client."""
    pairs: dict[str, Pair] = {}
    while any(client not in pairs for client, _ in couples):
        async with bot.store.transaction() as tx:
            pairs = {pair.client: pair for pair in await tx.pairs.every() if fits(pair)}
        bot._raise_if_ended()
        await asyncio.sleep(0.5)
    return pairs


async def _add_pair(bot: RunningBot, client: str, therapist: str) -> None:
    pair_id = secrets.token_hex(4)
    bot.vault.create(f"pair:{pair_id}")
    at = datetime.now(UTC)
    async with bot.store.transaction() as tx:
        await tx.pairs.add(
            Pair(
                pair_id=pair_id,
                number=0,
                client=client,
                therapist=therapist,
                client_name="Alex",
                therapist_name="Dr. Lee",
                timezone="Europe/Berlin",
                language="en",
                country="DE",
                word="heron",
                state=PairState.PROVISIONING,
                paused=False,
                therapist_gone=False,
                created_at=at,
            )
        )
        await tx.intents.add(intent("pair_add", {"pair_id": pair_id}, at=at))


async def _goals(bot: RunningBot, pairs: list[Pair]) -> dict[str, Goal]:
    """One goal for each pair."""
    goals: dict[str, Goal] = {}
    async with bot.store.transaction() as tx:
        for pair in pairs:
            known = await tx.pairs.goals(pair.pair_id)
            goals[pair.pair_id] = known[0] if known else await tx.pairs.add_goal(pair.pair_id, _goal())
    return goals


def _goal() -> Goal:
    return Goal(
        goal_id=secrets.token_hex(4),
        number=0,
        title="Walk",
        low=0,
        high=10,
        rhythm="fri 18:00",
        revision=1,
        since=datetime.now(UTC),
    )
