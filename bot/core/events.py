"""The bot's own event types and what they carry: all that the database row behind each of them holds.

These contents travel inside the encryption only; relations (`m.relates_to`) stay outside and carry nothing of this.
Matrix events have no fractions, so every number here is whole.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

PROMPT = "care.interlude.prompt"
ENTRY = "care.interlude.entry"
GOAL = "care.interlude.goal"
CHECKIN = "care.interlude.goal.checkin"

Identifier = Annotated[str, Field(min_length=1, max_length=255)]
Revision = Annotated[int, Field(ge=1, description="1 for the first one, one more for every change.")]
Instant = Annotated[AwareDatetime, Field(description="RFC 3339, with its offset.")]
Sources = Annotated[tuple[Identifier, ...], Field(description="Ids of the events that this was made from.")]
_Kind = Literal["text", "scale", "choice", "yes_no", "number", "time", "media", "any"]
CAPTION_LENGTH = 3_000  # the message itself, which stays in the room, holds the rest
Caption = Annotated[
    str,
    BeforeValidator(lambda text: text[:CAPTION_LENGTH] if isinstance(text, str) else text),
    Field(max_length=CAPTION_LENGTH),
]


class Status(StrEnum):
    """Whether a record stands."""

    RECORDED = "recorded"
    REMOVED = "removed"  # taken back or deleted: the values are gone, the trail stays


class GoalStatus(StrEnum):
    """Where a goal stands."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    REVISED = "revised"
    ACHIEVED = "achieved"
    DROPPED = "dropped"


class _Content(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        json_schema_serialization_defaults_required=True,  # the bot sends every field, so the schema promises it
    )


class PromptBlock(_Content):
    """The block `care.interlude.prompt` in the message or poll that asks a prompt's question."""

    v: Literal[1] = Field(default=1, description="Version of this form.")
    delivery_id: Identifier = Field(description="Names this prompt at this occurrence.")
    prompt_id: Identifier = Field(description="The prompt's id in its pack.")
    prompt_version: int = Field(ge=1, description="The prompt's version in its pack.")
    title: str = Field(description="The prompt's title.")
    step: Identifier = Field(description="The step that is asked.")
    position: int | None = Field(default=None, ge=1, description="The step's place in the prompt, from 1.")
    steps: int | None = Field(default=None, ge=1, description="How many steps the prompt has.")
    kind: _Kind = Field(description="What kind of answer fits.")
    occurrence: Identifier = Field(description="Key of the occurrence, or of the order to send it by hand.")
    schedule_id: Identifier | None = Field(default=None, description="The schedule; null when sent by hand.")
    goal_id: Identifier | None = Field(default=None, description="The goal that is asked about.")
    goal_revision: int | None = Field(default=None, ge=1, description="The goal's revision when it was asked.")
    low: int | None = Field(default=None, description="Smallest number that fits.")
    high: int | None = Field(default=None, description="Largest number that fits.")
    unit: str | None = Field(default=None, description="What a number counts.")
    options: Mapping[str, str] = Field(default_factory=dict, description="Poll answer id -> option id.")
    due: Instant
    expires_at: Instant
    repeat: bool = Field(default=False, description="Posted once more, for a device that could not read it before.")


class Media(_Content):
    """A picture, voice message, video or file as the record keeps it: where it is, never the bytes or the key."""

    kind: Literal["image", "voice", "audio", "video", "file"] = Field(description="What it is.")
    mxc: str = Field(pattern=r"^mxc://[^/\s]+/[^/\s]+$", max_length=500, description="Where the server keeps it.")
    mimetype: str | None = Field(default=None, max_length=200, description="Media type as the sender gave it.")
    size: int | None = Field(default=None, ge=0, description="Size in bytes as the sender gave it.")
    duration_ms: int | None = Field(default=None, ge=0, description="Length in milliseconds as the sender gave it.")
    caption: Caption | None = Field(
        default=None,
        description=f"What the sender wrote to it, its first {CAPTION_LENGTH} characters.",
    )
    name: str | None = Field(default=None, max_length=500, description="File name as the sender gave it.")
    source: Identifier = Field(description="Id of the event that brought it.")


class StepAnswer(_Content):
    """The answer to one step."""

    step: Identifier = Field(description="The step; `journal` in a journal entry.")
    kind: _Kind | Literal["journal"] = Field(description="What was asked for.")
    value: str | int | None = Field(
        default=None,
        description="Option id, `yes` or `no`, number (as text with a point if it has decimals), or time; null for "
        "words and media, and for what did not fit and was kept as text.",
    )
    unit: str | None = Field(default=None, description="What the number counts.")
    late: bool = Field(default=False, description="Answered after the time for the question.")
    text: str | None = Field(default=None, description="Words, the option's label, or the note beside a number.")
    sources: Sources = ()
    media: tuple[Media, ...] = Field(default=(), description="What was sent with it.")


class _Record(_Content):
    v: Literal[1] = Field(default=1, description="Version of this form.")
    revision: Revision
    revises: Identifier | None = Field(default=None, description="Event id of the revision before this one.")
    status: Status = Field(default=Status.RECORDED, description="Whether the record stands.")
    part: int = Field(default=1, ge=1, description="This part of a record that is too long for one event.")
    parts: int = Field(default=1, ge=1, description="How many parts the record has.")
    author: Identifier = Field(description="Matrix id of the person who answered.")
    late: bool = Field(default=False, description="Answered after the prompt had expired, or its poll was closed.")
    first_answered_at: Instant
    recorded_at: Instant

    @model_validator(mode="after")
    def _part_of_parts(self) -> Self:
        if self.part > self.parts:
            raise ValueError("part is larger than parts")
        return self


class Entry(_Record):
    """Event `care.interlude.entry`: the answers to one prompt, or a journal entry of the client's own."""

    entry_id: Identifier = Field(description="The same in all revisions.")
    start: Literal["prompt", "journal"] = Field(description="What began it.")
    delivery_id: Identifier | None = Field(default=None, description="The prompt's delivery; null in a journal.")
    prompt_id: Identifier | None = Field(default=None, description="The prompt; null in a journal.")
    prompt_version: int | None = Field(default=None, ge=1, description="The prompt's version; null in a journal.")
    prompt_title: str | None = Field(default=None, description="The prompt's title; null in a journal.")
    occurrence: Identifier | None = Field(default=None, description="Key of the occurrence; null in a journal.")
    answers: tuple[StepAnswer, ...] = Field(description="One per answered step; without values once removed.")
    skipped: tuple[Identifier, ...] = Field(default=(), description="The steps that the client left out.")
    ended: Literal["done", "stopped", "expired"] | None = Field(
        default=None,
        description="How the conversation about the prompt ended: all was asked, the client stopped it, or its time "
        "was over; null in a journal.",
    )

    @model_validator(mode="after")
    def _prompt_or_journal(self) -> Self:
        named = (self.delivery_id, self.prompt_id, self.prompt_version, self.prompt_title, self.occurrence)
        if any((value is None) != (self.start == "journal") for value in named):
            raise ValueError("a journal entry names no prompt, any other entry names it in full")
        return self


class Checkin(_Record):
    """Event `care.interlude.goal.checkin`: how a goal is going, as a number on its scale."""

    checkin_id: Identifier = Field(description="The same in all revisions.")
    goal_id: Identifier = Field(description="The goal.")
    goal_revision: int = Field(ge=1, description="The goal's revision whose scale the value is on.")
    goal_title: str = Field(description="The goal's title at that revision.")
    low: int = Field(description="Smallest number of the scale.")
    high: int = Field(description="Largest number of the scale.")
    delivery_id: Identifier = Field(description="The delivery of the prompt that asked.")
    prompt_id: Identifier = Field(description="The prompt that asked.")
    prompt_version: int = Field(ge=1, description="Its version.")
    occurrence: Identifier = Field(description="Key of the occurrence.")
    value: int | None = Field(default=None, description="The number; null if media alone was sent, or once removed.")
    note: str | None = Field(default=None, description="What was written beside the number.")
    sources: Sources = ()
    media: tuple[Media, ...] = Field(default=(), description="What was sent with it.")


class GoalRecord(_Content):
    """Event `care.interlude.goal`: one revision of a goal."""

    v: Literal[1] = Field(default=1, description="Version of this form.")
    goal_id: Identifier = Field(description="The same in all revisions.")
    number: int = Field(ge=1, description="Stable number in lists.")
    revision: Revision
    revises: Identifier | None = Field(default=None, description="Event id of the revision before this one.")
    status: GoalStatus = Field(description="Where the goal stands.")
    title: str = Field(min_length=1, max_length=60, description="What people call it.")
    low: int = Field(description="Smallest number of its scale.")
    high: int = Field(description="Largest number of its scale.")
    target: int | None = Field(default=None, description="The number that is aimed at, if one is.")
    rhythm: str = Field(description="When a check-in is asked for, as a schedule rule.")
    since: Instant
    recorded_at: Instant


Content = PromptBlock | Entry | Checkin | GoalRecord
C = TypeVar("C", bound=_Content)
R = TypeVar("R", bound=_Record)  # an Entry or a Checkin

MODELS: Mapping[str, type[Content]] = {PROMPT: PromptBlock, ENTRY: Entry, CHECKIN: Checkin, GOAL: GoalRecord}


def event_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema (2020-12) of what the bot sends, by event type."""
    schemas = {}
    for name, model in MODELS.items():
        schema = model.model_json_schema(mode="serialization")
        schemas[name] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:interlude:schema:{name}:1",
            **schema,
            "title": name,
        }
    return schemas


def to_content(event: Content) -> dict[str, Any]:
    """Return an event's content as JSON values, every field present."""
    return event.model_dump(mode="json")


def from_content(model: type[C], content: Mapping[str, Any]) -> C:
    """Read an event's content; raises pydantic's ValidationError (a ValueError) when it does not have its form."""
    return model.model_validate_json(json.dumps(content))


def removed(record: R, *, revision: int, revises: str | None, at: datetime) -> R:
    """Return the revision that says that a record was taken back; no value, word or medium remains in it."""
    changed: dict[str, Any] = {"status": Status.REMOVED, "revision": revision, "revises": revises, "recorded_at": at}
    changed |= {"part": 1, "parts": 1}
    if isinstance(record, Entry):
        bare = {"value": None, "text": None, "media": ()}
        changed["answers"] = tuple(answer.model_copy(update=bare) for answer in record.answers)
    else:
        changed |= {"value": None, "note": None, "media": ()}
    return record.model_copy(update=changed)
