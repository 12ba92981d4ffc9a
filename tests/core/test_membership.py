"""What membership changes mean for a pair."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.membership import Who, drift, membership_change
from bot.core.pairs import PairEvent


@pytest.mark.parametrize(
    ("who", "before", "after", "by_self", "event"),
    [
        (Who.CLIENT, "invite", "join", True, PairEvent.CLIENT_JOINED),
        (Who.CLIENT, None, "join", True, PairEvent.CLIENT_JOINED),
        (Who.CLIENT, "leave", "join", True, PairEvent.CLIENT_JOINED),
        (Who.CLIENT, "join", "join", True, None),
        (Who.CLIENT, None, "invite", False, None),
        (Who.CLIENT, "leave", "invite", False, None),
        (Who.CLIENT, "invite", "leave", True, PairEvent.CLIENT_DECLINED),
        (Who.CLIENT, "invite", "leave", False, PairEvent.CLIENT_REMOVED),
        (Who.CLIENT, "join", "leave", True, PairEvent.CLIENT_LEFT),
        (Who.CLIENT, "join", "leave", False, PairEvent.CLIENT_REMOVED),
        (Who.CLIENT, "join", "ban", False, PairEvent.CLIENT_REMOVED),
        (Who.CLIENT, None, "leave", True, PairEvent.CLIENT_LEFT),
        (Who.CLIENT, None, "leave", False, PairEvent.CLIENT_REMOVED),
        (Who.CLIENT, "leave", "ban", False, None),
        (Who.CLIENT, "ban", "leave", False, None),
        (Who.CLIENT, "leave", "knock", True, None),
        (Who.CLIENT, "join", "something new", True, None),
        (Who.THERAPIST, "invite", "join", True, PairEvent.THERAPIST_JOINED),
        (Who.THERAPIST, "invite", "leave", True, PairEvent.THERAPIST_DECLINED),
        (Who.THERAPIST, "join", "leave", True, PairEvent.THERAPIST_LEFT),
        (Who.THERAPIST, "join", "leave", False, PairEvent.THERAPIST_LEFT),
        (Who.STRANGER, None, "invite", False, PairEvent.STRANGER_CAME),
        (Who.STRANGER, None, "join", True, PairEvent.STRANGER_CAME),
        (Who.STRANGER, "invite", "join", True, None),
        (Who.STRANGER, "join", "ban", False, PairEvent.STRANGER_WENT),
        (Who.STRANGER, None, "knock", True, None),
        (Who.BOT, None, "join", True, None),
        (Who.BOT, "join", "leave", False, PairEvent.BOT_REMOVED),
        (Who.BOT, "join", "leave", True, PairEvent.BOT_REMOVED),
    ],
)
def test_changes_become_events(
    who: Who, before: str | None, after: str, by_self: bool, event: PairEvent | None
) -> None:
    """Joining, declining, leaving and being removed are told apart; a new name or an invitation is no event."""
    assert membership_change(before, after, by_self=by_self, who=who) is event


MEMBERSHIPS = st.sampled_from(["invite", "join", "knock", "leave", "ban"]) | st.text(max_size=5)


@given(st.none() | MEMBERSHIPS, MEMBERSHIPS, st.booleans(), st.sampled_from(Who))
def test_any_change_is_understood(before: str | None, after: str, by_self: bool, who: Who) -> None:
    """No membership that a server invents ends in an error, and the event is about the person concerned."""
    event = membership_change(before, after, by_self=by_self, who=who)
    assert event is None or event.startswith(who.value)


def test_drift_names_third_people() -> None:
    """Whoever is joined or invited without standing in the record is named; who left is not."""
    members = {
        "@c:hs": "join",
        "@t:hs": "invite",
        "@z:hs": "invite",
        "@x:hs": "join",
        "@y:hs": "leave",
        "@k:hs": "knock",
    }
    assert drift(members, {"@c:hs", "@t:hs", "@bot:hs"}) == ("@x:hs", "@z:hs")
