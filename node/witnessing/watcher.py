"""One witness as the node knows it, for the next round and for the steward's screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from node.witnessing.said import Line

Problem = Literal["", "away", "slow", "signature", "clock", "claim", "no", "behind", "reset", "forked"]
"""What was wrong with a witness's last word: none came (in time), its cosignature does not hold or is of another time,
it claims what it does not show, it said no, or what it showed contradicts our ledger."""


@dataclass(slots=True, eq=False)
class Watcher:
    """One witness as the node knows it. `name` is the roster's, once it has cosigned something that we saw.

    `cosigned` is the size of ours that it holds, `heard` the unix second of its last usable word; `problem` is what was
    wrong with the last one, `detail` more of it. `old` is the size to prove from.
    """

    line: Line
    name: str = ""
    heard: int | None = None
    cosigned: int | None = None
    old: int = 0
    problem: Problem = ""
    detail: str = ""

    @property
    def called(self) -> str:
        return self.name or self.line.address

    def well(self, now: int) -> None:
        """It said something usable."""
        self.heard, self.problem, self.detail = now, "", ""

    def wrong(self, problem: Problem, detail: str = "") -> None:
        self.problem, self.detail = problem, detail
