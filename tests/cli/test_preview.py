"""`interlude schedule preview`: a rule's times, with no instance anywhere."""

from pathlib import Path

import pytest

from tests.cli.interlude import Outcome, interlude_now


def preview(rule: str, zone: str = "Europe/Berlin", *words: str) -> Outcome:
    """What the command prints for a rule."""
    return interlude_now("schedule", "preview", "--rule", rule, "--timezone", zone, *words)


def test_json_is_a_list_of_local_and_utc() -> None:
    """Programs get exactly the local time with its offset and the instant, to the second."""
    shown = preview("daily 02:30", "Europe/Berlin", "--from", "2027-03-27T00:00:00Z", "--count", "3", "--json")
    assert shown.status == 0
    assert shown.stderr == ""
    assert shown.data == [
        {"local": "2027-03-27T02:30:00+01:00", "utc": "2027-03-27T01:30:00Z"},
        {"local": "2027-03-28T03:30:00+02:00", "utc": "2027-03-28T01:30:00Z"},
        {"local": "2027-03-29T02:30:00+02:00", "utc": "2027-03-29T00:30:00Z"},
    ]


def test_people_get_weekdays_and_what_moved() -> None:
    """The table names the weekday, and says where a wall time does not exist."""
    shown = preview("daily 02:30", "Europe/Berlin", "--from", "2027-03-27", "--count", "2")
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert lines[0] == "daily 02:30, Europe/Berlin"
    assert lines[2:] == [
        "Sat 2027-03-27 02:30 +01:00 2027-03-27 01:30",
        "Sun 2027-03-28 03:30 +02:00 2027-03-28 01:30 Sun 02:30 does not exist there",
    ]


@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("2026-11-23T20:00:00Z", "2026-11-23T20:00:00Z"),
        ("2026-11-23T20:00:01Z", "2026-11-24T20:00:00Z"),
        ("2026-11-23T21:00:00+01:00", "2026-11-23T20:00:00Z"),
        ("2026-11-23T20:30", "2026-11-24T20:00:00Z"),
        ("2026-11-23", "2026-11-23T20:00:00Z"),
    ],
)
def test_from_counts_itself(start: str, first: str) -> None:
    """The instant given may be the first occurrence; without an offset it is the zone's."""
    shown = preview("daily 20:00", "UTC", "--from", start, "--count", "1", "--json")
    assert [one["utc"] for one in shown.data] == [first]


def test_from_is_where_a_rule_without_a_start_counts_from() -> None:
    """Every two weeks, and so many times, are counted from the first instant."""
    words = ("--from", "2026-11-27T18:00:00+01:00", "--json")
    fridays = preview("every 2 weeks fri 18:00", "Europe/Berlin", *words, "--count", "2").data
    assert [one["local"][:16] for one in fridays] == ["2026-11-27T18:00", "2026-12-11T18:00"]
    twice = preview("RRULE:FREQ=DAILY;COUNT=2;BYHOUR=9;BYMINUTE=30", "Europe/Berlin", *words).data
    assert [one["local"][:16] for one in twice] == ["2026-11-28T09:30", "2026-11-29T09:30"]


def test_the_end_of_a_rule_is_told() -> None:
    """A rule that ends before the count does is listed to its end."""
    shown = preview("daily 20:00 until 2026-11-24", "UTC", "--from", "2026-11-23")
    assert shown.stdout.splitlines()[-1] == "The rule ends there."
    assert shown.stdout.count("20:00") == 2 * 2 + 1


def test_without_from_it_starts_now() -> None:
    """The next ten, which a rule without an end always has."""
    assert len(preview("daily 20:00", "UTC", "--json").data) == 10


@pytest.mark.parametrize(
    ("rule", "zone", "words", "says"),
    [
        ("0 9 * * 1", "UTC", (), "cron"),
        ("RRULE:FREQ=HOURLY", "UTC", (), "FREQ is DAILY, WEEKLY or MONTHLY"),
        ("daily 20:00", "Europe/Berlim", (), "There is no time zone 'Europe/Berlim'"),
        ("daily 20:00", "../UTC", (), "There is no time zone"),
        ("daily 20:00", "UTC", ("--from", "yesterday"), "is not an instant"),
        ("daily 20:00", "UTC", ("--from", "0001-01-01"), "is too far away"),
        ("daily 20:00 until 2026-01-01", "UTC", ("--from", "2026-11-23"), "over already"),
        ("3 times between 10:00 and 20:00", "UTC", (), "draws its times anew on each day"),
        ("-2 h", "UTC", (), "hangs on a pair's sessions"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(rule: str, zone: str, words: tuple[str, ...], says: str) -> None:
    """A wrong rule, zone or instant ends in one line and status 1."""
    shown = preview(rule, zone, *words)
    assert (shown.status, shown.stdout, len(shown.stderr.splitlines())) == (1, "", 1)
    assert says in shown.stderr


@pytest.mark.parametrize("count", ["0", "-1", "many", "1001"])
def test_a_count_is_a_number_from_one(count: str) -> None:
    """Another count is wrong usage."""
    assert preview("daily 20:00", "UTC", "--count", count).status == 2


def test_it_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No directory, log or database is made."""
    monkeypatch.chdir(tmp_path)
    assert preview("daily 20:00").status == 0
    assert list(tmp_path.iterdir()) == []
