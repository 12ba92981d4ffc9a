"""A small practice whose people answer whatever is asked of them, as soon as they see it."""

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bot.core.events import CHECKIN, ENTRY, PROMPT
from bot.demo.homeserver import LocalHomeserver
from bot.demo.person import Event, People, Person
from tests.e2e.bot_process import BotProcess

Found = TypeVar("Found")

PROMPTS = ("evening-reflection", "mood", "goal-checkin")  # words; a vote and then a number; a number
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PATIENCE = 150.0  # seconds; a bot that is killed again and again takes its time
COUNT = itertools.count(1)


Question = tuple[str, str]  # delivery id, step


def question_of(event: Event) -> Question:
    """Return which question an event asks."""
    block = event["content"][PROMPT]
    return block["delivery_id"], block["step"]


class Seen:
    """All that people's clients have read so far, and waiting for more; give `hear` to `People`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def hear(self, event: Event) -> None:
        """Note one event as one person's client reads it."""
        self.events.append(event)
        self._news.set()

    async def until(self, check: Callable[[], Found | None], *, timeout: float = PATIENCE) -> Found:
        """Wait until `check` finds something."""
        async with asyncio.timeout(timeout):
            while (found := check()) is None:
                self._news.clear()
                await self._news.wait()
        return found

    def prompts(self, who: Person, room: str) -> dict[Question, Event]:
        """Return the questions that a person has read in a room, the first event of each."""
        found: dict[Question, Event] = {}
        for event in self.events:
            if event["who"] == who.who and event["room"] == room and PROMPT in event["content"]:
                found.setdefault(question_of(event), event)
        return found

    def records(self, who: Person, room: str) -> set[str]:
        """Return the ids of the events of entries and check-ins that a person has read in a room."""
        return {
            event["event_id"]
            for event in self.events
            if event["who"] == who.who and event["room"] == room and event["type"] in (ENTRY, CHECKIN)
        }


@dataclass
class Client:
    """A client of the practice in the room of the pair; answers each question once."""

    person: Person
    pair_id: str
    room: str
    asked: list[str] = field(default_factory=list)  # ids of the requests for prompts
    answers: dict[Question, str] = field(default_factory=dict)  # event id of the answer

    @property
    def by_delivery(self) -> dict[str, list[str]]:
        """The answers to each prompt, in the order of its questions."""
        found: dict[str, list[str]] = {}
        for (delivery, _step), answer in self.answers.items():
            found.setdefault(delivery, []).append(answer)
        return found


class Practice:
    """A therapist, some clients, the homeserver between them, and the bot."""

    def __init__(self, *, bot: BotProcess, homeserver: LocalHomeserver, people: People, seen: Seen) -> None:
        self.bot = bot
        self.homeserver = homeserver
        self.people = people
        self.seen = seen
        self.clients: list[Client] = []
        self.therapist: Person
        self.bot_user = ""
        self.answered = 0
        self._reachable = asyncio.Event()
        self._reachable.set()
        self._sending = 0
        self._sent = asyncio.Event()
        self._joining = asyncio.Lock()

    async def open(self, pairs: int) -> None:
        """Set up everything through the command line; the bot runs when this returns."""
        secret = self.homeserver.registration_secret_file
        place = ("--homeserver", self.homeserver.url, "--server-name", self.homeserver.server_name)
        user = f"bot{next(COUNT)}"
        made = await self.bot.command("init", *place, "--user", user, "--registration-secret-file", str(secret))
        self.bot_user = made["user"]
        self.therapist = await self._sign_in("lee")
        await self.bot.start()
        await self.bot.started()
        people = [await self._sign_in("alex") for _ in range(pairs)]
        self.clients = list(await asyncio.gather(*(self._pair(person) for person in people)))
        await asyncio.gather(*(self._prepare(client) for client in self.clients))

    async def ask_and_answer(self, client: Client, prompt_id: str) -> None:
        """Ask for a prompt, and answer its questions, each once it is seen."""
        client.asked.append(await self.bot.ask_for_prompt(client.pair_id, prompt_id))
        for _ in range(2 if prompt_id == "mood" else 1):
            await self.answer_next(client)

    async def answer_next(self, client: Client) -> str:
        """Answer the first question that has no answer yet."""

        def unanswered() -> Event | None:
            prompts = self.seen.prompts(client.person, client.room)
            return next((event for key, event in prompts.items() if key not in client.answers), None)

        prompt = await self.seen.until(unanswered)
        question = question_of(prompt)
        client.answers[question] = ""
        client.answers[question] = await self._send(client, prompt)
        self.answered += 1
        return client.answers[question]

    async def unreachable_during(self, act: Callable[[], Awaitable[object]]) -> None:
        """Do something to the homeserver while nobody is in the middle of sending: people would not send twice."""
        self._reachable.clear()
        try:
            while self._sending:
                self._sent.clear()
                await self._sent.wait()
            await act()
        finally:
            self._reachable.set()

    async def settled(self) -> None:
        """Wait until the bot has dealt with everything: rooms are served in order, and a `!` miss is answered."""
        await asyncio.gather(*(self._settle(client) for client in self.clients))

    async def _settle(self, client: Client) -> None:
        word = secrets.token_hex(4)
        sent = await client.person.send_text(client.room, f"!{word}")
        await self.therapist.wait_for(client.room, sender=self.bot_user, contains=word, since=sent, timeout=60)

    async def _send(self, client: Client, prompt: Event) -> str:
        number, block = len(client.answers), prompt["content"][PROMPT]
        await self._reachable.wait()
        self._sending += 1
        try:
            reply = prompt["event_id"] if number % 2 else None
            match block["kind"]:
                case "choice":
                    options = list(block["options"])
                    chosen = [options[number % len(options)]]
                    return await client.person.send_poll_response(client.room, prompt["event_id"], chosen)
                case "scale":
                    return await client.person.send_text(client.room, str(number % 11), reply_to=reply)
                case _:
                    return await client.person.send_text(client.room, f"Moment number {number}.", reply_to=reply)
        finally:
            self._sending -= 1
            self._sent.set()

    async def _sign_in(self, name: str) -> Person:
        user, password = f"{name}-{next(COUNT)}", secrets.token_urlsafe(12)
        await self.homeserver.register(user, password)
        person = await self.people.login(user, url=self.homeserver.url, user=user, password=password)
        await person.bootstrap()
        return person

    async def _pair(self, person: Person) -> Client:
        added = await self.bot.command(
            "pair", "add", "--client", person.user_id, "--therapist", self.therapist.user_id, "--yes", "--wait",
            "--timeout", "60",
        )  # fmt: skip
        client = Client(person=person, pair_id=added["pair"], room=added["room"])
        async with self._joining:  # the console is the same for all
            for who, room in ((person, client.room), (self.therapist, client.room), (self.therapist, added["console"])):
                if room not in {joined["room"] for joined in await who.joined_rooms()}:
                    await who.wait_for_invitation(room=room)
                    await who.join(room)
        return client

    async def _prepare(self, client: Client) -> None:
        # Not before the day after tomorrow: here every prompt is asked for by hand.
        day = DAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()]
        await self.bot.command(
            "goal", "add", "--pair", client.pair_id, "--title", "Walk", "--scale", "0-10", "--rhythm", f"{day} 12:00"
        )
        await client.person.wait_for(client.room, contains="Welcome", timeout=60)
