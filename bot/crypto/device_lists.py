"""Other people's identities and devices: which lists are out of date, what the server answered, and what follows.

Only people of a pair are tracked (the flow that adds the pair tracks them), so whoever is judged here may be pinned
(CRYPTO 2). The bot's own list is tracked as well (CRYPTO 7).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.core.batch import Json
from bot.core.olm import KeyQuestion, TrustNews
from bot.core.trust import (
    Device,
    DeviceDecision,
    Identity,
    IdentityDecision,
    SeenDevice,
    SeenKeys,
    judge_devices,
    judge_identity,
)
from bot.crypto.account import OwnAccount
from bot.crypto.identity import (
    CrossSigningKeys,
    cross_signing_keys,
    device_ok,
    device_public_keys,
    device_signed,
    other_devices,
)
from bot.crypto.signatures import lookup
from bot.ports import Tx

log = structlog.get_logger()

OWN_IDENTITY_HOLD = "own_identity_hold"  # fact: why nothing may be sent (CRYPTO 7); absent: nothing is wrong
_MEMBERS = ("join", "invite")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    """What an answer changed for one person."""

    news: tuple[TrustNews, ...]
    rotate: bool  # running sessions of the person's rooms end (CRYPTO 22)


class DeviceLists:
    """Follows the device lists of the people of all pairs."""

    def __init__(self, own: OwnAccount) -> None:
        self._own = own
        self._asked: dict[str, int] = {}  # the newest mark that this process asked with, by user

    async def changed(self, tx: Tx, *, changed: Sequence[str], left: Sequence[str]) -> None:
        """Note what `/sync` says about device lists (CRYPTO 21).

        Who left is untracked, unless a pair still names them: then the list is out of date until the server has been
        asked, so that a stranger's list is never kept and a known person's words are never dropped.
        """
        strangers = [user for user in left if user != self._own.user_id and not await tx.pairs.of_person(user)]
        if strangers:
            await tx.devices.untrack(strangers)
        outdated = {*changed, *left} - set(strangers)
        if outdated:
            await tx.devices.mark_outdated(sorted(outdated))

    async def question(self, tx: Tx) -> KeyQuestion | None:
        """Whom to ask the server about; None when every list is up to date.

        The caller has one question in flight. An answer to an older one than the last is ignored.
        """
        if self._own.user_id not in await tx.devices.tracked():
            await tx.devices.track([self._own.user_id])
        marks = await tx.devices.outdated()
        if not marks:
            return None
        self._asked.update(marks)
        return KeyQuestion(marks=marks)

    async def answer(self, tx: Tx, question: KeyQuestion, answer: Json, at: datetime) -> tuple[TrustNews, ...]:
        """Judge and store what the server answered, and end the sessions that somebody must not read on.

        Users in `failures`, users missing from the answer and users asked about anew meanwhile stay out of date.
        """
        tracked = await tx.devices.tracked()
        marks = {
            user: mark
            for user, mark in question.marks.items()
            if user in tracked and _answered(user, answer) and self._asked.get(user, mark) <= mark
        }
        people = sorted(set(marks) - {self._own.user_id})
        identities, devices = await tx.devices.identities(people), await tx.devices.devices(people)
        news: list[TrustNews] = []
        rotate: list[str] = []
        for user in people:
            known = identities.get(user, Identity(user_id=user))
            judged = await self._person(tx, known, devices.get(user, ()), answer, at)
            news.extend(judged.news)
            if judged.rotate:
                rotate.append(user)
        if rotate:
            await end_sessions(tx, rotate)
        if self._own.user_id in marks:
            news.extend(await self._own_list(tx, answer))
        await tx.devices.clear_outdated(marks)
        return tuple(news)

    async def _person(self, tx: Tx, known: Identity, devices: Sequence[Device], answer: Json, at: datetime) -> _Judged:
        keys = cross_signing_keys(known.user_id, answer)
        decision = judge_identity(known, _seen_keys(keys), at, may_pin=True)
        old = {device.device_id: device for device in devices}
        seen = _seen_devices(known.user_id, answer, _signing_key(decision.identity, keys))
        devices_decision = judge_devices(known.user_id, old, seen, at)
        if decision.identity != known:
            await tx.devices.save_identity(decision.identity)
        changed = [device for device in devices_decision.devices.values() if device != old.get(device.device_id)]
        if changed:
            await tx.devices.save_devices(changed)
        return _Judged(
            news=_news(decision, devices_decision),
            rotate=bool(decision.violations) or devices_decision.rotate,
        )

    async def _own_list(self, tx: Tx, answer: Json) -> tuple[TrustNews, ...]:
        """An unknown device or another master key of the bot's own account stops all sending (CRYPTO 7)."""
        own = await self._own.own_device(tx)
        wrong = [f"device {device_id}" for device_id in other_devices(answer, own)]
        seeds, keys = await self._own.seeds(tx), cross_signing_keys(own.user_id, answer)
        if seeds is not None and keys is not None and keys.master != seeds.master.public_key:
            wrong.append(f"master key {keys.master}")
        hold = ", ".join(wrong) or None
        if hold == await tx.facts.read(OWN_IDENTITY_HOLD):
            return ()
        await tx.facts.write(OWN_IDENTITY_HOLD, hold)
        log.warning("own_identity.changed", held=hold is not None)
        return tuple(TrustNews(user_id=own.user_id, kind="own_device", detail=each) for each in wrong)


async def end_sessions(tx: Tx, users: Iterable[str]) -> None:
    """Let the next message in every room of these people make a new session (CRYPTO 22)."""
    gone = frozenset(users)
    rooms = [room.room_id for room in await tx.rooms.every()]
    members = await tx.rooms.members(rooms)
    ended = [
        room_id
        for room_id in rooms
        if any(membership in _MEMBERS and user in gone for user, membership in members.get(room_id, {}).items())
    ]
    if ended:
        await tx.megolm.drop_outbound(ended)
        log.info("megolm.ended", rooms=ended)


def _answered(user: str, answer: Json) -> bool:
    """Whether the answer is complete for this person."""
    if lookup(answer, "failures", user.partition(":")[2]) is not None:
        return False
    return isinstance(lookup(answer, "device_keys", user), Mapping)


def _seen_keys(keys: CrossSigningKeys | None) -> SeenKeys:
    if keys is None:
        return SeenKeys(master=None, self_signing=None, self_signing_ok=False)
    return SeenKeys(master=keys.master, self_signing=keys.self_signing, self_signing_ok=keys.self_signing_ok)


def _signing_key(identity: Identity, keys: CrossSigningKeys | None) -> str | None:
    """The self-signing key whose signatures count now: shown, signed by the pinned master key, not superseded."""
    if keys is None or not keys.self_signing_ok or keys.master != identity.pinned_master:
        return None
    return keys.self_signing if keys.self_signing == identity.self_signing else None


def _seen_devices(user_id: str, answer: Json, self_signing: str | None) -> list[SeenDevice]:
    """The well-formed devices in the answer; one whose own signature is wrong counts as not shown."""
    seen = []
    for device_id, keys in answer["device_keys"][user_id].items():
        if not device_ok(user_id, device_id, keys):
            log.warning("device.malformed", user=user_id, device=device_id)
            continue
        public = device_public_keys(device_id, keys)
        if public is None:
            continue
        seen.append(
            SeenDevice(
                device_id=device_id,
                ed25519=public[0],
                curve25519=public[1],
                signed_by_pinned=self_signing is not None and device_signed(user_id, keys, self_signing),
                dehydrated=keys.get("dehydrated") is True,
            )
        )
    return seen


def _news(identity: IdentityDecision, devices: DeviceDecision) -> tuple[TrustNews, ...]:
    user = identity.identity.user_id
    news = [TrustNews(user_id=user, kind="violation", detail=violation.value) for violation in identity.violations]
    if identity.pinned:
        news.append(TrustNews(user_id=user, kind="pinned", detail=identity.identity.pinned_master or ""))
    news += [
        TrustNews(user_id=user, kind="violation", detail=f"{each.violation.value} {each.device_id}")
        for each in devices.violations
    ]
    # While the person's identity is in question, that alone is told: it concerns all of the devices.
    unsigned = [
        device_id
        for device_id in (*devices.added, *devices.lost_trust)
        if identity.identity.violation is None and _lacks_signature(devices.devices[device_id])
    ]
    news += [TrustNews(user_id=user, kind="unsigned_device", detail=device_id) for device_id in unsigned]
    news += [TrustNews(user_id=user, kind="newly_signed", detail=device_id) for device_id in devices.signed]
    return tuple(news)


def _lacks_signature(device: Device) -> bool:
    return not device.signed and not device.removed and device.violation is None
