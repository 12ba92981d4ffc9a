"""Cross-signing: the bot's own identity (CRYPTO 32) and the reading of other people's keys (CRYPTO 2).

Everything that is read here comes from a server that may be hostile: what is malformed is absent, and nothing raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.crypto.signatures import Ed25519Seed, Sign, is_public_key, lookup, sign_json, signature_ok

MASTER = "master"
SELF_SIGNING = "self_signing"
USER_SIGNING = "user_signing"
ALGORITHMS = ("m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2")
_SEED_BYTES = 32

JsonObject = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossSigningSeeds:
    """The three private keys of the bot's identity; their text form shows public keys only."""

    master: Ed25519Seed
    self_signing: Ed25519Seed
    user_signing: Ed25519Seed

    @classmethod
    def generate(cls) -> "CrossSigningSeeds":
        """Make a new identity. Once per bot: a second one makes every client warn."""
        return cls(
            master=Ed25519Seed.generate(), self_signing=Ed25519Seed.generate(), user_signing=Ed25519Seed.generate()
        )

    def to_bytes(self) -> bytes:
        """The 96 bytes to seal: master, self-signing, user-signing."""
        return self.master.seed + self.self_signing.seed + self.user_signing.seed

    @classmethod
    def from_bytes(cls, raw: bytes) -> "CrossSigningSeeds":
        """Read what `to_bytes` gave. Raises ValueError for another length."""
        if len(raw) != 3 * _SEED_BYTES:
            raise ValueError("Cross-signing seeds have 96 bytes.")
        seeds = (Ed25519Seed(seed=raw[start : start + _SEED_BYTES]) for start in range(0, len(raw), _SEED_BYTES))
        return cls(master=next(seeds), self_signing=next(seeds), user_signing=next(seeds))


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnDevice:
    """The public side of the bot's one device."""

    user_id: str
    device_id: str
    ed25519: str
    curve25519: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossSigningKeys:
    """A person's public cross-signing keys as the server shows them."""

    user_id: str
    master: str
    self_signing: str | None  # None: absent or malformed
    self_signing_ok: bool  # signed by the master key


def device_keys(device: OwnDevice, sign: Sign) -> JsonObject:
    """The `device_keys` of `/keys/upload`, signed by the device itself. Source: "Device keys"."""
    unsigned = {
        "user_id": device.user_id,
        "device_id": device.device_id,
        "algorithms": list(ALGORITHMS),
        "keys": {f"curve25519:{device.device_id}": device.curve25519, f"ed25519:{device.device_id}": device.ed25519},
    }
    return sign_json(unsigned, device.user_id, f"ed25519:{device.device_id}", sign)


def device_signing_upload_body(user_id: str, seeds: CrossSigningSeeds) -> JsonObject:
    """The body of `/keys/device_signing/upload`: the three public keys, the two lower ones signed by the master key."""
    return {
        "master_key": _cross_signing_key(user_id, MASTER, seeds.master),
        "self_signing_key": _signed_by(seeds.master, _cross_signing_key(user_id, SELF_SIGNING, seeds.self_signing)),
        "user_signing_key": _signed_by(seeds.master, _cross_signing_key(user_id, USER_SIGNING, seeds.user_signing)),
    }


def device_signature(keys: JsonObject, seeds: CrossSigningSeeds) -> JsonObject:
    """The device's keys with the self-signing key's signature beside their own, also good as `sender_device_keys`."""
    return _signed_by(seeds.self_signing, keys)


def signatures_upload_body(keys: JsonObject, seeds: CrossSigningSeeds, sign: Sign) -> JsonObject:
    """The body of `/keys/signatures/upload`: the device signed by the self-signing key, the master key by the device.

    The master key carries the device's signature alone: Synapse looks for a device behind each signature on it.
    """
    user_id, device_id = keys["user_id"], keys["device_id"]
    master = sign_json(_cross_signing_key(user_id, MASTER, seeds.master), user_id, f"ed25519:{device_id}", sign)
    return {user_id: {device_id: device_signature(keys, seeds), seeds.master.public_key: master}}


def verify_own_keys(answer: object, device: OwnDevice, seeds: CrossSigningSeeds) -> tuple[str, ...]:
    """Name each difference between the server's view of the bot's keys and the bot's own; empty if there is none.

    `answer` is that of `/keys/query` for the bot itself. Other devices are `other_devices`. Source: CRYPTO 7, 32.
    """
    user_id = device.user_id
    ours = device_signing_upload_body(user_id, seeds)
    differences = [
        difference
        for usage, section in (
            (MASTER, "master_keys"),
            (SELF_SIGNING, "self_signing_keys"),
            (USER_SIGNING, "user_signing_keys"),
        )
        if (difference := _key_difference(usage, lookup(answer, section, user_id), ours[f"{usage}_key"], seeds.master))
    ]
    seen = lookup(answer, "device_keys", user_id, device.device_id)
    if seen is None:
        return (*differences, f"device {device.device_id}: the server has no keys for it")
    if device_public_keys(device.device_id, seen) != (device.ed25519, device.curve25519):
        differences.append(f"device {device.device_id}: the server shows other keys")
    elif not device_ok(user_id, device.device_id, seen):
        differences.append(f"device {device.device_id}: the server shows no valid signature by itself")
    if not device_signed(user_id, seen, seeds.self_signing.public_key):
        differences.append(f"device {device.device_id}: the server shows no valid signature by the self-signing key")
    return tuple(differences)


def other_devices(answer: object, device: OwnDevice) -> tuple[str, ...]:
    """The ids of the devices that the server shows for the bot beside its own, sorted (CRYPTO 7)."""
    devices = lookup(answer, "device_keys", device.user_id)
    if not isinstance(devices, Mapping):
        return ()
    return tuple(sorted(str(device_id) for device_id in devices if device_id != device.device_id))


def cross_signing_keys(user_id: str, answer: object) -> CrossSigningKeys | None:
    """A person's keys in an answer of `/keys/query`; None without a well-formed master key of theirs (CRYPTO 2)."""
    master = _public_key(lookup(answer, "master_keys", user_id), user_id, MASTER)
    if master is None:
        return None
    self_signing_object = lookup(answer, "self_signing_keys", user_id)
    self_signing = _public_key(self_signing_object, user_id, SELF_SIGNING)
    ok = self_signing is not None and signature_ok(self_signing_object, user_id, f"ed25519:{master}", master)
    return CrossSigningKeys(user_id=user_id, master=master, self_signing=self_signing, self_signing_ok=ok)


def device_public_keys(device_id: str, keys: object) -> tuple[str, str] | None:
    """The device's (ed25519, curve25519) keys, or None if either is absent or malformed."""
    ed25519 = lookup(keys, "keys", f"ed25519:{device_id}")
    curve25519 = lookup(keys, "keys", f"curve25519:{device_id}")
    if not (isinstance(ed25519, str) and isinstance(curve25519, str)):
        return None
    if not (is_public_key(ed25519) and is_public_key(curve25519)):
        return None
    return ed25519, curve25519


def device_ok(user_id: str, device_id: str, keys: object) -> bool:
    """Whether a keys object is of this very device and signed by its own ed25519 key. Source: "Device keys"."""
    public = device_public_keys(device_id, keys)
    if public is None or lookup(keys, "user_id") != user_id or lookup(keys, "device_id") != device_id:
        return False
    return signature_ok(keys, user_id, f"ed25519:{device_id}", public[0])


def device_signed(user_id: str, keys: object, self_signing: str) -> bool:
    """Whether the owner's self-signing key signed this device.

    A device named like that key is refused, since their signatures could stand for each other ("Key and signature
    security").
    """
    if lookup(keys, "user_id") != user_id or lookup(keys, "device_id") == self_signing:
        return False
    return is_public_key(self_signing) and signature_ok(keys, user_id, f"ed25519:{self_signing}", self_signing)


def _cross_signing_key(user_id: str, usage: str, seed: Ed25519Seed) -> JsonObject:
    public = seed.public_key
    return {"user_id": user_id, "usage": [usage], "keys": {f"ed25519:{public}": public}}


def _signed_by(seed: Ed25519Seed, value: JsonObject) -> JsonObject:
    return sign_json(value, value["user_id"], f"ed25519:{seed.public_key}", seed.sign)


def _public_key(value: object, user_id: str, usage: str) -> str | None:
    """The one key of a cross-signing key object, if the object is of this user, for this use, and well-formed."""
    usages, keys = lookup(value, "usage"), lookup(value, "keys")
    if lookup(value, "user_id") != user_id or not isinstance(usages, list) or usage not in usages:
        return None
    if not isinstance(keys, Mapping) or len(keys) != 1:
        return None
    [(name, public)] = keys.items()
    if not isinstance(public, str) or not is_public_key(public) or name != f"ed25519:{public}":
        return None
    return public


def _key_difference(usage: str, seen: object, ours: JsonObject, master: Ed25519Seed) -> str | None:
    title = f"{usage.replace('_', '-')} key"
    if seen is None:
        return f"{title}: the server has none"
    public = _public_key(seen, ours["user_id"], usage)
    if public is None:
        return f"{title}: the server shows a malformed one"
    if public not in ours["keys"].values():
        return f"{title}: the server shows {public}, this bot has {next(iter(ours['keys'].values()))}"
    if usage != MASTER and not signature_ok(seen, ours["user_id"], f"ed25519:{master.public_key}", master.public_key):
        return f"{title}: the server shows no valid signature by the master key"
    return None
