"""Room keys on their way to devices that may have them, before the message that needs them (CRYPTO 1-4, 17, 22, 23)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
import vodozemac

from bot.core.batch import Json
from bot.core.megolm import Audience, Hold, OutboundSession, Share, SharePlan
from bot.core.olm import ToDeviceMessage
from bot.core.trust import Device, confirm
from bot.crypto.account import OwnAccount
from bot.crypto.olm import ENCRYPTED, OlmChannel, to_device
from bot.crypto.ratchets import PICKLE_KEY, OwnSession, new_own_session
from bot.crypto.recipients import Recipients, View, load_view
from bot.crypto.withheld import EVENT_TYPE as WITHHELD
from bot.crypto.withheld import UNVERIFIED, no_olm, unverified
from bot.ports import Tx

log = structlog.get_logger()

CLAIM_AGAIN_AFTER = timedelta(hours=1)
_CLAIM = "signed_curve25519"
_NO_OLM = "no_olm:"


@dataclass(kw_only=True, slots=True)
class _Work:
    """One room while its keys are being shared: the only mutable value here, gone at the end of the transaction."""

    outbound: OutboundSession
    recipients: Recipients
    lacking: list[Device]
    new: bool = False
    own: OwnSession | None = None  # loaded only where a key is needed
    changed: bool = False  # the copy has to be stored
    notices: list[Device] = field(default_factory=list)


class Sharing:
    """Makes and rotates the rooms' sessions and queues their keys."""

    def __init__(self, own: OwnAccount, olm: OlmChannel) -> None:
        self._own = own
        self._olm = olm

    async def share(self, tx: Tx, audiences: Sequence[Audience], at: datetime) -> SharePlan:
        """Give every trusted device of these rooms the current key that it lacks; say what is still needed for others.

        A device that comes late reads from now on; one whose Olm session was replaced from where it could; one of a
        person whose changed identity was confirmed from the first message withheld for that reason (CRYPTO 4, 17).
        The claims hold the devices that wait for unwedging as well, whatever the audiences.
        """
        view = await load_view(tx, self._own.user_id, audiences)
        judged = _judge_rooms(view, audiences)
        held = tuple(verdict for verdict in judged.values() if isinstance(verdict, Hold))
        await tx.megolm.drop_outbound(
            [hold.room_id for hold in held if hold.reason == "drift" and hold.room_id in view.sessions]
        )
        works = [
            await self._work(tx, view, room_id, recipients, at)
            for room_id, recipients in judged.items()
            if isinstance(recipients, Recipients)
        ]
        notices = [notice for work in works for notice in await self._withhold(tx, work)]
        for work in works:
            await _prepare(tx, work)
        messages, claims = await self._give(tx, view, works, at)
        for user, wishes in (await self._olm.unwedge_due(tx)).items():
            claims.setdefault(user, {}).update(wishes)
        await _store(tx, view, works)
        await tx.olm.queue([*messages, *notices])
        held += tuple(_unreachable(audiences, works, claims))
        return SharePlan(claims=claims, queued=len(messages) + len(notices), held=held)

    async def claimed(self, tx: Tx, wanted: Mapping[str, Mapping[str, str]], answer: Json, at: datetime) -> None:
        """Make Olm sessions from an answer of `/keys/claim`; a device that left no key is told `m.no_olm` once.

        It is asked again after an hour and holds nobody up meanwhile. A session made since then allows another notice
        (CRYPTO 2).
        """
        made = await self._olm.claimed(tx, wanted, answer)
        devices = await tx.devices.devices(wanted)
        asked = [device for user, ids in wanted.items() for device in devices.get(user, ()) if device.device_id in ids]
        sessions = await tx.olm.sessions([device.curve25519 for device in asked])
        sender_key = (await self._own.own_device(tx)).curve25519
        notices: list[ToDeviceMessage] = []
        failed = await failed_claims(tx)
        for device in asked:
            fact = no_olm_fact(device)
            if (device.user_id, device.device_id) in made or sessions.get(device.curve25519):
                if fact in failed:
                    await tx.facts.write(fact, None)
            else:
                if fact not in failed:
                    notices.append(to_device(device, WITHHELD, no_olm(sender_key=sender_key)))
                await tx.facts.write(fact, at.isoformat())
        await tx.olm.queue(notices)

    async def confirm(self, tx: Tx, user_id: str, fingerprint: str, at: datetime) -> bool:
        """Pin the master key that a person typed, if it is the one that the server shows now (CRYPTO 4).

        Which devices the new identity has signed comes with the next answer about the person: until then, none.
        """
        known = (await tx.devices.identities([user_id])).get(user_id)
        confirmed = None if known is None else confirm(known, fingerprint, at)
        if confirmed is None:
            return False
        if confirmed != known:
            await tx.devices.save_identity(confirmed)
            devices = (await tx.devices.devices([user_id])).get(user_id, ())
            await tx.devices.save_devices([replace(device, signed=False) for device in devices])
            await tx.devices.mark_outdated([user_id])
            log.info("identity.confirmed", user=user_id)
        return True

    async def _work(self, tx: Tx, view: View, room_id: str, recipients: Recipients, at: datetime) -> _Work:
        running = view.sessions.get(room_id)
        if running is not None and not view.expired(running, recipients, at):
            return _Work(outbound=running, recipients=recipients, lacking=view.lacking(running, recipients))
        group = vodozemac.GroupSession()
        own = new_own_session(room_id, await self._own.own_device(tx), group)
        outbound = OutboundSession(
            room_id=room_id,
            session_id=group.session_id,
            pickle=group.pickle(PICKLE_KEY).encode("ascii"),
            created_at=at,
            messages=0,
            version=0,
        )
        work = _Work(outbound=outbound, recipients=recipients, lacking=list(recipients.trusted), new=True, changed=True)
        work.own = replace(own, violated=dict.fromkeys(recipients.violated, 0))
        return work

    async def _withhold(self, tx: Tx, work: _Work) -> list[ToDeviceMessage]:
        """Notices for the devices that get no key, once per device, session and code (CRYPTO 2)."""
        session, sender_key = work.outbound, (await self._own.own_device(tx)).curve25519
        content = unverified(room_id=session.room_id, session_id=session.session_id, sender_key=sender_key)
        work.notices = [
            device
            for device in work.recipients.untrusted
            if await tx.megolm.note_withheld(
                session.session_id, device.user_id, device.device_id, UNVERIFIED, session.messages
            )
        ]
        return [to_device(device, WITHHELD, content) for device in work.notices]

    async def _give(
        self, tx: Tx, view: View, works: Sequence[_Work], at: datetime
    ) -> tuple[list[ToDeviceMessage], dict[str, dict[str, str]]]:
        """Encrypt all missing keys of all rooms in one go; the claims are for devices without an Olm session."""
        wanted = [
            (work, device, index, content)
            for work in works
            for device in work.lacking
            for index, content in [_key_for(view, work, device)]
        ]
        sealed = await self._olm.encrypt(tx, [(device, "m.room_key", content) for _, device, _, content in wanted])
        messages: list[ToDeviceMessage] = []
        shares: list[Share] = []
        without_session: dict[tuple[str, str], Device] = {}
        for (work, device, index, _), content in zip(wanted, sealed, strict=True):
            if content is None:
                without_session[device.user_id, device.device_id] = device
                continue
            session_id = work.outbound.session_id
            messages.append(to_device(device, ENCRYPTED, content, session_id))
            shares.append(_share(session_id, device, index, view.wedge(device)))
            work.lacking = [other for other in work.lacking if other is not device]
        await tx.megolm.save_shares(shares)
        return messages, await _claims(tx, list(without_session.values()), at)


def no_olm_fact(device: Device) -> str:
    """The fact that tells when a claim for this device failed last."""
    return f"{_NO_OLM}{device.user_id}:{device.device_id}"


async def failed_claims(tx: Tx) -> Mapping[str, str]:
    """When claims failed last, by the devices' facts."""
    return {_NO_OLM + name: value for name, value in (await tx.facts.beginning(_NO_OLM)).items()}


def _judge_rooms(view: View, audiences: Sequence[Audience]) -> dict[str, Recipients | Hold]:
    """One verdict a room: a message to somebody who cannot read must not keep the keys of the others back."""
    judged: dict[str, Recipients | Hold] = {}
    for audience in audiences:
        if not isinstance(judged.get(audience.room_id), Recipients):
            judged[audience.room_id] = view.judge(audience)
    return judged


def _share(session_id: str, device: Device, index: int, wedge: int) -> Share:
    return Share(
        session_id=session_id,
        user_id=device.user_id,
        device_id=device.device_id,
        curve25519=device.curve25519,
        index=index,
        wedge=wedge,
        acknowledged=False,
    )


async def _prepare(tx: Tx, work: _Work) -> None:
    """Load our copy of a running session where keys are needed, with the signed key of the current index in it."""
    violated = [device.user_id for device in work.notices if device.user_id in work.recipients.violated]
    if work.own is not None or not (work.lacking or violated):
        return
    session = work.outbound
    row = await tx.megolm.inbound(session.room_id, session.session_id)
    if row is None:
        # Without our copy nobody new can be given this session: the next step makes another one.
        log.error("megolm.copy_missing", room=session.room_id, session=session.session_id)
        await tx.megolm.drop_outbound([session.room_id])
        work.lacking = []
        return
    group = vodozemac.GroupSession.from_pickle(session.pickle.decode("ascii"), PICKLE_KEY)
    own = OwnSession.from_row(row)
    work.own = replace(own.with_key(group), violated={**dict.fromkeys(violated, session.messages), **own.violated})
    work.changed = True


def _key_for(view: View, work: _Work, device: Device) -> tuple[int, dict[str, object]]:
    """From where this device may read, and the key that lets it."""
    own, session = work.own, work.outbound
    if own is None:
        raise LookupError("Keys are needed that were not prepared.")
    share = view.share_of(session.session_id, device)
    index = own.violated.get(device.user_id, session.messages) if share is None or work.new else share.index
    content = own.room_key(index)
    if content is None:
        raise LookupError(f"The session {session.session_id} has no signed key of index {index}.")
    return index, content


def _unreachable(
    audiences: Sequence[Audience], works: Sequence[_Work], claims: Mapping[str, Mapping[str, str]]
) -> Iterator[Hold]:
    """Rooms whose addressed person has no device with the key, nor one for which a claim is due (CRYPTO 6)."""
    rooms = {work.outbound.room_id: work for work in works}
    for audience in audiences:
        work, user = rooms.get(audience.room_id), audience.addressed
        if work is None or user is None:
            continue
        own = [each for each in work.recipients.trusted if each.user_id == user and not each.dehydrated]
        if all(each in work.lacking and each.device_id not in claims.get(user, {}) for each in own):
            yield Hold(room_id=audience.room_id, reason="no_device")


async def _claims(tx: Tx, devices: Sequence[Device], at: datetime) -> dict[str, dict[str, str]]:
    claims: dict[str, dict[str, str]] = {}
    known = await failed_claims(tx) if devices else {}
    for device in devices:
        failed = known.get(no_olm_fact(device))
        if failed is None or at - datetime.fromisoformat(failed) >= CLAIM_AGAIN_AFTER:
            claims.setdefault(device.user_id, {})[device.device_id] = _CLAIM
    return claims


async def _store(tx: Tx, view: View, works: Sequence[_Work]) -> None:
    new = [work.outbound for work in works if work.new]
    await tx.megolm.drop_outbound([session.room_id for session in new if session.room_id in view.sessions])
    await tx.megolm.save_outbound(new)
    await tx.megolm.save_inbound([_settled(work, work.own).to_row() for work in works if work.own and work.changed])


def _settled(work: _Work, own: OwnSession) -> OwnSession:
    """Forget where a confirmed person may start once all their devices have the key: later ones start at present."""
    waiting = {device.user_id for device in work.lacking} | work.recipients.violated
    return replace(own, violated={user: index for user, index in own.violated.items() if user in waiting})
