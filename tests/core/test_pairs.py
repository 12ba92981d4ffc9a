"""The life of a pair, walked through its whole table."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.lateness import SkipReason
from bot.core.pairs import TABLE, Effect, PairEvent, PairState, Refusal, Standing, blockers, overdue, step
from bot.errors import PairError

E, F, S = PairEvent, Effect, PairState
ASKED = {E.INVITATIONS_SENT, E.PAUSE, E.RESUME, E.END}
DEPARTURES = {
    E.CLIENT_DECLINED,
    E.CLIENT_LEFT,
    E.CLIENT_REMOVED,
    E.CLIENT_DEACTIVATED,
    E.THERAPIST_DECLINED,
    E.THERAPIST_LEFT,
    E.THERAPIST_DEACTIVATED,
    E.STRANGER_WENT,
}
ACTIVE = Standing(state=S.ACTIVE)
INVITED = Standing(state=S.INVITED)


def standings() -> Iterator[Standing]:
    """Every way in which a pair can stand."""
    for state, paused, gone in product(PairState, (False, True), (False, True)):
        yield Standing(state=state, paused=paused, therapist_gone=gone)


def walk(standing: Standing, *events: PairEvent) -> tuple[Standing, list[Effect]]:
    """Take several events; the effects of the last one."""
    effects: tuple[Effect, ...] = ()
    for event in events:
        taken = step(standing, event)
        standing, effects = taken.standing, taken.effects
    return standing, list(effects)


def test_every_cell_is_decided() -> None:
    """The table has a cell for every state and event, and nothing else."""
    assert set(TABLE) == set(product(PairState, PairEvent))


def test_only_what_is_asked_is_refused() -> None:
    """What the homeserver or the clock reports is never refused."""
    refused = {event for (_, event), cell in TABLE.items() if isinstance(cell, Refusal)}
    assert refused <= ASKED


def test_every_departure_rotates_the_keys() -> None:
    """Whoever goes, in whatever state, the next message is encrypted with new keys."""
    for standing, event in product(standings(), DEPARTURES):
        assert F.ROTATE_KEYS in step(standing, event).effects, (standing, event)


def test_flags_change_by_their_own_events_only() -> None:
    """Leaving, coming back and the rest leave paused as it was; only the therapist's events tell of the therapist."""
    for standing, event in product(standings(), PairEvent):
        if isinstance(TABLE[standing.state, event], Refusal):
            continue
        after = step(standing, event).standing
        if event not in {E.PAUSE, E.RESUME}:
            assert after.paused is standing.paused
        if not event.startswith("therapist"):
            assert after.therapist_gone is standing.therapist_gone


def test_prompts_run_exactly_while_nothing_stands_against_them() -> None:
    """Prompts run when the client is there, the therapist is not gone and nobody paused."""
    assert [standing for standing in standings() if standing.prompts_run] == [ACTIVE]
    assert all(bool(blockers(standing)) is not standing.prompts_run for standing in standings())


def test_stopping_and_resuming_are_told_when_they_happen() -> None:
    """Prompts stop and resume as an effect exactly when they do in fact."""
    for standing, event in product(standings(), PairEvent):
        if isinstance(TABLE[standing.state, event], Refusal):
            continue
        taken = step(standing, event)
        before, after = standing.prompts_run, taken.standing.prompts_run
        assert (F.STOP_PROMPTS in taken.effects) is (before and not after), (standing, event)
        assert (F.RESUME_PROMPTS in taken.effects) is (after and not before), (standing, event)


def test_the_bot_invites_once() -> None:
    """Invitations go out when the rooms exist and never again."""
    inviting = [key for key, cell in TABLE.items() if not isinstance(cell, Refusal) and F.SEND_INVITATIONS in cell[1]]
    assert inviting == [(S.PROVISIONING, E.ROOMS_CREATED)]


def test_only_the_client_joining_makes_a_pair_active() -> None:
    """No other event leads into the active state."""
    into = {event for (state, event), cell in TABLE.items() if cell_state(cell) is S.ACTIVE and state is not S.ACTIVE}
    assert into == {E.CLIENT_JOINED}


def cell_state(cell: object) -> PairState | None:
    """Where a cell leads, None for a refusal."""
    return cell[0] if isinstance(cell, tuple) else None


def test_a_pair_comes_to_life() -> None:
    """Rooms, invitations, the client's joining: then the welcome, and prompts run."""
    standing, effects = walk(Standing(state=S.PROVISIONING), E.ROOMS_CREATED)
    assert (standing.state, effects) == (S.INVITING, [F.SEND_INVITATIONS])
    standing, effects = walk(standing, E.INVITATIONS_SENT, E.THERAPIST_JOINED)
    assert (standing.state, effects) == (S.INVITED, [])
    standing, effects = walk(standing, E.CLIENT_JOINED)
    assert (standing, effects) == (ACTIVE, [F.WELCOME, F.RESUME_PROMPTS])


def test_the_client_may_be_faster_than_the_record() -> None:
    """A client who joins before the sending of the invitations is on record is welcomed all the same, once."""
    standing, effects = walk(Standing(state=S.INVITING), E.CLIENT_JOINED)
    assert F.WELCOME in effects
    assert walk(standing, E.INVITATIONS_SENT) == (ACTIVE, [])


def test_provisioning_again_after_a_crash_changes_nothing() -> None:
    """A step that is reported twice is no error and sends nothing twice."""
    assert walk(Standing(state=S.INVITING), E.ROOMS_CREATED) == (Standing(state=S.INVITING), [])
    assert walk(INVITED, E.ROOMS_CREATED, E.INVITATIONS_SENT) == (INVITED, [])


def test_three_days_without_joining_are_told() -> None:
    """The console hears of a client or a therapist who has not joined; nothing else changes."""
    assert walk(INVITED, E.CLIENT_OVERDUE) == (INVITED, [F.TELL_CONSOLE_CLIENT_OVERDUE])
    assert walk(ACTIVE, E.THERAPIST_OVERDUE) == (ACTIVE, [F.TELL_CONSOLE_THERAPIST_OVERDUE])
    start = datetime(2026, 11, 23, 20, tzinfo=UTC)
    assert not overdue(start, start + timedelta(days=3, seconds=-1))
    assert overdue(start, start + timedelta(days=3))


def test_a_declined_invitation() -> None:
    """The console is told, the keys rotate, and a later change of mind is welcome."""
    standing, effects = walk(INVITED, E.CLIENT_DECLINED)
    assert (standing.state, effects) == (S.DECLINED, [F.ROTATE_KEYS, F.TELL_CONSOLE_DECLINED])
    assert walk(standing, E.CLIENT_JOINED) == (ACTIVE, [F.TELL_CONSOLE_BACK, F.WELCOME, F.RESUME_PROMPTS])


def test_a_client_who_leaves_stops_everything() -> None:
    """Prompts stop, keys rotate, the console is told, nobody is invited again."""
    standing, effects = walk(ACTIVE, E.CLIENT_LEFT)
    assert (standing.state, effects) == (S.LEFT, [F.STOP_PROMPTS, F.ROTATE_KEYS, F.TELL_CONSOLE_LEFT])
    assert not standing.live


def test_removed_and_let_in_again() -> None:
    """A client whom the therapist removes stays a pair's client and goes on when let in again."""
    standing, effects = walk(ACTIVE, E.CLIENT_REMOVED)
    assert (standing.state, effects) == (S.REMOVED, [F.STOP_PROMPTS, F.ROTATE_KEYS, F.TELL_CONSOLE_REMOVED])
    assert standing.live
    back, effects = walk(standing, E.CLIENT_JOINED)
    assert back == ACTIVE
    assert F.RESUME_PROMPTS in effects


def test_paused_survives_leaving_and_returning() -> None:
    """A client who comes back while paused is paused until somebody resumes."""
    standing, effects = walk(ACTIVE, E.PAUSE)
    assert effects == [F.STOP_PROMPTS]
    standing, effects = walk(standing, E.CLIENT_REMOVED, E.CLIENT_JOINED)
    assert standing.shown == "paused"
    assert F.RESUME_PROMPTS not in effects
    assert walk(standing, E.RESUME) == (ACTIVE, [F.RESUME_PROMPTS])


def test_pausing_twice_is_pausing_once() -> None:
    """A second pause or resume has no effect."""
    assert walk(ACTIVE, E.PAUSE, E.PAUSE)[1] == []
    assert walk(ACTIVE, E.RESUME) == (ACTIVE, [])


def test_paused_before_the_join() -> None:
    """An operator may pause a pair before the client joins: the welcome comes, prompts do not."""
    standing, effects = walk(INVITED, E.PAUSE, E.CLIENT_JOINED)
    assert standing.shown == "paused"
    assert effects == [F.WELCOME]


@pytest.mark.parametrize("gone", [E.THERAPIST_LEFT, E.THERAPIST_DECLINED, E.THERAPIST_DEACTIVATED])
def test_a_therapist_who_is_gone(gone: PairEvent) -> None:
    """Prompts stop and the client is told once, however the therapist went and whatever follows."""
    standing, effects = walk(ACTIVE, gone)
    assert effects == [F.STOP_PROMPTS, F.ROTATE_KEYS, F.TELL_CLIENT_THERAPIST_GONE]
    assert standing.shown == "therapist gone"
    assert F.TELL_CLIENT_THERAPIST_GONE not in step(standing, E.THERAPIST_DEACTIVATED).effects
    assert walk(standing, E.THERAPIST_JOINED) == (ACTIVE, [F.RESUME_PROMPTS])


def test_the_therapist_went_before_the_client_came() -> None:
    """The client hears it on joining, and no prompt is sent."""
    standing, effects = walk(INVITED, E.THERAPIST_DECLINED)
    assert F.TELL_CLIENT_THERAPIST_GONE not in effects
    standing, effects = walk(standing, E.CLIENT_JOINED)
    assert effects == [F.WELCOME, F.TELL_CLIENT_THERAPIST_GONE]
    assert blockers(standing) == {SkipReason.NOT_JOINED}


def test_a_client_whose_account_is_gone() -> None:
    """A deactivated client stops everything; a departure seen first is corrected."""
    expected = [F.STOP_PROMPTS, F.ROTATE_KEYS, F.TELL_CONSOLE_DEACTIVATED]
    assert walk(ACTIVE, E.CLIENT_DEACTIVATED) == (Standing(state=S.DEACTIVATED), expected)
    assert walk(ACTIVE, E.CLIENT_LEFT, E.CLIENT_DEACTIVATED) == (Standing(state=S.DEACTIVATED), expected[1:])


def test_the_end_before_the_join_withdraws_the_invitation() -> None:
    """A pair that ends before its client came is withdrawn, with its invitation."""
    standing, effects = walk(INVITED, E.END)
    assert standing.state is S.WITHDRAWN
    assert effects == [F.WITHDRAW_INVITATION, F.ROTATE_KEYS, F.TELL_CONSOLE_ENDED]


def test_the_end_during_provisioning() -> None:
    """An invitation that goes out after the end is withdrawn; a client who joined meanwhile is told."""
    standing, effects = walk(Standing(state=S.PROVISIONING), E.END, E.ROOMS_CREATED)
    assert (standing.state, effects) == (S.WITHDRAWN, [])
    assert F.WITHDRAW_INVITATION in step(standing, E.INVITATIONS_SENT).effects
    assert walk(standing, E.CLIENT_JOINED) == (Standing(state=S.ENDED), [F.TELL_CLIENT_ENDED])


def test_the_end_after_the_join() -> None:
    """Prompts stop, both are told, the room stays readable and crisis is answered."""
    standing, effects = walk(ACTIVE, E.END)
    assert effects == [F.STOP_PROMPTS, F.TELL_CLIENT_ENDED, F.TELL_CONSOLE_ENDED]
    assert standing.crisis_answered
    assert blockers(standing) == {SkipReason.ENDED}


@pytest.mark.parametrize(("state", "event"), list(product([S.ENDED, S.WITHDRAWN], [E.PAUSE, E.RESUME, E.END])))
def test_nothing_can_be_asked_of_a_pair_that_is_over(state: PairState, event: PairEvent) -> None:
    """The refusal says so and what to do."""
    with pytest.raises(PairError, match="has ended"):
        step(Standing(state=state), event)


def test_invitations_cannot_precede_the_rooms() -> None:
    """A provisioning step out of order is an error."""
    with pytest.raises(PairError, match="do not exist"):
        step(Standing(state=S.PROVISIONING), E.INVITATIONS_SENT)


def test_a_third_person_is_told_of() -> None:
    """The console hears of a stranger; when the stranger goes, the keys rotate."""
    assert walk(ACTIVE, E.STRANGER_CAME) == (ACTIVE, [F.TELL_CONSOLE_DRIFT])
    assert walk(ACTIVE, E.STRANGER_WENT) == (ACTIVE, [F.ROTATE_KEYS])


def test_a_room_that_is_lost() -> None:
    """A bot that was taken out of the room says so in the console, and the pair can still be ended."""
    standing, effects = walk(ACTIVE, E.BOT_REMOVED)
    assert effects == [F.STOP_PROMPTS, F.TELL_CONSOLE_ROOM_LOST]
    assert not standing.crisis_answered
    assert walk(standing, E.END)[0].state is S.ENDED


@given(st.lists(st.sampled_from(PairEvent), max_size=30))
def test_no_history_breaks_the_rules(events: list[PairEvent]) -> None:
    """Along any history the client hears once that the therapist is gone, until one of the two joins anew."""
    standing, told = Standing(state=S.PROVISIONING), False
    for event in events:
        if isinstance(TABLE[standing.state, event], Refusal):
            continue
        present = standing.state is S.ACTIVE
        taken = step(standing, event)
        standing = taken.standing
        if event is E.THERAPIST_JOINED or (event is E.CLIENT_JOINED and not present):
            told = False
        if F.TELL_CLIENT_THERAPIST_GONE in taken.effects:
            assert not told
            told = True
            assert standing.state is S.ACTIVE
