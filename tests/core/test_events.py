"""What the bot's own events carry, their schemas, and how long ones are split."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from bot.core import events
from bot.core.events import Checkin, Entry, GoalRecord, GoalStatus, Media, PromptBlock, Status, StepAnswer
from bot.core.parts import MOST_BYTES, joined, size, split
from bot.resource import resource
from bot.schema_files import check_schemas, schema_texts, write_schemas

AT = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
PHOTO = Media(kind="image", mxc="mxc://hs/photo", mimetype="image/png", size=70, caption="the park", source="$photo")
ENTRY = Entry(
    entry_id="e1",
    start="prompt",
    delivery_id="d1",
    prompt_id="mood",
    prompt_version=1,
    prompt_title="Mood",
    occurrence="2026-11-23T20:00",
    revision=1,
    author="@c:hs",
    first_answered_at=AT,
    recorded_at=AT,
    answers=(StepAnswer(step="mood", kind="choice", value="good", text="Good", sources=("$vote",), media=(PHOTO,)),),
)
CHECKIN = Checkin(
    checkin_id="c1",
    goal_id="g1",
    goal_revision=2,
    goal_title="Walk",
    low=0,
    high=10,
    delivery_id="d2",
    prompt_id="goal-checkin",
    prompt_version=1,
    occurrence="2026-11-23T20:00",
    value=7,
    note="went well",
    sources=("$m",),
    revision=1,
    author="@c:hs",
    first_answered_at=AT,
    recorded_at=AT,
)
GOAL = GoalRecord(
    goal_id="g1",
    number=1,
    revision=1,
    status=GoalStatus.AGREED,
    title="Walk",
    low=0,
    high=10,
    rhythm="fri 18:00",
    since=AT,
    recorded_at=AT,
)
BLOCK = PromptBlock(
    delivery_id="d1",
    prompt_id="mood",
    prompt_version=1,
    title="Mood",
    step="mood",
    kind="choice",
    occurrence="2026-11-23T20:00",
    options={"r1": "low"},
    due=AT,
    expires_at=AT,
)


@pytest.mark.parametrize("event", [ENTRY, CHECKIN, GOAL, BLOCK])
def test_what_is_written_can_be_read_again(event: events.Content) -> None:
    """An event's content survives the way through JSON, so that the room can rebuild the database."""
    content = json.loads(json.dumps(events.to_content(event)))
    assert content["v"] == 1
    assert type(event).model_validate_json(json.dumps(content)) == event


@pytest.mark.parametrize(
    ("name", "event"), [(events.ENTRY, ENTRY), (events.CHECKIN, CHECKIN), (events.GOAL, GOAL), (events.PROMPT, BLOCK)]
)
def test_what_is_written_fits_its_published_schema(name: str, event: events.Content) -> None:
    """The schemas are valid JSON Schema 2020-12, accept what the bot sends, and miss no field of it."""
    schema = events.event_schemas()[name]
    content = events.to_content(event)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(content)
    assert set(schema["required"]) == set(content)


def test_contents_hold_no_fractions() -> None:
    """Matrix allows whole numbers only."""

    def numbers(value: Any) -> list[float]:
        if isinstance(value, dict):
            return [found for part in value.values() for found in numbers(part)]
        if isinstance(value, list):
            return [found for part in value for found in numbers(part)]
        return [value] if isinstance(value, float) else []

    assert [numbers(events.to_content(event)) for event in (ENTRY, CHECKIN, GOAL, BLOCK)] == [[]] * 4


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"revision": 0},
        {"revision": "1"},
        {"extra": 1},
        {"recorded_at": "2026-11-23T19:00:00"},
        {"recorded_at": 1},
        {"status": "gone"},
        {"part": 2},
        {"prompt_id": None},
        {"start": "journal"},
        {"answers": [{"step": "s", "kind": "text", "value": True}]},
        {
            "answers": [
                {"step": "s", "kind": "text", "media": [{"kind": "image", "mxc": "https://x/y", "source": "$e"}]}
            ]
        },
    ],
)
def test_mistyped_contents_are_refused(change: dict[str, Any]) -> None:
    """Another version, an unknown field, a wrong type or a time without an offset is no entry."""
    with pytest.raises(ValidationError):
        events.from_content(Entry, {**events.to_content(ENTRY), **change})


def test_the_key_of_an_attachment_is_never_recorded() -> None:
    """A record has no place for the bytes, the key or the hash of an attachment."""
    with pytest.raises(ValidationError):
        Media.model_validate({**PHOTO.model_dump(), "file": {"key": {}}})
    assert set(Media.model_fields) == {
        "kind", "mxc", "mimetype", "size", "duration_ms", "caption", "name", "source"
    }  # fmt: skip


def test_a_removed_record_holds_nothing_of_the_answer() -> None:
    """Taking back leaves the trail of revisions and none of the values, words or media."""
    later = AT + timedelta(minutes=1)
    for record in (ENTRY, CHECKIN):
        gone = events.removed(record, revision=2, revises="$first", at=later)
        content = json.dumps(events.to_content(gone))
        assert (gone.status, gone.revision, gone.recorded_at) == (Status.REMOVED, 2, later)
        for secret in ("good", "Good", "went well", "mxc://", "the park", '"value": 7'):
            assert secret not in content


def test_a_journal_entry_names_no_prompt() -> None:
    """A journal entry begins by itself."""
    journal = Entry(
        entry_id="e2",
        start="journal",
        revision=1,
        author="@c:hs",
        first_answered_at=AT,
        recorded_at=AT,
        answers=(StepAnswer(step="journal", kind="journal", text="Today", sources=("$j",)),),
    )
    assert events.to_content(journal)["prompt_id"] is None


@settings(max_examples=15, deadline=None)
@given(st.text(min_size=1, max_size=9), st.integers(0, 60))
@example("\x01", 0)
@example("😮‍💨", 60)
def test_a_long_record_is_split_and_joined(word: str, pictures: int) -> None:
    """Every part stays below 40 kB as JSON and together they are the record."""
    text = word * (60_000 // len(word))
    answer = StepAnswer(
        step="words",
        kind="text",
        text=text,
        sources=tuple(f"${number:043}" for number in range(200)),
        media=(PHOTO.model_copy(update={"caption": "ü" * 3000}),) * pictures,
    )
    entry = ENTRY.model_copy(update={"answers": (answer,)})
    checkin = CHECKIN.model_copy(update={"note": text})
    for parts in (split(entry), split(checkin)):
        assert all(size(part) < MOST_BYTES for part in parts)
    assert joined(split(entry)[::-1]) == entry
    assert joined(split(checkin)[::-1]) == checkin


def test_a_short_record_stays_whole() -> None:
    """What fits is one event."""
    assert split(ENTRY) == (ENTRY,)
    assert joined((CHECKIN,)) == CHECKIN


def test_the_schemas_on_disk_are_those_of_the_models() -> None:
    """`schemas/` agrees with the models, and every field in it is described."""
    assert check_schemas(resource("schemas")) == []
    for name, text in schema_texts().items():
        schema = json.loads(text)
        assert schema["$id"].startswith("urn:interlude:schema:")
        assert schema["additionalProperties"] is False
        for model in (schema, *schema.get("$defs", {}).values()):
            for field, description in model.get("properties", {}).items():
                assert "description" in description, f"{name}: {field}"


def test_a_changed_schema_is_noticed(tmp_path: Path) -> None:
    """A missing, an edited and a left-over file are each named, and writing mends all three."""
    write_schemas(tmp_path)
    assert check_schemas(tmp_path) == []
    (tmp_path / "care.interlude.entry.schema.json").write_text("{}")
    (tmp_path / "care.interlude.goal.schema.json").unlink()
    (tmp_path / "old.schema.json").write_text("{}")
    found = check_schemas(tmp_path)
    assert [sentence.split()[0] for sentence in found] == [
        "care.interlude.entry.schema.json",
        "care.interlude.goal.schema.json",
        "old.schema.json",
    ]
    write_schemas(tmp_path)
    assert check_schemas(tmp_path) == []
