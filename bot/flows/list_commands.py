"""What there is and what comes next: `prompts`, `schedules`, `schedule`, `try`, `send`.

In the room of the two a long list is shortened; the whole of it is in the console.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.core.command_names import CommandName
from bot.core.deliveries import BY_HAND
from bot.core.permissions import Where
from bot.core.prompts import Prompt
from bot.core.rule_phrases import moment_in_words, rule_in_words
from bot.core.schedules import parse_rule
from bot.core.sessions import sessions
from bot.core.template import say as fill
from bot.core.trial import trial
from bot.flows.arranging import Arranger, Subject
from bot.flows.deliver import Deliverer
from bot.flows.names import named_prompt
from bot.flows.request import Carry, Request
from bot.flows.schedules import Schedules, ScheduleView
from bot.flows.speak import Voice
from bot.ports import Tx

FEW = 6  # lines in the room of the two
SESSION_AHEAD = timedelta(days=31)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Coming:
    """A schedule, and when it comes next."""

    subject: Subject
    view: ScheduleView


class ListCommands:
    """Shows what there is."""

    def __init__(self, *, voice: Voice, arranger: Arranger, schedules: Schedules, deliverer: Deliverer) -> None:
        self._voice = voice
        self._arranger = arranger
        self._schedules = schedules
        self._deliverer = deliverer

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {
            CommandName.PROMPTS: self.prompts,
            CommandName.SCHEDULES: self.schedules,
            CommandName.NEXT: self.schedules,
            CommandName.TRY: self.try_out,
            CommandName.SEND: self.send,
        }

    async def prompts(self, tx: Tx, request: Request) -> str:
        """List the prompts, one line each."""
        words = request.words
        known = self._voice.pack(request.about).prompts
        numbers = await tx.prompt_numbers.of(known)
        lines = [
            fill(words.prompt_line, number=numbers[prompt.id], title=prompt.title, why=self._why(request, prompt))
            for prompt in sorted(known.values(), key=lambda prompt: numbers[prompt.id])
        ]
        return "\n".join([words.prompts_header, *_shortened(request, lines)])

    async def schedules(self, tx: Tx, request: Request) -> str:
        """List what is planned; for the client the next one first, and what the client has stopped last."""
        words = request.words
        coming = await self._coming(tx, request)
        wanted = [each for each in coming if not each.view.schedule.refused]
        numbers = await tx.prompt_numbers.of(self._voice.pack(request.pair).prompts)
        lines = [self._line(request, each, numbers[each.subject.prompt.id]) for each in wanted]
        lines = [words.schedules_header, *_shortened(request, lines)] if lines else [words.nothing_planned]
        lines += await self._session_line(tx, request)
        if stopped := await self._stopped(tx, request):
            template = words.schedules_stopped if request.by_client else words.schedules_stopped_by
            lines.append(fill(template, client=request.pair.client_name, titles=", ".join(stopped)))
        if request.pair.paused:
            lines.append(words.paused_meanwhile)
        if request.by_client and wanted:
            lines.append(words.schedule_hint)
        return "\n".join(lines)

    async def try_out(self, _tx: Tx, request: Request) -> str:
        """Show a prompt's questions to the therapist alone: nothing is asked, counted or kept."""
        prompt = self._voice.pack(request.about).prompts.get(named_prompt(request.command.prompt or ""))
        if prompt is None:
            return fill(request.words.no_such_prompt, client=request.about.client_name if request.about else "")
        client = request.about.client_name if request.about else request.words.somebody
        return trial(prompt, client=client, words=request.words)

    async def send(self, tx: Tx, request: Request) -> str:
        """Ask a prompt now; each message does it once."""
        words, pair = request.words, request.pair
        subject = await self._arranger.subject(tx, pair, request.command.prompt or "")
        if subject is None:
            return fill(words.no_such_prompt, client=pair.client_name)
        if subject.prompt.of_goal and not await tx.pairs.goals(pair.pair_id):
            return fill(words.no_goal_yet, title=subject.title)
        key = BY_HAND + request.event.event_id
        await self._deliverer.send_now(tx, pair, subject.prompt.id, key=key, at=request.at)
        return fill(words.sent, title=subject.title) if request.where is Where.CONSOLE else ""

    async def _coming(self, tx: Tx, request: Request) -> list[_Coming]:
        found: list[_Coming] = []
        for view in await self._schedules.views(tx, request.pair, at=request.at):
            subject = await self._arranger.subject_of(tx, request.pair, view.schedule)
            if subject is not None:
                found.append(_Coming(subject=subject, view=view))
        last = datetime.max.replace(tzinfo=UTC)
        return sorted(found, key=lambda each: each.view.coming[0] if each.view.coming else last)

    def _line(self, request: Request, coming: _Coming, number: int) -> str:
        words, schedule = request.words, coming.view.schedule
        when = rule_in_words(parse_rule(schedule.effective_rule), words)
        if not coming.view.coming:
            line = fill(words.schedule_line_without, number=number, title=coming.subject.title, when=when)
        else:
            following = moment_in_words(coming.view.coming[0], words)
            line = fill(words.schedule_line, number=number, title=coming.subject.title, when=when, next=following)
        if schedule.client_rule is not None and not request.by_client:
            planned = rule_in_words(parse_rule(schedule.rule), words)
            line += " " + fill(words.schedule_changed, client=request.pair.client_name, planned=planned)
        return line

    async def _session_line(self, tx: Tx, request: Request) -> list[str]:
        booked = [each.series for each in await tx.sessions.of_pair(request.pair.pair_id)]
        following = next(sessions(booked, after=request.at), None)
        if following is None or following.starts - request.at > SESSION_AHEAD:
            return []
        return [fill(request.words.next_session, next=moment_in_words(following.local, request.words))]

    async def _stopped(self, tx: Tx, request: Request) -> Sequence[str]:
        titles = []
        for name, choice in sorted((await tx.choices.of_pair(request.pair.pair_id)).items()):
            if choice.refused and (subject := await self._arranger.subject(tx, request.pair, name)) is not None:
                titles.append(subject.title)
        return titles

    def _why(self, request: Request, prompt: Prompt) -> str:
        return fill(prompt.why, client=request.about.client_name if request.about else request.words.somebody)


def _shortened(request: Request, lines: Sequence[str]) -> Sequence[str]:
    """In the room of the two a therapist's long list ends early and says where the rest is."""
    if request.by_client or request.where is Where.CONSOLE or len(lines) <= FEW:
        return lines
    return [*lines[: FEW - 1], fill(request.words.more_in_console, count=len(lines) - FEW + 1)]
