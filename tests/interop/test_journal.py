"""The client's own entry: everything sent between `journal` and `done`, or until half an hour of silence."""

from bot.core.events import ENTRY
from tests.interop.trio import Trio, answer_of, records_in, spoken_in


async def test_a_journal_takes_words_photo_and_voice(trio: Trio) -> None:
    """Nothing is posted while it is open; at `done` it is one entry of its own."""
    sent = await trio.client.send_text(trio.room, "journal")
    started = await trio.notice("I'm listening", since=sent)
    words = await trio.client.send_text(trio.room, "A long day.")
    photo = await trio.client.send_media(trio.room, "image", b"tree", mimetype="image/png", filename="tree.png")
    voice = await trio.client.send_media(
        trio.room, "voice", b"hum", mimetype="audio/ogg", filename="hum.ogg", info={"duration": 1500}
    )
    await trio.therapist.send_text(trio.room, "This is not part of it.")
    assert await trio.said(started["event_id"]) == []
    await trio.client.send_text(trio.room, "Done.")
    entry = await trio.entry(started["event_id"])
    answer = answer_of(entry)
    assert (entry["content"]["start"], entry["content"]["prompt_id"]) == ("journal", None)
    assert (answer["text"], answer["sources"]) == ("A long day.", [words, photo, voice])
    media = entry["content"]["answers"][0]["media"]
    assert [(each["kind"], each["source"]) for each in media] == [("image", photo), ("voice", voice)]
    await trio.notice("Your journal entry is kept", since=started["event_id"])


async def test_a_journal_ends_after_half_an_hour_of_silence(trio: Trio) -> None:
    """Each message begins the half hour anew."""
    sent = await trio.client.send_text(trio.room, "journal")
    started = await trio.notice("I'm listening", since=sent)
    trio.pass_time(minutes=25)
    await trio.client.send_text(trio.room, "I was looking for words.")
    assert await trio.said(started["event_id"]) == []
    trio.pass_time(minutes=25)
    assert await trio.said(started["event_id"]) == []
    trio.pass_time(minutes=6)
    entry = await trio.entry(started["event_id"])
    assert answer_of(entry)["text"] == "I was looking for words."
    await trio.notice("Your journal entry is kept", since=started["event_id"])


async def test_an_empty_journal_keeps_nothing(trio: Trio) -> None:
    """`done` without anything sent, and a `done` without a journal is talk."""
    sent = await trio.client.send_text(trio.room, "journal")
    await trio.client.send_text(trio.room, "done")
    said = await trio.said(sent)
    assert records_in(said) == []
    assert [text.split(".")[0] for text in spoken_in(said)] == [
        "I'm listening",
        "Nothing was sent, so I have kept nothing",
    ]
    sent = await trio.client.send_text(trio.room, "done")
    assert await trio.said(sent) == []


async def test_what_is_edited_or_deleted_in_an_open_journal_never_becomes_a_record(trio: Trio) -> None:
    """The entry holds what the messages say at the end."""
    sent = await trio.client.send_text(trio.room, "journal")
    await trio.notice("I'm listening", since=sent)
    kept = await trio.client.send_text(trio.room, "First form.")
    dropped = await trio.client.send_text(trio.room, "Better not.")
    await trio.client.edit(trio.room, kept, "Second form.")
    await trio.client.redact(trio.room, dropped)
    await trio.client.send_text(trio.room, "done")
    entry = await trio.client.wait_for(trio.room, type=ENTRY, sender=trio.bot.user_id, since=sent)
    assert (answer_of(entry)["text"], answer_of(entry)["sources"]) == ("Second form.", [kept])
