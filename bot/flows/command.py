"""What each command does and says (DESIGN §7); an answer is one quiet notice."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.commands import Command, CommandName, Miss
from bot.core.inbox import InboxEvent
from bot.core.pairs import PairEvent
from bot.core.people import Pair
from bot.core.progress import Point, progress_text
from bot.core.records import RecordKind, RecordState
from bot.core.sittings import Turn
from bot.core.trust import fingerprint_groups
from bot.core.wording import say as fill
from bot.flows.answering import Answering
from bot.flows.conversation import Conversation
from bot.flows.crisis import answer_crisis
from bot.flows.journal import Journal
from bot.flows.life import Life
from bot.flows.places import Place
from bot.flows.speak import Voice, say
from bot.ports import Cipher, Clock, Tx

Says = Callable[[Tx, Place, Command, datetime], Awaitable[str | None]]


class Commands:
    """Carries out commands."""

    def __init__(
        self,
        *,
        voice: Voice,
        answering: Answering,
        conversation: Conversation,
        journal: Journal,
        life: Life,
        cipher: Cipher,
        clock: Clock,
    ) -> None:
        self._voice = voice
        self._answering = answering
        self._conversation = conversation
        self._journal = journal
        self._life = life
        self._cipher = cipher
        self._clock = clock
        self._by_name: dict[CommandName, Says] = {
            CommandName.PROGRESS: self._progress,
            CommandName.PAUSE: self._pause,
            CommandName.RESUME: self._resume,
            CommandName.UNDO: self._undo,
            CommandName.JOURNAL: self._start_journal,
            CommandName.DONE: self._done,
            CommandName.AGAIN: self._again,
            CommandName.SKIP: self._skip,
            CommandName.TRUST: self._trust,
        }

    def miss(self, place: Place, miss: Miss) -> str:
        """Return the one sentence for a `!word` that is no command."""
        words = self._voice.words(place)
        if miss.word in {"trust", *words.commands.get(CommandName.TRUST, ())}:
            return words.console_trust_miss
        return fill(words.help_miss, word=miss.word)

    async def run(self, tx: Tx, place: Place, command: Command, event: InboxEvent, *, at: datetime) -> bool:
        """Carry out a command; False when it has nothing to act on, so that the word may be conversation."""
        if command.name is CommandName.CRISIS:
            await answer_crisis(tx, place, event.event_id, event.sender, self._voice, at=at)
            return True
        if command.name is CommandName.HELP:
            await say(tx, place, await self._help(tx, place, event.sender), at=at)
            return True
        text = await self._by_name[command.name](tx, place, command, at)
        if text:
            await say(tx, place, text, at=at)
        return text is not None

    async def _help(self, tx: Tx, place: Place, sender: str) -> str:
        words = self._voice.words(place)
        line = self._voice.crisis_line(place)
        if place.pair is None:
            pairs = [await self._pair_line(tx, place, pair) for pair in await tx.pairs.of_person(place.room.therapist)]
            return fill(
                words.console_help, crisis_line=line, fingerprint=self._voice.fingerprint, pairs="\n".join(pairs)
            )
        template = words.help if place.role(sender) == "client" else words.help_therapist
        return fill(template, crisis_line=line, fingerprint=self._voice.fingerprint)

    async def _pair_line(self, tx: Tx, place: Place, pair: Pair) -> str:
        identity = (await tx.devices.identities([pair.client])).get(pair.client)
        pinned = fingerprint_groups(identity.pinned_master) if identity and identity.pinned_master else "–"
        return fill(
            self._voice.words(place).console_pair,
            number=pair.number,
            room=pair.word,
            client=pair.client_name,
            state=pair.standing.shown,
            fingerprint=pinned,
        )

    async def _progress(self, tx: Tx, place: Place, _command: Command, at: datetime) -> str | None:
        if place.pair is None:
            return None
        records = [
            record for record in await tx.records.newest(place.pair.pair_id) if record.state is RecordState.RECORDED
        ]
        points: dict[str, list[Point]] = {}
        for record in records:
            if record.kind is RecordKind.CHECKIN and record.goal_id:
                points.setdefault(record.goal_id, []).append(Point(at=record.first_at, value=record.content["value"]))
        return progress_text(
            await tx.pairs.goals(place.pair.pair_id),
            points,
            [record.first_at for record in records],
            wording=self._voice.words(place),
            zone=ZoneInfo(place.pair.timezone),
            at=at,
        )

    async def _pause(self, tx: Tx, place: Place, _command: Command, at: datetime) -> str | None:
        return await self._paused(tx, place, PairEvent.PAUSE, at)

    async def _resume(self, tx: Tx, place: Place, _command: Command, at: datetime) -> str | None:
        return await self._paused(tx, place, PairEvent.RESUME, at)

    async def _paused(self, tx: Tx, place: Place, event: PairEvent, at: datetime) -> str | None:
        if place.pair is None:
            return None
        words, pause = self._voice.words(place), event is PairEvent.PAUSE
        if place.pair.paused == pause:
            return words.already_paused if pause else words.not_paused
        await self._life.happen(tx, place.pair, event, at=at)
        return words.paused if pause else words.resumed

    async def _undo(self, tx: Tx, place: Place, command: Command, at: datetime) -> str | None:
        said = await self._answering.undo(tx, place, at=at)
        return self._voice.words(place).nothing_to_undo if said is None and command.explicit else said

    async def _start_journal(self, tx: Tx, place: Place, _command: Command, at: datetime) -> str | None:
        return await self._journal.start(tx, place, at=at)

    async def _done(self, tx: Tx, place: Place, command: Command, at: datetime) -> str | None:
        record = await self._journal.open_of(tx, place)
        if record is not None:
            return await self._journal.done(tx, place, record, at=at)
        said = await self._conversation.turn(tx, place, Turn.DONE, at=at)
        return self._voice.words(place).journal_empty if said is None and command.explicit else said

    async def _again(self, tx: Tx, place: Place, _command: Command, at: datetime) -> str | None:
        said = await self._conversation.again(tx, place, at=at)
        return self._voice.words(place).no_open_prompt if said is None else said

    async def _skip(self, tx: Tx, place: Place, command: Command, at: datetime) -> str | None:
        said = await self._conversation.turn(tx, place, Turn.SKIP, at=at)
        return self._voice.words(place).nothing_to_skip if said is None and command.explicit else said

    async def _trust(self, tx: Tx, place: Place, command: Command, _at: datetime) -> str | None:
        """Confirm a client's new key; a therapist's own only the operator confirms (CRYPTO 4)."""
        words = self._voice.words(place)
        user, fingerprint = command.arguments
        pair = next((each for each in await tx.pairs.of_person(user) if each.client == user), None)
        if place.pair is not None or pair is None or pair.therapist != place.room.therapist:
            return words.console_trust_not_here
        if not await self._cipher.confirm(tx, user, fingerprint, self._clock.real()):
            return fill(words.console_trust_wrong, person=pair.client_name, user=user)
        shown = fingerprint_groups("".join(fingerprint.split()))
        return fill(words.console_trusted, person=pair.client_name, fingerprint=shown)
