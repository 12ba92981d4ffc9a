"""What stood inside an Olm message, held to the specification's checks of incoming decrypted events (CRYPTO 11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.core.trust import Device
from bot.crypto.identity import OwnDevice, device_ok, device_public_keys
from bot.crypto.signatures import is_public_key, lookup
from bot.crypto.untrusted_json import is_name, read_json

_DEVICE_KEYS = ("sender_device_keys", "org.matrix.msc4147.device_keys")


@dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """A decrypted event whose sender, recipient and keys are what they have to be."""

    event_type: str
    content: Mapping[str, Any] = field(repr=False)
    ed25519: str  # of the sending device, as it says itself under its Olm session
    known_device: bool  # the device list shows this device with these keys


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """Which check failed."""

    reason: str  # malformed | sender | recipient | recipient_key | device_key | device_keys


def read_payload(
    plaintext: bytes, *, sender: str, sender_key: str, own: OwnDevice, device: Device | None
) -> Payload | Rejected:
    """Check a plaintext against the event that carried it; nothing is raised.

    `device` is the sender's device with this curve25519 key, None while no device list shows one.
    """
    try:
        payload = read_json(plaintext)
    except ValueError:
        return Rejected(reason="malformed")
    ed25519 = lookup(payload, "keys", "ed25519")
    event_type, content = lookup(payload, "type"), lookup(payload, "content")
    if not (isinstance(ed25519, str) and is_public_key(ed25519)) or not isinstance(content, Mapping):
        return Rejected(reason="malformed")
    if not (isinstance(event_type, str) and is_name(event_type)):
        return Rejected(reason="malformed")
    reason = _failed_check(payload, sender, sender_key, ed25519, own, device)
    if reason is not None:
        return Rejected(reason=reason)
    return Payload(event_type=event_type, content=content, ed25519=ed25519, known_device=device is not None)


def sending_device(devices: Sequence[Device], sender_key: str) -> Device | None:
    """The device with this curve25519 key among those of one person, one that is still there first."""
    matching = [device for device in devices if device.curve25519 == sender_key]
    return min(matching, key=lambda device: device.removed, default=None)


def _failed_check(
    payload: object, sender: str, sender_key: str, ed25519: str, own: OwnDevice, device: Device | None
) -> str | None:
    if lookup(payload, "sender") != sender:
        return "sender"
    if lookup(payload, "recipient") != own.user_id:
        return "recipient"
    if lookup(payload, "recipient_keys", "ed25519") != own.ed25519:
        return "recipient_key"
    if device is not None and device.ed25519 != ed25519:
        return "device_key"
    attached = [lookup(payload, name) for name in _DEVICE_KEYS]
    if any(keys is not None and not _same_device(keys, sender, sender_key, ed25519) for keys in attached):
        return "device_keys"
    return None


def _same_device(keys: object, sender: str, sender_key: str, ed25519: str) -> bool:
    """Whether attached device keys are of the sender, signed by the device, and those that were used (MSC4147)."""
    device_id = lookup(keys, "device_id")
    if not isinstance(device_id, str) or not device_ok(sender, device_id, keys):
        return False
    return device_public_keys(device_id, keys) == (ed25519, sender_key)
