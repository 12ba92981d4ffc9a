"""What a client says to whatever is open: the question of a prompt, the journal, or the question whether a time fits.

Where nothing is open, the word is conversation, unless it began with `!`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.core.choices import choice_name
from bot.core.command_names import CommandName
from bot.core.occurrences import instant
from bot.core.questions import Fit, Question
from bot.core.rule_phrases import rule_in_words
from bot.core.schedules import parse_rule
from bot.core.sittings import Turn
from bot.core.template import say as fill
from bot.flows.answering import Answering
from bot.flows.arranging import Arranger, Subject
from bot.flows.asked import Asked
from bot.flows.conversation import Conversation
from bot.flows.fit_question import FitQuestions
from bot.flows.journal import Journal
from bot.flows.request import Carry, Request
from bot.flows.telling import now_comes
from bot.ports import Tx

FARTHEST = timedelta(days=1)  # that `later` puts a question off
TURNS = {
    CommandName.SKIP: Turn.SKIP,
    CommandName.BACK: Turn.BACK,
    CommandName.STOP: Turn.STOP,
    CommandName.LATER: Turn.LATER,
    CommandName.DONE: Turn.DONE,
}


class SittingCommands:
    """Acts on what is open."""

    def __init__(
        self,
        *,
        answering: Answering,
        conversation: Conversation,
        journal: Journal,
        fit: FitQuestions,
        arranger: Arranger,
    ) -> None:
        self._answering = answering
        self._conversation = conversation
        self._journal = journal
        self._fit = fit
        self._arranger = arranger

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {
            CommandName.UNDO: self.undo,
            CommandName.JOURNAL: self.journal,
            CommandName.START: self.start,
            CommandName.AGAIN: self.again,
            CommandName.WHY: self.why,
            CommandName.SKIP: self.turn,
            CommandName.BACK: self.turn,
            CommandName.LATER: self.later,
            CommandName.DONE: self.done,
            CommandName.STOP: self.stop,
            CommandName.KEEP: self.keep,
            CommandName.FEWER: self.fewer,
            CommandName.MOVE: self.move,
        }

    async def undo(self, tx: Tx, request: Request) -> str | None:
        """Take the last record back."""
        said = await self._answering.undo(tx, request.place, at=request.at)
        return said if said is not None else self._explicitly(request, request.words.nothing_to_undo)

    async def journal(self, tx: Tx, request: Request) -> str:
        """Open the journal."""
        return await self._journal.start(tx, request.place, at=request.at)

    async def start(self, tx: Tx, request: Request) -> str | None:
        """Ask a prompt that the client wants to answer now."""
        subject = await self._arranger.subject(tx, request.pair, request.command.prompt or "")
        if subject is None:
            return None
        said = await self._conversation.start(tx, request.place, subject.prompt, at=request.at)
        return fill(request.words.no_goal_yet, title=subject.title) if said is None else said

    async def again(self, tx: Tx, request: Request) -> str:
        """Show the open question once more."""
        said = await self._conversation.again(tx, request.place, at=request.at)
        return request.words.no_open_prompt if said is None else said

    async def why(self, tx: Tx, request: Request) -> str | None:
        """Say what the open question is good for; after the therapist has written it is for the therapist."""
        current = await self._conversation.current(tx, request.place, at=request.at)
        if current is not None and await self._undisturbed(tx, request, current.order):
            return await self._conversation.why(tx, request.place, at=request.at)
        return self._explicitly(request, request.words.no_open_prompt)

    async def turn(self, tx: Tx, request: Request, *, until: datetime | None = None) -> str | None:
        """Skip, go back, stop or put off what is open."""
        turn = TURNS[request.command.name]
        said = await self._conversation.turn(tx, request.place, turn, at=request.at, until=until)
        nothing = request.words.nothing_to_skip if turn is Turn.SKIP else request.words.no_open_prompt
        return said if said is not None else self._explicitly(request, nothing)

    async def later(self, tx: Tx, request: Request) -> str | None:
        """Put the open question off, within a day."""
        command, until = request.command, None
        if command.length is not None:
            until = request.at + command.length
        elif command.clock is not None:
            local = request.at.astimezone(request.zone)
            day = local.date() + timedelta(days=command.clock <= local.time())
            until = instant(datetime.combine(day, command.clock), request.zone)
        if until is not None and until - request.at > FARTHEST:
            current = await self._conversation.current(tx, request.place, at=request.at)
            return request.words.later_too_far if current or command.explicit else None
        return await self.turn(tx, request, until=until)

    async def done(self, tx: Tx, request: Request) -> str | None:
        """Close the journal, or what is said in a row."""
        record = await self._journal.open_of(tx, request.place)
        if record is not None:
            return await self._journal.done(tx, request.place, record, at=request.at)
        return await self.turn(tx, request)

    async def stop(self, tx: Tx, request: Request) -> str | None:
        """Leave the rest of the open questions out, or answer whether a time fits, whichever was asked last."""
        question, current = await self._newest(tx, request)
        if question is not None and (current is None or await self._is_newer(tx, question, current)):
            return await self._fit.answer(tx, request.place, question, Fit.STOP, at=request.at)
        return await self.turn(tx, request)

    async def keep(self, tx: Tx, request: Request) -> str | None:
        """Answer that a time fits."""
        question = await self._open_question(tx, request)
        if question is None:
            return self._explicitly(request, request.words.question_over)
        return await self._fit.answer(tx, request.place, question, Fit.KEEP, at=request.at)

    async def fewer(self, tx: Tx, request: Request) -> str | None:
        """Have what is open come less often."""
        question = await self._open_question(tx, request)
        if question is not None:
            return await self._fit.answer(tx, request.place, question, Fit.FEWER, at=request.at)
        subject = await self._subject(tx, request)
        if subject is None:
            return self._explicitly(request, request.words.no_open_prompt)
        thinned = await self._arranger.thin_out(tx, subject, at=request.at)
        if not thinned:
            return fill(request.words.cannot_thin_out, title=subject.title, when=_when(subject, request))
        return " ".join(now_comes(request.words, subject.pair, subject.title, each, chosen=False) for each in thinned)

    async def move(self, tx: Tx, request: Request) -> str | None:
        """Have what is open come at another time of day; after the question, what it was about."""
        question = await self._open_question(tx, request)
        if question is not None:
            await self._fit.settled(tx, question, Fit.MOVE, at=request.at)
        else:
            question = await self._fit.wants_time(tx, request.pair, at=request.at)
        subject = await self._fit.subject_of(tx, question) if question else await self._subject(tx, request)
        clock = request.command.clock
        if subject is None or clock is None:
            return self._explicitly(request, request.words.no_open_prompt)
        moved = await self._arranger.move(tx, subject, clock, at=request.at)
        if moved is None:
            return fill(request.words.cannot_move, title=subject.title, when=_when(subject, request))
        return now_comes(request.words, subject.pair, subject.title, moved, chosen=True)

    async def _newest(self, tx: Tx, request: Request) -> tuple[Question | None, Asked | None]:
        return (
            await self._fit.current(tx, request.pair),
            await self._conversation.current(tx, request.place, at=request.at),
        )

    async def _is_newer(self, tx: Tx, question: Question, current: Asked) -> bool:
        return await self._fit.place_in_timeline(tx, question) > current.order

    async def _open_question(self, tx: Tx, request: Request) -> Question | None:
        """The question whether a time fits, if nobody has talked about something else since."""
        question = await self._fit.current(tx, request.pair)
        if question is None:
            return None
        asked_at = await self._fit.place_in_timeline(tx, question)
        return question if await self._undisturbed(tx, request, asked_at) else None

    async def _subject(self, tx: Tx, request: Request) -> Subject | None:
        """What the open question of a prompt is planned by, if the therapist has not written since."""
        current = await self._conversation.current(tx, request.place, at=request.at)
        if current is None or not await self._undisturbed(tx, request, current.order):
            return None
        schedule = await tx.schedules.get(current.delivery.schedule_id or "")
        if schedule is not None:
            return await self._arranger.subject_of(tx, request.pair, schedule)
        name = choice_name(current.prompt.id, current.goal)  # it was sent by hand
        found = await self._arranger.subject(tx, request.pair, name)
        return found if found and found.schedules else None

    async def _undisturbed(self, tx: Tx, request: Request, order: int) -> bool:
        """Whether the therapist has not written since; a word behind `!` is for the bot in any case."""
        if request.command.explicit:
            return True
        written = await tx.inbox.last_talk(request.place.room.room_id, request.pair.therapist, request.event.position)
        return written is None or written.order < order

    def _explicitly(self, request: Request, text: str) -> str | None:
        return text if request.command.explicit else None


def _when(subject: Subject, request: Request) -> str:
    return rule_in_words(parse_rule(subject.schedules[0].effective_rule), request.words)
