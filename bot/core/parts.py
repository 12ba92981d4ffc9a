"""A record that is too long for one event, in several (CRYPTO 31: below 40 kB before encryption)."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

from bot.core.events import Checkin, Entry, R, StepAnswer, to_content

MOST_BYTES = 40_000
CHUNK = 3_000  # characters; written as JSON at most six bytes each


def size(record: Entry | Checkin) -> int:
    """Return a record's size in bytes as JSON."""
    return len(json.dumps(to_content(record), ensure_ascii=False).encode("utf-8", "surrogatepass"))


def split(record: R) -> tuple[R, ...]:
    """Return a record as events that each stay below 40 kB; `joined` puts them together again."""
    whole = cast(Entry | Checkin, record)
    if size(whole) < MOST_BYTES:
        return (record,)
    updates = _entry_parts(whole) if isinstance(whole, Entry) else _checkin_parts(whole)
    return tuple(
        record.model_copy(update={**update, "part": number, "parts": len(updates)})
        for number, update in enumerate(updates, start=1)
    )


def joined(parts: Sequence[R]) -> R:
    """Return the record that was split, from all of its parts in any order."""
    first, *others = sorted(parts, key=lambda part: part.part)
    update: dict[str, Any] = {"part": 1, "parts": 1}
    if isinstance(first, Entry):
        update["answers"] = _joined_answers([first, *(part for part in others if isinstance(part, Entry))])
    elif others:
        update["note"] = "".join(part.note or "" for part in [first, *others] if isinstance(part, Checkin))
    return first.model_copy(update=update)


def _entry_parts(entry: Entry) -> list[dict[str, Any]]:
    groups: list[list[StepAnswer]] = [[]]
    for piece in _pieces(entry):
        grown = entry.model_copy(update={"answers": (*groups[-1], piece), "part": 999, "parts": 999})
        if groups[-1] and size(grown) >= MOST_BYTES:
            groups.append([])
        groups[-1].append(piece)
    return [{"answers": tuple(group)} for group in groups]


def _checkin_parts(checkin: Checkin) -> list[dict[str, Any]]:
    note = checkin.note or ""
    first: dict[str, Any] = {"note": note[:CHUNK]}
    rest = [note[start : start + CHUNK] for start in range(CHUNK, len(note), CHUNK)]
    return [first, *({"note": text, "sources": (), "media": ()} for text in rest)]


def _joined_answers(parts: Sequence[Entry]) -> tuple[StepAnswer, ...]:
    answers: list[StepAnswer] = []
    for piece in (answer for part in parts for answer in part.answers):
        if answers and answers[-1].step == piece.step:
            answers[-1] = _glued(answers[-1], piece)
        else:
            answers.append(piece)
    return tuple(answers)


def _pieces(entry: Entry) -> Iterator[StepAnswer]:
    for answer in entry.answers:
        text = answer.text or ""
        yield answer.model_copy(update={"text": text[:CHUNK] or answer.text, "sources": (), "media": ()})
        for start in range(CHUNK, len(text), CHUNK):
            yield _rest(answer, text=text[start : start + CHUNK])
        for start in range(0, len(answer.sources), 20):
            yield _rest(answer, sources=answer.sources[start : start + 20])
        for medium in answer.media:
            yield _rest(answer, media=(medium,))


def _rest(answer: StepAnswer, **kept: object) -> StepAnswer:
    return answer.model_copy(update={"value": None, "text": None, "sources": (), "media": (), **kept})


def _glued(first: StepAnswer, second: StepAnswer) -> StepAnswer:
    text = None if first.text is None and second.text is None else (first.text or "") + (second.text or "")
    return first.model_copy(
        update={
            "text": text,
            "sources": (*first.sources, *second.sources),
            "media": (*first.media, *second.media),
        }
    )
