"""Where each turn leads: a prompt's steps one at a time, forward, back, put off and to its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.core.conditions import StepTest, Value
from bot.core.prompts import ChoiceStep, Option, ScaleStep, Step, TextStep
from bot.core.sittings import (
    IN_A_ROW,
    LET_FINISH,
    POLL_QUIET,
    PUT_OFF,
    QUIET,
    TABLE,
    Move,
    Refusal,
    Script,
    Sitting,
    SittingState,
    Standing,
    Turn,
    answered,
    begun,
    busy_until,
    due,
    emptied,
    polls_over,
    taken_back,
    turned,
    voted,
)

NOW = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
EXPIRES = NOW + timedelta(hours=20)
SECOND = timedelta(seconds=1)

SITUATION = TextStep(id="situation", kind="text", ask="What happened?")
BELIEF = ScaleStep(id="belief", kind="scale", ask="How true?", scale="0-10")
KIND = ChoiceStep(
    id="kind",
    kind="choice",
    ask="What is it?",
    options=(Option(id="worry", label="A worry"), Option(id="regret", label="A regret")),
)
# Asked only of a strong belief.
OTHER_VIEW = TextStep(id="other", kind="text", ask="And otherwise?", when=StepTest(step="belief", at_least="5"))
LAST = TextStep(id="last", kind="text", ask="Anything else?", optional=True)
STEPS: tuple[Step, ...] = (SITUATION, BELIEF, OTHER_VIEW, KIND, LAST)


def script(**values: Value) -> Script:
    """The prompt with these answers."""
    return Script(steps=STEPS, values=values)


def fresh(steps: tuple[Step, ...] = STEPS) -> Sitting:
    """A sitting whose first question was just asked."""
    return begun("d1", "p1", steps, expires_at=EXPIRES)


def at_step(step: str, **changes: object) -> Sitting:
    """A sitting that stands at a step, all before it asked."""
    ids = [each.id for each in STEPS]
    return replace(fresh(), step=step, asked=tuple(ids[: ids.index(step) + 1]), **changes)  # type: ignore[arg-type]  # any field


def ended(move: Move) -> SittingState:
    """Insist that a turn ended the sitting; return how."""
    assert move.ask is None
    assert not move.sitting.open
    return move.sitting.state


def test_every_turn_has_its_cell() -> None:
    """Whatever happens to a sitting, wherever it stands, the table says where it leads."""
    assert set(TABLE) == {(standing, turn) for standing in Standing for turn in Turn}


def test_a_value_goes_on_at_once() -> None:
    """After a vote or a number the next step is asked."""
    move = answered(at_step("belief"), "belief", script(situation=None, belief=7), in_a_row=False, at=NOW)
    assert (move.ask, move.sitting.step, move.sitting.ask_next_at) == ("other", "other", None)


def test_a_step_whose_condition_does_not_hold_is_left_out() -> None:
    """A weak belief is not looked at from another side."""
    move = answered(at_step("belief"), "belief", script(situation=None, belief=3), in_a_row=False, at=NOW)
    assert move.ask == "kind"
    assert "other" not in move.sitting.asked


def test_words_wait_for_twenty_seconds_of_quiet() -> None:
    """Each message of a row puts the next question off; then it is asked once."""
    values = script(situation=None)
    first = answered(fresh(), "situation", values, in_a_row=True, at=NOW)
    assert (first.ask, first.sitting.standing) == (None, Standing.ROW)
    second = answered(first.sitting, "situation", values, in_a_row=True, at=NOW + 15 * SECOND).sitting
    assert due(second, at=NOW + 34 * SECOND) is None
    assert due(second, at=NOW + 35 * SECOND) is Turn.QUIET
    move = turned(second, Turn.QUIET, values, at=NOW + 35 * SECOND)
    assert (move.ask, due(move.sitting, at=NOW + 36 * SECOND)) == ("belief", None)


def test_done_ends_a_row_at_once() -> None:
    """Also the row of a sitting whose last step has been answered: nothing joins it any more."""
    values = script(situation=None)
    row = answered(fresh(), "situation", values, in_a_row=True, at=NOW).sitting
    assert turned(row, Turn.DONE, values, at=NOW + SECOND).ask == "belief"
    over = answered(fresh((SITUATION,)), "situation", Script(steps=(SITUATION,), values={"situation": None}),
                    in_a_row=True, at=NOW).sitting  # fmt: skip
    assert over.takes_more("situation", at=NOW + SECOND)
    closed = turned(over, Turn.DONE, values, at=NOW + SECOND)
    assert closed.refused is None
    assert not closed.sitting.takes_more("situation", at=NOW + 2 * SECOND)
    assert turned(closed.sitting, Turn.DONE, values, at=NOW + SECOND).refused is Refusal.NOTHING_OPEN


def test_done_without_a_row_may_be_an_answer() -> None:
    """Before anything was said `done` is a word like any other."""
    assert turned(fresh(), Turn.DONE, script(), at=NOW).refused is Refusal.NO_ROW


def test_the_last_answer_ends_a_sitting_and_its_row_goes_on() -> None:
    """It ends with the first message, so that it is recorded at once; more joins it for three minutes."""
    values = script(situation=None, belief=2, kind="worry", last=None)
    over = answered(at_step("last"), "last", values, in_a_row=True, at=NOW)
    assert ended(over) is SittingState.DONE
    assert over.sitting.takes_more("last", at=NOW + IN_A_ROW)
    assert not over.sitting.takes_more("last", at=NOW + IN_A_ROW + SECOND)
    assert not over.sitting.takes_more("situation", at=NOW)


def test_while_a_row_goes_on_everything_joins_it() -> None:
    """Somebody who writes for longer than three minutes without a pause is not cut off."""
    values, sitting = script(situation=None), fresh()
    for seconds in range(0, 300, 15):
        sitting = answered(sitting, "situation", values, in_a_row=True, at=NOW + seconds * SECOND).sitting
    assert sitting.takes_more("situation", at=NOW + 295 * SECOND)


def test_skip_leaves_a_step_out() -> None:
    """The next one is asked; the skipped one is remembered and not asked again."""
    move = turned(at_step("belief"), Turn.SKIP, script(situation=None), at=NOW)
    assert (move.ask, move.sitting.skipped) == ("kind", frozenset({"belief"}))


def test_skip_ends_a_prompt_of_one_step() -> None:
    """Nothing is on record, so that the prompt was stopped rather than done."""
    move = turned(fresh((SITUATION,)), Turn.SKIP, Script(steps=(SITUATION,), values={}), at=NOW)
    assert ended(move) is SittingState.STOPPED


def test_back_asks_the_step_before_and_its_next_answer_replaces() -> None:
    """Forward again goes past what has an answer already."""
    values = script(situation=None, belief=3)
    back = turned(at_step("kind"), Turn.BACK, values, at=NOW)
    assert (back.ask, back.sitting.replaces) == ("belief", True)
    again = turned(back.sitting, Turn.BACK, values, at=NOW)
    assert again.ask == "situation"
    forward = answered(again.sitting, "situation", values, in_a_row=False, at=NOW)
    assert (forward.ask, forward.sitting.replaces) == ("kind", False)


def test_back_to_a_skipped_step_takes_its_answer() -> None:
    """Whoever goes back to it is asked after all."""
    skipped = turned(at_step("belief"), Turn.SKIP, script(situation=None), at=NOW).sitting
    back = turned(skipped, Turn.BACK, script(situation=None), at=NOW)
    assert (back.ask, back.sitting.skipped, back.sitting.replaces) == ("belief", frozenset(), False)


def test_back_at_the_first_step_is_refused() -> None:
    """There is nothing before it."""
    move = turned(fresh(), Turn.BACK, script(), at=NOW)
    assert (move.refused, move.ask, move.sitting) == (Refusal.NOTHING_BEFORE, None, fresh())


def test_a_changed_answer_brings_no_new_question_by_itself() -> None:
    """A correction of an earlier step is a revision: the sitting stays where it is, answers given stay."""
    stands = replace(at_step("kind"), asked=("situation", "belief", "kind"))
    move = answered(stands, "belief", script(situation=None, belief=9), in_a_row=False, at=NOW)
    assert (move.ask, move.sitting.step) == (None, "kind")
    after = answered(move.sitting, "kind", script(situation=None, belief=9, kind="worry"), in_a_row=False, at=NOW)
    assert after.ask == "last"


def test_stop_and_expiry_end_at_any_step() -> None:
    """What was answered stays, and nothing is asked any more."""
    for turn, state in ((Turn.STOP, SittingState.STOPPED), (Turn.EXPIRE, SittingState.EXPIRED)):
        move = turned(at_step("kind"), turn, script(situation=None, belief=2), at=NOW)
        assert ended(move) is state
        assert turned(move.sitting, Turn.SKIP, script(), at=NOW).refused is Refusal.NOTHING_OPEN


def test_later_comes_back_once() -> None:
    """In two hours, or when the client says; its question waits until then, and a second `later` is refused."""
    away = turned(at_step("belief"), Turn.LATER, script(situation=None), at=NOW).sitting
    assert (away.standing, away.later_at, due(away, at=NOW + PUT_OFF - SECOND)) == (Standing.AWAY, NOW + PUT_OFF, None)
    assert due(away, at=NOW + PUT_OFF) is Turn.RETURN
    back = turned(away, Turn.RETURN, script(situation=None), at=NOW + PUT_OFF)
    assert (back.ask, back.sitting.standing) == ("belief", Standing.ASKED)
    assert turned(away, Turn.LATER, script(), at=NOW).refused is Refusal.LATER_USED
    assert turned(back.sitting, Turn.LATER, script(), at=NOW).refused is Refusal.LATER_USED
    until = NOW + timedelta(minutes=30)
    assert turned(fresh(), Turn.LATER, script(), at=NOW, until=until).sitting.later_at == until


def test_an_answer_ends_the_wait() -> None:
    """A vote or a reply to a prompt that was put off goes on at once."""
    away = turned(at_step("belief"), Turn.LATER, script(situation=None), at=NOW).sitting
    move = answered(away, "belief", script(situation=None, belief=2), in_a_row=False, at=NOW)
    assert (move.ask, move.sitting.later_at) == ("kind", None)


def test_later_after_an_answer_brings_the_next_question() -> None:
    """Put off between two steps, it comes back with the one that has not been asked."""
    values = script(situation=None)
    row = answered(fresh(), "situation", values, in_a_row=True, at=NOW).sitting
    away = turned(row, Turn.LATER, values, at=NOW).sitting
    assert turned(away, Turn.RETURN, values, at=NOW + PUT_OFF).ask == "belief"


def test_a_prompt_that_comes_back_has_time_to_be_answered() -> None:
    """It is not closed before it was shown again."""
    late = EXPIRES - timedelta(minutes=5)
    away = turned(fresh(), Turn.LATER, script(), at=late).sitting
    assert due(away, at=late + PUT_OFF) is Turn.RETURN
    assert away.closes_at > late + PUT_OFF


def test_undo_asks_its_step_again() -> None:
    """The question before comes back; in a sitting that has ended nothing is asked, and no remark takes its place."""
    move = taken_back(at_step("kind"), "belief", script(situation=None), at=NOW)
    assert (move.ask, move.sitting.step, move.sitting.replaces) == ("belief", "belief", False)
    assert taken_back(at_step("kind"), "belief", script(situation=None, belief=3), at=NOW).ask is None
    over = answered(at_step("last"), "last", script(last=None), in_a_row=True, at=NOW).sitting
    gone = taken_back(at_step("other"), "other", script(situation=None, belief=2), at=NOW)
    assert gone.ask == "kind"  # its condition does not hold any more
    silent = taken_back(over, "last", script(situation=None), at=NOW)
    assert silent.ask is None
    assert not silent.sitting.takes_more("last", at=NOW)


def test_a_deleted_answer_lets_its_step_wait() -> None:
    """Its question still stands; what was asked since is not disturbed."""
    row = answered(fresh(), "situation", script(situation=None), in_a_row=True, at=NOW).sitting
    assert emptied(row, "situation", script()).standing is Standing.ASKED
    assert emptied(at_step("kind"), "belief", script(situation=None)) == at_step("kind")


def test_who_is_in_the_middle_is_let_finish() -> None:
    """For half an hour after an answer to a prompt of several steps; it is not closed either."""
    row = answered(fresh(), "situation", script(situation=None), in_a_row=True, at=EXPIRES - SECOND).sitting
    assert busy_until([row, fresh()], at=EXPIRES) == EXPIRES - SECOND + LET_FINISH
    assert row.busy(at=EXPIRES)
    assert due(row, at=EXPIRES) is None
    assert due(replace(row, ask_next_at=None), at=EXPIRES + LET_FINISH) is Turn.EXPIRE
    assert busy_until([row], at=EXPIRES + LET_FINISH) is None
    assert busy_until([fresh()], at=NOW) is None
    away = turned(row, Turn.LATER, script(situation=None), at=NOW).sitting
    assert busy_until([away], at=NOW) is None


def test_a_prompt_of_one_step_keeps_nobody_waiting() -> None:
    """Its answer is its end."""
    one = replace(fresh((SITUATION,)), last_answered_at=NOW)
    assert busy_until([one], at=NOW) is None


def test_a_poll_ends_after_its_last_vote_or_with_its_question() -> None:
    """Ten minutes after a vote, each vote anew; without one when the question's time is over."""
    sitting = begun("d1", "p1", (KIND,), expires_at=EXPIRES, poll="o1")
    assert sitting.poll_ends("o1") == EXPIRES
    once = voted(sitting, "o1", at=NOW)
    twice = voted(once, "o1", at=NOW + 5 * SECOND)
    assert twice.wake_at == NOW + 5 * SECOND + POLL_QUIET
    assert polls_over(twice, at=NOW + POLL_QUIET) == (twice, ())
    closed, over = polls_over(twice, at=NOW + 5 * SECOND + POLL_QUIET)
    assert (closed.polls, over) == ({}, ("o1",))
    assert voted(closed, "o1", at=NOW) == closed


def test_an_ended_sitting_without_polls_never_wakes() -> None:
    """Nothing has to be looked at again."""
    over = turned(fresh(), Turn.STOP, script(), at=NOW).sitting
    assert over.wake_at is None
    assert due(over, at=EXPIRES + LET_FINISH) is None


def test_a_step_that_left_the_file_ends_nothing() -> None:
    """When the prompt was changed under a sitting, it goes on behind the last step that is still there."""
    stands = at_step("belief")
    changed = Script(steps=(SITUATION, KIND, LAST), values={"situation": None})
    assert turned(stands, Turn.SKIP, changed, at=NOW).ask == "kind"


class Conversation(RuleBasedStateMachine):
    """Any sequence of answers, words, waiting and restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOW
        self.sitting = fresh()
        self.values: dict[str, Value] = {}
        self.asked = ["situation"]

    def script(self) -> Script:
        """What the sitting goes by."""
        return Script(steps=STEPS, values=dict(self.values))

    def follow(self, move: Move, *, cause: str) -> None:
        """Do what a turn leads to, and check that a question has a cause."""
        if move.ask is not None:
            step = next(each for each in STEPS if each.id == move.ask)
            assert step.when is None or self.script().applies(step), "asked although its condition does not hold"
            new = move.ask not in self.asked
            assert new or cause in ("back", "undo", "return") or move.ask not in self.values, "asked twice"
            self.asked.append(move.ask)
        if move.refused is not None:
            assert move.sitting == self.sitting
        self.sitting = move.sitting

    @rule(value=st.integers(0, 10), choice=st.sampled_from(["worry", "regret"]))
    def answer(self, value: int, choice: str) -> None:
        """The client answers the current question."""
        step = self.sitting.step or ""
        if not self.sitting.open or self.sitting.standing is Standing.ROW:
            return
        fitting: dict[str, Value] = {"belief": value, "kind": choice}
        self.values[step] = fitting.get(step)
        in_a_row = step not in ("belief", "kind")
        self.follow(answered(self.sitting, step, self.script(), in_a_row=in_a_row, at=self.at), cause="answer")

    @rule(value=st.integers(0, 10))
    @precondition(lambda self: "belief" in self.values)
    def correct(self, value: int) -> None:
        """The client votes again or edits an answer of any time."""
        before = self.sitting
        if before.step == "belief" and before.open:
            return
        self.values["belief"] = value
        self.follow(answered(before, "belief", self.script(), in_a_row=False, at=self.at), cause="correction")
        assert (self.sitting.step, self.sitting.state) == (before.step, before.state)

    @rule(turn=st.sampled_from([Turn.SKIP, Turn.BACK, Turn.STOP, Turn.LATER, Turn.DONE]))
    def word(self, turn: Turn) -> None:
        """The client says one of the words of a conversation."""
        self.follow(turned(self.sitting, turn, self.script(), at=self.at), cause=turn.value)

    @rule()
    @precondition(lambda self: self.values)
    def undo(self) -> None:
        """The client takes the last answer back."""
        step, _ = self.values.popitem()
        self.follow(taken_back(self.sitting, step, self.script(), at=self.at), cause="undo")

    @rule()
    @precondition(lambda self: self.values)
    def delete(self) -> None:
        """The client deletes a message."""
        step, _ = self.values.popitem()
        self.sitting = emptied(self.sitting, step, self.script())

    @rule(minutes=st.sampled_from([0, 1, 5, 31, 121, 1500]))
    def wait(self, minutes: int) -> None:
        """Time passes, and what it brings is done as the duty does it; each thing once."""
        self.at += QUIET + timedelta(minutes=minutes)
        for _ in range(10):
            turn = due(self.sitting, at=self.at)
            if turn is None:
                return
            self.follow(turned(self.sitting, turn, self.script(), at=self.at), cause=turn.value)
        raise AssertionError("time brings the same thing again and again")

    @invariant()
    def consistent(self) -> None:
        """What is stored can be gone on with after a restart."""
        sitting = self.sitting
        assert sitting.step in sitting.asked
        assert len(set(sitting.asked)) == len(sitting.asked)
        assert sitting.skipped <= set(sitting.asked)
        assert not sitting.skipped & set(self.values)
        assert set(self.values) <= set(sitting.asked)
        assert sitting.ask_next_at is None or sitting.standing is Standing.ROW
        if sitting.standing is Standing.ROW:
            assert sitting.step in self.values
        if sitting.open:
            assert sitting.wake_at is not None
            assert sitting.wake_at > self.at - QUIET
        else:
            assert (sitting.ask_next_at, sitting.later_at, sitting.wake_at) == (None, None, None)


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("standing", list(Standing))
@given(turn=st.sampled_from(Turn))
def test_a_refusal_changes_nothing(standing: Standing, turn: Turn) -> None:
    """The client's word that is refused leaves the sitting as it was."""
    sitting = {
        Standing.ASKED: at_step("belief"),
        Standing.ROW: at_step("belief", ask_next_at=NOW + QUIET),
        Standing.AWAY: at_step("belief", later_at=NOW + PUT_OFF, later_used=True),
        Standing.ENDED: at_step("belief", state=SittingState.DONE),
    }[standing]
    assert sitting.standing is standing
    move = turned(sitting, turn, script(situation=None), at=NOW)
    if move.refused is not None:
        assert (move.sitting, move.ask) == (sitting, None)
