"""A therapist sets up a client from the console, and the client changes it: everything in writing, no operator."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.core.posting import POLL_START
from tests.interop.trio import Trio, spoken_in

BERLIN = ZoneInfo("Europe/Berlin")


def clock(trio: Trio, **later: float) -> str:
    """The wall clock in Berlin, some time from the bot's now."""
    return f"{trio.bot.clock.now().astimezone(BERLIN) + timedelta(**later):%H:%M}"


async def console(trio: Trio, text: str, *, hears: str) -> str:
    """Let the therapist write in the console; return the answer."""
    sent = await trio.therapist.send_text(trio.console, text)
    return str((await trio.told(hears, since=sent))["content"]["body"])


async def client(trio: Trio, text: str, *, hears: str) -> str:
    """Let the client write in the room; return the answer."""
    sent = await trio.client.send_text(trio.room, text)
    return str((await trio.notice(hears, since=sent))["content"]["body"])


async def test_the_therapist_sets_a_client_up(trio: Trio) -> None:
    """`prompts`, `try`, `schedule`, `schedules`, `send` and `stop`; the room hears only the questions."""
    before = await trio.last()
    listed = await console(trio, "prompts", hears="The questions there are")
    number = next(line.split(".")[0] for line in listed.splitlines() if "Mood and energy" in line)
    tried = await console(trio, f"try {number}", hears="Only you see this")
    assert tried.startswith("Mood and energy – ")
    at = clock(trio, hours=1)
    planned = await console(trio, f"schedule mood daily {at}", hears="Alex: Mood and energy now comes every day at")
    assert f"at {at}; next: " in planned
    listed = await console(trio, "for Alex: schedules", hears="What is planned")
    assert f"{number}. Mood and energy: every day at {at}; next: " in listed
    assert spoken_in(await trio.said(before)) == []
    before = await trio.last()
    trio.pass_time(hours=1)
    poll = await trio.client.wait_for(trio.room, type=POLL_START, sender=trio.bot.user_id, since=before)
    assert poll["content"]["m.mentions"] == {"user_ids": [trio.client.user_id]}
    await console(trio, "send gratitude", hears="Alex: Gratitude is on its way")
    await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains="gratitude", since=poll["event_id"])
    await console(trio, "schedule gratitude weekdays 20:00", hears="Gratitude now comes on weekdays at 20:00")
    await console(trio, "stop gratitude", hears="Gratitude is not planned any more")
    assert "Gratitude" not in await console(trio, "schedules", hears="What is planned")


async def test_the_client_changes_what_comes(trio: Trio) -> None:
    """Moves, thins out, pauses and refuses; the therapist cannot lift it, neither in the room nor in the console."""
    await console(trio, "schedule sleep daily 12:00", hears="Sleep now comes every day at 12:00")
    assert "Sleep: every day at 12:00; next: " in await client(trio, "schedule", hears="What is planned")
    await client(trio, "move sleep to 1 pm", hears="Sleep now comes every day at 13:00; next: ")
    await client(trio, "fewer sleep", hears="Sleep now comes on Mon, Wed and Fri at 13:00; next: ")
    await console(trio, "schedule sleep daily 9:00", hears="Alex asked for fewer")
    await client(trio, "pause for a week", hears="My questions are paused until")
    await console(trio, "resume", hears="only Alex can start them again")
    await client(trio, "resume", hears="Welcome back")
    await client(trio, "stop sleep", hears="Sleep will not come any more")
    await console(trio, "schedule sleep daily 9:00", hears="Alex does not want Sleep any more")
    sent = await trio.therapist.send_text(trio.room, "send sleep")
    await trio.notice("only Alex can bring it back", since=sent)
    await client(trio, "resume sleep", hears="Sleep now comes every day at 09:00")


async def test_the_two_prepare_a_session(trio: Trio) -> None:
    """A session in chat, a question and a topic; the list stands in the room before it begins, once."""
    said = await client(trio, "session tomorrow 14:00", hears="Noted: a session on")
    assert said.endswith("the appointment itself is between the two of you.")
    since = await trio.therapist.send_text(trio.console, "agenda")
    await trio.told("Nothing is on the list", since=since)
    asked = await trio.client.send_text(trio.room, "ask: May I try the evening walk?")
    await trio.told("Alex has a question for you", since=since)
    sent = await trio.therapist.send_text(trio.room, "bring: the sleep diary")
    await trio.notice("Noted as number 2", since=sent)
    listed = await console(trio, "agenda", hears="Alex asks: May I try the evening walk?")
    assert "2. the sleep diary (Dr. Lee)" in listed
    before = await trio.last()
    trio.pass_time(hours=36 - int(clock(trio)[:2]))  # past noon tomorrow
    shown = await trio.notice("To talk about on", since=before)
    assert "Alex asks: May I try the evening walk?" in shown["content"]["body"]
    await trio.client.redact(trio.room, asked)
    await trio.therapist.wait_for_redaction(trio.room, shown["event_id"])
