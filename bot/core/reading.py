"""Reading typed answers in the words of one language; where two readings are possible, none is chosen.

Each `read_…` returns a `Reading` (the value, and the note behind it as it was typed), a `Misfit` (it looks like an
answer, but does not fit or could mean two things), or None (ordinary conversation).
"""

from bot.core.amount_reading import read_amount
from bot.core.choice_reading import read_choice, read_option
from bot.core.clock_reading import read_time
from bot.core.notes import Misfit, Reading
from bot.core.number_reading import is_bare_number, read_number
from bot.core.reading_words import ReadingWords
from bot.core.yes_no_reading import YesNo, read_yes_no, says_yes

__all__ = [
    "Misfit",
    "Reading",
    "ReadingWords",
    "YesNo",
    "is_bare_number",
    "read_amount",
    "read_choice",
    "read_number",
    "read_option",
    "read_time",
    "read_yes_no",
    "says_yes",
]
