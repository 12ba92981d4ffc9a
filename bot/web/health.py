"""Whether the bot lives, and whether it is ready to do its work."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

PROBE_SECONDS = 5.0

Check = Callable[[], bool]
Probe = Callable[[], Awaitable[object]]


class Health:
    """Answers the two questions of an orchestrator.

    `checks` are looked at, `probes` are tried: each has a name, and none of them says anything about people.
    """

    def __init__(self, *, checks: dict[str, Check], probes: dict[str, Probe]) -> None:
        self._checks = checks
        self._probes = probes

    async def not_ready(self) -> tuple[str, ...]:
        """Name what is missing before the bot is ready; empty when it is."""
        missing = [name for name, check in self._checks.items() if not check()]
        for name, probe in self._probes.items():
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    await probe()
            except Exception as error:  # noqa: BLE001 - whatever it is, the answer is "not ready"
                log.warning("health.probe_failed", probe=name, reason=type(error).__name__)
                missing.append(name)
        return tuple(missing)
