"""What a device is told instead of a room key (`m.room_key.withheld`, CRYPTO 2)."""

EVENT_TYPE = "m.room_key.withheld"
UNVERIFIED = "m.unverified"
NO_OLM = "m.no_olm"
_ALGORITHM = "m.megolm.v1.aes-sha2"


def unverified(*, room_id: str, session_id: str, sender_key: str) -> dict[str, str]:
    """Tell a device that its owner has not signed it, for one session; `sender_key` is this bot's curve25519 key."""
    return {
        "algorithm": _ALGORITHM,
        "code": UNVERIFIED,
        "reason": "This device is not verified by its owner.",
        "room_id": room_id,
        "session_id": session_id,
        "sender_key": sender_key,
    }


def no_olm(*, sender_key: str) -> dict[str, str]:
    """Tell a device that no Olm session could be made with it.

    It names no room and no session, because it stands for all of them (specification, `m.room_key.withheld`).
    """
    return {
        "algorithm": _ALGORITHM,
        "code": NO_OLM,
        "reason": "This device left no one-time key to begin an encrypted session with.",
        "sender_key": sender_key,
    }
