"""Rules as people and calendar programs write them, for hypothesis."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import reject
from hypothesis import strategies as st

from bot.core.recurrence import CalendarRule
from bot.core.schedules import WEEK, parse_rule
from bot.errors import ScheduleError

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Africa/Casablanca",
    "America/Nuuk",
)
FIRST, LAST = datetime(2005, 1, 1), datetime(2037, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
_NIGHTS = [  # before clocks change: Berlin, New York, Lord Howe, Cairo, Apia
    datetime(*day, tzinfo=UTC)
    for day in (
        *((2026, 3, 28), (2026, 10, 24), (2026, 3, 7), (2026, 10, 31)),
        *((2026, 4, 4), (2026, 10, 3), (2026, 4, 23), (2026, 10, 29), (2011, 12, 29)),
    )
]
INSTANTS = st.one_of(st.datetimes(FIRST, LAST, timezones=st.just(UTC)), st.sampled_from(_NIGHTS))

# The small hours, where clocks change, are likelier than they are in life.
CLOCKS = st.one_of(
    st.sampled_from(["00:00", "00:30", "01:30", "02:00", "02:15", "02:30", "03:00", "03:30", "20:00", "23:30"]),
    st.times().map(lambda clock: f"{clock:%H:%M}"),
)
_TIMES = st.lists(CLOCKS, min_size=1, max_size=3).map(", ".join)
_DAYS = st.one_of(
    st.sampled_from(["daily", "weekdays", "weekends"]), st.lists(st.sampled_from(WEEK), min_size=1).map(", ".join)
)
_NTH = st.sampled_from(["first", "2nd", "third", "4th", "5th", "last", "2nd last"])
_MONTHLY = st.one_of(
    st.lists(st.integers(1, 31).map(str), min_size=1, max_size=3).map(", ".join),
    st.sampled_from(["last day", "1, last day", "2nd last day"]),
    st.lists(st.tuples(_NTH, st.sampled_from(WEEK)).map(" ".join), min_size=1, max_size=2).map(", ".join),
)
_EVERY = st.integers(2, 9)
SPOKEN = st.tuples(
    st.one_of(
        _DAYS,
        _EVERY.map("every {} days".format),
        st.tuples(_EVERY, _DAYS.filter(lambda days: days != "daily")).map(lambda two: "every {} weeks {}".format(*two)),
        _MONTHLY.map("monthly {}".format),
        st.tuples(_EVERY, _MONTHLY).map(lambda two: "every {} months {}".format(*two)),
    ),
    _TIMES,
).map(" ".join)


def _listed(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=3).map(lambda found: f";{name}={','.join(found)}")


_RFC_DAYS = st.sampled_from([day[:2].upper() for day in WEEK])
_MAYBE_DAYS = st.one_of(st.just(""), _listed("BYDAY", _RFC_DAYS))
_MONTH_DAYS = st.sampled_from(["1", "2", "13", "15", "28", "31", "-1", "-3"])
_MAYBE_MONTH_DAYS = st.one_of(st.just(""), _listed("BYMONTHDAY", _MONTH_DAYS))
_NTH_DAYS = _listed("BYDAY", st.tuples(st.sampled_from(["1", "+2", "3", "4", "-1", "-2"]), _RFC_DAYS).map("".join))
_MONTH_PARTS = st.one_of(_NTH_DAYS, _listed("BYDAY", _RFC_DAYS), _listed("BYMONTHDAY", st.integers(1, 28).map(str)))
RFC = st.tuples(
    st.one_of(
        st.tuples(st.just("DAILY"), _MAYBE_DAYS, _MAYBE_MONTH_DAYS).map("".join),
        st.tuples(st.just("WEEKLY"), _listed("BYDAY", _RFC_DAYS)).map("".join),
        st.tuples(st.just("MONTHLY"), _MONTH_PARTS).map("".join),
    ),
    st.one_of(st.just(""), st.integers(1, 5).map(";INTERVAL={}".format)),
    st.one_of(st.just(""), _RFC_DAYS.map(";WKST={}".format)),
    _listed("BYHOUR", st.integers(0, 23).map(str)),
    st.one_of(st.just(""), _listed("BYMINUTE", st.integers(0, 59).map(str))),
).map(lambda parts: "RRULE:FREQ=" + "".join(parts))


@st.composite
def written(draw: st.DrawFn) -> tuple[str, datetime]:
    """A rule's text, and the wall time at which it is written."""
    local = draw(st.datetimes(FIRST, LAST)).replace(second=0, microsecond=0)
    text = draw(st.one_of(SPOKEN, RFC))
    if draw(st.booleans()):
        text += f" from {_date(local, draw(st.integers(0, 400)))}"
    end = draw(st.sampled_from(["", "", "until", "moment", "instant", "times"]))
    if end == "times":
        text += f" {draw(st.integers(1, 30))} times"
    elif end:
        # Far enough for everything but a rule that hardly ever comes.
        text += f" until {_date(local, draw(st.integers(800, 1600)))}"
        text += {"until": "", "moment": " 03:00", "instant": " 03:00Z"}[end]
    return text, local


def _date(local: datetime, days: int) -> date:
    return local.date() + timedelta(days=days)


@st.composite
def calendar_rules(draw: st.DrawFn) -> CalendarRule:
    """A calendar rule that comes true."""
    text, local = draw(written())
    try:
        rule = parse_rule(text, local=local)
    except ScheduleError:  # such as each fifth day that is a Friday and a 28th, for two years
        reject()
    assert isinstance(rule, CalendarRule)
    return rule
