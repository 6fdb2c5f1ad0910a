"""What a run of load found: one value, as JSON for programs and as tables for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tests.soak.load.memory import Growth


@dataclass(frozen=True, slots=True)
class Speed:
    """Questions of one kind in one phase: how many, over how many seconds, and how long they took, in ms."""

    what: str
    count: int
    seconds: float
    p50: float
    p99: float

    @property
    def each_second(self) -> float:
        return self.count / self.seconds


@dataclass(frozen=True, slots=True)
class Minute:
    """The highest resident memory (MiB) of each role in one minute, and the most open files of any process."""

    mib: tuple[float, ...]
    files: int


@dataclass(frozen=True, slots=True)
class Report:
    """`bare` are the baseline before and after; `cpu_ms` is CPU of each role for each programme of the load."""

    regions: int
    at_once: int
    store: str
    load: tuple[Speed, ...]
    answers: int
    turned_away: int
    bare: tuple[Speed, ...]
    roles: tuple[str, ...]
    minutes: tuple[Minute, ...]
    growth: tuple[Growth, ...]
    slopes: tuple[float, ...]
    cpu_ms: tuple[float, ...]
    victim: tuple[Speed, ...]
    flood: dict[str, int]
    flood_taken: int
    asked_again: int
    audit: dict[str, int]
    violations: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    def page(self) -> str:
        """The tables, as Markdown."""
        return "\n".join([*self._speed(), "", *self._memory(), "", *self._flood(), "", *self._end()])

    def _speed(self) -> list[str]:
        lines = [
            f"{self.at_once} programmes in flight over {self.regions} nodes, the coordinator on {self.store}.",
            "",
            "| what | finished | a second | p50, ms | p99, ms |",
            "|---|---:|---:|---:|---:|",
            *(_row(one) for one in (*self.load, *self.bare)),
        ]
        regional, floor = self.load[0], self.bare
        p50, p99 = (sum(getattr(one, name) for one in floor) / len(floor) for name in ("p50", "p99"))
        speed = sum(one.count for one in self.load) / self.load[0].seconds
        bare_speed = sum(one.each_second for one in floor) / len(floor)
        cpu = [f"{role} {ms:.0f} ms" for role, ms in zip(self.roles, self.cpu_ms, strict=True)]
        lines += [
            "",
            f"Beside the bare baseline: p50 {regional.p50 / p50:.1f} times, p99 {regional.p99 / p99:.1f} times.",
            f"Throughput: 1/{bare_speed / speed:.1f} of it, {self.answers / regional.seconds:.0f} answers a second.",
            f"Signed answers taken in: {self.answers:,}. Calls that the desk sent away: {self.turned_away}.",
            f"CPU for each programme: {', '.join(cpu)}.",
        ]
        return lines

    def _memory(self) -> list[str]:
        lines = [
            "| minute | " + " | ".join(f"{role}, MiB" for role in self.roles) + " | most open files |",
            "|---:|" + "---:|" * (len(self.roles) + 1),
        ]
        for number, one in enumerate(self.minutes, 1):
            lines.append(f"| {number} | " + " | ".join(f"{mib:.1f}" for mib in one.mib) + f" | {one.files} |")
        for growth, slope in zip(self.growth, self.slopes, strict=True):
            highest = f"highest in the middle third {growth.middle:.1f} MiB, in the last {growth.last:.1f}"
            lines += ["", f"{growth.role}: {highest}; {slope:+.2f} MiB a minute over the last two thirds."]
        return lines

    def _flood(self) -> list[str]:
        said = ", ".join(f"{code} {count:,}" for code, count in sorted(self.flood.items()))
        return [
            "| one researcher, four programmes in flight | finished | a second | p50, ms | p99, ms |",
            "|---|---:|---:|---:|---:|",
            *(_row(one) for one in self.victim),
            "",
            f"The desk said to the flood: {said}; it took {self.flood_taken} of its programmes.",
        ]

    def _end(self) -> list[str]:
        said = ", ".join(f"{what} {count:,}" for what, count in self.audit.items())
        return [
            f"{self.asked_again} programmes were asked a second time and gave the same bytes. audit verify: {said}.",
            *(f"VIOLATION: {one}" for one in self.violations),
        ]


def _row(one: Speed) -> str:
    return f"| {one.what} | {one.count:,} | {one.each_second:.2f} | {one.p50:,.0f} | {one.p99:,.0f} |"
