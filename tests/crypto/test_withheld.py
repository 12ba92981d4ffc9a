"""Withheld notices."""

from bot.crypto.withheld import no_olm, unverified


def test_an_unsigned_device_is_told_which_session() -> None:
    """The notice has every field that the specification requires for `m.unverified`."""
    content = unverified(room_id="!room", session_id="session", sender_key="curve")
    assert content.pop("reason").endswith(".")
    assert content == {
        "algorithm": "m.megolm.v1.aes-sha2",
        "code": "m.unverified",
        "room_id": "!room",
        "session_id": "session",
        "sender_key": "curve",
    }


def test_a_device_without_keys_is_told_once_for_all_sessions() -> None:
    """`m.no_olm` names neither room nor session."""
    content = no_olm(sender_key="curve")
    assert content.pop("reason").endswith(".")
    assert content == {"algorithm": "m.megolm.v1.aes-sha2", "code": "m.no_olm", "sender_key": "curve"}
