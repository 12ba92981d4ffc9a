"""When a step is asked: what conditions say about the answers so far."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.core.conditions import AllOf, AnyOf, Condition, Not, Value, holds

READ: TypeAdapter[Any] = TypeAdapter(Condition)
ANSWERS: dict[str, Value] = {"mood": "low", "hours": "7.5", "steps": 3, "bed": "23:30", "alone": "yes", "words": None}


def read(written: object) -> Condition:
    """Read a condition as the loader does, with text in every place."""
    condition: Condition = READ.validate_python(written)
    return condition


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"step": "mood", "equals": "low"}, True),
        ({"step": "mood", "equals": "good"}, False),
        ({"step": "mood", "in": ["good", "low"]}, True),
        ({"step": "mood", "in": ["good", "very-good"]}, False),
        ({"step": "hours", "equals": "7.50"}, True),
        ({"step": "hours", "equals": "7,5"}, True),
        ({"step": "hours", "at_least": "7.5"}, True),
        ({"step": "hours", "at_least": "7.6"}, False),
        ({"step": "hours", "at_most": "10"}, True),
        ({"step": "hours", "at_most": "7"}, False),
        ({"step": "steps", "equals": "3"}, True),
        ({"step": "steps", "in": ["1", "2"]}, False),
        ({"step": "steps", "between": ["3", "5"]}, True),
        ({"step": "steps", "between": ["1", "3"]}, True),
        ({"step": "steps", "between": ["4", "9"]}, False),
        ({"step": "bed", "at_least": "23:00"}, True),
        ({"step": "bed", "at_most": "9:00"}, False),
        ({"step": "bed", "equals": "23:30"}, True),
        ({"step": "alone", "equals": "Yes"}, True),
        ({"step": "alone", "equals": "no"}, False),
        ({"answered": "words"}, True),
        ({"answered": "nothing"}, False),
        ({"step": "words", "equals": "none"}, False),
        ({"step": "nothing", "equals": "x"}, False),
        ({"not": {"step": "nothing", "equals": "x"}}, True),
        ({"all": [{"answered": "mood"}, {"step": "steps", "at_least": "4"}]}, False),
        ({"any": [{"answered": "nothing"}, {"step": "steps", "at_least": "3"}]}, True),
        ({"not": {"any": [{"answered": "mood"}, {"answered": "bed"}]}}, False),
    ],
)
def test_what_holds(written: object, expected: bool) -> None:
    """Each form by example: numbers, times and words compare as what they are, and no answer fits no test."""
    assert holds(read(written), ANSWERS) is expected


LEAVES = st.sampled_from(
    [{"answered": "mood"}, {"answered": "x"}, {"step": "steps", "at_least": "3"}, {"step": "bed", "at_most": "12:00"}]
).map(read)
TREES = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        st.lists(below, min_size=1, max_size=3).map(lambda each: AllOf(every=tuple(each))),
        st.lists(below, min_size=1, max_size=3).map(lambda each: AnyOf(some=tuple(each))),
        below.map(lambda each: Not(other=each)),
    ),
    max_leaves=6,
)


@given(TREES, TREES)
def test_they_combine_as_logic_does(one: Condition, other: Condition) -> None:
    """Not both is the same as one of them not; twice not changes nothing."""
    neither = Not(other=AllOf(every=(one, other)))
    either = AnyOf(some=(Not(other=one), Not(other=other)))
    assert holds(neither, ANSWERS) is holds(either, ANSWERS)
    assert holds(Not(other=Not(other=one)), ANSWERS) is holds(one, ANSWERS)
