"""Therapy sessions: series, moved and cancelled dates."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot.core.appointments import Appointment, meetings, moved, names_day

AT = datetime(2026, 11, 23, tzinfo=UTC)
SERIES = Appointment(
    appointment_id="a1",
    number=1,
    pair_id="p1",
    starts=datetime(2026, 12, 1, 10),  # noqa: DTZ001 - a wall time
    timezone="Europe/Berlin",
    every_weeks=1,
    created_at=AT,
)


def begins(series: Appointment, days: int = 30, after: datetime = AT) -> list[str]:
    """When sessions begin, on the wall clock of their zone."""
    found = meetings([series], after=after, until=after + timedelta(days=days))
    return [f"{each.local:%d.%m. %H:%M}" for each in found]


def test_a_series_goes_on() -> None:
    """Every week or every few, at the same local time; a single session comes once."""
    assert begins(SERIES) == ["01.12. 10:00", "08.12. 10:00", "15.12. 10:00", "22.12. 10:00"]
    assert begins(replace(SERIES, every_weeks=2)) == ["01.12. 10:00", "15.12. 10:00"]
    assert begins(replace(SERIES, every_weeks=0)) == ["01.12. 10:00"]
    assert begins(replace(SERIES, ends=date(2026, 12, 15))) == ["01.12. 10:00", "08.12. 10:00"]


def test_years_later_it_still_does() -> None:
    """The span decides what is looked at; summer has the same local time."""
    after = datetime(2031, 7, 1, tzinfo=UTC)
    assert begins(SERIES, 8, after) == ["01.07. 10:00", "08.07. 10:00"]
    [first, _] = meetings([SERIES], after=after, until=after + timedelta(days=8))
    assert first.begins == datetime(2031, 7, 1, 8, tzinfo=UTC)


def test_one_session_is_moved_or_cancelled() -> None:
    """The others stay; a moved session keeps its name, wherever it goes."""
    series = moved(moved(SERIES, date(2026, 12, 8), None), date(2026, 12, 15), datetime(2027, 2, 3, 9, 30))  # noqa: DTZ001
    assert begins(series, 30) == ["01.12. 10:00", "22.12. 10:00"]
    later = meetings([series], after=datetime(2027, 2, 2, 23, tzinfo=UTC), until=datetime(2027, 2, 4, tzinfo=UTC))
    assert [(each.key, f"{each.local:%d.%m. %H:%M}") for each in later] == [("a1:2026-12-15", "03.02. 09:30")]


def test_a_date_belongs_to_the_series_or_not() -> None:
    """Only such dates can be moved; a change of another one has no effect."""
    assert [names_day(SERIES, date(2026, 12, day)) for day in (1, 2, 8)] == [True, False, True]
    assert not names_day(SERIES, date(2026, 11, 24))
    assert not names_day(replace(SERIES, ends=date(2026, 12, 8)), date(2026, 12, 8))
    stray = moved(SERIES, date(2026, 12, 2), datetime(2026, 12, 3, 9))  # noqa: DTZ001
    assert begins(stray, 14) == ["01.12. 10:00"]


def test_a_wall_time_that_does_not_exist_moves_forward() -> None:
    """In the night of the change 02:30 becomes 03:30."""
    night = replace(SERIES, starts=datetime(2027, 3, 28, 2, 30), every_weeks=0)  # noqa: DTZ001
    assert begins(night, 3, datetime(2027, 3, 27, tzinfo=UTC)) == ["28.03. 03:30"]


def test_sessions_of_several_series_come_in_order() -> None:
    """Whichever series they belong to."""
    other = replace(SERIES, appointment_id="a2", starts=datetime(2026, 12, 4, 9))  # noqa: DTZ001
    found = meetings([SERIES, other], after=AT, until=AT + timedelta(days=16))
    assert [each.appointment.appointment_id for each in found] == ["a1", "a2", "a1"]
