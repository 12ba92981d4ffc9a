"""Replayed, redirected, retargeted and clear messages are refused and reported (CRYPTO 11 to 15)."""

import vodozemac

from bot.core.events import ENTRY, Entry, from_content
from bot.core.parts import joined
from tests.attacks.scene import Scene

POLL = "org.matrix.msc3381.poll.start"


async def test_a_replayed_message_is_refused_and_reported(scene: Scene) -> None:
    """The same ciphertext under another event id: one record, and the console hears of it (CRYPTO 12)."""
    client, room = scene.client, scene.room
    await scene.ask()
    content = client.message_content(room, "said once")
    original = await client.put(room, content)
    record = await scene.answered("said once")
    await scene.ask()
    for _ in range(3):
        await client.put(room, content)
    await scene.told("refused because it was not what it claimed to be")
    await scene.still_works("said after the replay")
    assert record.sources == (original,)
    assert (await scene.contents()).count("said once") == 1


async def test_another_persons_session_is_refused(scene: Scene) -> None:
    """A client that passes the therapist's room key off as its own cannot put words into the therapist's mouth, nor use
    the session itself (CRYPTO 11).
    """
    client, therapist, room = scene.client, scene.therapist, scene.room
    stolen = therapist.room_key(room)
    await client.put_olm("m.room_key", stolen)
    await scene.still_works("before the stolen session")
    await scene.ask()
    mine, client.group = client.group, therapist.group
    await client.say(room, "with a stolen session")
    client.group = mine
    await scene.told("refused because it was not what it claimed to be")
    await scene.still_works("after the stolen session")
    assert "with a stolen session" not in await scene.contents()
    async with scene.bot.store.transaction() as tx:
        kept = await tx.megolm.inbound(room, therapist.group.session_id)
    assert kept is not None
    assert kept.sender == therapist.user_id


async def test_a_session_taken_first_by_the_thief_never_speaks_for_its_maker(scene: Scene) -> None:
    """The thief's copy came first: the maker's own words under it count for nobody (the first owner stays)."""
    client, therapist, room = scene.client, scene.therapist, scene.room
    therapist.group = vodozemac.GroupSession()
    await client.put_olm("m.room_key", client.room_key(room, therapist.group))
    await scene.still_works("the thief is first")
    await therapist.put_olm("m.room_key", therapist.room_key(room))
    await scene.ask()
    await therapist.say(room, "spoken under the thief's session")
    await scene.still_works("the thief gained nothing")
    assert "spoken under" not in await scene.contents()
    await therapist.share(room)


async def test_a_wrong_room_inside_is_refused(scene: Scene) -> None:
    """A message made for another room has no effect in this one (CRYPTO 12)."""
    client, room = scene.client, scene.room
    await scene.ask()
    inside = {"msgtype": "m.text", "body": "meant for elsewhere"}
    for other in (scene.console, "!elsewhere", None, ["a list"]):
        await client.put(room, client.sealed(room, "m.room.message", inside, room_id=other))
    await client.say(room, "meant for here")
    await scene.answered("meant for here")
    assert "elsewhere" not in await scene.contents()


async def test_clear_text_is_no_answer_and_is_reported(scene: Scene) -> None:
    """Neither words, votes nor commands in clear have an effect; the room and the console are told (CRYPTO 15)."""
    client, room = scene.client, scene.room
    poll = await scene.ask("one-tap")
    await scene.ask()
    answers = [answer["id"] for answer in poll["content"][POLL]["answers"]]
    vote = "org.matrix.msc3381.poll.response"
    relation = {"rel_type": "m.reference", "event_id": poll["event_id"]}
    await client.put(room, {"msgtype": "m.text", "body": "words in clear"}, "m.room.message")
    await client.put(room, {vote: {"answers": answers[:1]}, "m.relates_to": relation}, vote)
    await client.put(room, {"msgtype": "m.text", "body": "pause"}, "m.room.message")
    await client.put(room, {"v": 1, "answers": []}, ENTRY)
    await client.hears(room, "That message was not encrypted")
    await scene.told("was not encrypted, so it was not kept")
    await client.say(room, "words under encryption")
    await scene.answered("words under encryption")
    pair = await scene.bot.current(scene.pair)
    assert not pair.paused
    contents = await scene.contents()
    assert "words in clear" not in contents
    assert "Very low" not in contents


async def test_edits_that_are_none(scene: Scene) -> None:
    """An edit in clear, of an edit, of somebody else's message, of the bot's, and one without new content change
    nothing; an honest one does (CRYPTO 13).
    """
    client, therapist, room = scene.client, scene.therapist, scene.room
    asked = await scene.ask()
    original = await client.say(room, "the first version")
    await scene.answered("the first version")
    honest = await client.put(room, client.edit_content(room, original, "the second version"))
    await scene.answered("the second version")
    new = {"msgtype": "m.text", "body": "forged"}
    clear = {**new, "m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": original}}
    await client.put(room, clear, "m.room.message")
    await client.put(room, client.edit_content(room, honest, "forged: edit of an edit"))
    await therapist.put(room, therapist.edit_content(room, original, "forged: by the therapist"))
    await client.put(room, client.edit_content(room, asked["event_id"], "forged: the bot's own"))
    retargeted = client.message_content(room, "forged: no new content")
    await client.put(room, {**retargeted, "m.relates_to": {"rel_type": "m.replace", "event_id": original}})
    await scene.still_works("said after the edits")
    contents = await scene.contents()
    assert "the second version" in contents
    assert "forged" not in contents


async def test_a_relation_inside_the_ciphertext_does_not_count(scene: Scene) -> None:
    """Only the relation on the wire counts: one inside makes no edit."""
    client, room = scene.client, scene.room
    record = await scene.still_works("stands as it is")
    new = {"msgtype": "m.text", "body": "said beside it"}
    relation = {"rel_type": "m.replace", "event_id": record.sources[0]}
    await client.put(
        room, client.sealed(room, "m.room.message", {**new, "m.new_content": new, "m.relates_to": relation})
    )
    await scene.still_works("after the inner relation")
    assert "stands as it is" in await scene.contents()


async def test_a_vote_counts_only_for_the_poll_that_has_its_answer(scene: Scene) -> None:
    """The server may move a vote to another poll: its random answer ids do not fit there (CRYPTO 13)."""
    client, room = scene.client, scene.room
    first, second = await scene.ask("one-tap"), await scene.ask("one-tap")
    of_first = [answer["id"] for answer in first["content"][POLL]["answers"]]
    of_second = [answer["id"] for answer in second["content"][POLL]["answers"]]
    assert not set(of_first) & set(of_second)
    await client.put(room, client.vote_content(room, second["event_id"], of_first[0]))
    await client.put(room, client.vote_content(room, first["event_id"], of_second[0]))
    await client.put(room, client.vote_content(room, second["event_id"], of_second[3]))
    record = await scene.answered("Good")
    moods = [each for each in await scene.bot.records(scene.pair) if each.content.get("prompt_id") == "one-tap"]
    assert [each.record_id for each in moods] == [record.record_id]


async def test_a_lower_index_never_overrides_a_higher_one(scene: Scene) -> None:
    """The server may hold a vote back and bring it after a later one of the same session (CRYPTO 13)."""
    client, room = scene.client, scene.room
    poll = await scene.ask("one-tap")
    answers = [answer["id"] for answer in poll["content"][POLL]["answers"]]
    earlier = client.vote_content(room, poll["event_id"], answers[0])
    later = client.vote_content(room, poll["event_id"], answers[4])
    await client.put(room, later)
    record = await scene.answered("Very good")
    await client.put(room, earlier)
    await scene.still_works("after the old vote")
    asked = next(each for each in await scene.bot.records(scene.pair) if each.record_id == record.record_id)
    assert asked.pieces[0].value == "very-good"
    words = await scene.still_works("the newest words")
    old, new = (client.edit_content(room, words.sources[0], text) for text in ("edited first", "edited last"))
    await client.put(room, new)
    await scene.answered("edited last")
    await client.put(room, old)
    await scene.still_works("after the old edit")
    assert "edited first" not in await scene.contents()


async def test_an_oversized_answer_is_recorded_and_split(scene: Scene) -> None:
    """48 kB of words are one record, in parts that Matrix can carry."""
    client, room = scene.client, scene.room
    await scene.ask()
    await client.sync()
    mark = client.mark(room)
    text = "".join(f"{number:07d} " for number in range(6_000))
    await client.say(room, text)

    def whole() -> bool:
        parts = [from_content(Entry, each["content"]) for each in client.heard(room, kind=ENTRY, after=mark)]
        return len(parts) > 1 and len(parts) == parts[0].parts and joined(parts).answers[0].text == text.strip()

    await client.until(whole)
    records = await scene.bot.records(scene.pair)
    assert sum("0003000" in str(each.content) for each in records) == 1
    await scene.still_works("after many words")


async def test_mistyped_messages_are_conversation(scene: Scene) -> None:
    """Contents of every wrong shape under good encryption neither stop the room nor reach a record."""
    client, room = scene.client, scene.room
    await scene.ask()
    for content in (
        {},
        {"msgtype": 5, "body": "forged"},
        {"msgtype": "m.text", "body": ["forged"]},
        {"msgtype": "m.image", "body": "forged", "file": "no file", "info": []},
        {"msgtype": "m.audio", "body": "forged", "url": {"a": 1}},
        {"msgtype": "m.text", "m.new_content": "forged"},
    ):
        for relation in ({}, {"m.in_reply_to": 5}, {"rel_type": ["a"], "event_id": {}}):
            await client.put(room, {**client.sealed(room, "m.room.message", content), "m.relates_to": relation})
    for plaintext in (b"", b"\xff", b"[]", b"null", b"{" * 3_000, b'{"type":"m.room.message"}'):
        await client.put(room, client.sealed_bytes(plaintext))
    vote = "org.matrix.msc3381.poll.response"
    blocks: list[dict[str, object]] = [{}, {vote: []}, {vote: {"answers": "a"}}, {vote: {"answers": [[]]}}]
    for block in (*blocks, {"m.selections": 5}):
        await client.put(room, client.sealed(room, vote, block))
    for wire in ({}, {"algorithm": "m.megolm.v1.aes-sha2"}, {"algorithm": 5, "ciphertext": {}, "session_id": []}):
        await client.put(room, wire)
    await client.say(room, "an honest answer")
    await scene.answered("an honest answer")
    assert "forged" not in await scene.contents()
