"""After three unanswered prompts of a schedule: one kind question, and what the client answers is done.

posted three times without an answer -> planned, half-way to the next one -> asked with a poll -> a tap or a word
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.core.answers import Incoming, IncomingKind
from bot.core.pairs import blockers
from bot.core.people import Pair, Schedule
from bot.core.planning import ASK_FIT_EVERY, NEVER, UNANSWERED, asks_fit
from bot.core.posting import POLL_END, POLL_START, poll, poll_end
from bot.core.questions import Fit, Question, ask_at
from bot.core.reading import read_choice
from bot.core.rule_phrases import rule_in_words
from bot.core.schedules import parse_rule
from bot.core.template import say as fill
from bot.core.wording import Wording
from bot.flows.arranging import Arranger, Subject
from bot.flows.deliver import Reached
from bot.flows.places import Place, place_of
from bot.flows.schedules import Schedules, zone_of
from bot.flows.speak import Voice, post, say
from bot.flows.telling import now_comes
from bot.ports import Tx

log = structlog.get_logger()

LOOKED_UNTIL = "fit_looked_until"  # fact: up to when posted prompts have been looked at
NAMES_TIME = timedelta(hours=12)  # so long after "another time" a bare `move to 19:00` is about it
AT_FIRST = timedelta(days=1)  # of a database that has never looked


class FitQuestions:
    """Asks whether a schedule still fits."""

    def __init__(self, *, voice: Voice, arranger: Arranger, schedules: Schedules) -> None:
        self._voice = voice
        self._arranger = arranger
        self._schedules = schedules

    async def due(self, tx: Tx, *, at: datetime) -> Reached:
        """Plan and ask questions, and end the polls of old ones."""
        await self._look(tx, at)
        upcoming: list[datetime] = []
        posted = 0
        for question in await tx.questions.open():
            if question.wakes_at > at:
                upcoming.append(question.wakes_at)
            elif question.outbox_id is not None:
                await self._close(tx, question, at)
                posted += 1
            elif (asked := await self._ask(tx, question, at)) is not None:
                upcoming.append(asked.wakes_at)
                posted += 1
        return Reached(posted=posted, next_due=min(upcoming, default=None))

    async def current(self, tx: Tx, pair: Pair) -> Question | None:
        """Return the newest question that a word can answer."""
        return next((each for each in await tx.questions.of_pair(pair.pair_id) if each.open), None)

    async def place_in_timeline(self, tx: Tx, question: Question) -> int:
        """Return where its poll stands in the room, 0 before it is there."""
        row = await tx.outbox.get(question.outbox_id or "")
        if row is None or row.event_id is None:
            return 0
        found = (await tx.inbox.positions([row.event_id])).get(row.event_id)
        return found.order if found else 0

    async def take(self, tx: Tx, place: Place, said: Incoming, *, at: datetime) -> bool:
        """Carry out a vote, or a reply to the poll in words; False when it is neither."""
        if said.kind is IncomingKind.VOTE:
            return await self._voted(tx, place, said, at)
        return said.reply_to is not None and await self._replied(tx, place, said, at)

    async def _voted(self, tx: Tx, place: Place, said: Incoming, at: datetime) -> bool:
        if place.pair is None:
            return False
        for question in await tx.questions.of_pair(place.pair.pair_id):
            fit = question.vote(said.chosen)
            if fit is not None:
                if question.answer is None:
                    await say(tx, place, await self.answer(tx, place, question, fit, at=at), at=at)
                return True
        return False

    async def _replied(self, tx: Tx, place: Place, said: Incoming, at: datetime) -> bool:
        question = await self.current(tx, place.pair) if place.pair and said.reply_to else None
        row = await tx.outbox.get(question.outbox_id or "") if question else None
        if question is None or row is None or row.event_id != said.reply_to:
            return False
        words = self._voice.words(place)
        chosen = read_choice(said.text, {fit.value: label for fit, label in labels(words).items()}, words.reading)
        if chosen is None:
            return False
        await say(tx, place, await self.answer(tx, place, question, Fit(chosen), at=at), at=at)
        return True

    async def answer(self, tx: Tx, place: Place, question: Question, fit: Fit, *, at: datetime) -> str:
        """Carry an answer out and return what to say about it."""
        await self._close(tx, replace(question, answer=fit), at)
        words, subject = self._voice.words(place), await self._subject(tx, question)
        log.info("fit.answered", pair=question.pair_id, question=question.question_id)
        if subject is None:
            return words.question_over
        if fit is Fit.STOP:
            await self._arranger.refuse(tx, subject, at=at)
            return fill(words.refused_for_good, title=subject.title)
        if fit is Fit.MOVE:
            return fill(words.fit_move_when, title=subject.title)
        if fit is Fit.FEWER:
            thinned = await self._arranger.thin_out(tx, subject, at=at)
            if not thinned:
                when = rule_in_words(parse_rule(subject.schedules[0].effective_rule), words)
                return fill(words.cannot_thin_out, title=subject.title, when=when)
            return " ".join(now_comes(words, subject.pair, subject.title, each, chosen=False) for each in thinned)
        return fill(words.fit_kept, title=subject.title)

    async def wants_time(self, tx: Tx, pair: Pair, *, at: datetime) -> Question | None:
        """Return the question that was just answered with "another time", as long as no time was named."""
        newest = next(iter(await tx.questions.of_pair(pair.pair_id, limit=1)), None)
        if newest is None or newest.answer is not Fit.MOVE or newest.closed_at is None:
            return None
        return newest if at - newest.closed_at < NAMES_TIME else None

    async def subject_of(self, tx: Tx, question: Question) -> Subject | None:
        """Return what a question is about, None when it is not planned any more."""
        return await self._subject(tx, question)

    async def settled(self, tx: Tx, question: Question, fit: Fit, *, at: datetime) -> None:
        """Note that a question was answered by something that is carried out elsewhere."""
        await self._close(tx, replace(question, answer=fit), at)

    async def _look(self, tx: Tx, at: datetime) -> None:
        """Plan a question for each schedule that has just posted its third prompt in a row without an answer."""
        noted = await tx.facts.read(LOOKED_UNTIL)
        after = datetime.fromisoformat(noted) if noted else at - AT_FIRST
        if after >= at:
            return
        just_posted = await tx.questions.posted(after=after, until=at)
        if not just_posted and noted:
            return
        for schedule_id, count in (await tx.deliveries.unanswered(just_posted)).items():
            if count >= UNANSWERED:
                await self._plan(tx, schedule_id, count, at)
        await tx.facts.write(LOOKED_UNTIL, at.isoformat())

    async def _plan(self, tx: Tx, schedule_id: str, count: int, at: datetime) -> None:
        schedule = await tx.schedules.get(schedule_id)
        pair = await tx.pairs.get(schedule.pair_id) if schedule else None
        if schedule is None or pair is None or not asks_fit(schedule, count, at=at):
            return
        recent = await tx.questions.of_pair(pair.pair_id)
        if any(each.schedule_id == schedule_id and at - each.asked_at < ASK_FIT_EVERY for each in recent):
            return
        newest = max(each.due for each in await tx.deliveries.of_schedule(schedule_id, 1))
        following = schedule.next_due if schedule.next_due and schedule.next_due != NEVER else at + timedelta(days=1)
        when = max(at, ask_at(newest, max(following, newest), zone_of(pair, schedule), pair.quiet_hours))
        await tx.questions.save(
            Question(
                question_id=secrets.token_hex(8),
                pair_id=pair.pair_id,
                schedule_id=schedule.schedule_id,
                asked_at=when,
            )
        )

    async def _ask(self, tx: Tx, question: Question, at: datetime) -> Question | None:
        """Ask now, if the reason for it still holds."""
        schedule = await tx.schedules.get(question.schedule_id)
        pair = await tx.pairs.get(question.pair_id)
        subject = await self._arranger.subject_of(tx, pair, schedule) if pair and schedule else None
        place = await place_of(tx, pair.room_id) if pair and pair.room_id else None
        if not await self._still(tx, pair, schedule, at) or place is None or subject is None or schedule is None:
            await tx.questions.save(replace(question, closed_at=at))
            return None
        words = self._voice.words(place)
        options = {secrets.token_hex(8): fit for fit in Fit}
        asks = fill(words.fit_question, title=subject.title)
        content = poll(asks, {answer: labels(words)[fit] for answer, fit in options.items()})
        mentions = {"m.mentions": {"user_ids": [place.addressed]}}
        row = await post(tx, place, content | mentions, event_type=POLL_START, purpose="question", at=at)
        asked = replace(question, outbox_id=row.outbox_id, options=options, asked_at=at)
        await tx.questions.save(asked)
        await self._schedules.asked_fit(tx, schedule, at=at)
        return asked

    async def _still(self, tx: Tx, pair: Pair | None, schedule: Schedule | None, at: datetime) -> bool:
        if pair is None or schedule is None or blockers(pair.standing):
            return False
        silent = await tx.deliveries.unanswered([schedule.schedule_id])
        return asks_fit(schedule, silent.get(schedule.schedule_id, 0), at=at)

    async def _subject(self, tx: Tx, question: Question) -> Subject | None:
        schedule, pair = await tx.schedules.get(question.schedule_id), await tx.pairs.get(question.pair_id)
        return await self._arranger.subject_of(tx, pair, schedule) if schedule and pair else None

    async def _close(self, tx: Tx, question: Question, at: datetime) -> None:
        """End the poll; nobody is asked again about it."""
        await tx.questions.save(replace(question, closed_at=at))
        pair = await tx.pairs.get(question.pair_id)
        place = await place_of(tx, pair.room_id) if pair and pair.room_id else None
        if place is not None and question.outbox_id is not None:
            await post(
                tx, place, poll_end(self._voice.words(place).poll_ended), event_type=POLL_END, purpose="poll_end",
                at=at, relates_row=question.outbox_id, rel_type="m.reference",
            )  # fmt: skip


def labels(words: Wording) -> Mapping[Fit, str]:
    """Return what can be tapped."""
    return {
        Fit.KEEP: words.fit_keep,
        Fit.MOVE: words.fit_move,
        Fit.FEWER: words.fit_fewer,
        Fit.STOP: words.fit_stop,
    }
