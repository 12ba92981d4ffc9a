"""What is decided about a schedule at an instant, and when it is looked at next."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.core.pairs import PairState
from bot.core.people import Draw, Pair, Schedule
from bot.core.planning import NEVER, Case, Outcome, asks_fit, parse_reminder, plan, reminds, upcoming
from bot.core.sessions import SessionPlan, SessionSeries, cancel_session, move_session
from bot.errors import ScheduleError

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    """A local time in Berlin: "23. 20:00" in November 2026, a Monday."""
    day, clock = text.split()
    hour, minute = clock.split(":")
    return datetime(2026, 11, int(day.rstrip(".")), int(hour), int(minute), tzinfo=BERLIN).astimezone(UTC)


def case(
    rule: str = "daily 20:00", after: str = "22. 20:00", *, pair: dict[str, Any] | None = None, **changes: Any
) -> Case:
    """A schedule of a pair that is well; `pair` changes the pair, other names the case or else the schedule."""
    known = Pair(
        pair_id="p1",
        number=1,
        client="@client:hs",
        therapist="@therapist:hs",
        client_name="Alex",
        therapist_name="Lee",
        timezone="Europe/Berlin",
        language="en",
        country="DE",
        word="heron",
        state=PairState.ACTIVE,
        paused=False,
        therapist_gone=False,
        created_at=at("1. 10:00"),
    )
    schedule = Schedule(
        schedule_id="s1",
        number=1,
        pair_id="p1",
        prompt_id="mood",
        rule=rule,
        timezone=None,
        goal_id=None,
        created_at=at("1. 10:00"),
        after=at(after),
    )
    of_case = {name: changes.pop(name) for name in list(changes) if name in Case.__slots__}
    return Case(
        **{
            "schedule": replace(schedule, **changes),
            "pair": replace(known, **(pair or {})),
            "grace": None,
            "expires": None,
            **of_case,
        }
    )


def skips(outcomes: tuple[Outcome, ...]) -> list[str | None]:
    """What became of each."""
    return [each.skip and each.skip.value for each in outcomes]


def local(instant: datetime | None) -> str | None:
    """An instant as `at` reads it."""
    return f"{instant.astimezone(BERLIN):%d. %H:%M}" if instant else None


def test_nothing_happens_before_it_is_due() -> None:
    """The schedule is decided up to now, and is looked at when it is due."""
    planned = plan(case(), at=at("23. 19:59"))
    assert planned.outcomes == ()
    assert planned.schedule.after == at("23. 19:59")
    assert planned.schedule.next_due == at("23. 20:00")


def test_what_is_due_is_posted_once() -> None:
    """With its key, until when it may leave, and until when an answer is in time."""
    planned = plan(case(), at=at("23. 20:00"))
    [outcome] = planned.outcomes
    assert (outcome.occurrence.key, outcome.skip) == ("2026-11-23T20:00", None)
    assert (local(outcome.not_after), local(outcome.expires_at)) == ("23. 22:00", "24. 20:00")
    assert planned.schedule.next_due == at("24. 20:00")
    assert plan(replace(case(), schedule=planned.schedule), at=at("23. 20:01")).outcomes == ()


def test_of_several_missed_the_newest_is_sent() -> None:
    """The older ones are on record as late, the newest too once its grace is over."""
    assert skips(plan(case(after="20. 20:00"), at=at("23. 21:00")).outcomes) == ["late", "late", None]
    assert skips(plan(case(after="20. 20:00"), at=at("23. 22:00")).outcomes) == ["late"] * 3


@pytest.mark.parametrize(("own", "expected"), [(None, "late"), (3 * HOUR, None)])
def test_the_prompts_own_grace_counts(own: timedelta | None, expected: str | None) -> None:
    """Two hours is the default of what comes daily."""
    late = case("daily 12:00", "22. 12:00", grace=own)
    assert skips(plan(late, at=at("23. 14:30")).outcomes) == [expected]


def test_what_comes_weekly_may_be_later() -> None:
    """Twelve hours, but never into the night."""
    weekly = case("mon 10:00", "22. 12:00")
    assert skips(plan(weekly, at=at("23. 21:00")).outcomes) == [None]
    assert skips(plan(weekly, at=at("23. 21:45")).outcomes) == ["quiet"]
    assert skips(plan(weekly, at=at("23. 22:00")).outcomes) == ["late"]


def test_a_prompt_expires_when_the_next_one_comes() -> None:
    """Unless its file says when; the last one of a rule has twenty hours."""
    assert local(plan(case("mon, thu 10:00"), at=at("23. 10:00")).outcomes[0].expires_at) == "26. 10:00"
    own = case("mon, thu 10:00", expires=2 * HOUR)
    assert local(plan(own, at=at("23. 10:00")).outcomes[0].expires_at) == "23. 12:00"
    last = case("daily 10:00 from 2026-11-01 until 2026-11-23")
    planned = plan(last, at=at("23. 10:00"))
    assert local(planned.outcomes[0].expires_at) == "24. 06:00"
    assert planned.schedule.next_due == NEVER


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ({"state": PairState.ENDED}, "ended"),
        ({"state": PairState.WITHDRAWN}, "ended"),
        ({"state": PairState.INVITED}, "not_joined"),
        ({"state": PairState.LEFT}, "not_joined"),
        ({"therapist_gone": True}, "not_joined"),
        ({"state": PairState.LOST}, "refused"),
        ({"paused": True}, "paused"),
        ({"paused": True, "paused_until": at("23. 20:01")}, "paused"),
        ({"paused": True, "paused_until": at("23. 20:00")}, None),
        ({"daily_cap": 0}, "cap"),
    ],
)
def test_people_decide(pair: dict[str, Any], expected: str | None) -> None:
    """How the pair stands is why nothing comes, and that is on record; a pause ends at its instant."""
    assert skips(plan(case(pair=pair), at=at("23. 20:00")).outcomes) == [expected]


def test_the_end_is_said_once() -> None:
    """After the end of the work the next occurrence is on record as ended, and the schedule is not looked at again."""
    planned = plan(case(pair={"state": PairState.ENDED}), at=at("23. 20:00"))
    assert planned.schedule.next_due == NEVER


def test_what_the_client_refused_never_comes() -> None:
    """It leaves no skips behind and is not looked at again."""
    refused = case(after="10. 20:00", refused=True)
    assert plan(refused, at=at("23. 20:00")).outcomes == ()
    assert plan(refused, at=at("23. 20:00")).schedule.next_due == NEVER
    assert upcoming(refused, at=at("23. 20:00"), count=3) == ()


def test_the_clients_own_rule_counts() -> None:
    """What the client thinned out or moved stands before what the therapist set."""
    own = case("daily 20:00", client_rule="mon 19:00")
    assert [local(each.due) for each in upcoming(own, at=at("23. 12:00"), count=2)] == ["23. 19:00", "30. 19:00"]


def test_the_daily_cap_counts_the_clients_day() -> None:
    """Three first posts a day, across schedules; yesterday's count nothing."""
    today = [at("23. 08:00"), at("23. 12:00")]
    assert skips(plan(case(posted=[*today, at("22. 23:59")]), at=at("23. 20:00")).outcomes) == [None]
    assert skips(plan(case(posted=[*today, at("23. 00:00")]), at=at("23. 20:00")).outcomes) == ["cap"]
    tokyo = case(timezone="Asia/Tokyo", rule="daily 09:00", after="22. 12:00", posted=[at("23. 00:30")] * 3)
    assert skips(plan(tokyo, at=at("23. 01:00")).outcomes) == ["cap"]


def test_a_wall_time_that_a_person_set_is_kept_at_night() -> None:
    """In its minute it comes; later it would be the bot's choice."""
    night = case("daily 23:00", "22. 23:00")
    assert skips(plan(night, at=at("23. 23:00") + timedelta(seconds=59)).outcomes) == [None]
    assert skips(plan(night, at=at("23. 23:01")).outcomes) == ["quiet"]
    assert skips(plan(case("daily 23:00", "22. 23:00", pair={"quiet": "none"}), at=at("23. 23:01")).outcomes) == [None]


def test_quiet_hours_are_the_clients() -> None:
    """A schedule that follows another zone does not wake anybody when it is late."""
    new_york = case("daily 17:00", "22. 23:00", timezone="America/New_York")
    assert skips(plan(new_york, at=at("23. 23:00")).outcomes) == [None]
    assert skips(plan(new_york, at=at("23. 23:05")).outcomes) == ["quiet"]


def sessions(first: str = "24. 09:00") -> SessionSeries:
    """A weekly session in Berlin."""
    plan = SessionPlan(first=at(first).astimezone(BERLIN).replace(tzinfo=None), weeks=1)
    return SessionSeries(series_id="a1", plan=plan, zone="Europe/Berlin")


def test_an_offset_from_a_session_is_the_bots_choice() -> None:
    """Where it falls into the night nothing comes; a time of day that a person named is kept."""
    at_night = case("session -2 h", sessions=[sessions("24. 09:00")])
    assert skips(plan(at_night, at=at("24. 07:00")).outcomes) == ["quiet"]
    named = case("session -1 day 23:00", sessions=[sessions("24. 09:00")])
    assert skips(plan(named, at=at("23. 23:00")).outcomes) == [None]


def test_what_hangs_on_a_session_moves_with_it() -> None:
    """It has the session's name, so that it cannot come twice; a cancelled session takes it along."""
    series = sessions("24. 10:00")
    around = case("session -1 day 18:00", sessions=[series])
    [first] = plan(around, at=at("23. 18:00")).outcomes
    moved = move_session(series, date(2026, 11, 24), datetime(2026, 11, 26, 15))  # noqa: DTZ001 - a wall time
    [again] = plan(replace(around, sessions=[moved]), at=at("25. 18:00")).outcomes
    assert first.occurrence.key == again.occurrence.key == "a1:2026-11-24"
    cancelled = cancel_session(series, date(2026, 11, 24))
    assert local(upcoming(replace(around, sessions=[cancelled]), at=at("23. 12:00"), count=1)[0].due) == "30. 18:00"


def test_without_a_session_nothing_is_planned() -> None:
    """A change of the sessions has it planned anew."""
    assert plan(case("session -1 day 18:00"), at=at("23. 12:00")).schedule.next_due == NEVER


def test_what_is_far_away_is_looked_at_again() -> None:
    """Nothing is fixed more than two days ahead; what comes sooner is looked at when it is due."""
    assert local(plan(case("fri 18:00"), at=at("23. 12:00")).schedule.next_due) == "25. 18:00"
    assert local(plan(case("fri 18:00"), at=at("25. 18:00")).schedule.next_due) == "27. 18:00"


def test_random_times_are_drawn_for_today_and_tomorrow() -> None:
    """Once: what was drawn stays, and what comes next is among it."""
    random = case("3 times between 10:00 and 20:00, 90 min apart", "23. 00:00")
    planned = plan(random, at=at("23. 09:00"))
    assert [draw.day for draw in planned.draws] == [date(2026, 11, 23), date(2026, 11, 24)]
    assert planned.schedule.next_due == planned.draws[0].times[0]
    drawn = {draw.day: draw.times for draw in planned.draws}
    again = plan(replace(random, drawn=drawn, schedule=planned.schedule), at=planned.draws[0].times[0])
    assert skips(again.outcomes) == [None]
    assert again.outcomes[0].occurrence.key == "2026-11-23#1"
    assert again.draws == ()
    assert again.schedule.next_due == planned.draws[0].times[1]


def test_what_was_drawn_stays_whatever_the_rule_becomes_and_moves_with_the_zone() -> None:
    """A traveller gets the rest of the day's draws at the same wall times."""
    made = tuple(datetime(2026, 11, 23, hour, 5, tzinfo=BERLIN) for hour in (10, 14, 18))
    random = case("3 times between 10:00 and 20:00", "23. 12:00", drawn={date(2026, 11, 23): made})
    assert [local(each.due) for each in upcoming(random, at=at("23. 12:00"), count=2)] == ["23. 14:05", "23. 18:05"]
    abroad = replace(random, pair=replace(random.pair, timezone="America/New_York"))
    found = upcoming(abroad, at=at("23. 12:00"), count=3)
    assert [f"{each.local:%H:%M}" for each in found] == ["10:05", "14:05", "18:05"]
    assert [each.key for each in found] == ["2026-11-23#1", "2026-11-23#2", "2026-11-23#3"]


def test_random_times_keep_clear_of_quiet_hours() -> None:
    """Also of hours that became quiet after the draw; a window that is quiet altogether never comes."""
    evening = case("5 times between 20:00 and 23:00, 10 min apart", "23. 00:00")
    [today, _] = plan(evening, at=at("23. 09:00")).draws
    assert all(each.strftime("%H:%M") < "21:30" for each in today.times)
    made = (datetime(2026, 11, 23, 21, tzinfo=BERLIN),)
    earlier = case(
        "once between 20:00 and 22:00", "23. 00:00", drawn={date(2026, 11, 23): made}, pair={"quiet": "20:00-08:00"}
    )
    assert skips(plan(earlier, at=at("23. 21:00")).outcomes) == ["quiet"]
    never = case("once between 20:00 and 22:00", "23. 00:00", pair={"quiet": "19:00-08:00"})
    assert plan(never, at=at("23. 09:00")).schedule.next_due == NEVER


def test_another_conversation_is_let_finish() -> None:
    """What would be posted waits and is looked at every minute; the older ones are decided."""
    busy = case(after="20. 20:00", busy_until=at("23. 20:25"))
    planned = plan(busy, at=at("23. 20:00"))
    assert skips(planned.outcomes) == ["late", "late"]
    assert planned.schedule.waited_until == at("23. 20:00")
    assert planned.schedule.next_due == at("23. 20:01")
    free = case(schedule=planned.schedule)
    [posted] = plan(free, at=at("23. 20:01")).outcomes
    assert posted.occurrence.key == "2026-11-23T20:00"
    assert plan(free, at=at("23. 20:01")).schedule.waited_until is None


def test_waiting_is_no_lateness() -> None:
    """The grace counts from the end of the wait, and so does the time by which it must have left."""
    waits = case("daily 12:00", "22. 12:00", busy_until=at("23. 14:00"))
    schedule = waits.schedule
    now = at("23. 12:00")
    while now < at("23. 14:00"):
        schedule = plan(replace(waits, schedule=schedule), at=now).schedule
        now += MINUTE
    [outcome] = plan(case(schedule=schedule), at=at("23. 14:30")).outcomes
    assert (outcome.skip, local(outcome.not_after)) == (None, "23. 15:59")
    assert skips(plan(case(schedule=schedule), at=at("23. 16:00")).outcomes) == ["late"]
    # Without having waited it would be late by now.
    assert skips(plan(case("daily 12:00", "22. 12:00"), at=at("23. 14:30")).outcomes) == ["late"]


def test_what_is_skipped_does_not_wait() -> None:
    """A pause is on record at once, whatever the client is doing."""
    assert skips(plan(case(pair={"paused": True}, busy_until=at("23. 21:00")), at=at("23. 20:00")).outcomes) == [
        "paused"
    ]


def test_who_waits_into_the_night_is_left_in_peace() -> None:
    """After the wait it would be late, and late prompts do not come in quiet hours."""
    waited = case("daily 21:20", "22. 21:20", waited_until=at("23. 21:40"))
    assert skips(plan(waited, at=at("23. 21:41")).outcomes) == ["quiet"]


@pytest.mark.parametrize(
    ("rule", "now", "changes", "expected"),
    [
        ("daily 12:00", "23. 12:00", {}, "23. 15:00"),
        ("daily 12:00", "23. 12:00", {"reminder": 2 * HOUR}, "23. 14:00"),
        ("daily 12:00", "23. 12:00", {"reminder": timedelta()}, None),
        ("daily 20:00", "23. 20:00", {}, None),  # 23:00 is quiet
        ("daily 12:00, 14:00", "23. 12:00", {}, None),  # by then the next one is there
    ],
)
def test_one_reminder(rule: str, now: str, changes: dict[str, Any], expected: str | None) -> None:
    """After three hours, or as the schedule says; none at night and none after the prompt's own time."""
    [outcome] = plan(case(rule, "22. 23:00", **changes), at=at(now)).outcomes
    assert local(outcome.remind_at) == expected


def test_a_reminder_is_posted_in_its_time_or_not_at_all() -> None:
    """Not an hour late, not while paused, not in the night, not after the prompt's time."""
    pair, due = case().pair, at("23. 15:00")

    def posted(now: str, expires: str = "24. 12:00", **changes: Any) -> bool:
        return reminds(replace(pair, **changes), due=due, expires_at=at(expires), at=at(now))

    assert posted("23. 15:00")
    assert not posted("23. 16:00")
    assert not posted("23. 15:00", expires="23. 15:00")
    assert not posted("23. 15:00", paused=True)
    assert not posted("23. 15:00", quiet="14:00-08:00")


def test_reminders_are_written_as_people_say_them() -> None:
    """A length of time, or none."""
    assert (parse_reminder(" None "), parse_reminder("2h")) == (timedelta(), 2 * HOUR)
    with pytest.raises(ScheduleError, match="length of time"):
        parse_reminder("soon")


@pytest.mark.parametrize(
    ("unanswered", "asked", "expected"),
    [(2, None, False), (3, None, True), (9, None, True), (9, 13, False), (9, 14, True)],
)
def test_after_three_unanswered_the_client_is_asked(unanswered: int, asked: int | None, expected: bool) -> None:
    """At most once in 14 days."""
    now = at("23. 20:00")
    schedule = case(asked_fit_at=None if asked is None else now - asked * DAY).schedule
    assert asks_fit(schedule, unanswered, at=now) is expected
    assert not asks_fit(replace(schedule, refused=True), unanswered, at=now)


def test_a_clock_that_went_back_decides_nothing_twice() -> None:
    """What was decided stays so."""
    planned = plan(case(), at=at("23. 20:05"))
    back = plan(replace(case(), schedule=planned.schedule), at=at("23. 19:55"))
    assert (back.outcomes, back.schedule.after, back.schedule.next_due) == ((), at("23. 20:05"), at("24. 20:00"))


def test_a_draw_is_no_secret_but_its_schedules_own() -> None:
    """Two schedules with one rule have different times; the same schedule always the same."""
    rule = "3 times between 10:00 and 20:00"
    draws: list[Draw] = []
    for name in ("s1", "s2", "s1"):
        draws += plan(case(rule, "23. 00:00", schedule_id=name), at=at("23. 09:00")).draws[:1]
    assert draws[0] == draws[2]
    assert draws[0].times != draws[1].times
