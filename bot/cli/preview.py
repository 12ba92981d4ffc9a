"""`interlude schedule preview`: when a rule comes true, without any instance."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

import typer

from bot.cli.frame import AsJson, show, show_json, show_table
from bot.clock import SystemClock
from bot.core.occurrences import Occurrence, instant, occurrences
from bot.core.rule_words import FIRST_YEAR, LAST_YEAR
from bot.core.schedules import parse_calendar_rule
from bot.errors import ScheduleError

COLUMNS = ("day", "local", "offset", "utc", "")


def preview(
    *,
    rule: Annotated[str, typer.Option(metavar="R", help='Such as "weekdays 20:00", or an RRULE.')],
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="Such as Europe/Berlin.")],
    start: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="T", help="The first instant that counts; without an offset, in ZONE. Else now."
        ),
    ] = None,
    count: Annotated[int, typer.Option(metavar="N", help="How many.", min=1, max=1000)] = 10,
    as_json: AsJson = False,
) -> None:
    """Show when a rule comes true, in local time and in UTC.

    A rule that counts (every 2 weeks, 10 times) and names no start begins at --from.
    """
    if timezone not in available_timezones():
        raise ScheduleError(f"There is no time zone {timezone!r}; write one such as Europe/Berlin.")
    zone = ZoneInfo(timezone)
    # Occurrences are strictly later than what they come after; the first instant counts.
    after = _read_instant(start, zone) - timedelta(microseconds=1)
    read = parse_calendar_rule(rule, local=after.astimezone(zone))
    found = list(islice(occurrences(read, zone, after=after), count))
    if as_json:
        show_json(
            [
                {"local": one.local.isoformat(timespec="seconds"), "utc": f"{one.due:%Y-%m-%dT%H:%M:%SZ}"}
                for one in found
            ]
        )
        return
    show(f"{read.text}, {timezone}")
    show_table(COLUMNS, [_row(one) for one in found], empty="Nothing comes in that time.")
    if found and len(found) < count:
        show("The rule ends there.")


def _row(one: Occurrence) -> tuple[str, ...]:
    named = datetime.fromisoformat(one.key)
    moved = "" if named == one.local.replace(tzinfo=None, fold=0) else f"{named:%a %H:%M} does not exist there"
    offset = one.local.isoformat(timespec="minutes")[16:]
    return f"{one.local:%a}", f"{one.local:%Y-%m-%d %H:%M}", offset, f"{one.due:%Y-%m-%d %H:%M}", moved


def _read_instant(written: str | None, zone: ZoneInfo) -> datetime:
    """Read an instant; its date alone is the beginning of that day. Raises ScheduleError."""
    if written is None:
        return SystemClock().now()
    try:
        read = datetime.fromisoformat(written.strip())
    except ValueError:
        raise ScheduleError(
            f"{written!r} is not an instant. Write for example 2027-03-27T00:00:00Z or 2027-03-27."
        ) from None
    if not FIRST_YEAR < read.year < LAST_YEAR:
        raise ScheduleError(f"{written!r} is too far away. Write an instant from {FIRST_YEAR + 1} to {LAST_YEAR - 1}.")
    return instant(read, zone) if read.tzinfo is None else read.astimezone(UTC)
