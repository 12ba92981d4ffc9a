"""What the bot says about a record: one confirmation, which every correction edits (DESIGN §7)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.entries import Form, Pieces, pieces_by_step, value_of
from bot.core.prompts import NumberStep, Prompt, Step
from bot.core.records import Record, RecordKind
from bot.core.typed import shown
from bot.core.wording import Wording
from bot.core.wording import say as fill
from bot.flows.places import Place
from bot.flows.speak import Voice, notice, post
from bot.ports import Tx


class Confirmer:
    """Says what was recorded, naming its prompt and never quoting free text."""

    def __init__(self, *, voice: Voice) -> None:
        self._voice = voice

    async def say(
        self, tx: Tx, place: Place, record: Record, text: str, *, at: datetime, reply_to: str | None = None
    ) -> Record:
        """Say something about a record in place of what was said about it before; the room keeps one of these."""
        if record.confirmation is None:
            row = await post(
                tx, place, notice(text), purpose="confirmation", at=at, reply_to=reply_to, record_id=record.record_id
            )
            record = replace(record, confirmation=row.outbox_id)
            await tx.records.save(record)
            return record
        await post(
            tx,
            place,
            edit_of(notice(text)),
            purpose="confirmation",
            at=at,
            record_id=record.record_id,
            relates_row=record.confirmation,
            rel_type="m.replace",
        )
        return record

    def recorded(self, place: Place, record: Record, form: Form) -> str:
        """The thanks for a record whose sitting has ended."""
        words = self._voice.words(place)
        if record.kind is RecordKind.CHECKIN:
            return _checkin_words(words, record.content)
        prompt, answered = form.prompt, list(pieces_by_step(record.pieces, form.prompt))
        last = _step(prompt, answered[-1]) if answered else None
        title = self.title(place, record, form)
        if last is not None and last.confirm:
            return fill(last.confirm, title=title, client=place.pair.client_name if place.pair else "")
        if prompt is not None and len(prompt.steps) > 1:
            return fill(words.recorded_all, title=title)
        value = _shown(record.pieces, form, answered[-1]) if answered else ""
        if value:
            return fill(words.recorded_choice, title=title, value=value)
        return fill(words.recorded, title=title)

    def corrected(self, place: Place, old: Record, new: Record, form: Form) -> str:
        """What is said about another answer, old → new (CRYPTO 13)."""
        words, title = self._voice.words(place), self.title(place, old, form)
        changes = _changes(old.pieces, new.pieces, form)
        for before, after in changes:
            if before and after and old.kind is RecordKind.CHECKIN:
                return fill(words.corrected_checkin, goal=title, old=before, new=after)
            if before and after:
                return fill(words.corrected_value, title=title, old=before, new=after)
        one_step = form.prompt is not None and len(form.prompt.steps) == 1
        if one_step and any(after and not before for before, after in changes):
            return self.recorded(place, new, form)
        return fill(words.corrected, title=title)

    def removed(self, place: Place, record: Record, form: Form) -> str:
        """What is said when an answer was deleted."""
        return fill(self._voice.words(place).removed, title=self.title(place, record, form))

    def undone(self, place: Place, old: Record, new: Record, form: Form) -> str:
        """What is said when `undo` took the last change back."""
        words, title = self._voice.words(place), self.title(place, old, form)
        back = [after for before, after in _changes(old.pieces, new.pieces, form) if after]
        if back:
            return fill(words.undone_to, title=title, value=back[0])
        return fill(words.undone, title=title)

    def title(self, place: Place, record: Record, form: Form) -> str:
        """What people call what a record is about."""
        if record.kind is RecordKind.CHECKIN:
            return str(record.content["goal_title"])
        if record.kind is RecordKind.JOURNAL:
            return self._voice.words(place).journal_title
        return str(record.content.get("prompt_title") or (form.prompt.title if form.prompt else ""))


def edit_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of an edit: clients that know edits show `m.new_content`, others the text behind a star."""
    return {**content, "body": f"* {content['body']}", "m.new_content": dict(content)}


def _changes(old: Pieces, new: Pieces, form: Form) -> list[tuple[str, str]]:
    """Return each step's value before and after where they differ, as people read it; words are never quoted."""
    steps = dict.fromkeys((*pieces_by_step(old, form.prompt), *pieces_by_step(new, form.prompt)))
    both = [(_shown(old, form, step), _shown(new, form, step)) for step in steps]
    return [(before, after) for before, after in both if before != after]


def _shown(pieces: Pieces, form: Form, step_id: str) -> str:
    step = _step(form.prompt, step_id)
    value = value_of(pieces_by_step(pieces, form.prompt).get(step_id, ()))
    return shown(value, form.labels.get(step_id, {}), step.unit if isinstance(step, NumberStep) else None)


def _step(prompt: Prompt | None, step_id: str) -> Step | None:
    return next((step for step in prompt.steps if step.id == step_id), None) if prompt else None


def _checkin_words(words: Wording, content: Mapping[str, Any]) -> str:
    goal = str(content["goal_title"])
    if content["value"] is None:
        return fill(words.recorded_checkin_media, goal=goal)
    return fill(words.recorded_checkin, goal=goal, value=str(content["value"]), high=str(content["high"]))
