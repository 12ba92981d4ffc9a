"""What time brings: prompts that are due, reminders, the end of pauses, agendas, the question whether a time fits."""

from datetime import datetime

from bot.flows.agenda import Agenda
from bot.flows.deliver import Deliverer
from bot.flows.fit_question import FitQuestions
from bot.flows.life import Life
from bot.flows.remind import Reminders
from bot.ports import Store


class Timetable:
    """Looks at what is due."""

    def __init__(
        self,
        *,
        store: Store,
        deliverer: Deliverer,
        reminders: Reminders,
        life: Life,
        agenda: Agenda,
        fit: FitQuestions,
    ) -> None:
        self._store = store
        self._deliverer = deliverer
        self._reminders = reminders
        self._life = life
        self._agenda = agenda
        self._fit = fit

    async def look(self, *, at: datetime) -> datetime | None:
        """Do what is due by `at`, batch by batch; return when something is due next.

        Pauses end after the prompts are decided: what was due while they lasted is skipped as paused.
        """
        while True:
            async with self._store.transaction() as tx:
                prompt = await self._deliverer.due(tx, at=at)
                reminder = await self._reminders.due(tx, at=at)
                following = min((each for each in (prompt, reminder) if each), default=None)
                if following is None or following > at:
                    pause = await self._life.end_pauses(tx, at=at)
                    agenda = await self._agenda.due(tx, at=at)
                    fit = await self._fit.due(tx, at=at)
                    return min((each for each in (following, pause, agenda, fit) if each), default=None)
