"""What time brings: prompts that are due, reminders, the end of pauses, agendas, the question whether a time fits."""

from datetime import datetime

from bot.flows.agenda import Agenda
from bot.flows.deliver import Deliverer, Reached
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

    async def look(self, *, at: datetime) -> Reached:
        """Do what is due by `at`, batch by batch.

        Pauses end after the prompts are decided: what was due while they lasted is skipped as paused.
        """
        posted = 0
        while True:
            async with self._store.transaction() as tx:
                prompts = await self._deliverer.due(tx, at=at)
                reminders = await self._reminders.due(tx, at=at)
                posted += prompts.posted + reminders.posted
                following = _first(prompts.next_due, reminders.next_due)
                if following is None or following > at:
                    pauses = await self._life.end_pauses(tx, at=at)
                    agenda, fit = await self._agenda.due(tx, at=at), await self._fit.due(tx, at=at)
                    return Reached(
                        posted=posted + agenda.posted + fit.posted,
                        next_due=_first(following, pauses, agenda.next_due, fit.next_due),
                    )


def _first(*instants: datetime | None) -> datetime | None:
    return min((each for each in instants if each is not None), default=None)
