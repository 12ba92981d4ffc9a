"""What people ask the bot for: numbers of prompts, choices, the agenda, questions whether a time fits."""

from dataclasses import replace
from datetime import timedelta

from bot.core.choices import Choice
from bot.core.questions import Fit
from bot.store.database import Database
from tests.store.examples import AT, agenda_item, pair, question

DAY = timedelta(days=1)


async def test_a_prompt_keeps_its_number(store: Database) -> None:
    """Numbers are given in the order of the first sight; a prompt that comes later or goes changes none of them."""
    async with store.transaction() as tx:
        assert await tx.prompt_numbers.of(["mood", "sleep"]) == {"mood": 1, "sleep": 2}
    async with store.transaction() as tx:
        assert await tx.prompt_numbers.of(["gratitude", "sleep"]) == {"gratitude": 3, "sleep": 2}
        assert await tx.prompt_numbers.of([]) == {}


async def test_the_last_choice_counts(store: Database) -> None:
    """One per pair and prompt."""
    refused = Choice(pair_id="p1", prompt_id="mood", refused=True, changed_at=AT)
    async with store.transaction() as tx:
        await tx.choices.save(refused)
        await tx.choices.save(replace(refused, prompt_id="sleep", refused=False, at_most="mon 20:00"))
        await tx.choices.save(replace(refused, refused=False, changed_at=AT + DAY))
        found = await tx.choices.of_pair("p1")
        assert (found["mood"].refused, found["mood"].changed_at) == (False, AT + DAY)
        assert found["sleep"].at_most == "mon 20:00"
        assert await tx.choices.of_pair("p2") == {}


async def test_the_agenda_of_a_pair(store: Database) -> None:
    """Items are numbered per pair, found by their message, done once, and gone when it is deleted."""
    async with store.transaction() as tx:
        await tx.pairs.add(pair("p1"))
        await tx.pairs.add(pair("p2", room_id="!two:hs"))
        first = await tx.agenda.add(agenda_item("a"))
        second = await tx.agenda.add(agenda_item("b", text="Zweites"))
        other = await tx.agenda.add(agenda_item("c", "p2"))
        assert (first.number, second.number, other.number) == (1, 2, 1)
        assert await tx.agenda.open_of("p1") == (first, second)
        assert await tx.agenda.of_source("$said-b") == second
        assert set(await tx.agenda.pairs()) == {"p1", "p2"}
        await tx.agenda.save(replace(first, text="Changed"))
        await tx.agenda.done(["c"], at=AT)
        await tx.agenda.remove("b")
        assert [item.text for item in await tx.agenda.open_of("p1")] == ["Changed"]
        assert await tx.agenda.pairs() == ("p1",)
        assert (await tx.agenda.add(agenda_item("d"))).number == 3


async def test_questions_of_a_pair(store: Database) -> None:
    """The newest first, with what each answer means; closed ones are not open any more."""
    async with store.transaction() as tx:
        await tx.pairs.add(pair("p1"))
        asked = question("q1", answer=None)
        later = question("q2", asked_at=AT + DAY, closed_at=AT + DAY)
        await tx.questions.save(asked)
        await tx.questions.save(later)
        assert await tx.questions.of_pair("p1") == (later, asked)
        assert await tx.questions.open() == (asked,)
        await tx.questions.save(replace(asked, answer=Fit.MOVE, closed_at=AT))
        assert (await tx.questions.of_pair("p1"))[1].answer is Fit.MOVE
        assert await tx.questions.open() == ()
