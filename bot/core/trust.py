"""Whose devices get keys and whose word counts.

Decisions only: the crypto package verifies signatures and passes in what it found. A violation lasts as long as the
server shows what caused it, and the old record is kept meanwhile; each is reported once (CRYPTO 3).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Violation(StrEnum):
    """What a server must not show (CRYPTO 3)."""

    MASTER_CHANGED = "master_changed"
    SELF_SIGNING_RETURNED = "self_signing_returned"  # a superseded self-signing key is back
    DEVICE_KEYS_CHANGED = "device_keys_changed"
    DEVICE_RETURNED = "device_returned"  # a removed (device id, ed25519) pair is back


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """A person's cross-signing identity, as pinned and as last shown; keys are unpadded base64."""

    user_id: str
    pinned_master: str | None = None
    pinned_at: datetime | None = None
    master: str | None = None  # last shown by the server: what `confirm` compares a typed fingerprint with
    self_signing: str | None = None  # signed by the pinned master key (by the shown one while nothing is pinned)
    superseded_self_signing: frozenset[str] = frozenset()
    violation: Violation | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenKeys:
    """The cross-signing keys in an answer of the server."""

    master: str | None
    self_signing: str | None
    self_signing_ok: bool  # signed by this master key, ids and usage right


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityDecision:
    """The identity to store, and what is new about it."""

    identity: Identity
    violations: tuple[Violation, ...]  # new ones only: to be told
    pinned: bool  # now, for the first time


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A device as it was first seen; its keys never change in this record."""

    user_id: str
    device_id: str
    ed25519: str
    curve25519: str
    signed: bool  # by the self-signing key under the pinned master key
    first_seen: datetime
    dehydrated: bool = False
    removed: bool = False  # kept, so that its return is noticed
    former_ed25519: frozenset[str] = frozenset()  # removed under the same device id earlier
    violation: Violation | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenDevice:
    """A device in an answer of the server, its own signature verified."""

    device_id: str
    ed25519: str
    curve25519: str
    signed_by_pinned: bool
    dehydrated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceViolation:
    """Which device shows what it must not."""

    device_id: str
    violation: Violation


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceDecision:
    """The devices to store, and what is new about them (device ids)."""

    devices: Mapping[str, Device]  # the removed ones too
    added: tuple[str, ...]
    removed: tuple[str, ...]
    signed: tuple[str, ...]  # newly: they may now get what was withheld
    lost_trust: tuple[str, ...]
    violations: tuple[DeviceViolation, ...]  # new ones only: to be told

    @property
    def rotate(self) -> bool:
        """Whether running sessions end (CRYPTO 22)."""
        return bool(self.removed or self.lost_trust or self.violations)


@dataclass(frozen=True, slots=True)
class Share:
    """The device gets the key."""


@dataclass(frozen=True, slots=True)
class Withhold:
    """The device gets a notice with this code instead (specification, `m.room_key.withheld`)."""

    code: str


class Verdict(StrEnum):
    """Whether an event has effect, and if not, why (CRYPTO 9)."""

    TRUSTED = "trusted"
    UNSIGNED = "unsigned"
    UNKNOWN_DEVICE = "unknown_device"
    REMOVED_DEVICE = "removed_device"
    VIOLATION = "violation"
    STRANGER = "stranger"

    @property
    def counts(self) -> bool:
        """Whether the event has effect."""
        return self is Verdict.TRUSTED


def judge_identity(known: Identity, seen: SeenKeys, at: datetime, *, may_pin: bool) -> IdentityDecision:
    """Compare the keys that the server shows with the pinned ones (CRYPTO 2, 3).

    `may_pin` is True for people of a pair, never before. A new person's `known` is `Identity(user_id=...)`.
    Keys that are missing from the answer change nothing.
    """
    if known.pinned_master is None:
        return _first_sight(known, seen, at, may_pin=may_pin)
    if seen.master is None:
        return IdentityDecision(identity=known, violations=(), pinned=False)
    if seen.master != known.pinned_master:
        told = known.violation is Violation.MASTER_CHANGED and known.master == seen.master
        return _violated(replace(known, master=seen.master), Violation.MASTER_CHANGED, told=told)
    known_again = replace(known, master=seen.master)
    if seen.self_signing is None or not seen.self_signing_ok:
        return IdentityDecision(identity=_without_master_change(known_again), violations=(), pinned=False)
    if seen.self_signing in known.superseded_self_signing:
        told = known.violation is Violation.SELF_SIGNING_RETURNED
        return _violated(known_again, Violation.SELF_SIGNING_RETURNED, told=told)
    identity = replace(_with_self_signing(known_again, seen.self_signing), violation=None)
    return IdentityDecision(identity=identity, violations=(), pinned=False)


def _first_sight(known: Identity, seen: SeenKeys, at: datetime, *, may_pin: bool) -> IdentityDecision:
    identity = replace(known, master=seen.master, self_signing=seen.self_signing if seen.self_signing_ok else None)
    pinned = may_pin and seen.master is not None
    if pinned:
        identity = replace(identity, pinned_master=seen.master, pinned_at=at)
    return IdentityDecision(identity=identity, violations=(), pinned=pinned)


def _violated(identity: Identity, violation: Violation, *, told: bool) -> IdentityDecision:
    new = () if told else (violation,)
    return IdentityDecision(identity=replace(identity, violation=violation), violations=new, pinned=False)


def _without_master_change(identity: Identity) -> Identity:
    # An answer without a self-signing key does not prove that a superseded one is gone.
    return replace(identity, violation=None) if identity.violation is Violation.MASTER_CHANGED else identity


def _with_self_signing(identity: Identity, key: str | None) -> Identity:
    old = {identity.self_signing} - {None, key}
    superseded = identity.superseded_self_signing | {former for former in old if former is not None}
    return replace(identity, self_signing=key, superseded_self_signing=superseded)


def confirm(identity: Identity, typed_fingerprint: str, at: datetime) -> Identity | None:
    """Pin the key that the server shows now, if it is the one that the confirming person typed; None if not (CRYPTO 4).

    Blanks in the fingerprint are ignored, case counts. The self-signing key under a newly pinned master key comes with
    the next answer to a device query: mark the person outdated.
    """
    typed = "".join(typed_fingerprint.split())
    if identity.master is None or typed != identity.master:
        return None
    if identity.master == identity.pinned_master:
        return identity
    fresh = _with_self_signing(identity, None)
    return replace(fresh, pinned_master=identity.master, pinned_at=at, violation=None)


def fingerprint_groups(key: str) -> str:
    """A key in groups of four, for people to compare and to type."""
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))


def judge_devices(
    user_id: str, known: Mapping[str, Device], seen: Sequence[SeenDevice], at: datetime
) -> DeviceDecision:
    """Compare a person's devices that the server shows with the known ones (CRYPTO 3).

    `known` holds the removed ones too; `seen` is a complete answer for this person.
    """
    shown = {device.device_id: device for device in seen}
    gone = {device_id: replace(old, removed=True, violation=None) for device_id, old in known.items()}
    devices = gone | {
        device_id: _judge_device(user_id, known.get(device_id), device, at) for device_id, device in shown.items()
    }
    changes = [(known.get(device_id), device) for device_id, device in sorted(devices.items())]
    return DeviceDecision(
        devices=devices,
        added=tuple(new.device_id for old, new in changes if _present(new) and not _present(old)),
        removed=tuple(new.device_id for old, new in changes if _present(old) and not _present(new)),
        signed=tuple(new.device_id for old, new in changes if _trusted(new) and not _trusted(old)),
        lost_trust=tuple(new.device_id for old, new in changes if _trusted(old) and not _trusted(new)),
        violations=tuple(
            DeviceViolation(device_id=new.device_id, violation=new.violation)
            for old, new in changes
            if new.violation is not None and (old is None or old.violation is not new.violation)
        ),
    )


def _judge_device(user_id: str, known: Device | None, seen: SeenDevice, at: datetime) -> Device:
    if known is None:
        return _new_device(user_id, seen, at, former=frozenset())
    former = known.former_ed25519 | ({known.ed25519} if known.removed else set())
    if seen.ed25519 in former:
        return replace(known, violation=Violation.DEVICE_RETURNED)
    if known.removed:
        return _new_device(user_id, seen, at, former=former)
    if (seen.ed25519, seen.curve25519) != (known.ed25519, known.curve25519):
        return replace(known, violation=Violation.DEVICE_KEYS_CHANGED)
    return replace(known, signed=seen.signed_by_pinned, dehydrated=seen.dehydrated, violation=None)


def _new_device(user_id: str, seen: SeenDevice, at: datetime, *, former: frozenset[str]) -> Device:
    return Device(
        user_id=user_id,
        device_id=seen.device_id,
        ed25519=seen.ed25519,
        curve25519=seen.curve25519,
        signed=seen.signed_by_pinned,
        first_seen=at,
        dehydrated=seen.dehydrated,
        former_ed25519=former,
    )


def _present(device: Device | None) -> bool:
    return device is not None and not device.removed


def _trusted(device: Device | None) -> bool:
    return device is not None and _device_verdict(device).counts


def key_decision(device: Device, identity: Identity) -> Share | Withhold:
    """Whether a device of a person of the pair gets room keys (CRYPTO 2, 3)."""
    if word_counts(device, identity).counts:
        return Share()
    return Withhold(code="m.unverified")


def can_read(devices: Iterable[Device], identity: Identity) -> bool:
    """Whether the person has a device that may read: if not, the message is held.

    A dehydrated device does not count as the person (CRYPTO 6).
    """
    return any(not device.dehydrated and word_counts(device, identity).counts for device in devices)


def word_counts(device: Device | None, identity: Identity | None) -> Verdict:
    """Whether what came over Olm from this device has effect (CRYPTO 9).

    `identity` is None for people in no pair, `device` for a device that the sender's device list does not show.
    """
    if identity is None:
        return Verdict.STRANGER
    if identity.violation is not None:
        return Verdict.VIOLATION
    if device is None or device.user_id != identity.user_id:
        return Verdict.UNKNOWN_DEVICE
    if identity.pinned_master is None:
        return Verdict.UNSIGNED
    return _device_verdict(device)


def _device_verdict(device: Device) -> Verdict:
    if device.violation is not None:
        return Verdict.VIOLATION
    if device.removed:
        return Verdict.REMOVED_DEVICE
    return Verdict.TRUSTED if device.signed else Verdict.UNSIGNED
