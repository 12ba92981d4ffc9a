"""A week in a minute: the two say in the room what is to come, and Alex answers what is asked."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import cycle

from bot.core.events import PROMPT
from bot.core.posting import POLL_START
from bot.demo.conversation import Stage, heading, last, said, vote
from bot.demo.person import Event
from bot.errors import PersonError

LENGTH = timedelta(days=7)
PATIENCE_S = 2.0  # a day takes eight and a half seconds
# What Alex answers, by the id of the step.
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "mood": ("Good", "In between", "Low", "Good", "Very good"),
    "energy": ("7", "5", "3 - a long day", "6", "8"),
    "value": ("8 - the long way round",),
    "bring": ("The evenings by the lake, and how to keep them in winter.",),
    "matters-most": ("The winter.",),
    "good-session": ("Leaving with one small plan.",),
}


async def play_week(stage: Stage) -> None:
    """Let the therapist arrange what is to come, and a week pass; in the end both see how it has been going."""
    since = await last(stage)
    ends, answers = stage.bot.pace.latest() + LENGTH, {step: cycle(each) for step, each in ANSWERS.items()}
    while stage.bot.pace.latest() < ends:
        event = await _next(stage, since=since)
        if event is not None:
            since = str(event["event_id"])
            await _answer(stage, event, answers)


async def arrange(stage: Stage) -> None:
    """Let the therapist say in the room when they meet and what is to be asked."""
    heading(stage, "Dr. Lee says when they meet, and what is asked from now on")
    meeting = (stage.bot.pace.latest() + timedelta(days=3)).astimezone(stage.zone)
    for words, answer in (
        (f"session {meeting:%a} 10:00 weekly", "a session every week"),
        ("schedule session preparation day before the session 18:00", "Session preparation"),
        ("stop evening reflection", "Evening reflection"),
    ):
        word = await stage.lee.send_text(stage.room, words)
        await said(stage, answer, since=word)
    heading(stage, "A week in a minute")


async def look_back(stage: Stage) -> None:
    """Let Alex see how the week has been."""
    heading(stage, "How the week has been")
    word = await stage.alex.send_text(stage.room, "progress")
    await said(stage, "How it has been going", since=word)


async def _next(stage: Stage, *, since: str) -> Event | None:
    """Return the next event of the bot; None when there is none for a while."""
    try:
        return await stage.alex.wait_for(stage.room, sender=stage.bot_user, since=since, timeout=PATIENCE_S)
    except PersonError:
        return None


async def _answer(stage: Stage, event: Event, answers: Mapping[str, Iterator[str]]) -> None:
    """Answer a question, as a reply: at this speed the answer comes an hour after it."""
    block = event["content"].get(PROMPT, {})
    if block.get("repeat") or block.get("step") not in answers:
        return
    words = next(answers[block["step"]])
    if event["type"] == POLL_START:
        day = stage.bot.pace.latest().astimezone(stage.zone)
        stage.screen.print(f"[dim]{day:%A}[/]", justify="right")
        await vote(stage, event, words)
    else:
        await stage.alex.send_text(stage.room, words, reply_to=event["event_id"])
