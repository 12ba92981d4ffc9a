"""What the two want to talk about next time: put on the list in words, shown before the session, done after it.

An edit of the message changes the item, its deletion removes it, and what the bot has shown of it is taken back too.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.agenda import FEW, SHOWN_LETTERS, AgendaItem, AgendaKind, showing
from bot.core.command_names import CommandName
from bot.core.commands import Command, parse_command
from bot.core.inbox import InboxEvent
from bot.core.pairs import PairState
from bot.core.people import Pair
from bot.core.permissions import Where
from bot.core.rule_phrases import moment_in_words
from bot.core.sessions import Session, sessions
from bot.core.template import say as fill
from bot.core.wording import Wording
from bot.flows.console import Console
from bot.flows.deliver import Reached
from bot.flows.places import Place, place_of
from bot.flows.request import Carry, Request
from bot.flows.speak import Voice, notice, post, withdraw
from bot.ports import Tx

AGENDA = "agenda"  # the purpose of what shows items
PREPARATION = "session-preparation"  # the prompt that the agenda comes with, where it is asked before a session
PREPARED_WITHIN = timedelta(days=3)
LOOK_EVERY = timedelta(minutes=1)
FAR = datetime.max.replace(tzinfo=UTC)
KINDS = {CommandName.ASK: AgendaKind.ASK, CommandName.BRING: AgendaKind.BRING}


class Agenda:
    """Keeps the agenda."""

    def __init__(self, *, voice: Voice, console: Console) -> None:
        self._voice = voice
        self._console = console
        self._looked_at: datetime | None = None  # None: something has changed
        self._wakes_at: datetime | None = None

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {
            CommandName.ASK: self.put,
            CommandName.BRING: self.put,
            CommandName.AGENDA: self.show,
            CommandName.AGENDA_DONE: self.done,
        }

    async def put(self, tx: Tx, request: Request) -> str:
        """Put a question or a topic on the list."""
        kind, words = KINDS[request.command.name], request.words
        item = await self._add(
            tx, request.pair, request.event, request.command, by_client=request.by_client, at=request.at
        )
        if kind is AgendaKind.ASK:
            await self._console.tell(tx, request.pair, "console_asked", at=request.at)
        following = await self._next(tx, request.pair, request.at)
        noted = fill(words.agenda_asked if kind is AgendaKind.ASK else words.agenda_brought, number=item.number)
        if following is None:
            return noted
        next_one = moment_in_words(following.starts.astimezone(request.zone), words)
        return f"{noted} {fill(words.next_session, next=next_one)}"

    async def show(self, tx: Tx, request: Request) -> str:
        """Show what is on the list."""
        items = await tx.agenda.open_of(request.pair.pair_id)
        words = request.words
        if not items:
            return words.agenda_empty
        shortened = request.where is Where.ROOM and len(items) > FEW
        lines = [words.agenda_header, *_lines(items[:FEW] if shortened else items, request.pair, words)]
        if shortened:
            lines.append(fill(words.more_in_console, count=len(items) - FEW))
        if request.where is Where.CONSOLE:
            lines[0] = fill(words.console_about, client=request.pair.client_name, text=words.agenda_header)
        await post(tx, request.place, notice("\n".join(lines)), purpose=AGENDA, at=request.at)
        return ""

    async def done(self, tx: Tx, request: Request) -> str:
        """Take an item off the list, as the therapist."""
        items = await tx.agenda.open_of(request.pair.pair_id)
        item = next((each for each in items if each.number == request.command.number), None)
        if item is None:
            return fill(request.words.agenda_no_such_number, number=request.command.number or 0)
        await tx.agenda.done([item.item_id], at=request.at)
        return fill(request.words.agenda_done, number=item.number)

    async def edited(self, tx: Tx, place: Place, target: str, text: str, event: InboxEvent, *, at: datetime) -> bool:
        """Follow the edit of a message; False when it has nothing to do with the agenda."""
        command = parse_command(text, self._voice.words(place).grammar)
        ours = isinstance(command, Command) and command.name in KINDS and command.words is not None
        item = await tx.agenda.of_source(target)
        if item is None:
            by_client = place.role(event.sender) == "client"
            if not ours or place.pair is None or not isinstance(command, Command) or not by_client:
                return False
            original = replace(event, event_id=target)
            await self._add(tx, place.pair, original, command, by_client=True, at=at)
            return True
        if event.sender != self._author(place, item):
            return True
        if ours and isinstance(command, Command) and command.words is not None:
            await tx.agenda.save(replace(item, kind=KINDS[command.name], text=command.words))
        else:
            await tx.agenda.remove(item.item_id)
        await self._take_back(tx, item, at)
        return True

    async def redacted(self, tx: Tx, place: Place, target: str, sender: str, *, at: datetime) -> bool:
        """Remove an item whose author deleted its message; False when there is none. Others delete only the message."""
        item = await tx.agenda.of_source(target)
        if item is None:
            return False
        if sender == self._author(place, item):
            await tx.agenda.remove(item.item_id)
            await self._take_back(tx, item, at)
        return True

    async def due(self, tx: Tx, *, at: datetime) -> Reached:
        """Show agendas before their sessions, and close them afterwards.

        It looks when something is due, when something was said, and once a minute: the command line changes sessions.
        """
        if self._looked_at is not None and self._looked_at <= at < min(
            self._looked_at + LOOK_EVERY, self._wakes_at or FAR
        ):
            return Reached(posted=0, next_due=self._wakes_at)
        upcoming: list[datetime] = []
        posted = 0
        for pair_id in await tx.agenda.pairs():
            pair = await tx.pairs.get(pair_id)
            if pair is not None:
                reached = await self._before_and_after(tx, pair, at)
                posted += reached.posted
                upcoming += [reached.next_due] if reached.next_due else []
        self._looked_at, self._wakes_at = at, min(upcoming, default=None)
        return Reached(posted=posted, next_due=self._wakes_at)

    def look_again(self) -> None:
        """Look at once: an item or a session has changed."""
        self._looked_at = None

    async def _before_and_after(self, tx: Tx, pair: Pair, at: datetime) -> Reached:
        """Look at a pair's sessions since its oldest item, up to the next one that is still ahead."""
        items = list(await tx.agenda.open_of(pair.pair_id))
        if not items:
            return Reached(posted=0, next_due=None)
        booked = [each.series for each in await tx.sessions.of_pair(pair.pair_id)]
        upcoming: list[datetime] = []
        posted = 0
        for session in sessions(booked, after=min(each.created_at for each in items)):
            times = showing(session.starts, ZoneInfo(pair.timezone), pair.quiet_hours)
            before = [each for each in items if each.created_at < session.starts]
            if times.over <= at:
                await tx.agenda.done([each.item_id for each in before], at=at)
                items = [each for each in items if each not in before]
                if not items:
                    break
                continue
            unseen = [each for each in before if each.shown_at is None]
            showings = {times.at, await self._prepared(tx, pair, session) or times.at}
            reached = [each for each in unseen if any(each.created_at < shows <= at for shows in showings)]
            if reached and at < times.until:
                posted += await self._show_before(tx, pair, session, reached, at)
            upcoming += [times.over, *(shows for shows in showings if unseen and at < shows)]
            break
        return Reached(posted=posted, next_due=min(upcoming, default=None))

    async def _show_before(
        self, tx: Tx, pair: Pair, session: Session, items: Sequence[AgendaItem], at: datetime
    ) -> int:
        """Show what was not shown yet, quietly, in the room of the two; return how many messages that took."""
        place = await place_of(tx, pair.room_id) if pair.room_id else None
        if place is None or pair.state is not PairState.ACTIVE or pair.therapist_gone:
            return 0
        words = self._voice.words(place)
        when = moment_in_words(session.starts.astimezone(ZoneInfo(pair.timezone)), words)
        lines = [fill(words.agenda_before, when=when), *_lines(items, pair, words)]
        await post(tx, place, notice("\n".join(lines)), purpose=AGENDA, at=at)
        await tx.agenda.shown([each.item_id for each in items], at=at)
        return 1

    async def _prepared(self, tx: Tx, pair: Pair, session: Session) -> datetime | None:
        """When the prompt that prepares for a session was posted, if it was."""
        for delivery in await tx.deliveries.recent(pair.pair_id):
            posted = delivery.posted_at
            if delivery.prompt_id == PREPARATION and posted is not None:
                return posted if timedelta() <= session.starts - posted <= PREPARED_WITHIN else None
        return None

    async def _add(
        self, tx: Tx, pair: Pair, event: InboxEvent, command: Command, *, by_client: bool, at: datetime
    ) -> AgendaItem:
        self.look_again()
        return await tx.agenda.add(
            AgendaItem(
                item_id=secrets.token_hex(8),
                pair_id=pair.pair_id,
                number=0,  # the store gives it
                kind=KINDS[command.name],
                text=command.words or "",
                by_client=by_client,
                source=event.event_id,
                room_id=event.room_id,
                created_at=at,
            )
        )

    async def _next(self, tx: Tx, pair: Pair, at: datetime) -> Session | None:
        booked = [each.series for each in await tx.sessions.of_pair(pair.pair_id)]
        return next(sessions(booked, after=at), None)

    async def _take_back(self, tx: Tx, item: AgendaItem, at: datetime) -> None:
        """Withdraw what was shown since the item is there, wherever it was shown."""
        pair = await tx.pairs.get(item.pair_id)
        for room_id in {pair.room_id, pair.console_id} - {None} if pair else ():
            place = await place_of(tx, str(room_id))
            rows = await tx.outbox.of_purpose(str(room_id), AGENDA)
            if place is not None:
                await withdraw(tx, place, [row for row in rows if row.created_at >= item.created_at], at=at)

    def _author(self, place: Place, item: AgendaItem) -> str:
        client = place.pair.client if place.pair else ""
        return client if item.by_client else place.room.therapist


def _lines(items: Sequence[AgendaItem], pair: Pair, words: Wording) -> list[str]:
    return [
        fill(
            words.agenda_question if item.kind is AgendaKind.ASK else words.agenda_topic,
            number=item.number,
            text=_short(item.text),
            who=pair.client_name if item.by_client else pair.therapist_name,
        )
        for item in items
    ]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_LETTERS else line[: SHOWN_LETTERS - 1].rstrip() + "…"
