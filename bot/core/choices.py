"""What a client has decided about a prompt, for good: the therapist cannot lift it by planning the prompt anew."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A client's decision about one prompt."""

    pair_id: str
    prompt_id: str
    refused: bool = False  # it never comes
    at_most: str | None = None  # a rule: it comes no more often than this one
    changed_at: datetime
