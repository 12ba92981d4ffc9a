"""What the operator sets about times: sessions, quiet hours, cap, pauses; no bot is running."""

from pathlib import Path

import pytest
import pytest_asyncio

from tests.cli.interlude import Outcome, interlude
from tests.conftest import Account


@pytest_asyncio.fixture
async def paired(copy: Path, account: Account) -> Path:
    """An instance with one pair in London."""
    client, therapist = (await account("alex"))[0], (await account("lee"))[0]
    words = ("pair", "add", "--client", client, "--therapist", therapist, "--client-name", "Alex", "--yes")
    added = await interlude(*words, "--data-dir", copy)
    assert added.status == 0, added.stderr
    return copy


async def on(data_dir: Path, *words: str) -> Outcome:
    """Run a command on the instance."""
    return await interlude(*words, "--data-dir", data_dir)


async def test_sessions_are_added_listed_moved_and_cancelled(paired: Path) -> None:
    """One of a series moves without the others, and what is said about it names who moves the appointment."""
    added = await on(paired, "session", "add", "--pair", "1", "--at", "2036-12-02 10:00", "--weekly", "--json")
    assert added.data["session"] == "2036-12-02 10:00 weekly"
    moved = await on(paired, "session", "move", "--pair", "1", "--to", "2036-12-04 15:30", "--on", "2036-12-02")
    assert "is now Thu 2036-12-04 15:30" in moved.stdout
    assert "between the two of them" in moved.stdout
    cancelled = await on(paired, "session", "cancel", "--pair", "1", "--on", "2036-12-09")
    assert "Tue 2036-12-09 10:00 is cancelled" in cancelled.stdout
    [listed] = (await on(paired, "session", "list", "--pair", "1", "--json")).data
    assert [each[:16] for each in listed["next"]] == ["2036-12-04T15:30", "2036-12-16T10:00", "2036-12-23T10:00"]
    assert (await on(paired, "session", "cancel", "1", "--pair", "1")).status == 0
    shown = await on(paired, "session", "list", "--pair", "1")
    assert "over" in shown.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "--at", "2020-01-01 10:00"), "is past"),
        (("add", "--at", "10:00"), "needs a day and a time"),
        (("move", "--to", "2036-12-04 15:30"), "No session is known"),
        (("cancel", "3"), "no session 3"),
    ],
)
async def test_wrong_sessions_are_refused(paired: Path, words: tuple[str, ...], sentence: str) -> None:
    """Each with its sentence."""
    shown = await on(paired, "session", *words, "--pair", "1")
    assert (shown.status, sentence in shown.stderr) == (1, True)


async def test_a_schedule_around_sessions_waits_for_one(paired: Path) -> None:
    """Without a session it says what is missing; with one it says when it comes."""
    words = ("schedule", "add", "--pair", "1", "--prompt", "mood", "--rule", "session -1 day 18:00")
    assert "no session is known" in (await on(paired, *words)).stdout
    await on(paired, "session", "add", "--pair", "1", "--at", "2036-12-02 10:00")
    [listed] = (await on(paired, "schedule", "list", "--pair", "1", "--json")).data
    assert [each[:16] for each in listed["coming"]] == ["2036-12-01T18:00"]


async def test_a_time_in_quiet_hours_is_said_once(paired: Path) -> None:
    """When it is chosen; the list shows it as any other. The next three times are in local time."""
    words = ("schedule", "add", "--pair", "1", "--prompt", "mood", "--rule", "daily 23:00", "--reminder", "2h")
    added = await on(paired, *words)
    assert "quiet hours (21:30-07:30)" in added.stderr
    shown = await on(paired, "schedule", "list")
    assert "quiet" not in shown.stdout + shown.stderr
    assert shown.stdout.count("23:00") == 4
    [listed] = (await on(paired, "schedule", "list", "--json")).data
    assert (len(listed["coming"]), listed["last"], listed["next"]) == (3, [], listed["coming"][0])


async def test_a_reminder_is_a_length_of_time_or_none(paired: Path) -> None:
    """Anything else is explained."""
    words = ("schedule", "add", "--pair", "1", "--prompt", "mood", "--rule", "daily 20:00", "--reminder")
    assert "length of time" in (await on(paired, *words, "soon")).stderr
    assert (await on(paired, *words, "none")).status == 0


async def test_a_pair_is_set(paired: Path) -> None:
    """Quiet hours, cap and zone; the schedules follow the new zone."""
    await on(paired, "schedule", "add", "--pair", "1", "--prompt", "mood", "--rule", "daily 20:00")
    words = ("--quiet", "22:00 to 8:00", "--daily-cap", "2", "--timezone", "Asia/Tokyo")
    changed = await on(paired, "pair", "set", "1", *words)
    assert changed.stdout == "pair 1: Asia/Tokyo, quiet 22:00-08:00, at most 2 prompts a day\n"
    [listed] = (await on(paired, "schedule", "list", "--json")).data
    assert str(listed["next"]).endswith("T20:00+09:00")
    assert "quiet none" in (await on(paired, "pair", "set", "1", "--quiet", "none")).stdout
    default = await on(paired, "pair", "set", "1", "--quiet", "default", "--json")
    assert (default.data["quiet"], default.data["daily_cap"]) == ("21:30-07:30", 2)
    assert "Quiet hours 21:30-07:30" in (await on(paired, "pair", "show", "1")).stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("set", "1", "--quiet", "at night"), "are no quiet hours"),
        (("set", "1", "--timezone", "Mars"), "no time zone"),
        (("pause", "1", "--until", "today"), "has begun"),
        (("pause", "1", "--until", "someday"), "not a day of the week"),
    ],
)
async def test_wrong_times_are_refused(paired: Path, words: tuple[str, ...], sentence: str) -> None:
    """Each with its sentence."""
    shown = await on(paired, "pair", *words)
    assert (shown.status, sentence in shown.stderr) == (1, True)


async def test_a_pause_until_a_day_is_left_for_the_bot(paired: Path) -> None:
    """As every request that the running bot carries out."""
    shown = await on(paired, "pair", "pause", "1", "--until", "2036-12-01", "--json")
    assert shown.data["until"].startswith("2036-12-01T00:00")
