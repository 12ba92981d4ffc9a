"""When the client is asked whether a time still fits, and when the agenda is shown."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.core.agenda import showing
from bot.core.questions import Fit, Question, ask_at
from bot.core.quiet import DEFAULT_QUIET, QuietHours, is_quiet

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 11, 30, 19, tzinfo=UTC)  # 20:00 in Berlin
DAY = timedelta(days=1)
AFTERNOON = QuietHours(starts=time(12), ends=time(14))


def local(at: datetime) -> str:
    """An instant on Berlin's wall clock."""
    return f"{at.astimezone(BERLIN):%a %H:%M}"


def test_the_question_comes_half_way() -> None:
    """Between the third prompt and the next one, at most three days after it."""
    assert local(ask_at(EVENING, EVENING + DAY, BERLIN, DEFAULT_QUIET)) == "Tue 08:00"
    assert local(ask_at(EVENING, EVENING + 14 * DAY, BERLIN, DEFAULT_QUIET)) == "Thu 20:00"


def test_the_question_waits_for_the_end_of_the_quiet_hours() -> None:
    """Also where they lie within one day; without any it comes when it comes."""
    noon = EVENING - timedelta(hours=8)
    assert local(ask_at(noon, noon + DAY, BERLIN, DEFAULT_QUIET)) == "Tue 07:30"
    assert local(ask_at(noon, noon + DAY, BERLIN, None)) == "Tue 00:00"
    assert local(ask_at(noon, noon + timedelta(hours=2), BERLIN, AFTERNOON)) == "Mon 14:00"


@given(st.integers(0, 2 * 24 * 60), st.integers(1, 14 * 24 * 60), st.sampled_from([DEFAULT_QUIET, AFTERNOON]))
def test_the_question_never_comes_in_quiet_hours(start: int, gap: int, quiet: QuietHours) -> None:
    """And never before the prompt that it is about."""
    newest = EVENING + timedelta(minutes=start)
    at = ask_at(newest, newest + timedelta(minutes=gap), BERLIN, quiet)
    assert at >= newest
    assert not is_quiet(quiet, at, BERLIN)


def test_a_vote_belongs_to_its_poll() -> None:
    """Only the poll's own random answers mean something."""
    question = Question(
        question_id="q", pair_id="p", schedule_id="s", asked_at=EVENING, outbox_id="o", options={"xK3": Fit.STOP}
    )
    assert (question.vote(("xK3",)), question.vote(("other",)), question.vote(())) == (Fit.STOP, None, None)
    assert question.open


def test_the_agenda_comes_two_hours_before() -> None:
    """And is over two hours after the session has begun."""
    times = showing(EVENING, BERLIN, DEFAULT_QUIET)
    assert (local(times.at), local(times.over)) == ("Mon 18:00", "Mon 22:00")


def test_an_early_session_has_its_agenda_after_the_night_or_the_evening_before() -> None:
    """At 09:00 when the quiet hours end, at 07:40 before they begin."""
    morning = datetime(2026, 11, 30, 8, tzinfo=UTC)
    assert local(showing(morning, BERLIN, DEFAULT_QUIET).at) == "Mon 07:30"
    assert local(showing(morning - timedelta(minutes=80), BERLIN, DEFAULT_QUIET).at) == "Sun 21:29"


@given(st.integers(0, 3 * 24 * 60), st.sampled_from([DEFAULT_QUIET, AFTERNOON, None]))
def test_the_agenda_is_never_shown_in_quiet_hours(minutes: int, quiet: QuietHours | None) -> None:
    """And always before the session begins."""
    begins = EVENING + timedelta(minutes=minutes)
    times = showing(begins, BERLIN, quiet)
    assert times.at < begins
    assert not is_quiet(quiet, times.at, BERLIN)
