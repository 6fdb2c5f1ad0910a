"""What happened, as a Markdown page with one table."""

from __future__ import annotations

import os
import platform
import sqlite3
from dataclasses import dataclass
from typing import Any

from compose.chaos.mill import Tally


@dataclass(frozen=True, slots=True)
class Report:
    """All tallies of a run, in the order in which things were done."""

    seed: int
    tallies: tuple[Tally, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return {"seed": self.seed, "seconds": self.seconds, "tallies": [tally.to_json() for tally in self.tallies]}

    @property
    def violations(self) -> list[str]:
        return [what for tally in self.tallies for what in tally.violations]

    @property
    def kills(self) -> int:
        """Processes that were killed, of every kind."""
        return sum(tally.count for tally in self.tallies if tally.kind.startswith("kill"))


def page(report: Report, command: str) -> str:
    """The page: how it was run, the table, and what was wrong, if anything was."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    lines = [
        f"`{command}`, seed {report.seed}: {report.kills:,} kills in {report.seconds:,.0f} s on {machine}.",
        "",
        "| what was done | times | what came of it | violations | seconds |",
        "|---|---:|---|---:|---:|",
        *(_row(tally) for tally in report.tallies),
    ]
    if report.violations:
        lines += ["", "## Violations", "", *(f"- {what}" for what in report.violations)]
    return "\n".join(lines) + "\n"


def _row(tally: Tally) -> str:
    came = "; ".join(f"{what}: {count:,}" for what, count in tally.outcomes.most_common())
    return f"| {tally.kind} | {tally.count:,} | {came} | {len(tally.violations)} | {tally.seconds:,.0f} |"
