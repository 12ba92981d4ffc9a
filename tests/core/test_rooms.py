"""The room policy: creation, names, drift."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.everyday_words import WORDS, everyday_word
from bot.core.rooms import CONSOLE_NAME, Content, creation, pair_room_name, policy_drift

THERAPIST = "@t:hs"
NAME = pair_room_name("heron")


def healthy() -> dict[tuple[str, str], Content]:
    """The state of a room as the homeserver makes it from `creation`."""
    body = creation(name=NAME, nonce="n", therapist=THERAPIST)
    made: dict[tuple[str, str], Content] = {
        ("m.room.create", ""): {"room_version": body["room_version"], **mapping(body["creation_content"])},
        ("m.room.power_levels", ""): {**mapping(body["power_level_content_override"]), "historical": 100},
        ("m.room.name", ""): {"name": body["name"]},
    }
    initial = body["initial_state"]
    assert isinstance(initial, list)
    made |= {(event["type"], event["state_key"]): event["content"] for event in initial}
    return made


def mapping(value: object) -> Content:
    """Narrow a part of the body."""
    assert isinstance(value, dict)
    return dict(value)


def levels(state: dict[tuple[str, str], Content]) -> Content:
    """The power levels of a state."""
    return state["m.room.power_levels", ""]


def test_creation_is_exactly_the_policy() -> None:
    """Encrypted from the first event, closed, unfederated, without invitations, the bot alone above the settings."""
    settings = "power_levels encryption history_visibility join_rules guest_access server_acl tombstone name topic"
    assert creation(name=NAME, nonce="abc", therapist=THERAPIST) == {
        "name": "Between sessions · heron",
        "preset": "private_chat",
        "visibility": "private",
        "room_version": "12",
        "creation_content": {"m.federate": False, "care.interlude.nonce": "abc"},
        "initial_state": [
            {
                "type": "m.room.encryption",
                "state_key": "",
                "content": {
                    "algorithm": "m.megolm.v1.aes-sha2",
                    "rotation_period_ms": 604_800_000,
                    "rotation_period_msgs": 100,
                },
            },
            {"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "invite"}},
            {"type": "m.room.guest_access", "state_key": "", "content": {"guest_access": "forbidden"}},
            {"type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": "invited"}},
        ],
        "power_level_content_override": {
            "users": {"@t:hs": 100},
            "users_default": 0,
            "events": {f"m.room.{name}": 150 for name in settings.split()},
            "events_default": 0,
            "state_default": 100,
            "invite": 100,
            "kick": 100,
            "ban": 100,
            "redact": 100,
        },
    }


def test_a_body_can_be_changed_without_changing_the_policy() -> None:
    """Each body is the caller's own."""
    body = creation(name=NAME, nonce="n", therapist=THERAPIST)
    mapping(body["power_level_content_override"])["events"].clear()  # type: ignore[attr-defined]  # known to be a dict
    assert policy_drift(healthy(), name=NAME, therapist=THERAPIST) == ()


def test_a_healthy_room_has_no_drift() -> None:
    """A room as it was created follows the policy."""
    assert policy_drift(healthy(), name=NAME, therapist=THERAPIST) == ()


@pytest.mark.parametrize(
    ("event_type", "content", "named"),
    [
        ("m.room.encryption", {"algorithm": "m.other"}, "m.room.encryption: algorithm"),
        ("m.room.encryption", {}, "m.room.encryption: algorithm"),
        ("m.room.join_rules", {"join_rule": "public"}, "m.room.join_rules: join_rule"),
        ("m.room.guest_access", {"guest_access": "can_join"}, "m.room.guest_access: guest_access"),
        (
            "m.room.history_visibility",
            {"history_visibility": "world_readable"},
            "m.room.history_visibility: history_visibility",
        ),
        ("m.room.create", {"room_version": "12"}, "m.room.create: m.federate"),
        ("m.room.create", {"room_version": "11", "m.federate": False}, "m.room.create: room_version"),
        ("m.room.create", {"additional_creators": ["@x:hs"]}, "m.room.create: additional_creators"),
        ("m.room.create", {"type": "m.space"}, "m.room.create: type"),
        ("m.room.name", {"name": "Therapy of somebody"}, "m.room.name"),
        ("m.room.topic", {"topic": "therapy"}, "m.room.topic"),
        ("m.room.canonical_alias", {"alias": "#a:hs"}, "m.room.canonical_alias"),
        ("m.room.tombstone", {"replacement_room": "!x"}, "m.room.tombstone"),
        ("m.room.power_levels", {}, "m.room.power_levels: users"),
    ],
)
def test_each_change_is_named(event_type: str, content: Content, named: str) -> None:
    """What differs from the policy is named by event type and key, and the foreign value is not repeated."""
    state = healthy() | {(event_type, ""): content}
    found = policy_drift(state, name=NAME, therapist=THERAPIST)
    assert named in found
    assert "Therapy of somebody" not in "".join(found)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda power: power.update(invite=0), "m.room.power_levels: invite"),
        (lambda power: power.pop("kick"), "m.room.power_levels: kick"),
        (lambda power: power.update(redact="100"), "m.room.power_levels: redact"),
        (lambda power: power.update(users_default=False), "m.room.power_levels: users_default"),
        (lambda power: power.update(users={THERAPIST: 100, "@x:hs": 100}), "m.room.power_levels: users"),
        (lambda power: power.update(users=[]), "m.room.power_levels: users"),
        (lambda power: power["events"].update({"m.room.encryption": 100}), "m.room.power_levels: events"),
        (lambda power: power["events"].update({"m.room.message": 50}), "m.room.power_levels: events"),
    ],
)
def test_changed_power_is_named(change: Callable[[Content], object], named: str) -> None:
    """A level that is lower, missing or mistyped is a drift."""
    state = healthy()
    change(levels(state))
    assert policy_drift(state, name=NAME, therapist=THERAPIST) == (named,)


def test_an_absent_level_of_nobody_is_no_drift() -> None:
    """Levels whose default is the policy may be left out, and an alias may have been taken back."""
    state = healthy()
    levels(state).pop("events_default")
    state["m.room.canonical_alias", ""] = {"alt_aliases": []}
    assert policy_drift(state, name=NAME, therapist=THERAPIST) == ()


def test_an_empty_state_is_all_drift() -> None:
    """Missing encryption, rules and levels are named, not overlooked."""
    found = policy_drift({}, name=CONSOLE_NAME, therapist=THERAPIST)
    assert {"m.room.encryption: algorithm", "m.room.join_rules: join_rule", "m.room.power_levels: users"} <= set(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.sampled_from(sorted(healthy())), st.data())
def test_no_content_disturbs_the_check(key: tuple[str, str], data: st.DataObject) -> None:
    """Mistyped contents are drift, not an error."""
    keys = st.sampled_from(sorted(healthy()[key]))
    state = healthy() | {key: data.draw(st.dictionaries(keys, JSON))}
    assert policy_drift(state, name=NAME, therapist=THERAPIST) is not None


def test_words_are_many_and_plain() -> None:
    """There are enough words for a practice, each once, in small plain letters."""
    assert len(WORDS) >= 150
    assert len(set(WORDS)) == len(WORDS)
    assert all(word.isascii() and word.isalpha() and word.islower() for word in WORDS)


def test_no_room_gets_a_word_twice() -> None:
    """Words are drawn among those that are free; when none is, two together are."""
    draw = random.Random(7).randrange
    taken: set[str] = set()
    for _ in range(len(WORDS) + 20):
        word = everyday_word(draw, taken)
        assert word not in taken
        taken.add(word)
    assert set(WORDS) < taken
    assert all(len(word.split()) == 2 for word in taken - set(WORDS))
