"""Rules as people write them, and lengths of time."""

import re
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from time import process_time

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.durations import parse_duration
from bot.core.recurrence import CalendarRule, walls
from bot.core.schedules import parse_calendar_rule, parse_rule
from bot.core.sessions import parse_session
from bot.errors import ScheduleError
from tests.core.example_rules import FIRST, LAST, RFC, calendar_rules, written

SATURDAY = datetime(2026, 11, 28, 12, 0)  # noqa: DTZ001 - the wall time at which the rules below are written


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("daily 20:00", "daily 20:00"),
        ("Daily at 9:05", "daily 09:05"),
        ("every day 07:00", "daily 07:00"),
        ("fri 18:00", "fri 18:00"),
        ("friday 18:00", "fri 18:00"),
        ("fridays 18:00", "fri 18:00"),
        ("every friday at 18:00", "fri 18:00"),
        ("weekly on fri 18:00", "fri 18:00"),
        ("  FRIDAYS   18:00 ", "fri 18:00"),
        ("mon, thu 09:00", "mon, thu 09:00"),
        ("thu,mon 09:00", "mon, thu 09:00"),
        ("Mondays and Thursdays at 09:00", "mon, thu 09:00"),
        ("mon, wed, and fri 09:00", "mon, wed, fri 09:00"),
        ("mon mon 09:00", "mon 09:00"),
        ("weekdays 20:00", "weekdays 20:00"),
        ("every weekday 20:00", "weekdays 20:00"),
        ("mon tue wed thu fri 20:00", "weekdays 20:00"),
        ("weekends 10:00", "sat, sun 10:00"),
        ("daily 00:00", "daily 00:00"),
        # several times a day
        ("daily 09:00, 21:00", "daily 09:00, 21:00"),
        ("daily 21:00 and 9:00", "daily 09:00, 21:00"),
        ("mon,thu 09:00,13:30 and 21:00", "mon, thu 09:00, 13:30, 21:00"),
        ("daily 09:00 09:00", "daily 09:00"),
        # what counts begins at its first time, which is strictly later than it was written
        ("every 2 weeks fri 18:00", "every 2 weeks fri 18:00 from 2026-12-04"),
        ("fri 18:00 every 2 weeks", "every 2 weeks fri 18:00 from 2026-12-04"),
        ("every other week on sat at 12:00", "every 2 weeks sat 12:00 from 2026-12-05"),
        ("every 2 weeks sat 12:01", "every 2 weeks sat 12:01 from 2026-11-28"),
        ("every 2 weeks mon, fri 18:00", "every 2 weeks mon, fri 18:00 from 2026-11-30"),
        ("every 2 weeks weekdays 20:00", "every 2 weeks mon, tue, wed, thu, fri 20:00 from 2026-11-30"),
        ("every 1 week fri 18:00", "fri 18:00"),
        ("every 3 days 09:00", "every 3 days 09:00 from 2026-11-29"),
        ("every 3 days 21:00", "every 3 days 21:00 from 2026-11-28"),
        ("every 3 days 09:00, 21:00", "every 3 days 09:00, 21:00 from 2026-11-28 21:00"),
        ("every 2 months 1 10:00", "every 2 months 1 10:00 from 2026-12-01"),
        ("every other month last fri 16:00", "every 2 months last fri 16:00 from 2026-12-25"),
        # months
        ("monthly 1 10:00", "monthly 1 10:00"),
        ("monthly on the 1st and the 15th at 10:00", "monthly 1, 15 10:00"),
        ("monthly 15, 1 10:00", "monthly 1, 15 10:00"),
        ("every month last fri 16:00", "monthly last fri 16:00"),
        ("monthly 2nd tue 10:00", "monthly 2nd tue 10:00"),
        ("monthly second Tuesday 10:00", "monthly 2nd tue 10:00"),
        ("monthly last mon, first mon 10:00", "monthly 1st mon, last mon 10:00"),
        ("monthly last day 18:00", "monthly last day 18:00"),
        ("monthly 2nd last day 18:00", "monthly 2nd last day 18:00"),
        ("monthly 2nd last fri 18:00", "monthly 2nd last fri 18:00"),
        # start, end, number of times
        ("daily 20:00 from 2026-12-01", "daily 20:00 from 2026-12-01"),
        ("fri 18:00, starting 2026-12-01, until 2027-03-01", "fri 18:00 from 2026-12-04 until 2027-03-01"),
        ("daily 20:00 until 2027-03-01", "daily 20:00 until 2027-03-01"),
        ("daily 20:00 till 2027-03-01 12:00", "daily 20:00 until 2027-03-01 12:00"),
        ("daily 20:00 until 2027-03-01 23:59", "daily 20:00 until 2027-03-01"),
        ("daily 20:00 10 times", "daily 20:00 from 2026-11-28 10 times"),
        ("daily 09:00, 21:00 for 10 times", "daily 09:00, 21:00 from 2026-11-28 21:00 10 times"),
        ("fri 18:00 10 times from 2026-12-01", "fri 18:00 from 2026-12-04 10 times"),
        ("every 2 weeks fri 18:00 from 2026-11-28", "every 2 weeks fri 18:00 from 2026-12-04"),
        ("fri 18:00 1 time", "fri 18:00 from 2026-12-04 1 time"),
        # RFC 5545: weeks are counted from the week of the start
        ("RRULE:FREQ=DAILY;BYHOUR=20;BYMINUTE=0", "daily 20:00"),
        ("freq=daily;byhour=9,21", "daily 09:00, 21:00"),
        ("FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9;BYMINUTE=0,30", "mon, thu 09:00, 09:30"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=20", "weekdays 20:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR;BYHOUR=18", "every 2 weeks fri 18:00 from 2026-12-11"),
        ("DTSTART:20261128 FREQ=WEEKLY;INTERVAL=2;BYDAY=FR;BYHOUR=18", "every 2 weeks fri 18:00 from 2026-12-11"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR 18:00 from 2026-12-03", "every 2 weeks fri 18:00 from 2026-12-04"),
        ("DTSTART:20261204T180000\nRRULE:FREQ=WEEKLY;INTERVAL=2", "every 2 weeks fri 18:00 from 2026-12-04"),
        ("DTSTART;VALUE=DATE:20261201 RRULE:FREQ=MONTHLY;BYHOUR=10", "monthly 1 10:00 from 2026-12-01"),
        ("FREQ=MONTHLY;DTSTART=20261231;BYHOUR=10", "monthly 31 10:00 from 2026-12-31"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU;BYHOUR=9",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU 09:00 from 2026-12-06",
        ),
        ("FREQ=WEEKLY;BYDAY=SU,MO;WKST=SU;BYHOUR=9", "mon, sun 09:00"),
        ("FREQ=MONTHLY;BYDAY=-1FR,2TU;BYHOUR=16", "monthly 2nd tue, last fri 16:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1,15;BYHOUR=16", "monthly 15, last day 16:00"),
        ("FREQ=MONTHLY;BYDAY=FR;BYHOUR=16", "fri 16:00"),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=FR;BYHOUR=16", "FREQ=MONTHLY;INTERVAL=2;BYDAY=FR 16:00 from 2027-01-01"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;BYHOUR=9", "FREQ=MONTHLY;INTERVAL=1;BYDAY=FR;BYMONTHDAY=13 09:00"),
        ("FREQ=DAILY;BYHOUR=9;COUNT=5", "daily 09:00 from 2026-11-29 5 times"),
        ("FREQ=DAILY;BYHOUR=9;UNTIL=20270301", "daily 09:00 until 2027-03-01"),
        ("FREQ=DAILY;BYHOUR=9;UNTIL=20270301T120000", "daily 09:00 until 2027-03-01 12:00"),
        ("FREQ=DAILY;BYHOUR=9;UNTIL=20270301T120000Z", "daily 09:00 until 2027-03-01 12:00Z"),
        # windows and sessions
        ("3 times between 10:00 and 20:00, 90 min apart", "3 times between 10:00 and 20:00, 90 min apart"),
        ("Weekdays three times between 10:00 and 20:00", "weekdays 3 times between 10:00 and 20:00, 30 min apart"),
        ("mon, fri twice a day between 9:00 and 20:00, at least 1 h apart until 2027-03-01",
         "mon, fri 2 times between 09:00 and 20:00, 60 min apart until 2027-03-01"),
        ("daily 1 time between 10:00 and 20:00 from 2026-12-01", "once between 10:00 and 20:00 from 2026-12-01"),
        ("session -1 day 18:00", "session -1 day 18:00"),
        ("session −1 day at 18:00", "session -1 day 18:00"),
        ("-1 day 18:00", "session -1 day 18:00"),
        ("+24 h", "session +24 h"),
        ("session - 2h", "session -2 h"),
        ("session +120 min", "session +2 h"),
        ("session -90 minutes", "session -90 min"),
        ("2 days before the session", "session -2 days"),
        ("day after session at 09:00", "session +1 day 09:00"),
        ("session -1 week 09:00", "session -7 days 09:00"),
        ("session day 08:00", "session +0 days 08:00"),
    ],
)  # fmt: skip
def test_spellings_have_one_canonical_form(written: str, canonical: str) -> None:
    """Every spelling of a rule reads as the same rule, whose text is one, and reads back without a clock."""
    rule = parse_rule(written, local=SATURDAY)
    assert rule.text == canonical
    assert parse_rule(rule.text) == rule


@settings(max_examples=500, deadline=None)
@given(calendar_rules())
def test_text_reads_back(rule: CalendarRule) -> None:
    """A stored rule is the same rule, whenever it is read, and in any case."""
    assert parse_rule(rule.text) == rule
    assert parse_rule(rule.text.upper()) == rule


@settings(max_examples=300, deadline=None)
@given(RFC, st.datetimes(FIRST, LAST), st.sampled_from(["", ";COUNT=7", ";UNTIL=20400601T030000"]))
def test_an_rrule_means_what_dateutil_reads(text: str, local: datetime, end: str) -> None:
    """The wall times are those of the whole RRULE, expanded from the moment at which it was written."""
    local = local.replace(second=0, microsecond=0)
    if "BYMINUTE" not in text:
        text += ";BYMINUTE=0"
    start = local + timedelta(minutes=1)
    hoped = list(islice(rrulestr(f"{text}{end};BYSECOND=0", dtstart=start), 12))
    if not hoped or hoped[0] > start + timedelta(days=3653):
        with pytest.raises(ScheduleError, match="no such date within ten years"):
            parse_calendar_rule(text + end, local=local)
        return
    rule = parse_calendar_rule(text + end, local=local)
    named = (wall for wall in walls(rule, start.date()) if wall >= start)
    assert list(islice(named, min(12, rule.count or 12))) == hoped


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "needs days and a time"),
        ("20:00", "needs days and a time"),
        ("daily", "needs days and a time"),
        ("tomorrow evening", "needs days and a time"),
        ("daily 8pm", '"8pm" is not a time of day'),
        ("daily 24:00", '"24:00" is not a time of day'),
        ("daily 20:60", '"20:60" is not a time of day'),
        ("daily 20:00:00", '"20:00:00" is not a time of day'),
        ("daily 09:00, 25:00", '"25:00" is not a time of day'),
        ("daily ٢٠:٠٠", "is not a time of day"),
        ("1 09:00", '"1": days are named, never numbered'),
        ("1-5 09:00", '"1-5": days are named, never numbered'),
        ("mon, 3 09:00", '"3": days are named, never numbered'),
        ("every 2 weeks 5 09:00", '"5": days are named, never numbered'),
        ("fryday 18:00", '"fryday" is not a day of the week'),
        ("daily, fri 18:00", '"daily" is not a day of the week'),
        (", 18:00", "needs days and a time"),
        ("every 0 days 09:00", "every 1 to 366 days, weeks or months, not every 0"),
        ("every 400 days 09:00", "not every 400"),
        ("daily 20:00 0 times", "1 to 1000 times in all"),
        ("daily 20:00 1001 times", "1 to 1000 times in all"),
        ("daily " + ", ".join(f"{hour:02}:{half}" for hour in range(13) for half in ("00", "30")), "at most 24 times"),
        ("0 9 * * 1", "is a cron line"),
        ("*/5 * * * *", "is a cron line"),
        ("0 20 * * MON-FRI", "is a cron line"),
        ("@daily", "is a cron line"),
        ("daily 20:00 " + "and " * 100, "at most 300 characters"),
        ("fri 18:00 from 2026-12-01 until 2027-03-01 until 2027-04-01", "says twice where it starts or ends"),
        ("fri 18:00 3 times 4 times", "says twice how many times"),
    ],
)
def test_refusals_name_what_was_wrong(written: str, says: str) -> None:
    """What cannot be read is refused with the wrong part and an example."""
    with pytest.raises(ScheduleError) as refused:
        parse_rule(written, local=SATURDAY)
    assert says in str(refused.value)
    assert "daily 20:00" in str(refused.value) or "twice" in says


def test_the_rules_of_the_readme_are_read() -> None:
    """Whoever copies a rule from the README has one that works."""
    table = (Path(__file__).parents[2] / "README.md").read_text().partition("| rule | comes |")[2].partition("\n\n")[0]
    rules = [rule for row in table.splitlines() for rule in re.findall(r"`([^`]+)`", row.partition(" | ")[0])]
    assert len(rules) > 12
    for rule in rules:
        parse_rule(rule, local=SATURDAY)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("every 2 weeks 18:00", 'On which day of the week? Write for example "every 2 weeks fri 18:00".'),
        ("every 3 days fri 09:00", '"fri" does not go with every so many days.'),
        ("monthly 10:00", '"" is not a day of the month.'),
        ("monthly 0 10:00", '"0" is not a day of the month.'),
        ("monthly 32 10:00", '"32" is not a day of the month.'),
        ("monthly 6th fri 10:00", '"6th fri" is not a day of the month.'),
        ("monthly fri 10:00", 'Which fri of the month? Write for example "monthly first fri 10:00".'),
        ("monthly 1, last fri 10:00", "Days of the month and days of the week do not go together"),
        ("daily 20:00 from tomorrow", '"tomorrow" is not a date. Write year, month and day'),
        ("daily from 10:00 to 20:00", '"10:00" is not a date.'),
        ("daily 20:00 until 2027-02-30", '"2027-02-30" is not a date.'),
        ("daily 20:00 from 9999-01-01", '"9999-01-01" is not a date.'),
        ("daily 20:00 until 2027-03-01 5 times", "at a date or after a number of times, not both"),
        ("daily 20:00 from 2027-01-01 until 2026-12-31", "would end (2026-12-31) before its first time"),
        ("daily 20:00 until 2026-11-27", "over already"),
        ("daily 20:00 until 2026-11-26 12:00Z", "over already"),
        ("monthly 1 10:00 until 2026-11-30", "over already"),
        ("daily 20:00 from 2020-01-01 10 times", "over already"),
        ("RRULE:FREQ=YEARLY;BYHOUR=9", 'FREQ is DAILY, WEEKLY or MONTHLY, not "YEARLY"'),
        ("RRULE:BYHOUR=9", 'not ""'),
        ("FREQ=DAILY", "BYHOUR is missing"),
        ("FREQ=DAILY;BYMINUTE=30", "BYHOUR is missing"),
        ("DTSTART:20261201 FREQ=DAILY", "BYHOUR is missing"),
        ("FREQ=WEEKLY;BYHOUR=9", "FREQ=WEEKLY needs BYDAY"),
        ("FREQ=MONTHLY;BYHOUR=9", "FREQ=MONTHLY needs BYDAY or BYMONTHDAY"),
        ("FREQ=DAILY;BYSETPOS=1;BYHOUR=9", "BYSETPOS is not understood here"),
        ("FREQ=DAILY;BYMONTH=1;BYHOUR=9", "BYMONTH is not understood here"),
        ("FREQ=DAILY;BYHOUR=9;BYHOUR=10", "BYHOUR stands there twice"),
        ("FREQ=DAILY;BYHOUR=", "BYHOUR has no value"),
        ("FREQ=DAILY;BYHOUR=24", 'BYHOUR has whole numbers from 0 to 23, not "24"'),
        ("FREQ=DAILY;BYHOUR=,9", 'BYHOUR has whole numbers from 0 to 23, not ""'),
        ("FREQ=DAILY;BYHOUR=9 10:00", "or behind the rule, not both"),
        ("FREQ=WEEKLY;BYDAY=1;BYHOUR=9", "weekdays are named, never numbered"),
        ("FREQ=WEEKLY;BYDAY=XX;BYHOUR=9", 'not "XX"'),
        ("FREQ=WEEKLY;BYDAY=1MO;BYHOUR=9", "needs FREQ=MONTHLY"),
        ("FREQ=MONTHLY;BYDAY=6MO;BYHOUR=9", 'not "6MO"'),
        ("FREQ=MONTHLY;BYDAY=MO,1TU;BYHOUR=9", "Make two schedules"),
        ("FREQ=WEEKLY;BYDAY=MO;BYMONTHDAY=1;BYHOUR=9", "BYMONTHDAY does not go with FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYMONTHDAY=0;BYHOUR=9", "BYMONTHDAY has whole numbers from 1 to 31, or -1 to -31"),
        ("FREQ=DAILY;INTERVAL=0;BYHOUR=9", 'INTERVAL is one whole number from 1, not "0"'),
        ("FREQ=DAILY;COUNT=1,2;BYHOUR=9", 'COUNT is one whole number from 1, not "1,2"'),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101;BYHOUR=9", "not both"),
        ("FREQ=DAILY;COUNT=3;BYHOUR=9 until 2027-01-01", "in the RRULE and in words"),
        ("FREQ=DAILY;UNTIL=20271301;BYHOUR=9", "UNTIL is a date such as 20270301"),
        ("FREQ=WEEKLY;WKST=1;BYDAY=MO;BYHOUR=9", 'WKST is a day such as MO, not "1"'),
        ("DTSTART;TZID=Europe/Berlin:20261201T090000 RRULE:FREQ=DAILY", "Leave TZID out"),
        ("DTSTART:20261201T090000Z RRULE:FREQ=DAILY", "Leave the Z out"),
        ("DTSTART:20261201 FREQ=DAILY;BYHOUR=9 from 2026-12-02", "as DTSTART and in words"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO;BYHOUR=9 from 2026-12-01", "no such date within ten years"),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31;BYHOUR=9 from 2027-04-01", "no such date within ten years"),
        ("FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=1MO;BYHOUR=9", "(1MO) and BYMONTHDAY do not go together"),
        ("FREQ=DAILY;BYHOUR=9 EXDATE:20261201", '"EXDATE:20261201" is not a time of day'),
        ("0 times between 10:00 and 20:00", "a window has 1 to 12 times a day"),
        ("13 times between 10:00 and 20:00", "a window has 1 to 12 times a day"),
        ("some times between 10:00 and 20:00", "a window has 1 to 12 times a day"),
        ("3 times between 20:00 and 10:00", "10:00 is not later than 20:00"),
        ("3 times between 10:00 and 26:00", '"26:00" is not a time of day'),
        ("3 times between 10:00 and 20:00, 6 h apart",
         "3 times with 360 minutes between them need 720 minutes (2 × 360), and from 10:00 to 20:00 there are 600."),
        ("3 times between 10:00 and 20:00, far apart", '"far" is not a length of time'),
        ("3 times between 10:00 and 20:00 10 times", "A window starts and ends with a date"),
        ("3 times between 10:00 and 20:00 until 2027-01-01 12:00", "A window starts and ends with a date"),
        ("3 times between 10:00 and 20:00 from 2027-01-01 until 2026-12-31", "would end (2026-12-31) before it starts"),
        ("between 10:00 and 20:00", "is not a number of times between two times of day"),
        ("session", '"session" does not say how long before or after a session.'),
        ("session -1 day 25:00", '"25:00" is not a time of day'),
        ("session -2 h 18:00", "A time of day goes with days, not with 2 h."),
        ("session -0 h", "must be more than nothing"),
        ("session -1 fortnight", "is not a length of time"),
        ("session -32 days 09:00", "at most 31 days"),
        ("session -1 day 18:00 until 2027-01-01", "lasts as long as the sessions do"),
    ],
)  # fmt: skip
def test_refusals_say_what_to_do(written: str, says: str) -> None:
    """Each sentence is about the part that is wrong."""
    began = process_time()
    with pytest.raises(ScheduleError) as refused:
        parse_rule(written, local=SATURDAY)
    assert says in str(refused.value)
    assert process_time() - began < 0.25


@pytest.mark.parametrize("written", ["every 2 weeks fri 18:00", "daily 20:00 10 times", "FREQ=DAILY;COUNT=2;BYHOUR=9"])
def test_what_counts_needs_its_start(written: str) -> None:
    """Read without a clock, a rule that counts and does not say from when is refused."""
    with pytest.raises(ScheduleError, match="needs its start, for example"):
        parse_rule(written)


@settings(deadline=None)
@given(st.one_of(written(), st.tuples(st.text(max_size=60), st.just(SATURDAY))), st.data())
def test_any_text_is_read_or_refused(original: tuple[str, datetime], data: st.DataObject) -> None:
    """No text, and no rule with a part cut out or doubled, ends in any other error."""
    text, local = original
    first, last = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    for broken in (text, text[:first] + text[last:], text[:last] + text[first:]):
        with suppress(ScheduleError):
            rule = parse_rule(broken, local=local)
            assert parse_rule(rule.text) == rule


@pytest.mark.parametrize(
    "piece",
    [
        *("::: ", "1:1 ", "1:1,", "and ", ", ", "from ", "until 1 ", "1 times ", "every 2 weeks ", "at ", "- ", "* "),
        *("between ", "1 times between 1 and 1 ", "session ", "FREQ=", ";BYDAY=MO", "last ", "2nd last fri, "),
    ],
)
@pytest.mark.parametrize("end", ["", "x", "x 20:00"])
def test_no_text_takes_long_to_refuse(piece: str, end: str) -> None:
    """Somebody who repeats a word until the message is full waits no longer than others."""
    text = (piece * 300)[: 300 - len(end)] + end
    began = process_time()
    with pytest.raises(ScheduleError):
        parse_rule(text, local=SATURDAY)
    with pytest.raises(ScheduleError):
        parse_session(text, local=SATURDAY)
    assert process_time() - began < 0.5


@pytest.mark.parametrize(
    ("written", "weekly"),
    [
        ("daily 09:00", False),
        ("weekdays 09:00", False),
        ("mon tue wed thu 09:00", False),
        ("mon wed fri 09:00", True),
        ("weekends 09:00", True),
        ("fri 09:00", True),
        ("fri 09:00, 21:00", False),
        ("every 2 days 09:00", False),
        ("every 3 days 09:00", True),
        ("every 2 weeks weekdays 09:00", True),
        ("monthly 1, 15 09:00", True),
        ("monthly last fri 09:00", True),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=9", False),
        ("3 times between 10:00 and 20:00", False),
        ("fri once between 10:00 and 20:00", True),
        ("once between 10:00 and 20:00", False),
        ("session -1 day 18:00", True),
        ("session +24 h", True),
        ("session -2 h", False),
        ("session day 08:00", False),
    ],
)
def test_what_comes_seldom_is_weekly(written: str, weekly: bool) -> None:
    """Three days a week or fewer get the long grace; what comes more often, or is close to a session, the short one."""
    assert parse_rule(written, local=SATURDAY).weekly is weekly


def test_quiet_hours_bind_what_the_bot_chooses() -> None:
    """Draws and lengths of time from a session are the bot's choice, wall times a person's."""
    kept = ("daily 22:00", "session -1 day 22:00")
    bound = ("3 times between 10:00 and 20:00", "session +24 h", "session -1 day")
    assert [parse_rule(text).wall_time for text in (*kept, *bound)] == [True] * 2 + [False] * 3


@pytest.mark.parametrize("written", ["3 times between 10:00 and 20:00", "session -2 h"])
def test_only_calendar_rules_can_be_told_beforehand(written: str) -> None:
    """Who needs a rule's times without a pair is told what the rule needs."""
    with pytest.raises(ScheduleError, match="interlude schedule add"):
        parse_calendar_rule(written)


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("2h", timedelta(hours=2)),
        ("12 hours", timedelta(hours=12)),
        ("90 min", timedelta(minutes=90)),
        ("3 d", timedelta(days=3)),
        (" 1 Week ", timedelta(days=7)),
        ("45m", timedelta(minutes=45)),
    ],
)
def test_durations_are_a_number_and_a_unit(written: str, length: timedelta) -> None:
    """Minutes, hours, days and weeks read in short and in long."""
    assert parse_duration(written) == length


@pytest.mark.parametrize("written", ["", "2", "h", "-2h", "1.5 h", "2 months", "2h 30min", "0h", "367 d", "999999 w"])
def test_other_durations_are_refused(written: str) -> None:
    """Nothing, less than nothing, more than a year and unknown units are refused with an example."""
    with pytest.raises(ScheduleError, match="for example"):
        parse_duration(written)
