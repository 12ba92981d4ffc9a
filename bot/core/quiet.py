"""Quiet hours: when the bot chooses no time by itself (DESIGN 8). A wall time that a person set is kept."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from bot.errors import ScheduleError

NONE: Final = "none"
_WRITTEN = re.compile(r"(\d{1,2}):(\d{2})\s*(?:-|–|to)\s*(\d{1,2}):(\d{2})", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietHours:
    """A part of each local day, usually across midnight."""

    starts: time  # the first quiet minute
    ends: time  # the first minute that is not quiet any more; never `starts`

    @property
    def text(self) -> str:
        """The hours as they are stored and shown; `parse_quiet` reads them back."""
        return f"{self.starts:%H:%M}-{self.ends:%H:%M}"

    def covers(self, clock: time) -> bool:
        """Tell whether a wall time is quiet."""
        if self.starts < self.ends:
            return self.starts <= clock < self.ends
        return clock >= self.starts or clock < self.ends


DEFAULT_QUIET: Final = QuietHours(starts=time(21, 30), ends=time(7, 30))


@lru_cache(maxsize=256)
def parse_quiet(text: str) -> QuietHours | None:
    """Read "21:30-07:30"; "none" means that no hour is quiet. Raises ScheduleError."""
    if text.strip().lower() == NONE:
        return None
    written = _WRITTEN.fullmatch(text.strip().lower())
    hours = [int(part) for part in written.groups()] if written else []
    if not hours or max(hours[0], hours[2]) > 23 or max(hours[1], hours[3]) > 59 or hours[:2] == hours[2:]:
        raise ScheduleError(f'"{text}" are no quiet hours. Write for example "21:30-07:30", or "none".')
    return QuietHours(starts=time(hours[0], hours[1]), ends=time(hours[2], hours[3]))


def is_quiet(hours: QuietHours | None, at: datetime, zone: ZoneInfo) -> bool:
    """Tell whether an instant is quiet for somebody who lives in this zone."""
    return hours is not None and hours.covers(at.astimezone(zone).time())


def after_quiet(hours: QuietHours | None, at: datetime, zone: ZoneInfo) -> datetime:
    """Return an instant as it is, or the end of the quiet hours that it lies in."""
    if hours is None or not is_quiet(hours, at, zone):
        return at
    local = at.astimezone(zone)
    day = local.date() + timedelta(days=hours.ends <= local.time())
    return datetime.combine(day, hours.ends, zone).astimezone(UTC)
