"""Numbers for the operator. No label and no name carries anything about people (DESIGN promise 1)."""

import re
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Summary, generate_latest

PREFIX = "interlude_"
COUNTERS = {
    "events_received": "Room events that arrived.",
    "events_sent": "Room events that the homeserver acknowledged.",
    "to_device_dropped": "To-device messages that were refused.",
    "prompts_posted": "Prompts put into the outbox.",
    "records": "Answers and check-ins put on record, revisions too.",
    "failures": "Things that failed inside the bot; the log names them.",
}
GAUGES = {
    "outbox_depth": "Events that wait to be sent.",
    "outbox_parked": "Events that the homeserver will not take.",
    "room_holds": "Rooms in which nothing is sent.",
}
NAME = re.compile(r"[a-z][a-z_]{0,60}")

Read = Callable[[], Awaitable[Mapping[str, float]]]


class Metrics:
    """Implements `ports.Meter`; `read` gives the gauges' values when somebody looks."""

    def __init__(self, *, read: Read | None = None) -> None:
        self._registry = CollectorRegistry()  # an own one: the default one names the process and its files
        self._read = read
        self._counters = {
            name: Counter(PREFIX + name, help_, registry=self._registry) for name, help_ in COUNTERS.items()
        }
        self._gauges = {name: Gauge(PREFIX + name, help_, registry=self._registry) for name, help_ in GAUGES.items()}
        self._sync = Summary(f"{PREFIX}sync_seconds", "Time to process an answer of /sync.", registry=self._registry)

    def count(self, name: str, by: int = 1) -> None:
        """Raise a counter; one that is not known yet is made. Raises ValueError for a name that is no name."""
        if name not in self._counters:
            if not NAME.fullmatch(name):
                raise ValueError("A counter's name is lower-case words, fixed in the code.")
            self._counters[name] = Counter(PREFIX + name, name.replace("_", " "), registry=self._registry)
        self._counters[name].inc(by)

    def sync_took(self, seconds: float) -> None:
        """Note how long one answer of /sync took to process."""
        self._sync.observe(seconds)

    async def page(self) -> bytes:
        """Return everything in the Prometheus text format."""
        if self._read is not None:
            for name, value in (await self._read()).items():
                self._gauges[name].set(value)
        return generate_latest(self._registry)
