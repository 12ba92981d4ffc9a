"""A simulated year: pairs in twelve zones, through restarts, outages, pauses, answers, travels and moved sessions.

An oracle that knows nothing of the bot's code agrees on every occurrence and on what became of it.
"""

import random
import time as clocks
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.core.deliveries import Delivery, DeliveryState
from bot.core.pairs import PairEvent
from bot.core.people import BookedSeries, Pair
from bot.core.sessions import SessionPlan, SessionSeries
from bot.flows.sessions import cancel_booking, move_booking, session_on
from tests.flows import oracle
from tests.flows.practice import Practice, practice

pytestmark = pytest.mark.asyncio(loop_scope="session")

START, END = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
ZONES = (
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia", "UTC"),
    *("Asia/Kolkata", "America/St_Johns", "Pacific/Chatham", "America/Havana", "Africa/Casablanca", "Asia/Beirut"),
)
CLOCKS = (time(13), time(20), time(21, 45))
# Wall times that come twice or not at all when the zone's clocks change, which they do on Fridays and Sundays.
CHANGES: Mapping[str, tuple[time, ...]] = {
    "Europe/Berlin": (time(2, 30),),
    "America/New_York": (time(1, 30), time(2, 30)),
    "Australia/Lord_Howe": (time(1, 45), time(2, 15)),
    "Africa/Cairo": (time(0, 15), time(23, 30)),
    "America/St_Johns": (time(1, 30), time(2, 30)),
    "Pacific/Chatham": (time(3, 0),),
    "America/Havana": (time(0, 15),),
    "Africa/Casablanca": (time(2, 30),),
    "Asia/Beirut": (time(0, 15), time(23, 30)),
}
ANSWERED = 0.6  # of the prompts that somebody who answers has before them
HOUR, DAY, TICK = timedelta(hours=1), timedelta(days=1), timedelta(milliseconds=1)
SOON = timedelta(seconds=20)  # after what is due at the minute


@dataclass
class Life:
    """One pair, and all that happens to it."""

    pair: Pair
    rules: list[oracle.Rule]
    zones: list[tuple[datetime, ZoneInfo]]  # lived in, from an instant on
    pauses: list[oracle.Pause] = field(default_factory=list)
    windows: int = 0  # the number of its schedule with random times


class Year:
    """Makes up a year, and lets it happen."""

    def __init__(self, seed: int, *, pairs: int) -> None:
        self.dice = random.Random(seed)
        self.pairs = pairs
        self.lives: list[Life] = []
        self.outages = self._outages()
        self.happenings: list[tuple[datetime, str, Life]] = []

    def _outages(self) -> list[tuple[datetime, datetime]]:
        """Forty, from minutes to days, apart from each other."""
        spans: list[tuple[datetime, datetime]] = []
        lengths = (HOUR / 6, HOUR, 3 * HOUR, 14 * HOUR, 3 * DAY)
        for begins in sorted(self._when() for _ in range(40)):
            ends = begins + self.dice.choice(lengths) * self.dice.uniform(0.5, 1)
            if not spans or begins > spans[-1][1] + HOUR:
                spans.append((begins, _minute(ends)))
        return spans

    def _when(self) -> datetime:
        return _minute(START + DAY + self.dice.random() * (END - START - 9 * DAY))

    def _awake(self) -> datetime:
        """An instant at which the bot hears what people write."""
        while True:
            when = self._when() + SOON
            if all(not begins <= when <= ends for begins, ends in self.outages):
                return when

    async def begin(self, here: Practice) -> None:
        """Make the pairs, their schedules, and what will happen to them."""
        for number in range(self.pairs):
            zone = ZONES[number % len(ZONES)]
            pair = await here.pair(f"p{number}", at=START, timezone=zone)
            life = Life(pair=pair, rules=[], zones=[(START, ZoneInfo(zone))])
            self.lives.append(life)
            if number < len(ZONES):
                for clock in CHANGES.get(zone, ()):
                    await self._comes(here, life, oracle.weekly(("fri", "sun"), clock))
            for _ in range(2 if self.dice.random() < 0.3 else 1):
                await self._schedule(here, life)
            if number % 40 == 7:
                await self._crowd(here, life)
            if number % 25 == 3:
                window = "mon, wed, fri 2 times between 19:00 and 22:30, 45 min apart"
                await here.schedule(pair, window, at=START, reminder=timedelta())
                life.rules.append(oracle.Rule(text="", named=(), seldom=False, chosen=False))
                life.windows = len(life.rules)
            self._pauses(life)
            if number % 5 == 1:
                self._travel(life)

    async def _schedule(self, here: Practice, life: Life) -> None:
        clock = self.dice.choice([*CLOCKS, *CHANGES.get(life.pair.timezone, ())])
        names = sorted(self.dice.sample(oracle.WEEK, 2), key=oracle.WEEK.index)
        first = date(2027, 1, 4) + DAY * self.dice.randrange(7)
        made: list[Callable[[], oracle.Rule]] = [
            lambda: oracle.weekly(oracle.WEEK, clock),
            lambda: oracle.weekly(oracle.WEEK[:5], clock),
            *[lambda: oracle.weekly(names, clock)] * 3,
            *[lambda: oracle.every_weeks(2, first, clock)] * 2,
            lambda: oracle.monthly(31, clock),
            lambda: oracle.last_friday(clock),
            lambda: oracle.limited(clock, first, 40),
        ]
        await self._comes(here, life, self.dice.choice(made)())

    async def _comes(self, here: Practice, life: Life, rule: oracle.Rule) -> None:
        if rule.text in [other.text for other in life.rules]:
            return
        reminder = None if self.dice.random() < 0.1 else timedelta()
        await here.schedule(life.pair, rule.text, at=START, reminder=reminder)
        life.rules.append(rule)

    async def _crowd(self, here: Practice, life: Life) -> None:
        """More prompts than a day may bring, and one before each session; some sessions are moved or cancelled."""
        for minute in range(3):
            rule = oracle.weekly(("sat", "sun"), time(13, 5 + minute))
            await here.schedule(life.pair, rule.text, at=START, reminder=timedelta())
            life.rules.append(rule)
        plan = SessionPlan(first=datetime(2027, 1, 5, 10), weeks=1)  # noqa: DTZ001 - a wall time
        series = SessionSeries(series_id=f"series-{life.pair.pair_id}", plan=plan, zone=life.pair.timezone)
        async with here.store.transaction() as tx:
            await tx.sessions.add(BookedSeries(pair_id=life.pair.pair_id, number=0, series=series, created_at=START))
        walls = {plan.first.date() + 7 * DAY * week: plan.first + 7 * DAY * week for week in range(53)}
        for day in self.dice.sample(sorted(walls)[4:-2], 12):
            changed = walls[day] + self.dice.choice([DAY, 2 * DAY, -DAY]) + HOUR
            cancelled = self.dice.random() < 0.3
            asked = oracle.awake(oracle.instant(walls[day] - 8 * DAY, life.zones[0][1]), self.outages) + timedelta(
                seconds=20
            )
            what = f"cancel {day}" if cancelled else f"move {day} {changed.isoformat()}"
            self.happenings.append((asked, what, life))
            if cancelled:
                del walls[day]
            else:
                walls[day] = changed
        rule = oracle.around(series.series_id, walls.items(), 1, time(18))
        await here.schedule(life.pair, rule.text, at=START, reminder=timedelta())
        life.rules.append(rule)

    def _pauses(self, life: Life) -> None:
        begins = START
        for _ in range(self.dice.randrange(3)):
            begins = self._awake()
            if any(pause.begins - DAY < begins < pause.ends + DAY for pause in life.pauses):
                continue
            by_itself = self.dice.random() < 0.5
            ends = _minute(begins + self.dice.uniform(0.1, 9) * DAY)
            away = [outage for outage in self.outages if begins < outage[0] < begins + 9 * DAY]
            if not by_itself:
                ends = oracle.awake(ends, self.outages) + SOON
            elif away:  # it ends while the bot is away
                ends = _minute(away[0][0] + self.dice.random() * (away[0][1] - away[0][0]))
            if any(begins < pause.ends and pause.begins < ends + DAY for pause in life.pauses):
                continue
            life.pauses.append(oracle.Pause(begins=begins, ends=ends, by_itself=by_itself))
            self.happenings.append((begins, f"pause {ends.isoformat()}" if by_itself else "pause", life))
            if not by_itself:
                self.happenings.append((ends, "resume", life))

    def _travel(self, life: Life) -> None:
        """To another zone and back, for a while."""
        there = self.dice.choice([zone for zone in ZONES if zone != life.pair.timezone])
        leaves = self._awake()
        returns = oracle.awake(leaves + 20 * DAY, self.outages) + SOON
        for at, zone in ((leaves, there), (returns, life.pair.timezone)):
            life.zones.append((at, ZoneInfo(zone)))
            self.happenings.append((at, f"zone {zone}", life))

    async def happen(self, here: Practice) -> int:
        """Let the year pass: wake when something is due, as the alarm does, but not while the bot is away."""
        coming = iter(sorted(self.happenings, key=lambda each: each[0]))
        happening = next(coming, None)
        at, looks = START, 0
        while at < END:
            ends = oracle.awake(at, self.outages)
            if ends > at:  # away, then started again
                here, at = Practice(store=here.store), ends
                continue
            while happening is not None and happening[0] <= at:
                await self._happens(here, *happening)
                happening = next(coming, None)
            following = await here.look(at)
            looks += 1
            if self.dice.random() < 0.3:
                await self._answers(here)
            if self.dice.random() < 0.02:
                here = Practice(store=here.store)
            known = [each for each in (following, happening and happening[0]) if each is not None]
            at = min(max(min(known, default=END), at + TICK), END)
        return looks

    async def _happens(self, here: Practice, at: datetime, what: str, life: Life) -> None:
        word, *rest = what.split(" ")
        if word == "pause":
            until = datetime.fromisoformat(rest[0]) if rest else None
            await here.happen(life.pair, PairEvent.PAUSE, at=at, until=until, by="client")
            return
        if word == "resume":
            await here.happen(life.pair, PairEvent.RESUME, at=at)
            return
        async with here.store.transaction() as tx:
            pair = await tx.pairs.get(life.pair.pair_id)
            assert pair is not None
            if word == "zone":
                await here.schedules.change_zone(tx, pair, rest[0], at=at)
                return
            booking = await session_on(tx, pair, date.fromisoformat(rest[0]), at=at)
            if word == "cancel":
                await cancel_booking(tx, pair, booking, at=at)
            else:
                await move_booking(tx, pair, booking, datetime.fromisoformat(rest[1]), at=at)

    async def _answers(self, here: Practice) -> None:
        """Somebody answers some of the newest prompts; that must not change what comes."""
        life = self.dice.choice(self.lives)
        async with here.store.transaction() as tx:
            newest = await tx.deliveries.recent(life.pair.pair_id, 6)
        for delivery in newest:
            if delivery.state is DeliveryState.POSTED and self.dice.random() < ANSWERED:
                await here.answer(delivery)


def _minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def check(life: Life, deliveries: list[Delivery], numbers: dict[str, int], year: Year) -> list[str]:
    """Compare what a pair got with what the oracle says; return what became of its occurrences."""
    got = {(numbers[each.schedule_id or ""], each.occurrence): each for each in deliveries}
    assert len(got) == len(deliveries), "something came twice"
    expected = [
        each
        for number, rule in enumerate(life.rules, start=1)
        if number != life.windows
        for each in oracle.dues(number, rule, life.zones, END)
        if each.due < END
    ]
    drawn = [each for key, each in got.items() if key[0] == life.windows]
    expected += check_draws(life, drawn)
    assert {(each.schedule, each.key): each.due for each in expected} == {key: each.due for key, each in got.items()}
    ends = {key: each.skip_reason or "posted" for key, each in got.items()}
    assert ends == oracle.outcomes(expected, life.zones, life.pauses, year.outages)
    return list(ends.values())


def check_draws(life: Life, drawn: list[Delivery]) -> Iterator[oracle.Expected]:
    """Random times: as many as the rule says on each date, in the window, apart, never in quiet hours."""
    zone = life.zones[0][1]
    by_day: dict[date, list[datetime]] = {}
    for each in sorted(drawn, key=lambda one: one.due):
        local = each.due.astimezone(zone)
        assert each.occurrence.startswith(f"{local.date()}#")
        assert time(19) <= local.time() < oracle.QUIET_FROM
        by_day.setdefault(local.date(), []).append(each.due)
        yield oracle.Expected(due=each.due, schedule=life.windows, key=each.occurrence, seldom=False, chosen=False)
    for dues in by_day.values():
        assert all(later - earlier >= timedelta(minutes=45) for earlier, later in pairwise(dues))
    if life.windows:
        whole = [day for day in oracle.days() if date(2027, 1, 2) <= day <= date(2027, 12, 30)]
        whole = [day for day in whole if oracle.WEEK[day.weekday()] in ("mon", "wed", "fri")]
        assert all(len(by_day[day]) == 2 for day in whole)


async def simulate(directory: Path, *, seed: int, pairs: int) -> None:
    """Let a year happen and compare."""
    began = clocks.process_time()
    async with practice(directory) as here:
        year = Year(seed, pairs=pairs)
        await year.begin(here)
        looks = await year.happen(here)
        compared: Counter[str] = Counter()
        for life in year.lives:
            async with here.store.transaction() as tx:
                numbers = {each.schedule_id: each.number for each in await tx.schedules.of_pair(life.pair.pair_id)}
            compared.update(check(life, await here.deliveries(life.pair), numbers, year))
    print(f"{pairs} pairs, {dict(compared)}, {looks} looks, {clocks.process_time() - began:.1f} s of CPU")
    assert compared.total() > 100 * pairs  # else the year was too quiet to show anything
    assert compared.keys() == {"posted", "late", "paused", "cap", "quiet"}


async def test_a_simulated_year(tmp_path: Path) -> None:
    """Every occurrence is sent or skipped for the reason that the oracle gives, and none twice."""
    await simulate(tmp_path, seed=1, pairs=12)


@pytest.mark.slow
async def test_a_simulated_year_of_a_large_practice(tmp_path: Path) -> None:
    """Two hundred pairs."""
    await simulate(tmp_path, seed=2, pairs=200)
