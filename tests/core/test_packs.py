"""Prompt packs as folders."""

import os
import shutil
import tracemalloc
from pathlib import Path

import pytest

from bot.core.command_names import CommandName
from bot.errors import PackError
from bot.packs import CRISIS_FILE, WORDING_FILE, check_packs, is_complete, read_pack, read_packs
from tests.core.english import PROMPTS
from tests.core.test_prompts import EVERY_KIND


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A copy of the shipped packs to break."""
    return Path(shutil.copytree(PROMPTS, tmp_path / "prompts"))


def test_the_shipped_pack() -> None:
    """English has its prompts, and the check-in asks about a goal."""
    pack = read_packs(PROMPTS)["en"]
    assert {"evening-reflection", "mood", "goal-checkin"} < set(pack.prompts)
    assert pack.prompts["goal-checkin"].of_goal
    assert "DE" in pack.crisis.countries


def test_all_files_are_checked_in_one_run(prompts: Path) -> None:
    """Mistakes of several files come together, each with its file and line."""
    (prompts / "en" / "mood.yaml").write_text("id: mood\n")
    (prompts / "en" / "other.yaml").write_bytes(b"\xff\xfe")
    (prompts / "en" / "large.yaml").write_text("ü" * 40_000)
    (prompts / "en" / "bot.yaml").unlink()
    (prompts / "en" / "renamed.yaml").write_text((prompts / "en" / "evening-reflection.yaml").read_text())
    (prompts / "crisis.yaml").unlink()
    with pytest.raises(PackError) as caught:
        read_packs(prompts)
    lines = str(caught.value)
    for expected in (
        "bot.yaml:1:1: file: is missing",
        "mood.yaml:1:1: version: is missing",
        "other.yaml:1:1: file: is not UTF-8",
        "large.yaml:1:1: file: larger than 64 kB",
        "renamed.yaml:1:1: id: is evening-reflection",
        "crisis.yaml:1:1: file: is missing",
    ):
        assert expected in lines


def test_an_unknown_language_is_told() -> None:
    """A folder that is not there is named, with what to do."""
    with pytest.raises(PackError, match="there is no such prompt pack"):
        read_pack(PROMPTS / "tlh")


def test_a_byte_order_mark_is_no_mistake(prompts: Path) -> None:
    """Some editors begin a file with a mark; it changes nothing."""
    path = prompts / "en" / "mood.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_pack(prompts / "en").prompts["mood"].title == "Mood and energy"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Two languages with one prompt, which has every kind of step."""
    for language in ("en", "de"):
        (tmp_path / "small" / language).mkdir(parents=True)
        shutil.copy(PROMPTS / language / WORDING_FILE, tmp_path / "small" / language)
        (tmp_path / "small" / language / "day.yaml").write_text(EVERY_KIND, encoding="utf-8")
    shutil.copy(PROMPTS / CRISIS_FILE, tmp_path / "small")
    return tmp_path / "small"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A practice's own folder, with nothing in it but a language."""
    (tmp_path / "own" / "en").mkdir(parents=True)
    return tmp_path / "own"


def mistakes(directory: Path, own: Path | None = None) -> list[str]:
    """Return the mistakes of packs, none if they are right."""
    try:
        check_packs(directory, own=own)
    except PackError as error:
        return str(error).splitlines()
    return []


def test_the_shipped_translations_agree() -> None:
    """English and German ask the same."""
    assert set(check_packs(PROMPTS)) == {"en", "de"}


def test_a_missing_translation_is_named(prompts: Path) -> None:
    """The message names the file that is not there, and the one to translate; a running bot does without."""
    (prompts / "de" / "sleep.yaml").unlink()
    assert mistakes(prompts) == [
        f"{prompts}/de/sleep.yaml:1:1: file: is missing; translate {prompts}/en/sleep.yaml there"
    ]
    assert "sleep" not in read_packs(prompts)["de"].prompts


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("version: 1", "version: 2", "2:1: version", "is 2, in {en} it is 1"),
        ("  - id: photo\n", "  - id: picture\n", "39:5: steps[7].id", "is picture, in {en} this step is photo"),
        ("kind: any", "kind: text", "44:5: steps[8].kind", "`kind` differs from {en}"),
        ("id: good,", "id: fine,", "12:5: steps[1].options", "`options` differs from {en}"),
        ("{answered: words}", "{answered: rested}", "42:5: steps[7].when", "`when` differs from {en}"),
        ("    when: {answered: words}\n", "", "39:5: steps[7]", "`when` differs from {en}"),
        (EVERY_KIND[EVERY_KIND.index("  - id: more") :], "", "8:1: steps", "are 7, in {en} they are 8"),
        ("high: 24", "high: 23", "24:5: steps[3].high", "`high` differs from {en}"),
        (
            "kind: time\n",
            "kind: time\n    within: 19:00-07:00\n",
            "27:5: steps[4].within",
            "`within` differs from {en}",
        ),
        ("scale: 0-10", "scale: 0-100", "31:5: steps[5].scale", "`scale` differs from {en}"),
        ("    optional: true\n", "", "25:5: steps[4]", "`optional` differs from {en}"),
    ],
)
def test_a_translation_that_differs_is_named(small: Path, old: str, new: str, place: str, words: str) -> None:
    """What does not depend on the language is the same in both files, or the message names both."""
    german, english = small / "de" / "day.yaml", small / "en" / "day.yaml"
    german.write_text(EVERY_KIND.replace(old, new), encoding="utf-8")
    [line] = mistakes(small)
    assert line.startswith(f"{german}:{place}: "), line
    assert words.format(en=english) in line


def test_what_people_see_may_differ(small: Path) -> None:
    """Titles, questions, labels, units and the words that start it are language."""
    german = EVERY_KIND.replace("The day", "Der Tag").replace("label: Low", "label: Schlecht")
    german = german.replace("unit: hours", "unit: Stunden").replace("my day", "mein Tag").replace("very}", "sehr}")
    (small / "de" / "day.yaml").write_text(german, encoding="utf-8")
    assert mistakes(small) == []


@pytest.mark.parametrize(
    ("starts", "words"),
    [
        ("help", "'help' is a command already (help)"),
        ("Ask again!", "'Ask again!' is a command already (again)"),
        ("my  DAY", "'my  DAY' starts day already"),
    ],
)
def test_words_that_start_two_things_are_named(small: Path, starts: str, words: str) -> None:
    """Neither a command nor another prompt's words may start a prompt."""
    again = EVERY_KIND.replace("id: day", "id: night").replace("[my day, ", f"[my night, '{starts}', ")
    for language in ("en", "de"):
        (small / language / "night.yaml").write_text(again.replace('"Log: day"', "x"), encoding="utf-8")
    found = [line for line in mistakes(small) if line.startswith(f"{small}/en/")]
    assert len(found) == 1
    assert found[0].startswith(f"{small}/en/night.yaml:7:20: starts[2]: {words}; choose other words")


def test_a_practice_replaces_one_prompt(own: Path) -> None:
    """What it does not have in its folder stays as it came."""
    text = (PROMPTS / "en" / "gratitude.yaml").read_text(encoding="utf-8")
    title = next(line for line in text.splitlines() if line.startswith("title:"))
    (own / "en" / "gratitude.yaml").write_text(text.replace(title, "title: Three good things"), encoding="utf-8")
    packs, shipped = check_packs(PROMPTS, own=own), check_packs(PROMPTS)
    assert packs["en"].prompts["gratitude"].title == "Three good things"
    assert packs["en"].prompts["mood"] == shipped["en"].prompts["mood"]
    assert packs["en"].prompts.keys() == shipped["en"].prompts.keys()
    assert packs["de"] == shipped["de"]


def test_a_practice_changes_single_sentences_and_numbers(own: Path) -> None:
    """In `bot.yaml` a sentence, a word list or a single number word; in `crisis.yaml` a country."""
    (own / "en" / WORDING_FILE).write_text("late: A bit late, and welcome.\ncommands: {help: [help, what now]}\n")
    (own / CRISIS_FILE).write_text(
        "countries:\n  DE: {lines: [{name: Our line, number: '030 1'}]}\n"
        "  XX: {emergency: '1', lines: [{name: A, number: '2'}], source: s}\n"
    )
    packs, shipped = check_packs(PROMPTS, own=own), check_packs(PROMPTS)
    words, before = packs["en"].wording, shipped["en"].wording
    assert words.late == "A bit late, and welcome."
    assert words.commands == {**before.commands, CommandName.HELP: ("help", "what now")}
    assert words.model_copy(update={"late": before.late, "commands": before.commands}) == before
    germany = packs["de"].crisis.countries["DE"]
    assert germany.lines[0].name == "Our line"
    assert germany.emergency == shipped["de"].crisis.countries["DE"].emergency
    assert packs["en"].crisis.countries["GB"] == shipped["en"].crisis.countries["GB"]
    assert "XX" in packs["en"].crisis.countries
    assert packs["en"].crisis.checked == shipped["en"].crisis.checked


def test_each_mistake_is_in_the_file_where_it_was_made(own: Path) -> None:
    """Files of the practice are named with their own lines, also where the rest of the file is not theirs."""
    (own / "en" / "mood.yaml").write_text("id: mood\n")
    (own / "en" / "sleep.yaml").write_text(
        (PROMPTS / "en" / "sleep.yaml").read_text(encoding="utf-8").replace("version: 1", "version: 7")
    )
    (own / "en" / WORDING_FILE).write_text("# ours\nlate: '{who}'\nlatte: x\n")
    (own / CRISIS_FILE).write_text("countries:\n  de: {emergency: '112'}\n")
    lines = mistakes(PROMPTS, own)
    assert all(line.startswith(str(own)) for line in lines)
    for expected in (
        "en/mood.yaml:1:1: version: is missing",
        f"en/sleep.yaml:3:1: version: is 7, in {PROMPTS}/de/sleep.yaml it is 1",
        "en/bot.yaml:2:1: late: uses the unknown placeholder {who}",
        "en/bot.yaml:3:1: latte: is not a known field; did you mean `late`?",
        "crisis.yaml:2:3: countries.de: ",
    ):
        assert any(line.startswith(f"{own}/{expected}") for line in lines), (expected, lines)


def test_a_prompt_of_its_own_needs_its_languages(own: Path) -> None:
    """It is written once for each language that the practice has a folder for."""
    (own / "en" / "day.yaml").write_text(EVERY_KIND)
    assert mistakes(PROMPTS, own) == []
    packs = read_packs(PROMPTS, own=own)
    assert ("day" in packs["en"].prompts, "day" in packs["de"].prompts) == (True, False)
    (own / "de").mkdir()
    [line] = mistakes(PROMPTS, own)
    assert line == f"{own}/de/day.yaml:1:1: file: is missing; translate {own}/en/day.yaml there"


def test_a_language_of_its_own_is_whole(own: Path) -> None:
    """It has all words of the bot and every prompt, and what is missing is named in the practice's folder."""
    (own / "fr").mkdir()
    (own / "fr" / "mood.yaml").write_text((PROMPTS / "en" / "mood.yaml").read_text(encoding="utf-8"))
    lines = mistakes(PROMPTS, own)
    assert f"{own}/fr/bot.yaml:1:1: file: is missing; add it" in lines
    assert f"{own}/fr/sleep.yaml:1:1: file: is missing; translate {PROMPTS}/de/sleep.yaml there" in lines
    assert not any("mood" in line for line in lines)


def test_what_nobody_would_read_is_named(own: Path) -> None:
    """A wrong ending, a wrong folder and a wrong place would otherwise be passed over in silence."""
    (own / "en" / "mood.yml").write_text("id: mood\n")
    (own / "German").mkdir()
    (own / "sleep.yaml").write_text("id: sleep\n")
    (own / ".git").mkdir()
    (own / "README.md").write_text("ours")
    assert mistakes(PROMPTS, own) == [
        f"{own}/German:1:1: file: is no language; call the folder by its code, for example de",
        f"{own}/en/mood.yml:1:1: file: is not read; call it mood.yaml",
        f"{own}/sleep.yaml:1:1: file: is not read in this place; put it into the folder of its language, as .yaml",
    ]
    assert "holds no language" in mistakes(PROMPTS, own / "en")[0]


def test_odd_files_are_not_opened(own: Path) -> None:
    """A pipe would be read for ever, and a device without end."""
    os.mkfifo(own / "en" / "mood.yaml")
    (own / "en" / "sleep.yaml").symlink_to("/dev/zero")
    (own / "en" / "day.yaml").symlink_to("nowhere")
    lines = mistakes(PROMPTS, own)
    assert [line.partition(": file: ")[2] for line in lines if ": file: is no plain" in line] == [
        "is no plain file; put a text file there"
    ] * 3


def test_a_large_file_is_not_read_to_its_end(own: Path) -> None:
    """Ten megabytes are refused after the first 64 kB."""
    with (own / "en" / "mood.yaml").open("wb") as file:
        file.truncate(10_000_000)
    tracemalloc.start()
    try:
        assert mistakes(own) != []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000
    assert f"{own}/en/mood.yaml:1:1: file: larger than 64 kB; split it or shorten it" in mistakes(PROMPTS, own)


def test_a_folder_of_too_many_files_is_refused(own: Path) -> None:
    """Their number is bounded as well as their size."""
    for number in range(201):
        (own / "en" / f"p{number}.yaml").touch()
    assert any("holds more than 200 prompts; take some out" in line for line in mistakes(PROMPTS, own))


def test_a_whole_folder_is_known(prompts: Path, own: Path) -> None:
    """It has crisis numbers, and the bot's words in each of its languages."""
    assert is_complete(prompts)
    assert not is_complete(own)
    (prompts / "de" / WORDING_FILE).unlink()
    assert not is_complete(prompts)
