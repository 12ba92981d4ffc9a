"""The shipped packs as content: complete in every language, short, plain, and kind."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta

import pytest

from bot.core.command_names import CommandName
from bot.core.commands import Command, Known, Listed, parse_command
from bot.core.conditions import Value, holds
from bot.core.crisis import crisis_line, crisis_text
from bot.core.goals import Scale
from bot.core.pack import Pack
from bot.core.prompts import KINDS, ChoiceStep, NumberStep, Prompt, ScaleStep, Step, ask_text
from bot.core.schedules import parse_rule
from bot.core.spoken_times import Day, Moment
from bot.core.template import GAP, say
from bot.packs import read_packs
from tests.core.english import PROMPTS

PACKS = read_packs(PROMPTS)
LIBRARY = {
    "activity-schedule",
    "evening-reflection",
    "goal-checkin",
    "gratitude",
    "mood",
    "self-care-check",
    "session-preparation",
    "session-reflection",
    "sleep",
    "thought-record",
    "urge-log",
    "weekly-review",
    "worry-time",
}
IF_YOU_LIKE = {"en": "If you like", "de": "Wenn du magst"}
UNKIND = {
    "en": r"\b(streaks?|fail(s|ed|ure)?|must|should|you have to|forgot(ten)?|missed|wrong with you)\b",
    "de": r"\b(musst|müsst|sollte?st|solltet|versag\w*|vergessen|verpasst|serie|fehlgeschlagen)\b",
}
HELPS = ("help", "help_therapist", "console_help")
LISTS = {*HELPS, *(f"{name}_more" for name in HELPS)}  # lists of commands, read line by line

every_pack = pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
every_prompt = pytest.mark.parametrize(
    ("pack", "prompt"),
    [(pack, prompt) for pack in PACKS.values() for prompt in pack.prompts.values()],
    ids=lambda each: each.language if isinstance(each, Pack) else each.id,
)


def meant(text: str, pack: Pack) -> Command | None:
    """Return the command that a whole message is in a language, where everything can be named."""
    prompts = [
        Listed(id=each.id, number=number, names=(each.title,)) for number, each in enumerate(pack.prompts.values(), 1)
    ]
    starts = {start: prompt.id for prompt in pack.prompts.values() for start in prompt.starts}
    known = Known(prompts=prompts, starts=starts, clients=[Listed(id="p", number=1, names=("Alex",))])
    found = parse_command(text, pack.wording.grammar, known)
    return found if isinstance(found, Command) else None


def filled_in(form: str) -> str:
    """Return a message that has a form, its gaps filled with what makes sense there."""
    return say(
        form,
        prompt="mood",
        title="mood",
        time="21:00",
        length="30 min",
        day="monday",
        moment="thu 11:00",
        session="tue 10:00 weekly",
        rule="weekdays 20:00",
        place="Lisbon",
        number="2",
        user="@alex:hs",
        fingerprint="AbCd EfGh",
        words="my walk",
        example="help",
        name="Alex",
    )


def asked(step: Step) -> str:
    """Return a question as people see it."""
    of_goal = isinstance(step, ScaleStep) and step.of == "goal"
    return ask_text(step, client="Alex", goal="Walk", scale=Scale(low=0, high=10) if of_goal else None)


def texts(pack: Pack) -> Iterator[tuple[str, str]]:
    """Yield everything that a language says, with its name."""
    for name, text in pack.wording.model_dump().items():
        if isinstance(text, str):
            yield name, text
    for prompt in pack.prompts.values():
        yield f"{prompt.id}: title", prompt.title
        yield f"{prompt.id}: why", prompt.why
        for step in prompt.steps:
            yield f"{prompt.id}: {step.id}", step.ask
            if isinstance(step, ChoiceStep):
                yield from ((f"{prompt.id}: {step.id}: {option.id}", option.label) for option in step.options)


def shape(prompt: Prompt) -> object:
    """Return everything of a prompt that does not depend on the language."""
    return (
        prompt.version,
        prompt.grace,
        prompt.expires,
        bool(prompt.starts),
        [
            (
                step.id,
                step.kind,
                step.optional,
                step.when,
                bool(step.confirm),
                [option.id for option in step.options] if isinstance(step, ChoiceStep) else None,
                (step.scale, step.of, bool(step.labels)) if isinstance(step, ScaleStep) else None,
                (step.low, step.high, bool(step.unit)) if isinstance(step, NumberStep) else None,
            )
            for step in prompt.steps
        ],
    )


@every_pack
def test_every_language_has_the_whole_library(pack: Pack) -> None:
    """The same prompts, steps, versions, kinds, options and conditions in every language."""
    assert set(pack.prompts) == LIBRARY
    for prompt_id, english in PACKS["en"].prompts.items():
        assert shape(pack.prompts[prompt_id]) == shape(english), prompt_id


def test_english_and_german_are_shipped() -> None:
    """Both languages are there, and German is not English."""
    assert set(PACKS) == {"en", "de"}
    english, german = dict(texts(PACKS["en"])), dict(texts(PACKS["de"]))
    same = {name for name, text in english.items() if german[name] == text}
    assert same <= {"recorded_choice", "crisis_number"} | {
        name for name, text in english.items() if GAP.sub("", text).strip(" .:,;()–\n") == ""
    }


@every_pack
def test_every_command_has_words_of_the_language(pack: Pack) -> None:
    """Each command can be given in the language, and each of its forms does what it says."""
    assert set(pack.wording.commands) == set(CommandName)
    for name, forms in pack.wording.commands.items():
        for form in forms:
            command = meant(filled_in(form), pack)
            assert command is not None, form
            assert command.name is name, form


@every_pack
def test_every_example_is_understood(pack: Pack) -> None:
    """What the bot gives as an example of a command is one, and each command with an argument has its example."""
    gapped = {name for name, forms in pack.wording.commands.items() if any("{" in form for form in forms)}
    assert set(pack.wording.examples) == gapped
    for name, example in pack.wording.examples.items():
        command = meant(example, pack)
        assert command is not None, example
        assert command.name is name, example


@every_pack
def test_what_a_text_tells_to_write_is_understood(pack: Pack) -> None:
    """Every whole message in backticks is a command of the language, or the yes that was asked for."""
    for name, text in texts(pack):
        for word in quoted(text):
            assert word in pack.wording.reading.yes or meant(filled_in(word), pack), (name, word)


@pytest.mark.parametrize("words", ["Krise", "Hilf mir!", "ich brauche Hilfe", "NOTFALL", "Ich brauche jetzt Hilfe 😭"])
def test_german_calls_for_help_are_understood(words: str) -> None:
    """What people write in need brings the numbers."""
    assert meant(words, PACKS["de"]) == Command(name=CommandName.CRISIS)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("pause bis Montag", Command(name=CommandName.PAUSE, day=Day(weekday=0))),
        ("Pause bis zum 1. Dezember", Command(name=CommandName.PAUSE, day=Day(month_day=(12, 1)))),
        ("pause für zwei Wochen", Command(name=CommandName.PAUSE, length=timedelta(weeks=2))),
        ("später in einer halben Stunde", Command(name=CommandName.LATER, length=timedelta(minutes=30))),
        ("später um 21 Uhr", Command(name=CommandName.LATER, clock=time(21))),
        (
            "verschiebe Stimmung und Energie auf 19:00",
            Command(name=CommandName.MOVE_PROMPT, prompt="mood", clock=time(19)),
        ),
        ("Zeitzone Wien", Command(name=CommandName.TIMEZONE, place="Wien")),
        (
            "Sitzung Dienstag 10 Uhr wöchentlich",
            Command(name=CommandName.SESSION, moment=Moment(day=Day(weekday=1), clock=time(10), every_weeks=1)),
        ),
        ("Frage: Darf ich?", Command(name=CommandName.ASK, words="Darf ich?")),
        ("für Alex: Pläne", Command(name=CommandName.SCHEDULES, client="p")),
        ("Gedanke", Command(name=CommandName.START, prompt="thought-record")),
        ("drang notieren", Command(name=CommandName.START, prompt="urge-log")),
    ],
)
def test_german_commands(words: str, command: Command) -> None:
    """Days, times and lengths are understood as people write them in German."""
    assert meant(words, PACKS["de"]) == command


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("werktags 20 Uhr", "weekdays 20:00"),
        ("jeden Tag um 8 Uhr", "daily 08:00"),
        ("montags und donnerstags 9:00", "mon, thu 09:00"),
        ("alle zwei Wochen freitags 18:00", "every 2 weeks fri 18:00 from 2026-12-04"),
        ("monatlich am letzten Freitag 16:00", "monthly last fri 16:00"),
        ("3 mal zwischen 10:00 und 20:00", "3 times between 10:00 and 20:00, 30 min apart"),
        ("dreimal am Tag zwischen 10:00 und 20:00, 90 min Abstand", "3 times between 10:00 and 20:00, 90 min apart"),
        ("am Tag vor der Sitzung 18:00", "session -1 day 18:00"),
        ("2 Stunden vor jeder Sitzung", "session -2 h"),
        ("täglich 20:00 bis 2026-12-24", "daily 20:00 until 2026-12-24"),
    ],
)
def test_german_rules(words: str, rule: str) -> None:
    """A therapist plans in German words."""
    command = meant(f"plane Drang notieren {words}", PACKS["de"])
    assert command is not None
    assert (command.name, command.prompt) == (CommandName.SCHEDULE, "urge-log")
    assert parse_rule(command.rule or "", local=datetime(2026, 12, 1, 9)).text == rule  # noqa: DTZ001 - a wall time


@pytest.mark.parametrize(
    "words",
    ["Morgen um 10?", "Fragen?", "Themen?", "ich mache weiter", "Pause wäre gut", "später vielleicht", "So, do."],
)
def test_german_conversation_is_left_alone(words: str) -> None:
    """What two people say to each other is no command."""
    assert meant(words, PACKS["de"]) is None


@every_pack
def test_the_sentences_have_the_same_gaps(pack: Pack) -> None:
    """A translation names the same things as the English sentence."""
    english = PACKS["en"].wording.model_dump()
    for name, text in pack.wording.model_dump().items():
        if isinstance(text, str):
            assert set(GAP.findall(text)) == set(GAP.findall(english[name])), name


def test_every_kind_of_step_is_used() -> None:
    """The library shows what a practice can write."""
    assert {step.kind for prompt in PACKS["en"].prompts.values() for step in prompt.steps} == set(KINDS)


@every_prompt
def test_a_prompt_is_short(pack: Pack, prompt: Prompt) -> None:
    """At most six required steps, one question a screen, and one line that says why."""
    assert sum(not step.optional for step in prompt.steps) <= 6
    assert all(len(asked(step)) <= 300 for step in prompt.steps)
    assert sum(len(asked(step)) for step in prompt.steps) / len(prompt.steps) <= 200
    assert len(prompt.why) <= 110


@every_prompt
def test_an_optional_step_says_so(pack: Pack, prompt: Prompt) -> None:
    """Who reads `if you like` knows that nothing is owed; the other questions do not say it."""
    for step in prompt.steps:
        assert (IF_YOU_LIKE[pack.language] in step.ask) == (step.optional or step.id == "value"), step.id


@every_pack
def test_no_message_fills_more_than_a_screen(pack: Pack) -> None:
    """600 characters is what a phone shows; lists of commands are read line by line."""
    for name, text in texts(pack):
        assert len(text) <= (1500 if name in LISTS else 600), name
        assert max(map(len, text.splitlines()), default=0) <= 300 or name == "welcome", name


@every_pack
def test_nothing_blames_or_pushes(pack: Pack) -> None:
    """No guilt and no orders in anything that the bot says."""
    for name, text in texts(pack):
        assert not re.search(UNKIND[pack.language], text, re.IGNORECASE), (name, text)


def test_german_typography() -> None:
    """Quotes and dashes are the German ones."""
    for name, text in texts(PACKS["de"]):
        assert not re.search(r"[\"'”]", text), (name, text)
        assert text.count("„") == text.count("“"), (name, text)
        assert " - " not in text, (name, text)


@every_pack
def test_the_welcome_is_short(pack: Pack) -> None:
    """At most five sentences and three commands, with the crisis line among them."""
    line = crisis_line(pack.crisis, pack.wording, country="DE")
    text = say(pack.wording.welcome, crisis_line=line)
    assert len(re.findall(r"[.!?](?:\s|$)", text)) <= 5
    assert [meant(word, pack) for word in quoted(text)] == [
        Command(name=name) for name in (CommandName.HELP, CommandName.CRISIS, CommandName.PAUSE)
    ]


def quoted(text: str) -> list[str]:
    """Return the words in backticks."""
    return re.findall(r"`([^`]+)`", text)


@every_pack
def test_every_help_begins_with_where_help_is(pack: Pack) -> None:
    """The crisis line comes first, and the fingerprint last in the first page."""
    for name in LISTS:
        text = getattr(pack.wording, name)
        assert text.startswith("{crisis_line}")
        assert text.endswith("{fingerprint}") == (name in HELPS)


@pytest.mark.parametrize(("language", "nobody"), [("en", "nobody has been alerted"), ("de", "wurde niemand alarmiert")])
@pytest.mark.parametrize("country", ["DE", "AT", "CH", "US", "ZZ"])
def test_the_crisis_answer_is_short_and_honest(language: str, nobody: str, country: str) -> None:
    """Numbers first, then what this program is, and plainly that nobody was alerted."""
    pack = PACKS[language]
    text = crisis_text(pack.crisis, pack.wording, country=country, practice_line="030 1234567")
    first, *_, last = text.splitlines()
    assert first.endswith(":")
    assert nobody in last
    assert "030 1234567" in text
    assert len(text) <= 600


def test_numbers_read_well_in_german() -> None:
    """The table of numbers, which all languages share, puts no English into a German sentence."""
    pack = PACKS["de"]
    for country in ("DE", "AT", "CH"):
        line = crisis_line(pack.crisis, pack.wording, country=country)
        assert not re.search(r"\b(or|and|ambulance|call)\b", line), line


# How easy a text is to read. Both measures are made for running text; single questions jump, so a prompt is the unit.


def sentences(text: str) -> list[list[str]]:
    """Return the words of each sentence."""
    found = [re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", part) for part in re.split(r"[.!?\n]+", text)]
    return [words for words in found if words]


def syllables(word: str) -> int:
    """Count the syllables of an English word: its groups of vowels, without a silent e."""
    plain = re.sub(r"(?<=[^aeiouyl])(e|es|ed)$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]+", plain)))


def grade(text: str) -> float:
    """Return the school year for which an English text is easy (Flesch and Kincaid 1975); age is that plus five."""
    spoken = sentences(text)
    words = [word for sentence in spoken for word in sentence]
    return 0.39 * len(words) / len(spoken) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def lix(text: str) -> float:
    """Return the readability of a German text: words per sentence, and per cent of words over six letters (LIX).

    Below 40 lie books for children and the young.
    """
    spoken = sentences(text)
    words = [word for sentence in spoken for word in sentence]
    return len(words) / len(spoken) + 100 * sum(len(word) > 6 for word in words) / len(words)


def running(prompt: Prompt) -> str:
    """Return what a client reads of a prompt, without the labels of its scales."""
    return "\n".join([prompt.why, *(step.ask for step in prompt.steps)])


@pytest.mark.parametrize("prompt_id", sorted(LIBRARY))
def test_prompts_are_easy_to_read(prompt_id: str) -> None:
    """A child of eleven reads them: school year five at most in English, LIX 35 at most in German."""
    english, german = (running(PACKS[language].prompts[prompt_id]) for language in ("en", "de"))
    assert grade(english) <= 5
    assert lix(german) <= 35
    for text in (english, german):
        spoken = sentences(text)
        assert sum(map(len, spoken)) / len(spoken) <= 12
        assert max(map(len, spoken)) <= 22


def test_what_the_bot_says_is_easy_to_read() -> None:
    """The same holds for its own sentences, those of the therapist's console apart."""
    english, german = (
        "\n".join(text for name, text in pack.wording if isinstance(text, str) and not name.startswith("console"))
        for pack in (PACKS["en"], PACKS["de"])
    )
    assert grade(english) <= 5
    assert lix(german) <= 35
    assert all(sum(map(len, spoken)) / len(spoken) <= 10 for spoken in map(sentences, (english, german)))


def test_the_measures_tell_easy_from_hard() -> None:
    """What a form would say is found to be too hard."""
    assert grade("Please evaluate the intensity of your emotional experience utilising the numerical scale.") > 12
    assert grade("How was your day? A word is enough.") < 4
    assert lix("Bitte beurteilen Sie die Intensität Ihrer emotionalen Belastung anhand der numerischen Skala.") > 50
    assert lix("Wie war dein Tag? Ein Wort genügt.") < 25


# Where a prompt branches


def walked(prompt_id: str, answers: Mapping[str, Value], *, skipped: str = "") -> list[str]:
    """Return the steps that are answered when each that is asked is: as given, else in words; but for one."""
    values: dict[str, Value] = {}
    for step in PACKS["en"].prompts[prompt_id].steps:
        if step.id != skipped and (step.when is None or holds(step.when, values)):
            values[step.id] = answers.get(step.id.replace("-", "_"))
    return list(values)


@pytest.mark.parametrize(
    ("prompt_id", "answers", "end"),
    [
        ("worry-time", {"can_do": "yes"}, ["can-do", "next-step"]),
        ("worry-time", {"can_do": "no"}, ["can-do", "wait-until", "meanwhile"]),
        ("urge-log", {"did": "waited", "strength_after": 3}, ["strength-after", "helped"]),
        ("urge-log", {"did": "waited", "strength_after": 7}, ["strength-after", "need"]),
        ("urge-log", {"did": "went-along", "strength_after": 2}, ["strength-after", "need"]),
        ("urge-log", {"did": "nothing-yet", "strength_after": 6}, ["did", "strength-after"]),
        ("thought-record", {"belief_before": 80, "belief_after": 30}, ["other-view", "belief-after"]),
        ("thought-record", {"belief_before": 80, "belief_after": 60}, ["belief-after", "good-for-me"]),
        ("session-reflection", {"understood": 5}, ["understood", "not-understood", "next-time"]),
        ("session-reflection", {"understood": 6}, ["understood", "next-time"]),
    ],
)
def test_a_prompt_follows_the_answers(prompt_id: str, answers: dict[str, Value], end: list[str]) -> None:
    """Each answer leads to the question that fits it, and to no other."""
    assert walked(prompt_id, answers)[-len(end) :] == end


@pytest.mark.parametrize(
    ("prompt_id", "skipped", "end"),
    [
        ("sleep", "asleep", ["to-bed", "up", "rested", "note"]),
        ("thought-record", "other-view", ["belief-before", "feelings"]),
        ("worry-time", "can-do", ["worry"]),
        ("session-preparation", "bring", ["good-session"]),
    ],
)
def test_what_is_skipped_is_not_asked_about(prompt_id: str, skipped: str, end: list[str]) -> None:
    """Who leaves a question out gets none that rests on its answer."""
    assert walked(prompt_id, {}, skipped=skipped)[-len(end) :] == end


def test_entries_can_be_started_at_any_time() -> None:
    """An urge and a thought do not wait for a schedule."""
    starts = {
        language: {start for prompt in pack.prompts.values() for start in prompt.starts}
        for language, pack in PACKS.items()
    }
    assert starts == {"en": {"thought", "log urge"}, "de": {"gedanke", "drang notieren"}}
