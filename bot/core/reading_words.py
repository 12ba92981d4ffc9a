"""The words of one language that help to read a typed answer: content of `bot.yaml`, not code."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.core.spelling import unified

Phrase = Annotated[str, Field(min_length=1, max_length=40)]
Phrases = tuple[Phrase, ...]
Hour = Annotated[int, Field(ge=0, le=23)]


def folded(phrase: str) -> str:
    """Return what `twenty-five`, `Twenty five` and `twentyfive` have in common."""
    return "".join(unified(phrase).casefold().replace("-", " ").split())


class ClockWords(BaseModel):
    """The words of a language about the time of day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    twelve_hours: Literal["always", "spoken", "never"] = Field(
        description="When a time may mean the evening too, and is asked back where nothing settles it: `always`, only "
        "when it is `spoken` (half past eight, but not 8:30), or `never`."
    )
    at: Phrases = Field(description="What stands before a time: `at`.")
    hour: Phrases = Field(description="What stands after an hour: `o'clock`.")
    minutes: Phrases = Field(description="What may stand after the first number of `ten minutes past eight`.")
    hours: Phrases = Field(description="Spellings of the measure in which 7.30 may be seven hours and a half.")
    quarter: Phrases = Field(description="A quarter of an hour in `quarter past eight`.")
    past: Phrases = Field(description="What stands between the minutes and the hour before them.")
    to: Phrases = Field(description="What stands between the minutes and the hour after them.")
    half_past: Phrases = Field(description="What stands before the hour that began half an hour ago: `half past`.")
    half_to: Phrases = Field(description="What stands before the hour that begins in half an hour: German `halb`.")
    quarter_to: Phrases = Field(description="What stands before the hour that begins in a quarter of an hour.")
    unclear: Phrases = Field(description="What stands before an hour and means different times in different places.")
    about: Phrases = Field(description="What makes a time no time: `before`, `just after`.")
    parts: Mapping[Phrase, tuple[Hour, Hour]] = Field(
        description="Parts of the day beside a time, each with its first and last hour: `in the evening`, `pm`."
    )
    named: Mapping[Phrase, Hour] = Field(description="Words that are a time of day by themselves: `noon`.")


class ReadingWords(BaseModel):
    """The words of a language that help to read an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    numbers: Mapping[Phrase, Annotated[int, Field(ge=0, le=1000)]] = Field(
        description="Number words from zero to twenty, and the tens."
    )
    tens_and_units: Annotated[str, Field(max_length=40)] = Field(
        description="How the numbers between the tens are built: `{tens}{unit}`, `{unit}und{tens}`."
    )
    half_ending: Annotated[str, Field(max_length=20)] = Field(
        default="", description="What adds a half to a number word: German `einhalb`."
    )
    minus: Phrases = Field(description="What makes the number after it negative.")
    plus: Phrases = Field(description="What stands before a number above zero.")
    point: Phrases = Field(description="What is said for the decimal mark: `point`.")
    halves: Phrases = Field(description="One half, alone or after a number: `half`, `a half`.")
    quarters: Phrases = Field(description="One quarter, alone or after a number.")
    three_quarters: Phrases = Field(description="Three quarters, alone or after a number.")
    one_and_a_half: Phrases = Field(description="Words for 1.5.")
    joins: Phrases = Field(description="What stands between a number and its fraction: `and`.")
    articles: Phrases = Field(description="What means one before a unit: `an` in `an hour`.")
    none: Phrases = Field(description="Whole messages that mean 0 where an amount is asked for.")
    endings: Phrases = Field(description="What a number may end in and stays the same: `ish`.")
    out_of: Phrases = Field(description="What stands between 7 and 10 in `7 out of 10`, beside the slash.")
    lead_ins: Phrases = Field(description="What people write before any answer: `I'd say`.")
    about: Phrases = Field(description="What people write before a number or a time: `about`, `a`.")
    tails: Phrases = Field(description="What people write after an answer and is no note: `I guess`.")
    unsure: Phrases = Field(description="What leaves open which number is meant: `between`, `almost`.")
    ranges: Phrases = Field(description="What stands between two numbers of which either may be meant: `or`.")
    note_starts: Phrases = Field(description="What begins a note as a comma does: `because`.")
    dates: Phrases = Field(description="Words that make a number before them a date: months.")
    passing: Phrases = Field(description="What tells after a measure that somebody speaks of time: `late`, `ago`.")
    percent: Phrases = Field(description="Words for %.")
    units: tuple[Phrases, ...] = Field(description="Measures, each as the list of its spellings: `[hours, hour, h]`.")
    unit_endings: Phrases = Field(description="Endings in which two spellings of another unit may differ: `s`.")
    clock: ClockWords
    yes: Phrases = Field(min_length=1, description="Whole messages that say yes.")
    no: Phrases = Field(min_length=1, description="Whole messages that say no.")
    maybe: Phrases = Field(description="Whole messages that say neither: `kind of`.")
    yes_no_notes: Phrases = Field(description="What begins a note after yes or no, as a comma does: `I`.")

    @model_validator(mode="after")
    def _numbers_can_be_built(self) -> Self:
        for part in ("{tens}", "{unit}"):
            if self.tens_and_units.count(part) != 1:
                raise ValueError(f"tens_and_units must hold {part} once; write for example {{tens}}{{unit}}")
        return self

    @cached_property
    def number_table(self) -> Mapping[str, tuple[int, bool]]:
        """Every number word, folded, with its number and whether a half comes on top."""
        table = {folded(word): value for word, value in self.numbers.items()}
        units = [(word, value) for word, value in table.items() if 1 <= value <= 9]
        tens = [(word, value) for word, value in table.items() if value in range(20, 100, 10)]
        for word, value in tens:
            for unit, digit in units:
                built = self.tens_and_units.replace("{tens}", word).replace("{unit}", unit)
                table.setdefault(folded(built), value + digit)
        found = {word: (value, False) for word, value in table.items()}
        if self.half_ending:
            ending = folded(self.half_ending)
            for joint in ("", *map(folded, self.joins)):
                found |= {word + joint + ending: (value, True) for word, value in table.items()}
        return found

    @cached_property
    def unit_words(self) -> Phrases:
        """Every spelling of every measure."""
        return tuple(word for group in (*self.units, self.clock.hours) for word in group)
