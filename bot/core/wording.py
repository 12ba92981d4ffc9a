"""Everything that the bot says in one language, read from `bot.yaml`; the sentences are content, not code.

Each field below is one sentence or short text. `_says` names the placeholders that it may use; those after `must`
have to be there. A practice that edits a text is told at once, with the line, when it breaks this.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bot.core.command_forms import Grammar, check_form, command_form
from bot.core.command_names import CommandName
from bot.core.document import read_document, validate
from bot.core.fields import refuse
from bot.core.prompts import KINDS
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
Named = Annotated[str, _says("client")]  # the client may be spoken to, or about
Person = Annotated[str, _says("person", "room", "client", must=("person",))]
Word = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\r\n]*\S[^\r\n]*$")]
Form = Annotated[Word, AfterValidator(check_form)]


class Calendar(BaseModel):
    """How a day is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weekdays: tuple[Word, ...] = Field(min_length=7, max_length=7, description="Short names, Monday first.")
    months: tuple[Word, ...] = Field(min_length=12, max_length=12, description="Short names, January first.")
    day: Annotated[str, _says("weekday", "day", "month", must=("day", "month"))]


class Wording(BaseModel):
    """All texts and words of one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commands: Mapping[CommandName, tuple[Form, ...]]
    for_client: tuple[Word, ...] = Field(description="What stands before a client's name in the console: `for Alex`.")
    time_words: Mapping[Word, Word] = Field(
        description="Words of days, months, rules and lengths of time, each with the English one: `montag: mon`."
    )
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
    # Reminders
    reminder: Title
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
    console_drift: Annotated[str, _says("room", "client", "what", must=("what",))]
    console_untrusted_word: Person
    console_plain_text: Person
    console_forged: Annotated[str, _says("person", "room", "client", "what")]
    console_held: Annotated[str, _says("room", "client", "what", must=("what",))]
    # Conversations of several steps
    answer_yes: Word
    answer_no: Word
    optional_hint: Plain
    recorded_all: Title
    kept_in_words: Plain
    does_not_fit_yes_no: Annotated[str, _says("title", "yes", "no", must=("yes", "no"))]
    does_not_fit_amount: Title
    does_not_fit_amount_between: Annotated[str, _says("title", "low", "high", must=("low", "high"))]
    does_not_fit_amount_from: Annotated[str, _says("title", "low", must=("low",))]
    does_not_fit_amount_to: Annotated[str, _says("title", "high", must=("high",))]
    does_not_fit_amount_unsure: Title
    does_not_fit_time: Title
    does_not_fit_time_unsure: Title
    does_not_fit_media: Title
    stopped: Title
    back_at_first: Title
    later_until: Annotated[str, _says("title", "time", must=("time",))]
    later_used: Title

    # What is asked of the bot: refusals
    help_usage: Annotated[str, _says("example", must=("example",))]
    examples: Mapping[CommandName, Plain] = Field(description="How a command with arguments is written, for a miss.")
    help_more: Annotated[str, _says(must=("crisis_line",))]
    help_therapist_more: Annotated[str, _says(must=("crisis_line",))]
    console_help_more: Annotated[str, _says(must=("crisis_line",))]
    console_about: Annotated[str, _says(must=("client", "text"))]
    console_which: Annotated[str, _says("clients", "name", must=("clients",))]
    console_no_such_client: Annotated[str, _says(must=("clients",))]
    console_no_clients: Plain
    refused_therapists: Named
    refused_clients: Named
    refused_pause_is_clients: Named
    refused_client_refused: Annotated[str, _says("client", "title")]
    refused_console_only: Named
    refused_room_only: Named
    refused_not_joined: Named
    refused_paused: Named
    refused_therapist_gone: Annotated[str, _says("client", "practice")]
    refused_over: Named

    # When things come, in words
    moment: Annotated[str, _says(must=("day", "time"))]
    and_last: Annotated[str, _says(must=("before", "last"))]
    rule_daily: Annotated[str, _says(must=("times",))]
    rule_weekdays: Annotated[str, _says(must=("times",))]
    rule_days: Annotated[str, _says(must=("days", "times"))]
    rule_every_days: Annotated[str, _says(must=("count", "times"))]
    rule_every_weeks: Annotated[str, _says(must=("count", "days", "times"))]
    rule_other: Annotated[str, _says(must=("rule",))]
    rule_times: Annotated[str, _says(must=("when", "count"))]
    rule_from: Annotated[str, _says(must=("when", "day"))]
    rule_until: Annotated[str, _says(must=("when", "day"))]
    rule_window: Annotated[str, _says(must=("count", "opens", "closes"))]
    rule_window_once: Annotated[str, _says("count", must=("opens", "closes"))]
    rule_window_days: Annotated[str, _says(must=("when", "days"))]
    rule_at: Annotated[str, _says(must=("time",))]
    rule_session_same_time: Plain
    rule_session_day: Annotated[str, _says(must=("at",))]
    rule_session_day_before: Annotated[str, _says(must=("at",))]
    rule_session_day_after: Annotated[str, _says(must=("at",))]
    rule_session_days_before: Annotated[str, _says(must=("count", "at"))]
    rule_session_days_after: Annotated[str, _says(must=("count", "at"))]
    rule_session_before: Annotated[str, _says(must=("length",))]
    rule_session_after: Annotated[str, _says(must=("length",))]
    # Schedules, as they are changed and shown
    now_comes: Annotated[str, _says(must=("title", "when", "next"))]
    now_comes_with_session: Annotated[str, _says(must=("title", "when"))]
    now_comes_over: Annotated[str, _says(must=("title", "when"))]
    in_quiet_hours: Annotated[str, _says(must=("hours",))]
    paused_meanwhile: Plain
    client_wants_fewer: Named
    refused_for_good: Title
    is_stopped: Title
    not_planned: Title
    taken_away: Title
    nothing_to_bring_back: Title
    may_come_again: Title
    cannot_move: Annotated[str, _says(must=("title", "when"))]
    cannot_thin_out: Annotated[str, _says(must=("title", "when"))]
    no_goal_yet: Title
    no_such_prompt: Named
    sent: Title
    prompts_header: Plain
    prompt_line: Annotated[str, _says("why", must=("number", "title"))]
    schedules_header: Plain
    nothing_planned: Plain
    schedule_line: Annotated[str, _says(must=("number", "title", "when", "next"))]
    schedule_line_without: Annotated[str, _says(must=("number", "title", "when"))]
    schedule_changed: Annotated[str, _says("client", must=("planned",))]
    schedules_stopped: Annotated[str, _says("client", must=("titles",))]
    schedules_stopped_by: Annotated[str, _says(must=("client", "titles"))]
    schedule_hint: Plain
    more_in_console: Annotated[str, _says(must=("count",))]
    next_prompt: Annotated[str, _says(must=("title", "next"))]
    somebody: Plain
    paused_until: Annotated[str, _says(must=("until",))]
    pause_past: Plain
    resumed_next: Annotated[str, _says(must=("title", "next"))]
    later_too_far: Plain
    timezone_is: Annotated[str, _says(must=("city", "now"))]
    timezone_changed: Annotated[str, _says(must=("city", "now"))]
    timezone_which: Annotated[str, _says(must=("places",))]
    timezone_unknown: Plain
    # What `try` shows
    try_header: Annotated[str, _says(must=("title", "why"))]
    try_step: Annotated[str, _says(must=("number", "ask", "how"))]
    try_kinds: Mapping[str, Plain] = Field(description="How each kind of step is answered.")
    try_optional: Plain
    try_when: Plain
    try_goal: Plain
    try_footer: Plain
    # Sessions and what is brought to them
    session_once: Annotated[str, _says("count", must=("when",))]
    session_weekly: Annotated[str, _says("count", must=("when",))]
    session_every_weeks: Annotated[str, _says(must=("count", "when"))]
    session_only_prompts: Plain
    session_known: Annotated[str, _says(must=("when",))]
    session_past: Plain
    session_none: Plain
    session_list: Annotated[str, _says(must=("when",))]
    session_moved: Annotated[str, _says(must=("old", "new"))]
    session_cancelled: Annotated[str, _says(must=("when",))]
    session_next: Annotated[str, _says(must=("when",))]
    session_ended: Plain
    next_session: Annotated[str, _says(must=("next",))]
    agenda_asked: Annotated[str, _says("number")]
    agenda_brought: Annotated[str, _says("number")]
    agenda_empty: Plain
    agenda_header: Plain
    agenda_before: Annotated[str, _says(must=("when",))]
    agenda_question: Annotated[str, _says("who", must=("number", "text"))]
    agenda_topic: Annotated[str, _says("who", must=("number", "text"))]
    agenda_done: Annotated[str, _says(must=("number",))]
    agenda_no_such_number: Annotated[str, _says(must=("number",))]
    console_asked: Client
    # The question after three unanswered prompts
    fit_question: Title
    fit_keep: Word
    fit_move: Word
    fit_fewer: Word
    fit_stop: Word
    fit_kept: Title
    fit_move_when: Title
    question_over: Plain

    @cached_property
    def grammar(self) -> Grammar:
        """The commands of this language, and the English ones."""
        return Grammar(
            self.commands, for_client=self.for_client, time_words=self.time_words, numbers=self.reading.numbers
        )

    @model_validator(mode="after")
    def _every_kind(self) -> Self:
        if set(self.try_kinds) != set(KINDS):
            raise ValueError(f"`try_kinds` says how each kind of step is answered: {', '.join(KINDS)}")
        return self

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
