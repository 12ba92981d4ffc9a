"""What Alex and Dr. Lee do: the scenes of the example conversation, each played through an independent client."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.rule import Rule

from bot.core.events import CHECKIN, ENTRY
from bot.core.posting import EXTENSIBLE_TEXT, POLL_START
from bot.core.schedules import WEEK
from bot.demo.keepsakes import PHOTO_HEIGHT, PHOTO_WIDTH, VOICE_MS, humming, lake_photo
from bot.demo.person import Event, Person
from bot.demo.practice import DemoBot

SCHEDULE_AHEAD = timedelta(minutes=3)  # of the demo's time: the command that adds it takes a moment
PATIENCE_S = 60.0
GOAL_TITLE = "Walk"
MESSAGE = "m.room.message"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Where the scenes are played, and by whom."""

    screen: Console
    bot: DemoBot
    bot_user: str
    zone: ZoneInfo
    pair: str
    room: str
    alex: Person
    lee: Person


async def play_day(stage: Stage) -> None:
    """Play the whole conversation: three prompts, their answers, two people talking, progress, and where help is."""
    await _welcome(stage)
    await _mood(stage)
    await _reflection(stage)
    await _checkin(stage)
    await _talk(stage)
    await _crisis(stage)


async def play_return(stage: Stage) -> None:
    """Play one prompt and its answer, on the data of an earlier run."""
    heading(stage, "Back again: the operator sends a prompt by hand")
    before = await last(stage)
    await stage.bot.command("prompts", "send", "--pair", stage.pair, "--prompt", "mood", "--wait")
    asked = await _prompt(stage, "mood", since=before)
    await vote(stage, asked, "Very good")
    await energy(stage, "8", since=asked["event_id"])


@contextmanager
def doing(screen: Console, what: str) -> Iterator[None]:
    """Say what is going on while it does, and that it is done."""
    with screen.status(f"{what} …"):
        yield
    screen.print(f"[green]✓[/] {what}")


async def _welcome(stage: Stage) -> None:
    heading(stage, "The room opens")
    await said(stage, "Welcome to your room", since=None)


async def _mood(stage: Stage) -> None:
    asked = await _scheduled(stage, "mood", "One tap, and a number")
    await vote(stage, asked, "Good")
    await energy(stage, "6, the lake does me good", since=asked["event_id"])


async def vote(stage: Stage, asked: Event, label: str) -> None:
    answers = asked["content"][POLL_START]["answers"]
    chosen = next(answer["id"] for answer in answers if answer[EXTENSIBLE_TEXT] == label)
    await stage.alex.send_poll_response(stage.room, asked["event_id"], [chosen])


async def energy(stage: Stage, text: str, *, since: str) -> None:
    """Answer the second question of `mood`, which comes at once after the tap."""
    asked = await stage.alex.wait_for(
        stage.room, type=MESSAGE, sender=stage.bot_user, contains="energy", since=since, timeout=PATIENCE_S
    )
    answer = await stage.alex.send_text(stage.room, text)
    await recorded(stage, ENTRY, "energy", since=asked["event_id"])
    await confirmed(stage, answer)


async def _reflection(stage: Stage) -> None:
    asked = await _scheduled(stage, "evening-reflection", "In words, by voice, with a photo")
    question = asked["event_id"]
    alex, room = stage.alex, stage.room
    words = await alex.send_text(room, "The lake was quiet tonight, and for once so was I.")
    await recorded(stage, ENTRY, "The lake was quiet", since=question)
    await confirmed(stage, words)
    # As replies: to the bot a second is a minute, and after three of them they would be for the next question.
    await alex.send_media(
        room, "voice", humming(), mimetype="audio/wav", filename="humming.wav", info={"duration": VOICE_MS},
        reply_to=question,
    )  # fmt: skip
    await recorded(stage, ENTRY, "voice", since=question)
    size = {"w": PHOTO_WIDTH, "h": PHOTO_HEIGHT}
    await alex.send_media(
        room, "image", lake_photo(), mimetype="image/png", filename="lake.png", caption="The water at six", info=size,
        reply_to=question,
    )  # fmt: skip
    await recorded(stage, ENTRY, "The water at six", since=question)


async def _checkin(stage: Stage) -> None:
    asked = await _scheduled(stage, "goal-checkin", "A goal, its number, and a correction")
    answer = await stage.alex.send_text(stage.room, "7 - walked to the lake")
    await recorded(stage, CHECKIN, "walked to the lake", since=asked["event_id"])
    await confirmed(stage, answer)
    await stage.alex.edit(stage.room, answer, "8 - walked to the lake and back")
    await recorded(stage, CHECKIN, "and back", since=answer)
    await said(stage, "changed from 7 to 8", since=answer)


async def _talk(stage: Stage) -> None:
    heading(stage, "Two people talk; the bot stays out of it until it is asked")
    line = await stage.lee.send_text(stage.room, "That lake again. Shall we begin with it next time?")
    await stage.alex.wait_for(stage.room, event_id=line)
    await stage.alex.send_text(stage.room, "Yes, I would like that.")
    question = await stage.alex.send_text(stage.room, "progress")
    await said(stage, "How it has been going", since=question)


async def _crisis(stage: Stage) -> None:
    heading(stage, "Where help is, at any time")
    word = await stage.alex.send_text(stage.room, "crisis")
    await said(stage, "Nobody reads this room", since=word)


async def _scheduled(stage: Stage, prompt: str, about: str) -> Event:
    """Let a prompt come in a few minutes of the demo's time, and wait for it."""
    due = _next_minute(stage.bot.pace.latest() + SCHEDULE_AHEAD).astimezone(stage.zone)
    if prompt == "goal-checkin":  # a goal brings its own schedule
        rule = f"{WEEK[due.weekday()]} {due:%H:%M}"
        words = ["goal", "add", "--title", GOAL_TITLE, "--scale", "0-10", "--rhythm", rule]
    else:
        rule = f"daily {due:%H:%M}"
        words = ["schedule", "add", "--prompt", prompt, "--rule", rule]
    heading(stage, f"{about}: {prompt}, {rule}")
    before = await last(stage)
    with stage.screen.status(f"Waiting for {due:%H:%M} of the demo's time; a second here is a minute there …"):
        await stage.bot.command(*words, "--pair", stage.pair)
        return await _prompt(stage, prompt, since=before)


async def last(stage: Stage) -> str:
    return str((await stage.alex.timeline(stage.room))[-1]["event_id"])


async def _prompt(stage: Stage, prompt: str, *, since: str | None) -> Event:
    kind = POLL_START if prompt == "mood" else MESSAGE
    return await stage.alex.wait_for(
        stage.room, type=kind, sender=stage.bot_user, contains=prompt, since=since, timeout=PATIENCE_S
    )


async def recorded(stage: Stage, kind: str, words: str, *, since: str) -> None:
    """Wait until both the client and the therapist have read the record that holds `words`."""
    for person in (stage.alex, stage.lee):
        await person.wait_for(
            stage.room, type=kind, sender=stage.bot_user, contains=words, since=since, timeout=PATIENCE_S
        )


async def confirmed(stage: Stage, answer: str) -> None:
    await stage.alex.wait_for(
        stage.room, type=MESSAGE, sender=stage.bot_user, relates_to=answer, since=answer, timeout=PATIENCE_S
    )


async def said(stage: Stage, words: str, *, since: str | None) -> None:
    await stage.alex.wait_for(
        stage.room, type=MESSAGE, sender=stage.bot_user, contains=words, since=since, timeout=PATIENCE_S
    )


def heading(stage: Stage, text: str) -> None:
    stage.screen.print()
    stage.screen.print(Rule(f"[dim]{text}[/]", align="left", style="dim"))


def _next_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0) + timedelta(minutes=1)
