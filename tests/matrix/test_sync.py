"""The translation of /sync and /messages."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.batch import HistoryPage, RoomBatch, SyncBatch
from bot.matrix.sync import translate_history, translate_sync
from bot.matrix.wire import NonsenseError

EVENT = {
    "type": "m.room.encrypted",
    "sender": "@a:hs",
    "event_id": "$1",
    "origin_server_ts": 1_700_000_000_000,
    "content": {"algorithm": "m.megolm.v1.aes-sha2"},
}
MEMBER = EVENT | {"type": "m.room.member", "state_key": "@a:hs", "content": {"membership": "join"}}
TO_DEVICE = {"type": "m.room.encrypted", "sender": "@a:hs", "content": {}}
ANSWER = {
    "next_batch": "s2",
    "to_device": {"events": [TO_DEVICE]},
    "device_lists": {"changed": ["@a:hs"], "left": ["@b:hs"]},
    "device_one_time_keys_count": {"signed_curve25519": 50},
    "device_unused_fallback_key_types": ["signed_curve25519"],
    "rooms": {
        "join": {
            "!1:hs": {
                "state": {"events": [MEMBER]},
                "timeline": {"events": [EVENT, EVENT | {"event_id": "$2"}], "limited": True, "prev_batch": "p"},
            }
        },
        "invite": {
            "!2:hs": {
                "invite_state": {
                    "events": [{"type": "m.room.name", "sender": "@a:hs", "state_key": "", "content": {"name": "x"}}]
                }
            }
        },
        "leave": {"!3:hs": {"timeline": {"events": [], "limited": False}}},
    },
}

# Keys that the translation looks at, so that arbitrary JSON hits its branches.
KEYS = st.sampled_from(
    ["events", "timeline", "state", "invite_state", "limited", "prev_batch", "type", "sender", "event_id", "content",
     "state_key", "unsigned", "origin_server_ts", "changed", "left", "signed_curve25519"]
) | st.text(max_size=3)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def test_an_ordinary_answer_is_translated_whole() -> None:
    """Everything that the answer holds stands in the batch, in its order."""
    assert translate_sync(copy.deepcopy(ANSWER)) == SyncBatch(
        next_batch="s2",
        to_device=(TO_DEVICE,),
        device_changed=("@a:hs",),
        device_left=("@b:hs",),
        one_time_key_counts={"signed_curve25519": 50},
        unused_fallback_keys=("signed_curve25519",),
        rooms=(
            RoomBatch(
                room_id="!1:hs", membership="join", state=(MEMBER,),
                timeline=(EVENT, EVENT | {"event_id": "$2"}), limited=True, prev_batch="p",
            ),
            RoomBatch(room_id="!3:hs", membership="leave", state=(), timeline=(), limited=False, prev_batch=None),
            RoomBatch(
                room_id="!2:hs", membership="invite", timeline=(), limited=False, prev_batch=None,
                state=({"type": "m.room.name", "sender": "@a:hs", "state_key": "", "content": {"name": "x"}},),
            ),
        ),
    )  # fmt: skip


def test_what_the_server_did_not_say_is_none() -> None:
    """Absent counts and fallback keys differ from empty ones (CRYPTO 18)."""
    quiet = translate_sync({"next_batch": "s"})
    assert (quiet.one_time_key_counts, quiet.unused_fallback_keys) == (None, None)
    empty = translate_sync(
        {"next_batch": "s", "device_one_time_keys_count": {}, "device_unused_fallback_key_types": []}
    )
    assert (empty.one_time_key_counts, empty.unused_fallback_keys) == ({}, ())


def test_an_answer_without_token_is_refused() -> None:
    """Without a token to go on from, the answer is no answer."""
    answers: list[Any] = [{}, [], None, {"next_batch": 1}, {"next_batch": ""}]
    for answer in answers:
        with pytest.raises(NonsenseError):
            translate_sync(answer)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        "x",
        EVENT | {"sender": 1},
        EVENT | {"type": None},
        EVENT | {"event_id": ["$1"]},
        EVENT | {"event_id": "a\0b"},
        EVENT | {"content": "text"},
        EVENT | {"state_key": {}},
    ],
)
def test_a_malformed_event_is_dropped_alone(broken: Any) -> None:
    """Its neighbours arrive, in order."""
    answer: Any = copy.deepcopy(ANSWER)
    answer["rooms"]["join"]["!1:hs"]["timeline"]["events"].insert(1, broken)
    batch = translate_sync(answer)
    assert [event["event_id"] for event in batch.rooms[0].timeline] == ["$1", "$2"]


@pytest.mark.parametrize("stamp", [None, "1", -1, True, 10**17, 1.5])
def test_an_impossible_time_becomes_the_epoch(stamp: Any) -> None:
    """An event with a time that no datetime can hold still arrives: its time decides nothing (CRYPTO 14)."""
    page = translate_history({"chunk": [EVENT | {"origin_server_ts": stamp, "unsigned": 3}], "end": "e"})
    assert page == HistoryPage(events=(EVENT | {"origin_server_ts": 0},), end="e")


@st.composite
def broken_answers(draw: st.DrawFn) -> Any:
    """Draw an ordinary answer in which up to four places hold arbitrary JSON."""
    answer: Any = copy.deepcopy(ANSWER)
    for _ in range(draw(st.integers(1, 4))):
        node = answer
        while True:
            places = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not places:
                break
            place = draw(st.sampled_from(places))
            if not isinstance(node[place], (dict, list)) or draw(st.booleans()):
                node[place] = draw(JSON)
                break
            node = node[place]
    return answer


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(broken_answers() | st.dictionaries(st.sampled_from(sorted(ANSWER)) | st.text(), JSON) | JSON)
def test_arbitrary_json_never_stops_the_translation(answer: Any) -> None:
    """Whatever stands in the answer: it has no token, or a batch of well-formed events comes out."""
    try:
        batch = translate_sync(answer)
    except NonsenseError:
        assert not (
            isinstance(answer, dict) and isinstance(answer.get("next_batch"), str) and len(answer["next_batch"]) == 2
        )
        return
    for message in batch.to_device:
        assert isinstance(message["type"], str)
        assert isinstance(message["sender"], str)
    for room in batch.rooms:
        assert isinstance(room.limited, bool)
        for event in room.timeline:
            assert isinstance(event["event_id"], str)
            assert isinstance(event["content"], dict)
            assert isinstance(event["origin_server_ts"], int)
        for event in room.state:
            assert isinstance(event["content"], dict)
    assert all(type(count) is int for count in (batch.one_time_key_counts or {}).values())
