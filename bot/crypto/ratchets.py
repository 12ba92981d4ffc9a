"""Inbound Megolm sessions as rows: the ratchets of others, and the copies of our own with all that sharing them needs.

A room key must carry a `SessionKey`, which the session signs at its current index only: a signed key for an earlier
index can never be made again. So each index from which somebody was given the key, or had it withheld by a violation,
has its signed key kept beside our own copy, which stays at index 0 (CRYPTO 4, 8, 17, 23).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import vodozemac

from bot.core.megolm import InboundSession
from bot.core.trust import Device
from bot.crypto.identity import OwnDevice

ALGORITHM = "m.megolm.v1.aes-sha2"
PICKLE_KEY = bytes(32)  # the store seals every pickle (CRYPTO 34); vodozemac only asks for a key of some kind


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnSession:
    """Our own copy of a session that we encrypt with."""

    row: InboundSession  # its pickle is the bare ratchet here
    keys: Mapping[int, str] = field(repr=False)  # signed session keys by message index
    violated: Mapping[str, int] = field(default_factory=dict)  # person -> first index withheld because of a violation

    def room_key(self, index: int) -> dict[str, Any] | None:
        """The content of `m.room_key` that lets a device read from `index` on; None when no key of that index was kept.

        The flag of MSC3061 is sent false under both of its names (CRYPTO 22).
        """
        if (key := self.keys.get(index)) is None:
            return None
        return {
            "algorithm": ALGORITHM,
            "room_id": self.row.room_id,
            "session_id": self.row.session_id,
            "session_key": key,
            "shared_history": False,
            "org.matrix.msc3061.shared_history": False,
        }

    def with_key(self, group: vodozemac.GroupSession) -> "OwnSession":
        """Keep the signed key of the session's current index as well."""
        return replace(self, keys={**self.keys, group.message_index: group.session_key.to_base64()})

    def to_row(self) -> InboundSession:
        """The row to store."""
        bundle = {
            "ratchet": self.row.pickle.decode("ascii"),
            "keys": {str(index): key for index, key in self.keys.items()},
            "violated": dict(self.violated),
        }
        return replace(self.row, pickle=json.dumps(bundle, separators=(",", ":")).encode())

    @classmethod
    def from_row(cls, row: InboundSession) -> "OwnSession":
        """Read what `to_row` gave. Raises ValueError for a session of somebody else."""
        if not row.own:
            raise ValueError("This session is not our own.")
        bundle = json.loads(row.pickle)
        return cls(
            row=replace(row, pickle=bundle["ratchet"].encode("ascii")),
            keys={int(index): key for index, key in bundle["keys"].items()},
            violated=bundle["violated"],
        )


def new_own_session(room_id: str, device: OwnDevice, group: vodozemac.GroupSession) -> OwnSession:
    """Our own copy of a session that has encrypted nothing yet, at index 0 (CRYPTO 23)."""
    ratchet = vodozemac.InboundGroupSession(group.session_key)
    row = InboundSession(
        room_id=room_id,
        session_id=group.session_id,
        sender=device.user_id,
        sender_key=device.curve25519,
        sender_ed25519=device.ed25519,
        first_index=0,
        pickle=ratchet.pickle(PICKLE_KEY).encode("ascii"),
        own=True,
    )
    return OwnSession(row=row, keys={0: group.session_key.to_base64()})


def ratchet_of(row: InboundSession) -> vodozemac.InboundGroupSession:
    """The ratchet of any stored session, our own or somebody else's."""
    pickle = OwnSession.from_row(row).row.pickle if row.own else row.pickle
    return vodozemac.InboundGroupSession.from_pickle(pickle.decode("ascii"), PICKLE_KEY)


def device_of(row: InboundSession, devices: Iterable[Device]) -> Device | None:
    """The device that a session came from, by the keys that were proven over Olm (CRYPTO 11)."""
    keys = (row.sender_key, row.sender_ed25519)
    return next((device for device in devices if (device.curve25519, device.ed25519) == keys), None)
