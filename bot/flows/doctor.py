"""What is wrong with a bot, and what to do about it: the parts that need its database and its homeserver."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.core.trust import fingerprint_groups
from bot.errors import InterludeError, KeyMismatch, Refusal, SealingError, Unreachable
from bot.flows.overview import PairView, PersonView, view_pair
from bot.flows.start import (
    CLOCK_BEHIND,
    HIGH_WATER,
    STARTS,
    OwnKeys,
    OwnServer,
    check_own_keys,
    check_token,
    starts_on_server,
)
from bot.ports import Store, Tx


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # works, but somebody should look
    FAIL = "fail"  # does not work


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the doctor."""

    level: Level
    topic: str
    text: str
    mend: str = ""  # what to do; empty when all is well


class ExaminedServer(OwnServer, Protocol):
    """The homeserver, as far as an examination needs it."""

    async def versions(self) -> tuple[str, ...]: ...


def ok(topic: str, text: str) -> Finding:
    """All is well."""
    return Finding(level=Level.OK, topic=topic, text=text)


def warn(topic: str, text: str, mend: str) -> Finding:
    """Somebody should look."""
    return Finding(level=Level.WARN, topic=topic, text=text, mend=mend)


def wrong(topic: str, text: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(level=Level.FAIL, topic=topic, text=text, mend=mend)


async def examine_server(
    store: Store, server: ExaminedServer, own: OwnKeys, *, user_id: str, device_id: str
) -> list[Finding]:
    """Look at the homeserver: is it there, does it know the bot, and under the same keys."""
    try:
        with suppress(Refusal):  # it is there, and has something against the token: that is looked at below
            await server.versions()
    except Unreachable as error:
        return [wrong("homeserver", str(error), "Start it, or correct `url` in [homeserver] of interlude.toml.")]
    found = [ok("homeserver", "It answers.")]
    try:
        await check_token(server, user_id=user_id, device_id=device_id)
        found.append(ok("token", f"{user_id} on device {device_id}."))
        found.append(await _keys(store, server, own, user_id=user_id, device_id=device_id))
        found += await _copies(store, server)
    except KeyMismatch as error:
        found.append(wrong("token", str(error), "Run `interlude init` again."))
    except (Unreachable, Refusal) as error:
        found.append(wrong("homeserver", str(error), "Look at the homeserver's log."))
    return found


async def _keys(store: Store, server: OwnServer, own: OwnKeys, *, user_id: str, device_id: str) -> Finding:
    try:
        others = await check_own_keys(store, server, own, user_id=user_id, device_id=device_id)
    except KeyMismatch as error:
        return wrong("keys", str(error), "Find out who changed them before you start the bot.")
    if others:
        mend = "Log them out: while they exist the bot sends nothing."
        return wrong("keys", f"The account has other devices: {', '.join(others)}.", mend)
    return ok("keys", "The homeserver shows the bot's own keys, signed.")


async def _copies(store: Store, server: OwnServer) -> list[Finding]:
    async with store.transaction() as tx:
        known = int(await tx.facts.read(STARTS) or 0)
    seen = await starts_on_server(server)
    if seen <= known:
        return []
    text = f"The homeserver has seen {seen} starts, this database knows of {known}: it is an old copy."
    return [wrong("database", text, "Bring back the newest database, and stop the other copy.")]


async def examine_database(store: Store, own: OwnKeys, *, at: datetime, machine: datetime) -> list[Finding]:
    """Look at what the database holds; `at` is the schedules' time, `machine` what the machine's clock shows."""
    try:
        async with store.transaction() as tx:
            found = [
                ok("fingerprint", f"The bot's own: {fingerprint_groups(await own.fingerprint(tx))}"),
                *await _clock(tx, machine),
                *await _outbox(tx),
                *await _rooms(tx),
            ]
            for pair in await tx.pairs.every():
                found += _pair(await view_pair(tx, pair, at=at))
    except SealingError as error:
        return [wrong("vault", str(error), "Bring back the vault that belongs to this database.")]
    except InterludeError as error:
        return [wrong("database", str(error), "Run `interlude init` again; it completes what is missing.")]
    return found


async def _clock(tx: Tx, machine: datetime) -> list[Finding]:
    text = await tx.facts.read(HIGH_WATER)
    behind = datetime.fromisoformat(text) - machine if text else timedelta(0)
    if behind > CLOCK_BEHIND:
        sentence = f"The machine's clock is {behind} behind what the bot has seen."
        return [wrong("clock", sentence, "Set it right, with a time service such as chrony.")]
    return [ok("clock", f"{machine.astimezone(UTC):%Y-%m-%d %H:%M} UTC.")]


async def _outbox(tx: Tx) -> list[Finding]:
    counts = await tx.outbox.counts()
    waiting = counts.get("queued", 0) + counts.get("encrypted", 0)
    found = [ok("outbox", f"{waiting} waiting.")]
    if parked := counts.get("parked", 0):
        mend = "They were too large for the homeserver; its log and the bot's name them."
        found.append(warn("outbox", f"{parked} that the homeserver will not take.", mend))
    return found


async def _rooms(tx: Tx) -> list[Finding]:
    """Consoles that are held; pair rooms are named with their pair."""
    return [
        warn("console", f"Nothing is sent to {room.therapist}: {room.hold}.", _mend_of(room.hold))
        for room in await tx.rooms.every()
        if room.pair_id is None and room.hold
    ]


def _pair(view: PairView) -> list[Finding]:
    topic = f"pair {view.pair.number}"
    found = [ok(topic, f"{view.pair.standing.shown}, room “{view.pair.word}”.")]
    if view.hold:
        found.append(warn(topic, f"Nothing is sent in the room: {view.hold}.", _mend_of(view.hold)))
    found += [
        warn(topic, f"The {each}.", "Ask whether the invitation was seen.")
        if each.overdue
        else ok(topic, f"The {each}.")
        for each in view.waiting
    ]
    if view.pair.therapist_gone and view.pair.standing.live:
        found.append(
            warn(topic, "The therapist is gone; prompts have stopped.", f"`interlude pair end {view.pair.number}`")
        )
    for person in view.people:
        found += _person(topic, person)
    return found


def _person(topic: str, person: PersonView) -> list[Finding]:
    if person.violation:
        mend = f"Compare the fingerprint with the person, then `interlude trust {person.user_id} --fingerprint ...`."
        return [wrong(topic, f"{person.role}: {person.violation}; no keys go there.", mend)]
    if person.fingerprint is None or person.pinned_at is None:
        if person.membership != "in the room":
            return []
        return [
            warn(topic, f"The {person.role} has no signed device.", "Element: Settings, Encryption, set up recovery.")
        ]
    since = f"since {person.pinned_at:%Y-%m-%d}"
    found = [ok(topic, f"{person.role} {fingerprint_groups(person.fingerprint)}, {since}.")]
    if not person.signed:
        mend = "Element: confirm the device with another one or with the recovery key."
        found.append(warn(topic, f"The {person.role} has no signed device now; messages are held.", mend))
    return found


def _mend_of(hold: str | None) -> str:
    if (hold or "").startswith("drift"):
        return "Put the room back as it was: nobody else in it, its settings unchanged."
    return "Look at the homeserver's log; the bot tries again by itself."
