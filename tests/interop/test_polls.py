"""One-tap answers: votes, typed labels, the end of a poll, and what comes late."""

from bot.core.events import ENTRY
from bot.core.posting import POLL_END, POLL_START
from bot.demo.person import Event
from tests.interop.trio import MESSAGE, Trio, answer_of, records_in, spoken_in


def answer_ids(poll: Event) -> list[str]:
    """Return a poll's answer ids in the order in which they are shown."""
    return [each["id"] for each in poll["content"][POLL_START]["answers"]]


async def test_a_poll_reads_well_in_every_client(trio: Trio) -> None:
    """Disclosed, one selection, five short options, random ids, a text for clients without polls, no shield."""
    first, second = await trio.ask("one-tap"), await trio.ask("one-tap")
    form = first["content"][POLL_START]
    assert (form["kind"], form["max_selections"]) == ("org.matrix.msc3381.poll.disclosed", 1)
    assert [each["org.matrix.msc1767.text"] for each in form["answers"]][::4] == ["Very low", "Very good"]
    assert len(answer_ids(first)) == 5
    assert not set(answer_ids(first)) & set(answer_ids(second))
    assert "3. In between" in first["content"]["org.matrix.msc1767.text"]
    assert first["content"]["m.mentions"] == {"user_ids": [trio.client.user_id]}
    assert (first["shield_colour"], first["failure"]) == (0, None)


async def test_a_stable_vote_counts(trio: Trio) -> None:
    """A client that sends the stable form is understood."""
    poll = await trio.ask("one-tap")
    vote = await trio.client.send_poll_response(trio.room, poll["event_id"], [answer_ids(poll)[4]], stable=True)
    entry = await trio.entry(poll["event_id"])
    assert (answer_of(entry)["value"], answer_of(entry)["text"]) == ("very-good", "Very good")
    assert answer_of(entry)["sources"] == [vote]
    assert (await trio.notice("One tap: Very good", since=poll["event_id"]))["content"]["msgtype"] == "m.notice"


async def test_a_changed_vote_is_one_record_and_one_confirmation(trio: Trio) -> None:
    """Three votes: three revisions, and one thank you that is edited."""
    poll = await trio.ask("one-tap")
    for choice in answer_ids(poll)[:3]:
        await trio.client.send_poll_response(trio.room, poll["event_id"], [choice])
    said = await trio.said(poll["event_id"])
    entries = records_in(said)
    assert [answer_of(entry)["value"] for entry in entries] == ["very-low", "low", "in-between"]
    assert [entry["content"]["revision"] for entry in entries] == [1, 2, 3]
    first, *edits = [event for event in said if event["type"] == MESSAGE]
    assert {event["relates_to"].get("event_id") for event in edits} == {first["event_id"]}


async def test_a_label_or_a_number_can_be_typed(trio: Trio) -> None:
    """The option's name in any case, or its place in the list."""
    for typed, value in (("in between!", "in-between"), ("4", "good")):
        poll = await trio.ask("one-tap")
        await trio.client.send_text(trio.room, typed)
        assert answer_of(await trio.entry(poll["event_id"]))["value"] == value


async def test_a_vote_of_another_poll_or_of_the_therapist_counts_for_nothing(trio: Trio) -> None:
    """Answer ids belong to one poll, and only the client's vote is an answer."""
    old, new = await trio.ask("one-tap"), await trio.ask("one-tap")
    await trio.client.send_poll_response(trio.room, new["event_id"], [answer_ids(old)[0]])
    await trio.therapist.send_poll_response(trio.room, new["event_id"], [answer_ids(new)[0]])
    await trio.settled(trio.therapist)
    assert await trio.said(new["event_id"]) == []


async def test_a_poll_ends_ten_minutes_after_the_last_vote(trio: Trio) -> None:
    """The end refers to the poll; a vote after it changes nothing."""
    poll = await trio.ask("one-tap")
    await trio.client.send_poll_response(trio.room, poll["event_id"], [answer_ids(poll)[1]])
    entry = await trio.entry(poll["event_id"])
    trio.pass_time(minutes=9)
    assert POLL_END not in [event["type"] for event in await trio.said(entry["event_id"])]
    trio.pass_time(minutes=2)
    end = await trio.client.wait_for(trio.room, type=POLL_END, relates_to=poll["event_id"])
    assert end["relates_to"]["rel_type"] == "m.reference"
    await trio.client.send_poll_response(trio.room, poll["event_id"], [answer_ids(poll)[3]])
    assert await trio.said(end["event_id"]) == []


async def test_an_expired_poll_ends_and_its_late_vote_is_marked(trio: Trio) -> None:
    """After expiry a vote counts while nothing is on record, and record and confirmation say that it is late."""
    poll = await trio.ask("one-tap")
    trio.pass_time(hours=20, minutes=1)
    end = await trio.client.wait_for(trio.room, type=POLL_END, relates_to=poll["event_id"])
    await trio.client.send_poll_response(trio.room, poll["event_id"], [answer_ids(poll)[3]])
    entry = await trio.entry(end["event_id"])
    assert (answer_of(entry)["value"], entry["content"]["late"]) == ("good", True)
    await trio.notice("marked as late", since=end["event_id"])


async def test_a_late_reply_is_recorded_and_a_late_remark_is_talk(trio: Trio) -> None:
    """Once a prompt has expired only a reply answers it."""
    asked = await trio.ask("evening-reflection")
    trio.pass_time(hours=21)
    await trio.client.send_text(trio.room, "This is only a remark.")
    assert records_in(await trio.said(asked["event_id"])) == []
    await trio.client.send_text(trio.room, "This was yesterday.", reply_to=asked["event_id"])
    entry = await trio.entry(asked["event_id"])
    assert (answer_of(entry)["text"], entry["content"]["late"]) == ("This was yesterday.", True)
    said = await trio.said(entry["event_id"])
    assert [event["type"] for event in said] == [MESSAGE]
    assert "marked as late" in spoken_in(said)[0]
    assert entry["type"] == ENTRY
