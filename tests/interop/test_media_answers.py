"""Photos, voice messages, sound, films and files are full answers; the record keeps what they are, never the bytes."""

import pytest

from bot.demo.person import MediaKind
from tests.interop.trio import Trio, answer_of, records_in, spoken_in


@pytest.mark.parametrize(
    ("kind", "mimetype", "filename", "caption", "duration"),
    [
        ("image", "image/png", "lake.png", "the lake", None),
        ("voice", "audio/ogg", "voice.ogg", None, 3200),
        ("audio", "audio/mpeg", "song.mp3", None, 61000),
        ("video", "video/mp4", "walk.mp4", "on the way", 8000),
        ("file", "application/pdf", "diary.pdf", None, None),
    ],
)
async def test_media_answer_a_prompt(
    trio: Trio, kind: MediaKind, mimetype: str, filename: str, caption: str | None, duration: int | None
) -> None:
    """One entry with the descriptor; the file itself stays where the client put it."""
    data = kind.encode() * 100
    asked = await trio.ask("evening-reflection")
    sent = await trio.client.send_media(
        trio.room,
        kind,
        data,
        mimetype=mimetype,
        filename=filename,
        caption=caption,
        info={"duration": duration} if duration else None,
    )
    entry = await trio.entry(asked["event_id"])
    (medium,) = entry["content"]["answers"][0]["media"]
    original = await trio.therapist.wait_for(trio.room, event_id=sent)
    assert medium == {
        "kind": kind,
        "mxc": original["content"]["file"]["url"],
        "mimetype": mimetype,
        "size": len(data),
        "duration_ms": duration,
        "caption": caption,
        "name": filename,
        "source": sent,
    }
    assert original["content"]["file"]["key"]["k"] not in str(entry)
    assert await trio.therapist.read_media(trio.room, sent) == data
    said = await trio.said(asked["event_id"])
    assert len(records_in(said)) == len(spoken_in(said)) == 1


async def test_words_and_a_photo_are_one_answer(trio: Trio) -> None:
    """What is sent in a row belongs together, whatever its form."""
    asked = await trio.ask("evening-reflection")
    await trio.client.send_text(trio.room, "Look what I made:")
    photo = await trio.client.send_media(trio.room, "image", b"soup", mimetype="image/jpeg", filename="soup.jpg")
    entries = records_in(await trio.said(asked["event_id"]))
    assert len({entry["content"]["entry_id"] for entry in entries}) == 1
    last = answer_of(entries[-1])
    assert last["text"] == "Look what I made:"
    assert [medium["source"] for medium in entries[-1]["content"]["answers"][0]["media"]] == [photo]


async def test_a_photo_answers_a_poll_and_a_tap_completes_it(trio: Trio) -> None:
    """Media alone is an answer to a choice; the vote that follows is a revision that keeps the photo."""
    trio.pass_time(minutes=4)  # so that it does not belong to an earlier answer
    asked = await trio.ask("one-tap")
    await trio.client.send_media(trio.room, "image", b"sky", mimetype="image/jpeg", filename="sky.jpg")
    first = await trio.entry(asked["event_id"])
    assert answer_of(first)["value"] is None
    await trio.client.send_text(trio.room, "good")
    second = await trio.entry(first["event_id"])
    assert (answer_of(second)["value"], second["content"]["revision"]) == ("good", 2)
    assert len(second["content"]["answers"][0]["media"]) == 1
