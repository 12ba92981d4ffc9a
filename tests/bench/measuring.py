"""Several runs of all benchmarks, and what comes out: medians, and ratios within each run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from tests.bench.answering import answers_to_checkins
from tests.bench.prompting import FanOut, fan_out, forget_keys
from tests.bench.restarting import Restart, restart
from tests.bench.town import Town
from tests.bench.yardsticks import bare_requests, nio_encryption

Say = Callable[[str], None]


@dataclass
class Results:
    """What was measured, one entry a run."""

    fan_outs: dict[str, list[FanOut]] = field(default_factory=dict)
    restarts: list[Restart] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)  # seconds, of all runs

    def ratio(self, name: str, yardstick: str = "bare requests") -> float:
        """The median of a rate over a yardstick's of the same run."""
        pairs = zip(self.fan_outs[name], self.fan_outs[yardstick], strict=True)
        return median(one.rate / other.rate for one, other in pairs)

    def table(self) -> str:
        """Everything, as lines of text."""
        lines = ["", f"{'one message to each room':26} {'rooms/s':>8} {'of bare':>8} {'CPU ms':>7} {'blocked ms':>11}"]
        for name, each in self.fan_outs.items():
            rate, cpu = median(one.rate for one in each), median(one.cpu_each for one in each)
            blocked, busiest = max(one.blocked for one in each), max(one.busiest for one in each)
            lines.append(
                f"{name:26} {rate:8.1f} {self.ratio(name):8.2f} {cpu:7.2f} {blocked * 1000:5.0f} ({busiest * 1000:.0f})"
            )
        lines.append("blocked: longest, by the clock and (in brackets) by the CPU of the loop's thread")
        if self.restarts:
            seconds = median(one.seconds for one in self.restarts)
            cpu = median(one.cpu for one in self.restarts)
            full = any(one.full_sync for one in self.restarts)
            lines.append(f"restart to ready: {seconds:.2f} s, {cpu:.2f} s of CPU; full sync: {'yes' if full else 'no'}")
        if len(self.answers) > 1:
            centiles = [one * 1000 for one in quantiles(self.answers, n=100, method="inclusive")]
            shown = f"p50 {centiles[49]:.0f} ms, p99 {centiles[98]:.0f} ms"
            lines.append(f"answer to check-in: {shown} ({len(self.answers)} answers)")
        return "\n".join(lines)


async def measure(town: Town, *, runs: int, answers: int, say: Say) -> Results:
    """Run everything `runs` times, yardsticks and bot in turn, so that a busy minute meets both."""
    results = Results()
    for number in range(1, runs + 1):
        for name, took in await _one_run(town):
            results.fan_outs.setdefault(name, []).append(took)
            say(f"run {number}: {name:26} {took.rate:6.1f} rooms/s {took.cpu_each:6.2f} ms CPU each")
        times = await answers_to_checkins(town, answers=min(answers, len(town.pairs)))
        results.answers += times
        say(f"run {number}: answer to check-in          {median(times) * 1000:6.0f} ms")
        results.restarts.append(await restart(town))
        say(f"run {number}: restart                     {results.restarts[-1].seconds:6.2f} s")
    return results


async def _one_run(town: Town) -> Sequence[tuple[str, FanOut]]:
    async def forget() -> None:
        await forget_keys(town)

    async def share_ahead() -> None:
        await forget()
        await town.bot.service._deliver()  # schedules that are as new as these have not been planned yet
        await town.bot.service._share_ahead()

    found = [("bare requests", await bare_requests(town))]
    found.append(("bot, first", await fan_out(town, prepare=forget)))
    found.append(("bot, first, keys ahead", await fan_out(town, prepare=share_ahead)))
    found.append(("bot, later", await fan_out(town)))
    first, later = await nio_encryption(town)
    return [*found, ("matrix-nio, first", first), ("matrix-nio, later", later)]
