"""When a Megolm session is replaced (CRYPTO 22)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.rotation import FLOOR, OURS, RotationReason, RotationSettings, SessionAge, must_rotate, rotation_settings

START = datetime(2026, 11, 23, 20, tzinfo=UTC)


def session(messages: int = 0) -> SessionAge:
    """A session made at START."""
    return SessionAge(created_at=START, messages=messages)


@pytest.mark.parametrize(
    ("content", "period", "messages"),
    [
        ({}, timedelta(days=7), 100),
        ({"rotation_period_ms": 604_800_000, "rotation_period_msgs": 100}, timedelta(days=7), 100),
        ({"rotation_period_ms": 86_400_000, "rotation_period_msgs": 10}, timedelta(days=1), 10),
        ({"rotation_period_ms": 10**30, "rotation_period_msgs": 10**30}, timedelta(days=7), 100),
        ({"rotation_period_ms": 1, "rotation_period_msgs": 0}, timedelta(hours=1), 1),
        ({"rotation_period_ms": -5, "rotation_period_msgs": -5}, timedelta(hours=1), 1),
        ({"rotation_period_ms": "1", "rotation_period_msgs": "1"}, timedelta(days=7), 100),
        ({"rotation_period_ms": True, "rotation_period_msgs": True}, timedelta(days=7), 100),
        ({"rotation_period_ms": 1e6, "rotation_period_msgs": None}, timedelta(days=7), 100),
        ({"rotation_period_ms": [1], "rotation_period_msgs": {}}, timedelta(days=7), 100),
    ],
)
def test_the_stricter_settings_win(content: dict[str, object], period: timedelta, messages: int) -> None:
    """A room can make rotation stricter down to the floor, never laxer; nonsense counts as absent."""
    assert rotation_settings(content) == RotationSettings(period=period, messages=messages)


@given(st.dictionaries(st.sampled_from(["rotation_period_ms", "rotation_period_msgs"]), st.from_type(object)))
def test_no_content_leaves_the_bounds(content: dict[str, object]) -> None:
    """Whatever stands in the room, the settings stay between the floor and ours."""
    found = rotation_settings(content)
    assert FLOOR.period <= found.period <= OURS.period
    assert FLOOR.messages <= found.messages <= OURS.messages


@pytest.mark.parametrize(
    ("messages", "age", "rotates"),
    [
        (99, timedelta(days=6, hours=23), False),
        (100, timedelta(), True),
        (0, timedelta(days=7), True),
        (0, timedelta(minutes=-5), False),
        (0, timedelta(minutes=-6), True),
    ],
)
def test_sessions_wear_out(messages: int, age: timedelta, rotates: bool) -> None:
    """A hundred messages or seven days end a session, and so does a clock that went back (CRYPTO 33)."""
    assert must_rotate(session(messages), OURS, START + age) is rotates


@pytest.mark.parametrize("reason", RotationReason)
def test_every_reason_ends_a_fresh_session(reason: RotationReason) -> None:
    """A leave, a lost device, a violation and the like end a session at once."""
    assert must_rotate(session(), OURS, START, reasons=(reason,))
