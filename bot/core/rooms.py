"""The policy of the bot's rooms: how they are created, and what differs from that later (DESIGN 6)."""

from collections.abc import Mapping
from typing import Final

from bot.core.rotation import OURS

ROOM_VERSION: Final = "12"  # the creator stands above all power levels and must not be listed in them
NONCE: Final = "care.interlude.nonce"  # in the creation content: finds a room whose creation got no answer (CRYPTO 30)
MEGOLM: Final = "m.megolm.v1.aes-sha2"
CONSOLE_NAME: Final = "Interlude console"

Content = dict[str, object]
State = Mapping[tuple[str, str], Mapping[str, object]]

_BOT_ALONE = 150
_THERAPIST = 100
_EVENT_LEVELS: Final[Mapping[str, int]] = dict.fromkeys(
    (
        "m.room.power_levels",
        "m.room.encryption",
        "m.room.history_visibility",
        "m.room.join_rules",
        "m.room.guest_access",
        "m.room.server_acl",
        "m.room.tombstone",
        "m.room.name",
        "m.room.topic",
    ),
    _BOT_ALONE,
)
_LEVELS: Final[Mapping[str, int]] = {
    "users_default": 0,
    "events_default": 0,
    "state_default": _THERAPIST,
    "invite": _THERAPIST,
    "kick": _THERAPIST,
    "ban": _THERAPIST,
    "redact": _THERAPIST,
}
# What an absent level means (specification, m.room.power_levels).
_LEVEL_IF_ABSENT: Final = {"state_default": 50, "kick": 50, "ban": 50, "redact": 50}
_INITIAL_STATE: Final[Mapping[str, Content]] = {
    "m.room.encryption": {
        "algorithm": MEGOLM,
        "rotation_period_ms": int(OURS.period.total_seconds()) * 1000,
        "rotation_period_msgs": OURS.messages,
    },
    "m.room.join_rules": {"join_rule": "invite"},
    "m.room.guest_access": {"guest_access": "forbidden"},
    "m.room.history_visibility": {"history_visibility": "invited"},
}
_ABSENT: Final = ("m.room.topic", "m.room.canonical_alias", "m.room.tombstone", "m.room.server_acl")


def pair_room_name(word: str) -> str:
    """The neutral name of a pair room; the everyday word tells rooms apart."""
    return f"Between sessions · {word}"


def creation(*, name: str, nonce: str, therapist: str) -> Content:
    """The body of `/createRoom` for a pair room and for a console room alike.

    It carries no invitations: a lost answer would send them twice (CRYPTO 30).
    """
    return {
        "name": name,
        "preset": "private_chat",
        "visibility": "private",
        "room_version": ROOM_VERSION,
        "creation_content": {"m.federate": False, NONCE: nonce},
        "initial_state": [
            {"type": event_type, "state_key": "", "content": dict(content)}
            for event_type, content in _INITIAL_STATE.items()
        ],
        "power_level_content_override": {**_LEVELS, "events": dict(_EVENT_LEVELS), "users": {therapist: _THERAPIST}},
    }


def policy_drift(state: State, *, name: str, therapist: str) -> tuple[str, ...]:
    """Name what differs from the policy in a room's state, in order; no value found in the room is repeated.

    It reads the server's state, never decrypted events, and is never disturbed by mistyped contents.
    """
    found = [
        *_create_drift(state.get(("m.room.create", ""), {})),
        *_content_drift(state),
        *_power_drift(state.get(("m.room.power_levels", ""), {}), therapist),
    ]
    if state.get(("m.room.name", ""), {}).get("name") != name:
        found.append("m.room.name")
    found.extend(event_type for event_type in _ABSENT if any(state.get((event_type, ""), {}).values()))
    return tuple(sorted(found))


def _create_drift(content: Mapping[str, object]) -> list[str]:
    found = []
    if content.get("room_version") != ROOM_VERSION:
        found.append("m.room.create: room_version")
    if content.get("m.federate") is not False:
        found.append("m.room.create: m.federate")
    if content.get("additional_creators"):
        found.append("m.room.create: additional_creators")
    if "type" in content:
        found.append("m.room.create: type")
    return found


def _content_drift(state: State) -> list[str]:
    found: list[str] = []
    for event_type, wanted in _INITIAL_STATE.items():
        content = state.get((event_type, ""), {})
        found.extend(f"{event_type}: {key}" for key, value in wanted.items() if not _same(content.get(key), value))
    return found


def _power_drift(content: Mapping[str, object], therapist: str) -> list[str]:
    found = [
        f"m.room.power_levels: {key}"
        for key, wanted in _LEVELS.items()
        if not _same(content.get(key, _LEVEL_IF_ABSENT.get(key, 0)), wanted)
    ]
    events = content.get("events")
    if not isinstance(events, Mapping) or not _same(dict(events), dict(_EVENT_LEVELS)):
        found.append("m.room.power_levels: events")
    users = content.get("users")
    if not isinstance(users, Mapping) or not _same(dict(users), {therapist: _THERAPIST}):
        found.append("m.room.power_levels: users")
    return found


def _same(found: object, wanted: object) -> bool:
    # Python takes True for 1 and 100.0 for 100; a homeserver does not.
    return type(found) is type(wanted) and found == wanted
