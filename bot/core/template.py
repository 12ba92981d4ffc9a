"""Sentences with named gaps: `Thank you for '{title}'.`"""

import re
from collections.abc import Iterable

GAP = re.compile(r"\{([a-z_]+)\}")


def say(template: str, **values: object) -> str:
    """Fill the gaps of a checked template; what a value holds is never read as a gap.

    Raises KeyError when the template has a gap that no value fills.
    """
    return GAP.sub(lambda gap: str(values[gap[1]]), template)


def check_gaps(template: str, *, may: Iterable[str], must: Iterable[str] = ()) -> str:
    """Return the template if its gaps are among `may` and `must` and all of `must` are there; raises ValueError."""
    needed = sorted(must)
    allowed = sorted({*may, *needed})
    offered = ", ".join(f"{{{name}}}" for name in allowed)
    if set("{}") & set(GAP.sub("", template)):
        raise ValueError("has a brace that belongs to no placeholder; remove it, or write the placeholder as {name}")
    unknown = sorted(set(GAP.findall(template)) - set(allowed))
    if unknown:
        hint = f"use only {offered}" if allowed else "this sentence has none"
        raise ValueError(f"uses the unknown placeholder {{{unknown[0]}}}; {hint}")
    absent = [name for name in needed if f"{{{name}}}" not in template]
    if absent:
        raise ValueError(f"lacks {{{absent[0]}}}; people need to see it, put it where it reads well")
    return template
