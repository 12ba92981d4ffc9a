"""Pairs, goals and schedules as the operator enters them, with no bot running."""

import sqlite3
from pathlib import Path

import pytest
import pytest_asyncio

from bot.crypto.vault import Vault
from bot.demo.homeserver import LocalHomeserver
from tests.cli.interlude import Outcome, interlude
from tests.conftest import Account

QUEUED = "queued; the bot is not running"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def two(account: Account) -> tuple[str, str]:
    """A client's and a therapist's account."""
    return (await account("alex"))[0], (await account("lee"))[0]


@pytest.fixture
def add(copy: Path, two: tuple[str, str]) -> list[str]:
    """The words that add the two as a pair."""
    return [
        *("pair", "add", "--client", two[0], "--therapist", two[1]),
        *("--client-name", "Alex M.", "--yes", "--data-dir", str(copy)),
    ]


@pytest_asyncio.fixture
async def paired(copy: Path, add: list[str]) -> Path:
    """An instance with one pair."""
    added = await interlude(*add)
    assert added.status == 0, added.stderr
    return copy


async def listed(data_dir: Path, *words: str) -> list[dict[str, object]]:
    """What a `list --json` prints."""
    shown = await interlude(*words, "--json", "--data-dir", data_dir)
    assert shown.status == 0, shown.stderr
    rows: list[dict[str, object]] = shown.data
    return rows


async def refused(*words: str | Path) -> str:
    """The one line with which a command refuses."""
    shown = await interlude(*words)
    assert shown.status == 1
    [line] = shown.stderr.splitlines()[-1:]
    return line


async def test_a_pair_is_queued(copy: Path, add: list[str]) -> None:
    """Without a running bot the request waits, and that is a success."""
    added = await interlude(*add, "--json")
    assert added.status == 0
    assert added.data["state"] == QUEUED
    [pair] = await listed(copy, "pair", "list")
    assert (pair["number"], pair["client"], pair["state"]) == (1, "Alex M.", "provisioning")
    assert pair["id"] == added.data["pair"]


async def test_both_names_are_shown_and_asked_about(copy: Path, add: list[str], two: tuple[str, str]) -> None:
    """Without --yes the operator sees who these two are, and may say no."""
    asked = await interlude(*[word for word in add if word != "--yes"], typed="n\n")
    assert asked.status == 1
    assert all(f"({user})" in asked.stderr for user in two)
    assert await listed(copy, "pair", "list") == []


async def test_yes_can_be_typed(copy: Path, add: list[str]) -> None:
    """The answer y goes on."""
    assert (await interlude(*[word for word in add if word != "--yes"], typed="y\n")).status == 0
    assert len(await listed(copy, "pair", "list")) == 1


async def test_wait_fails_when_nobody_does_it(add: list[str]) -> None:
    """--wait ends with status 1 after --timeout, and says that it stays queued."""
    waited = await interlude(*add, "--wait", "--timeout", "0.3")
    assert waited.status == 1
    assert "It stays queued" in waited.stderr


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("--client", "alex"), "is no Matrix id"),
        (("--client", "@alex:elsewhere.org"), "on another homeserver"),
        (("--client", "@nobody-here:localhost"), "has no account"),
        (("--timezone", "Mars/Olympus"), "no time zone"),
        (("--language", "tlh"), "no prompt pack"),
        (("--country", "Germany"), "is no country"),
        (("--client-name", "a" * 81), "A name is one line"),
    ],
)
async def test_wrong_pairs_are_refused(add: list[str], copy: Path, change: tuple[str, str], sentence: str) -> None:
    """Each mistake has its sentence, and nothing is written: no row and no key."""
    keys = Vault(copy / "vault", master_key=copy / "master.key").owners()
    assert sentence in await refused(*add, *change)
    assert await listed(copy, "pair", "list") == []
    assert Vault(copy / "vault", master_key=copy / "master.key").owners() == keys


async def test_one_person_twice_is_refused(add: list[str], two: tuple[str, str]) -> None:
    """Nobody is their own therapist, and the bot is neither."""
    assert "the same account" in await refused(*add, "--client", two[1])


async def test_the_bot_is_no_client(add: list[str], copy: Path) -> None:
    """The bot's own account stands in no pair."""
    listed_settings = (copy / "interlude.toml").read_text()
    own = next(line.split('"')[1] for line in listed_settings.splitlines() if line.startswith("user_id"))
    assert "is the bot itself" in await refused(*add, "--client", own)


async def test_a_second_active_pair_is_refused(paired: Path, add: list[str], account: Account) -> None:
    """A client has one pair at a time, whoever the second therapist is."""
    other, _ = await account("kim")
    assert "is the client of pair 1 already" in await refused(*add)
    assert "is the client of pair 1 already" in await refused(*add, "--therapist", other)
    assert "Nobody can be client here and therapist there" in await refused(
        *add, "--client", other, "--therapist", add[3]
    )


async def test_a_goal_comes_with_its_schedule(paired: Path) -> None:
    """A goal's rhythm is a schedule that asks about it."""
    added = await interlude(
        *("goal", "add", "--pair", "1", "--title", "  Walk   more ", "--scale", "0-10", "--rhythm", "fridays 18:00"),
        *("--data-dir", paired),
    )
    assert added.status == 0, added.stderr
    [goal] = await listed(paired, "goal", "list", "--pair", "1")
    assert (goal["number"], goal["title"], goal["scale"], goal["rhythm"]) == (1, "Walk more", "0–10", "fri 18:00")
    [schedule] = await listed(paired, "schedule", "list")
    assert (schedule["prompt"], schedule["rule"], schedule["goal"]) == ("goal-checkin", "fri 18:00", 1)
    assert schedule["timezone"] == "Europe/London"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--title", "Walk", "--scale", "10-0"), "does not go up"),
        (("--title", "Walk", "--rhythm", "2 18:00"), "never numbered"),
        (("--title", " "), "one line"),
    ],
)
async def test_wrong_goals_are_refused(paired: Path, words: tuple[str, ...], sentence: str) -> None:
    """A goal that cannot be understood is refused, and leaves neither goal nor schedule."""
    assert sentence in await refused("goal", "add", "--pair", "1", *words, "--data-dir", paired)
    assert await listed(paired, "goal", "list", "--pair", "1") == []
    assert await listed(paired, "schedule", "list") == []


async def schedule(data_dir: Path, *words: str) -> Outcome:
    """Add a schedule to the pair."""
    return await interlude("schedule", "add", "--pair", "1", *words, "--data-dir", data_dir)


async def test_a_schedule_is_added_listed_and_removed(paired: Path) -> None:
    """It is shown with the next time at which it comes, in the pair's zone, and goes by its number."""
    assert (await schedule(paired, "--prompt", "mood", "--rule", "daily 20:00")).status == 0
    [row] = await listed(paired, "schedule", "list", "--pair", "1")
    assert str(row["next"])[10:16] == "T20:00"
    removed = await interlude("schedule", "remove", "1", "--pair", "1", "--data-dir", paired)
    assert removed.status == 0
    assert await listed(paired, "schedule", "list") == []


async def test_goal_checkins_need_a_goal(paired: Path) -> None:
    """Without a goal there is nothing to ask about."""
    shown = await schedule(paired, "--prompt", "goal-checkin", "--rule", "fri 18:00")
    assert (shown.status, "has none yet" in shown.stderr) == (1, True)


async def test_a_goal_is_asked_about_by_one_schedule(paired: Path) -> None:
    """Neither the same goal nor all goals get a second schedule beside the first."""
    await interlude("goal", "add", "--pair", "1", "--title", "Walk", "--data-dir", paired)
    for words in ((), ("--goal", "1")):
        shown = await schedule(paired, "--prompt", "goal-checkin", "--rule", "mon 09:00", *words)
        assert "asks about this goal already" in shown.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--prompt", "nothing", "--rule", "daily 20:00"), "There is no prompt 'nothing'"),
        (("--prompt", "mood", "--rule", "daily 25:00"), "is not a time of day"),
        (("--prompt", "mood", "--rule", "daily 20:00", "--timezone", "Nowhere"), "no time zone"),
        (("--prompt", "mood", "--rule", "daily 20:00", "--goal", "1"), "asks about no goal"),
    ],
)
async def test_wrong_schedules_are_refused(paired: Path, words: tuple[str, ...], sentence: str) -> None:
    """Each mistake has its sentence."""
    shown = await schedule(paired, *words)
    assert shown.status == 1
    assert sentence in shown.stderr


async def test_the_same_schedule_twice_is_refused(paired: Path) -> None:
    """A prompt does not come twice at the same time."""
    await schedule(paired, "--prompt", "mood", "--rule", "daily 20:00")
    assert "is the same" in (await schedule(paired, "--prompt", "mood", "--rule", "every day 20:00")).stderr


async def test_a_prompt_is_not_sent_before_the_client_joined(paired: Path) -> None:
    """What the bot would refuse is refused at once."""
    line = await refused("prompts", "send", "--pair", "1", "--prompt", "mood", "--data-dir", paired)
    assert "not joined" in line


async def test_trust_wants_a_fingerprint_of_a_known_person(paired: Path, two: tuple[str, str]) -> None:
    """A short one is refused, and so is a stranger's."""
    assert "43 letters" in await refused("trust", two[0], "--fingerprint", "AbCd", "--data-dir", paired)
    assert "no pair" in await refused("trust", "@x:localhost", "--fingerprint", "A" * 43, "--data-dir", paired)
    spaced = " ".join(["AAAA"] * 10 + ["AAA"])
    trusted = await interlude("trust", two[0], "--fingerprint", spaced, "--json", "--data-dir", paired)
    assert (trusted.status, trusted.data["state"]) == (0, QUEUED)


@pytest.mark.parametrize("command", ["pause", "resume", "end"])
async def test_pairs_are_changed_by_request(paired: Path, command: str) -> None:
    """Pause, resume and end wait for the bot."""
    shown = await interlude("pair", command, "1", "--data-dir", paired)
    assert (shown.status, shown.stderr) == (0, f"{QUEUED}\n")


async def test_an_unknown_pair_is_explained(copy: Path) -> None:
    """The sentence says where the pairs are listed."""
    assert "interlude pair list" in await refused("pair", "show", "7", "--data-dir", copy)


async def test_a_pair_is_shown(paired: Path, two: tuple[str, str]) -> None:
    """For people and for programs: who it is, and which devices are known."""
    shown = await interlude("pair", "show", "1", "--data-dir", paired)
    assert "Alex M." in shown.stdout
    assert "no fingerprint yet" in shown.stdout
    data = (await interlude("pair", "show", "1", "--json", "--data-dir", paired)).data
    assert [person["user"] for person in data["people"]] == list(two)


def on_disk(directory: Path) -> bytes:
    """Everything that stands in the files below a directory."""
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


async def test_names_are_sealed(paired: Path) -> None:
    """What the operator enters about a person is nowhere on disk in clear."""
    await interlude("goal", "add", "--pair", "1", "--title", "Swimming lesson", "--data-dir", paired)
    written = on_disk(paired)
    assert b"Alex M." not in written
    assert b"Swimming" not in written


async def test_a_damaged_database_is_one_line(copy: Path, homeserver: LocalHomeserver) -> None:
    """A file that is no database ends in a sentence."""
    (copy / "interlude.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(copy / "interlude.sqlite").execute("select 1 from facts")
    assert "database" in await refused("pair", "list", "--data-dir", copy)
