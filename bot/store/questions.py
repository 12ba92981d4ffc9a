"""Questions whether a schedule still fits; what the answers mean is sealed."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from bot.core.questions import Fit, Question
from bot.store.sealing import pair_owner
from bot.store.session import MINE, AnyRow, Session, upsert
from bot.store.tables import OPEN_QUESTION, deliveries, questions

_FIELDS = [field.name for field in fields(Question)]
_ALL = select(*[questions.c[name] for name in _FIELDS]).where(questions.c.account == MINE)
_OF_PAIR = (
    _ALL.where(questions.c.pair_id == bindparam("of_pair"))
    .order_by(questions.c.asked_at.desc(), questions.c.question_id)
    .limit(bindparam("of_limit"))
)
_OPEN = _ALL.where(OPEN_QUESTION).order_by(questions.c.asked_at, questions.c.question_id)
_SAVE = upsert(questions)
_POSTED = (
    select(deliveries.c.schedule_id)
    .distinct()
    .where(
        deliveries.c.account == MINE,
        deliveries.c.schedule_id != "",
        deliveries.c.posted_at > bindparam("of_after"),
        deliveries.c.posted_at <= bindparam("of_until"),
    )
)


class QuestionRows:
    """Implements `ports.QuestionRows`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def save(self, question: Question) -> None:
        """Store a question, new or changed."""
        values = {name: getattr(question, name) for name in _FIELDS}
        owner, row = pair_owner(question.pair_id), question.question_id
        values["options"] = self._session.seal_document(owner, "questions", row, "options", question.options)
        if question.answer is not None:
            values["answer"] = self._session.seal_text(owner, "questions", row, "answer", question.answer.value)
        await self._session.write_one(_SAVE, **values)

    async def of_pair(self, pair_id: str, limit: int = 10) -> tuple[Question, ...]:
        """Return the newest questions of a pair, newest first."""
        rows = await self._session.rows(_OF_PAIR, of_pair=pair_id, of_limit=limit)
        return tuple([self._question(row) for row in rows])

    async def open(self) -> tuple[Question, ...]:
        """Return the questions that are planned, or whose polls have not been ended, oldest first."""
        return tuple([self._question(row) for row in await self._session.rows(_OPEN)])

    async def posted(self, *, after: datetime, until: datetime) -> tuple[str, ...]:
        """Return the ids of the schedules that posted something within a span."""
        return tuple([row[0] for row in await self._session.rows(_POSTED, of_after=after, of_until=until)])

    def _question(self, row: AnyRow) -> Question:
        values: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
        owner, place = pair_owner(values["pair_id"]), values["question_id"]
        options = self._session.open_document(owner, "questions", place, "options", values["options"])
        values["options"] = {answer: Fit(meaning) for answer, meaning in options.items()}
        if values["answer"] is not None:
            values["answer"] = Fit(self._session.open_text(owner, "questions", place, "answer", values["answer"]))
        return Question(**values)
