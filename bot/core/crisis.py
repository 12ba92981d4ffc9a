"""Where help is now: the public crisis numbers of a country.

The text names nobody and nothing about anybody, because it may also go to devices that are not trusted (CRYPTO 10).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.core.document import read_document, validate
from bot.core.fields import Day, one_line
from bot.core.template import say
from bot.core.wording import Wording

STALE_AFTER_DAYS = 183


def _code(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[A-Z]{2}", value, re.ASCII):
        raise ValueError("is no country; write its code in two capital letters, for example DE")
    return value


_Text = Annotated[str, Field(min_length=1, max_length=120), BeforeValidator(one_line)]
_Country = Annotated[str, BeforeValidator(_code)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CrisisLine(_Row):
    """A telephone line that listens."""

    name: _Text
    number: _Text


class Country(_Row):
    """The numbers of one country."""

    emergency: _Text
    lines: tuple[CrisisLine, ...] = Field(min_length=1, max_length=3)
    source: _Text


class CrisisTable(_Row):
    """Numbers by country (ISO 3166 alpha-2), and the day on which somebody last checked them."""

    checked: Day
    countries: Mapping[_Country, Country] = Field(min_length=1)


def parse_crisis_table(text: str, *, source: str) -> CrisisTable:
    """Read `crisis.yaml`; raises PackError with every mistake and its line."""
    return validate(CrisisTable, read_document(text, source=source))


def is_stale(table: CrisisTable, *, at: datetime) -> bool:
    """Tell whether the numbers were last checked more than six months ago."""
    return (at.date() - table.checked).days > STALE_AFTER_DAYS


def crisis_line(table: CrisisTable, wording: Wording, *, country: str, practice_line: str = "") -> str:
    """Return where help is now in one line, for the welcome and the first line of `help`."""
    row = _row(table, country)
    if row is None:
        return say(wording.crisis_short_unknown, practice=practice_line or wording.crisis_no_practice)
    return say(wording.crisis_short, emergency=row.emergency, name=row.lines[0].name, number=row.lines[0].number)


def crisis_text(table: CrisisTable, wording: Wording, *, country: str, practice_line: str = "") -> str:
    """Return the answer to `crisis`: emergency number, crisis lines, the practice's line, and what nobody did.

    A country that is not in the table gets the advice to call the local emergency number.
    """
    row = _row(table, country)
    if row is None:
        numbers = [wording.crisis_emergency_unknown]
    else:
        numbers = [say(wording.crisis_emergency, number=row.emergency)]
        numbers += [say(wording.crisis_number, name=line.name, number=line.number) for line in row.lines]
    if practice_line:
        numbers.append(say(wording.crisis_practice, line=practice_line))
    return "\n".join([wording.crisis_opening, *numbers, wording.crisis_honest])


def _row(table: CrisisTable, country: str) -> Country | None:
    code = country.strip().upper()
    return table.countries.get("GB" if code == "UK" else code)  # what people write for GB
