"""When prompts come: the therapist plans and takes away; the client moves, thins out, refuses and brings back."""

from collections.abc import Awaitable, Callable, Mapping

from bot.core.command_names import CommandName
from bot.core.rule_phrases import rule_in_words
from bot.core.schedules import parse_rule
from bot.core.sittings import Turn
from bot.core.template import say as fill
from bot.errors import PairError, ScheduleError
from bot.flows.arranging import Arranger, Subject
from bot.flows.conversation import Conversation
from bot.flows.request import Carry, Request
from bot.flows.schedules import Changed
from bot.flows.telling import now_comes
from bot.ports import Tx

Act = Callable[[Tx, Request, Subject], Awaitable[str]]


class ScheduleCommands:
    """Changes schedules and says so."""

    def __init__(self, *, arranger: Arranger, conversation: Conversation) -> None:
        self._arranger = arranger
        self._conversation = conversation

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {
            CommandName.SCHEDULE: self._named(self.plan),
            CommandName.STOP_PROMPT: self._named(self.stop),
            CommandName.RESUME_PROMPT: self._named(self.bring_back),
            CommandName.MOVE_PROMPT: self._named(self.move),
            CommandName.FEWER_PROMPT: self._named(self.thin_out),
        }

    async def plan(self, tx: Tx, request: Request, subject: Subject) -> str:
        """Have a prompt come by a rule."""
        words = request.words
        if subject.prompt.of_goal and not await tx.pairs.goals(subject.pair.pair_id):
            return fill(words.no_goal_yet, title=subject.title)
        try:
            rule = parse_rule(request.command.rule or "", local=request.at.astimezone(request.zone))
            changed = await self._arranger.plan(tx, subject, rule, at=request.at)
        except (PairError, ScheduleError):  # it could be read, but is over before it begins
            return fill(words.help_usage, example=words.examples[CommandName.SCHEDULE])
        said = _now_comes(request, subject, changed)
        if changed.schedule.client_rule is None:
            return said
        return f"{fill(words.client_wants_fewer, client=subject.pair.client_name)} {said}"

    async def stop(self, tx: Tx, request: Request, subject: Subject) -> str:
        """Refuse a prompt for good, as the client; take it away, as the therapist."""
        words = request.words
        if request.by_client:
            await self._arranger.refuse(tx, subject, at=request.at)
            await self._leave_open_question(tx, request, subject)
            return fill(words.refused_for_good, title=subject.title)
        if not subject.schedules:
            return fill(words.not_planned, title=subject.title)
        await self._arranger.remove(tx, subject)
        return fill(words.taken_away, title=subject.title)

    async def bring_back(self, tx: Tx, request: Request, subject: Subject) -> str:
        """Let a prompt come again as the therapist planned it."""
        words, choice = request.words, subject.choice
        own = any(each.client_rule is not None for each in subject.schedules)
        if not (choice.refused or choice.at_most or own):
            return fill(words.nothing_to_bring_back, title=subject.title)
        restored = await self._arranger.bring_back(tx, subject, at=request.at)
        if not restored:
            return fill(words.may_come_again, title=subject.title)
        return _now_comes(request, subject, *restored)

    async def move(self, tx: Tx, request: Request, subject: Subject) -> str:
        """Have a prompt come at another time of day."""
        words = request.words
        if (silent := _not_coming(request, subject)) is not None:
            return silent
        clock = request.command.clock
        moved = await self._arranger.move(tx, subject, clock, at=request.at) if clock else None
        if moved is None:
            when = rule_in_words(parse_rule(subject.schedules[0].effective_rule), words)
            return fill(words.cannot_move, title=subject.title, when=when)
        return _now_comes(request, subject, moved)

    async def thin_out(self, tx: Tx, request: Request, subject: Subject) -> str:
        """Have a prompt come about half as often."""
        if (silent := _not_coming(request, subject)) is not None:
            return silent
        thinned = await self._arranger.thin_out(tx, subject, at=request.at)
        if not thinned:
            when = rule_in_words(parse_rule(subject.schedules[0].effective_rule), request.words)
            return fill(request.words.cannot_thin_out, title=subject.title, when=when)
        return _now_comes(request, subject, *thinned)

    async def _leave_open_question(self, tx: Tx, request: Request, subject: Subject) -> None:
        """Who wants none of a prompt any more leaves its open question out as well."""
        current = await self._conversation.current(tx, request.place, at=request.at)
        if current is not None and (current.prompt.id, current.goal) == (subject.prompt.id, subject.goal):
            await self._conversation.turn(tx, request.place, Turn.STOP, at=request.at)

    def _named(self, act: Act) -> Carry:
        async def carry(tx: Tx, request: Request) -> str:
            subject = await self._arranger.subject(tx, request.pair, request.command.prompt or "")
            if subject is None:
                return fill(request.words.no_such_prompt, client=request.pair.client_name)
            return await act(tx, request, subject)

        return carry


def _not_coming(request: Request, subject: Subject) -> str | None:
    """What to say about a prompt that does not come at all; None for one that does."""
    words = request.words
    if subject.choice.refused:
        return fill(words.is_stopped, title=subject.title)
    return None if subject.schedules else fill(words.not_planned, title=subject.title)


def _now_comes(request: Request, subject: Subject, *changed: Changed) -> str:
    chosen = request.command.clock is not None or request.command.rule is not None
    return " ".join([now_comes(request.words, subject.pair, subject.title, each, chosen=chosen) for each in changed])
