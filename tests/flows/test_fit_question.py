"""After three unanswered prompts of one schedule the client is asked once, kindly, and the answer is carried out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.outbox import OutboxEvent
from bot.core.posting import POLL_START
from tests.flows.two_rooms import Rooms, rooms, shown

ASKED = "Mood and energy has not suited you lately"
MOOD = "How are you feeling"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Rooms]:
    """The rooms of one pair, with a prompt each evening that nobody has answered for three days."""
    async with rooms(tmp_path) as opened:
        await opened.console("schedule mood daily 20:00")
        yield opened


def polls(here: Rooms) -> list[OutboxEvent]:
    """The polls that ask whether it fits."""
    return [row for row in here.sent if row.event_type == POLL_START and shown(row).startswith(ASKED)]


async def asked(here: Rooms) -> OutboxEvent:
    """Let three evenings pass, and return the poll that follows."""
    await here.pass_to("2026-12-03 08:01")
    [poll] = polls(here)
    return poll


async def test_the_question_comes_the_morning_after_the_third_evening(here: Rooms) -> None:
    """Half-way to the next prompt, as a poll with four answers that rings for the client; and once."""
    assert polls(here) == []
    await here.pass_to("2026-12-03 07:59")
    assert polls(here) == []
    poll = await asked(here)
    assert shown(poll).splitlines()[1:] == [
        "1. Keep it as it is", "2. Another time of day", "3. Less often", "4. Stop it",
    ]  # fmt: skip
    assert poll.content["m.mentions"] == {"user_ids": ["@alex:hs"]}
    await here.pass_to("2026-12-12 12:00")
    assert len(polls(here)) == 1


async def test_an_answer_in_between_starts_the_count_anew(here: Rooms) -> None:
    """Two unanswered ones are nothing."""
    await here.pass_to("2026-12-01 20:01")
    await here.client("good")
    await here.pass_to("2026-12-03 12:00")
    assert polls(here) == []


@pytest.mark.parametrize("words", ["tap", "keep", "reply"])
async def test_keep(here: Rooms, words: str) -> None:
    """By a tap, by the word, by a reply with the answer's words."""
    poll = await asked(here)
    if words == "tap":
        said = await here.vote(poll, "Keep it as it is")
    elif words == "keep":
        said = await here.client("keep")
    else:
        said = await here.client("keep it as it is", reply_to=poll.event_id)
    assert said == ["All right, Mood and energy stays as it is."]
    assert any(row.relates_row == poll.outbox_id and row.purpose == "poll_end" for row in here.sent)
    assert await here.vote(poll, "Stop it") == []
    assert len([line for line in await here.pass_to("2026-12-03 20:01") if MOOD in line]) == 1


async def test_less_often(here: Rooms) -> None:
    """It is thinned out at once."""
    poll = await asked(here)
    assert await here.vote(poll, "Less often") == [
        "Mood and energy now comes on Mon, Wed and Fri at 20:00; next: Fri 4 Dec, 20:00."
    ]


async def test_stop_after_the_question_means_the_prompt(here: Rooms) -> None:
    """The question was asked last, so `stop` refuses the prompt for good."""
    await asked(here)
    [said] = await here.client("stop")
    assert said.startswith("Mood and energy will not come any more.")
    assert await here.pass_to("2026-12-05 12:00") == []


async def test_another_time(here: Rooms) -> None:
    """The bot asks which, and a bare `move to` is about it; `move to` answers the poll as well."""
    poll = await asked(here)
    assert (await here.vote(poll, "Another time of day"))[0].startswith("Which time suits you better?")
    assert await here.client("move to 18:30") == [
        "Mood and energy now comes every day at 18:30; next: Thu 3 Dec, 18:30."
    ]


async def test_move_to_answers_the_question(here: Rooms) -> None:
    """Without a tap."""
    await asked(here)
    assert await here.client("move to 7 pm") == [
        "Mood and energy now comes every day at 19:00; next: Thu 3 Dec, 19:00."
    ]
    assert await here.client("keep") == []


async def test_a_word_is_conversation_once_the_therapist_has_written(here: Rooms) -> None:
    """`keep` may then be an answer to the therapist; a tap still counts."""
    poll = await asked(here)
    await here.therapist("Shall we keep Tuesday?")
    assert await here.client("keep") == []
    assert await here.client("fewer") == []
    assert await here.vote(poll, "Keep it as it is") != []


async def test_it_is_asked_again_after_two_weeks_at_the_earliest(here: Rooms) -> None:
    """However long nobody answers."""
    await asked(here)
    await here.pass_to("2026-12-17 07:59")
    assert len(polls(here)) == 1
    await here.pass_to("2026-12-19 12:00")
    assert len(polls(here)) == 2


async def test_nobody_is_asked_about_what_rests(here: Rooms) -> None:
    """Paused, taken away or refused meanwhile."""
    await here.pass_to("2026-12-02 20:01")
    await here.client("pause until 2026-12-20")
    await here.pass_to("2026-12-10 12:00")
    assert polls(here) == []


async def test_an_old_poll_is_ended(here: Rooms) -> None:
    """After three days; then no word is taken for its answer, but a tap still is."""
    poll = await asked(here)
    await here.pass_to("2026-12-06 08:02")
    assert any(row.relates_row == poll.outbox_id and row.purpose == "poll_end" for row in here.sent)
    assert await here.client("keep") == []
    assert await here.vote(poll, "Stop it") != []
