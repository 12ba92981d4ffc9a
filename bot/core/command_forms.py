"""How a message is compared with the forms of commands: word by word, each gap filled by what makes sense there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.core.command_names import ENGLISH, ENGLISH_FOR_CLIENT, CommandName
from bot.core.spelling import unified

WORDS = "{words}"
# What may stand in braces in a form.
GAPS = frozenset(
    {
        "prompt", "client", "time", "length", "day", "moment", "session", "rule", "place", "number", "user",
        "fingerprint", "words",
    }
)  # fmt: skip
_PAUSE = ",:"  # behind a word: "timezone: Lisbon", "later, in an hour"
_END = ".!?…,;:。！？؟ \t"

Readers = Mapping[str, Callable[[str], object]]  # gap -> what its text means, None when it makes no sense there


def command_form(text: str) -> str:
    """Return a message as commands are compared: NFKC, lower case, plain dashes and quotes, no end punctuation."""
    return plain_form(text).lower()


def plain_form(text: str) -> str:
    """Return what `command_form` does, the case kept."""
    return " ".join(unified(text).split()).rstrip(_END).strip("\"'").rstrip(_END)


def gap_of(token: str) -> str | None:
    """Return the name of a gap, None for a plain word."""
    return token[1:-1] if token.startswith("{") and token.endswith("}") else None


def check_form(form: str) -> str:
    """Return a form of `bot.yaml`; raises ValueError when it could not work."""
    tokens = form.split()
    gaps = [gap for token in tokens if (gap := gap_of(token))]
    if unknown := [gap for gap in gaps if gap not in GAPS]:
        raise ValueError(f"uses the unknown placeholder {{{unknown[0]}}}; use only {', '.join(sorted(GAPS))}")
    if "{" in (rest := "".join(token for token in tokens if gap_of(token) is None)) or "}" in rest:
        raise ValueError("has a brace inside a word; write {placeholders} with a space on either side")
    if gap_of(tokens[0]):
        raise ValueError("begins with a placeholder; begin with a word, so that conversation is not taken for it")
    if "words" in gaps and (tokens[-1] != WORDS or not tokens[-2].endswith(":") or len(gaps) > 1):
        raise ValueError(f"has {WORDS} in the wrong place; write for example `ask: {WORDS}`")
    return form


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A form that a message has, and the text in each of its gaps read."""

    name: CommandName
    values: Mapping[str, object]


class Grammar:
    """The forms of one language and the English ones; made once per pack."""

    def __init__(
        self,
        forms: Mapping[CommandName, Sequence[str]],
        *,
        for_client: Sequence[str] = (),
        time_words: Mapping[str, str] | None = None,
        numbers: Mapping[str, int] | None = None,
    ) -> None:
        self.time_words = {command_form(word): english for word, english in (time_words or {}).items()}
        self.numbers = {word.lower(): number for word, number in (numbers or {}).items()}
        self.for_client = tuple(tuple(command_form(form).split()) for form in (*for_client, *ENGLISH_FOR_CLIENT))
        self.whole: dict[str, CommandName] = {}
        self.open_ended: dict[str, CommandName] = {}  # what stands before the colon
        self._gapped: dict[str, list[tuple[CommandName, tuple[str, ...]]]] = {}  # by their first word
        for vocabulary in (forms, ENGLISH):  # English last: a form of it can never come to mean something else
            for name, each in vocabulary.items():
                for form in each:
                    self._add(name, form)
        openings = (form.split()[0] for form in (*self.whole, *self.open_ended) if form)
        self.first_words = frozenset({*self._gapped, *openings, *(form[0] for form in self.for_client if form)})

    def named_by(self, first_word: str) -> CommandName | None:
        """Return a command with arguments that begins with a word."""
        found = self._gapped.get(first_word)
        return found[0][0] if found else self.open_ended.get(first_word)

    def match(self, tokens: Sequence[str], readers: Readers) -> Match | None:
        """Find the form of a message, given as words in the case in which they were written."""
        lower = [token.lower() for token in tokens]
        for name, form in self._gapped.get(lower[0].rstrip(_PAUSE), ()):
            for values in _filled(form, tokens, lower, readers):
                return Match(name=name, values=values)
        return None

    def _add(self, name: CommandName, form: str) -> None:
        if form.rstrip().endswith(WORDS):
            self.open_ended[command_form(form.rstrip().removesuffix(WORDS))] = name
            return
        tokens = tuple(token if gap_of(token) else token.lower() for token in unified(form).split())
        if any(gap_of(token) for token in tokens):
            known = self._gapped.setdefault(tokens[0], [])
            known[:] = [each for each in known if each[1] != tokens]
            known.append((name, tokens))
        else:
            self.whole[command_form(form)] = name


def _filled(
    form: Sequence[str], tokens: Sequence[str], lower: Sequence[str], readers: Readers
) -> Iterator[dict[str, object]]:
    """Yield every way in which the words fill a form; gaps take as many words as they can."""
    if not form:
        if not tokens:
            yield {}
        return
    gap = gap_of(form[0])
    if gap is None:
        if lower and lower[0].rstrip(_PAUSE) == form[0]:
            yield from _filled(form[1:], tokens[1:], lower[1:], readers)
        return
    keep = len(form) - 1  # every part that follows needs a word at least
    for length in range(len(tokens) - keep, 0, -1):
        value = readers[gap](" ".join(tokens[:length]))
        if value is not None:
            for rest in _filled(form[1:], tokens[length:], lower[length:], readers):
                yield {gap: value, **rest}
