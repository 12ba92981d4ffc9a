"""Everything that the bot says in one language, read from `bot.yaml`; the sentences are content, not code.

Each field below is one sentence or short text. `_says` names the placeholders that it may use; those after `must`
have to be there. A practice that edits a text is told at once, with the line, when it breaks this.
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bot.core.commands import CommandName, command_form
from bot.core.document import read_document, validate
from bot.core.fields import refuse
from bot.core.reading import ReadingWords
from bot.core.template import check_gaps, say

__all__ = ["Calendar", "Wording", "parse_wording", "say"]


def _says(*may: str, must: tuple[str, ...] = ()) -> AfterValidator:
    def check(text: str) -> str:
        if not text.strip():
            raise ValueError("is empty; write what the bot says here")
        return check_gaps(text.strip(), may=may, must=must)

    return AfterValidator(check)


Plain = Annotated[str, _says()]
Title = Annotated[str, _says("title")]
Client = Annotated[str, _says("room", "client", must=("client",))]
Person = Annotated[str, _says("person", "room", "client", must=("person",))]
Word = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\r\n]*\S[^\r\n]*$")]


class Calendar(BaseModel):
    """How a day is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weekdays: tuple[Word, ...] = Field(min_length=7, max_length=7, description="Short names, Monday first.")
    months: tuple[Word, ...] = Field(min_length=12, max_length=12, description="Short names, January first.")
    day: Annotated[str, _says("weekday", "day", "month", must=("day", "month"))]


class Wording(BaseModel):
    """All texts and words of one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commands: Mapping[CommandName, tuple[Word, ...]]
    reading: ReadingWords
    calendar: Calendar

    # The pair room: what it is
    welcome: Annotated[str, _says(must=("crisis_line",))]
    help: Annotated[str, _says(must=("crisis_line", "fingerprint"))]
    help_therapist: Annotated[str, _says(must=("crisis_line", "fingerprint"))]
    help_miss: Annotated[str, _says("word")]
    # Records
    recorded: Title
    recorded_choice: Annotated[str, _says("title", "value", must=("value",))]
    recorded_checkin: Annotated[str, _says("goal", "value", "high", must=("goal", "value"))]
    recorded_checkin_media: Annotated[str, _says(must=("goal",))]
    corrected: Title
    corrected_value: Annotated[str, _says("title", "old", "new", must=("old", "new"))]
    corrected_checkin: Annotated[str, _says(must=("goal", "old", "new"))]
    removed: Title
    late: Plain
    poll_ended: Plain
    # Questions and misfits
    ask_back: Annotated[str, _says(must=("value", "title"))]
    ask_back_words: Annotated[str, _says(must=("title",))]
    does_not_fit_number: Annotated[str, _says("title", "low", "high", must=("low", "high"))]
    does_not_fit_unsure: Annotated[str, _says("title", "low", "high")]
    does_not_fit_choice: Annotated[str, _says("title", "options", must=("options",))]
    # Commands
    paused: Plain
    already_paused: Plain
    resumed: Plain
    not_paused: Plain
    nothing_to_undo: Plain
    undone: Title
    undone_to: Annotated[str, _says("title", "value", must=("value",))]
    journal_title: Word
    journal_started: Plain
    journal_saved: Plain
    journal_empty: Plain
    journal_already_open: Plain
    no_open_prompt: Plain
    again: Title
    skipped: Title
    nothing_to_skip: Plain
    # Progress
    progress_header: Plain
    progress_none: Plain
    progress_goal: Annotated[str, _says("number", "goal", "low", "high", "values", must=("goal", "values"))]
    progress_goal_none: Annotated[str, _says("number", "goal", "low", "high", must=("goal",))]
    progress_value: Annotated[str, _says(must=("value", "day"))]
    progress_media: Annotated[str, _says(must=("day",))]
    progress_days: Annotated[str, _says(must=("answered", "days"))]
    # Crisis
    crisis_opening: Plain
    crisis_emergency: Annotated[str, _says(must=("number",))]
    crisis_emergency_unknown: Plain
    crisis_number: Annotated[str, _says(must=("name", "number"))]
    crisis_practice: Annotated[str, _says(must=("line",))]
    crisis_honest: Plain
    crisis_short: Annotated[str, _says(must=("emergency", "name", "number"))]
    crisis_short_unknown: Annotated[str, _says("practice")]
    crisis_no_practice: Plain
    # Warnings in the pair room
    device_cannot_read: Person
    device_word_ignored: Plain
    plain_text_not_recorded: Plain
    send_again: Plain
    redaction_by_other: Plain
    therapist_gone: Annotated[str, _says("practice")]
    pair_ended: Annotated[str, _says("practice")]
    verification_cancelled: Annotated[str, _says(must=("fingerprint",))]
    # The console: a therapist and the bot
    console_name: Plain
    console_welcome: Plain
    console_help: Annotated[str, _says("fingerprint", must=("crisis_line", "fingerprint", "pairs"))]
    console_pair: Annotated[str, _says("number", "room", "client", "state", "fingerprint", must=("room", "client"))]
    console_new_pair: Annotated[str, _says("room", "client", "user", must=("room", "client"))]
    console_waiting: Person
    console_declined: Person
    console_left: Client
    console_removed: Client
    console_back: Client
    console_deactivated: Person
    console_pair_ended: Client
    console_withdrawn: Client
    console_paused: Client
    console_cannot_read: Person
    console_new_key: Annotated[str, _says("person", "user", "room", "client", must=("person", "user"))]
    console_new_key_therapist: Plain
    console_trusted: Annotated[str, _says("person", "fingerprint", must=("person", "fingerprint"))]
    console_trust_wrong: Annotated[str, _says("person", "user")]
    console_trust_not_here: Plain
    console_trust_miss: Plain
    console_drift: Annotated[str, _says("room", "client", "what", must=("what",))]
    console_untrusted_word: Person
    console_plain_text: Person
    console_forged: Annotated[str, _says("person", "room", "client", "what")]
    console_held: Annotated[str, _says("room", "client", "what", must=("what",))]

    @model_validator(mode="after")
    def _one_meaning_per_word(self) -> Self:
        meanings: dict[str, dict[CommandName, int]] = {}
        for name, words in self.commands.items():
            for place, word in enumerate(words):
                meanings.setdefault(command_form(word), {}).setdefault(name, place)
        # Each place is named: one of them may stand in a practice's own file.
        refuse(
            (("commands", name.value, place), f"{form!r} means both {' and '.join(names)}; give it to one of them")
            for form, names in meanings.items()
            for name, place in names.items()
            if len(names) > 1
        )
        return self


def parse_wording(text: str, *, source: str) -> Wording:
    """Read `bot.yaml`.

    Raises PackError that lists every unknown or missing text and every unknown placeholder with its line.
    """
    return validate(Wording, read_document(text, source=source))
