"""One run of chaos: nodes die in the mills and witnesses beside them, disks fail, processes die, an auditor looks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import audit.cli
import node.cli
from compose.chaos import study
from compose.chaos.chance import Chance
from compose.chaos.mill import Tally
from compose.chaos.servers import COORDINATOR, Deaths, serving
from compose.chaos.table import Report
from compose.chaos.troubles import Task
from compose.chaos.whole import Whole
from compose.chaos.world import federation, stores
from compose.demo.federation import Federation
from compose.demo.verbs import run

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much: nodes killed at any moment, at system calls, as whole processes; troubles of each kind with a disk."""

    kills: int
    at_calls: int
    whole: int
    disks: int
    regions: int = len(study.REGIONS)

    @classmethod
    def of(cls, kills: int) -> Scale:
        """A run of so many kills of nodes and processes, in proportion."""
        at_calls, whole = kills // 12, min(80, kills // 20)
        return cls(kills - at_calls - whole, at_calls, whole, max(4, min(25, kills // 50)))


@dataclass(slots=True)
class Chaos:
    """One run in a folder of its own. `say` is told how far it is."""

    folder: Path
    seed: int
    say: Say

    def run(self, scale: Scale) -> Report:
        """All of it; what comes after something that is wrong is left out."""
        began = time.monotonic()
        tallies = self._mills(scale)
        if scale.whole and not _wrong(tallies):
            tallies += self._whole(scale)
        return Report(self.seed, tuple(tallies), time.monotonic() - began)

    def _mills(self, scale: Scale) -> list[Tally]:
        made = federation(self.folder / "mills", study.REGIONS[: scale.regions], self.say)
        with serving(made, COORDINATOR, *made.witnesses):
            self.say(f"{scale.kills + scale.at_calls} nodes are killed, and witnesses beside them")
            tallies = self.work(made, replace(scale, disks=0), Deaths(made, Chance(self.seed, "witnesses")))
            if scale.disks and not _wrong(tallies):
                self.say("disks fail")
                tallies += self.work(made, replace(scale, kills=0, at_calls=0), None)
        if not _wrong(tallies):
            tallies.append(self.audit(made, "the mills' ledgers"))
        return tallies

    def work(self, made: Federation, scale: Scale, deaths: Deaths | None) -> list[Tally]:
        """All mills at once, a process each; witnesses listen by now. Tallies of one kind are added up."""
        tasks = [self._task(made, scale, place) for place in range(scale.regions)]
        mills = [_mill(task) for task in tasks]
        try:
            while deaths is not None and any(mill.poll() is None for mill in mills):
                deaths.some()
            found: dict[str, Tally] = {}
            for mill, task in zip(mills, tasks, strict=True):
                for tally in _result(task, mill.wait()):
                    found.setdefault(tally.kind, Tally(tally.kind)).add(tally)
            return [*found.values(), *(deaths.tallies.values() if deaths else ())]
        finally:
            for mill in mills:
                mill.kill()
                mill.wait()

    def _task(self, made: Federation, scale: Scale, place: int) -> Task:
        """One region's share."""

        def share(count: int) -> int:
            return count * (place + 1) // scale.regions - count * place // scale.regions

        region = made.regions[place]
        part = "disks" if scale.disks else "kills"
        return Task(
            region=region,
            home=str(made.node(region)),
            researcher=str(made.researcher),
            desk=str(made.coordinator),
            documents=str(made.documents.codebook.parent),
            witnesses=tuple(str(path) for path in stores(made)),
            result=str(self.folder / f"{part}-{region}.json"),
            part=part,
            seed=self.seed,
            kills=share(scale.kills),
            at_calls=share(scale.at_calls),
            disks=share(scale.disks),
        )

    def _whole(self, scale: Scale) -> list[Tally]:
        made = federation(self.folder / "whole", study.REGIONS[: scale.regions], self.say)
        tallies = Whole(made, Chance(self.seed, "whole")).grind(scale.whole, self.say)
        if not _wrong(tallies):
            tallies.append(self.audit(made, "the processes' ledgers"))
        return tallies

    def audit(self, made: Federation, which: str) -> Tally:
        """What an auditor makes of what everybody would hand over, the coordinator only where it has run."""
        self.say(f"{which} are audited")
        out, tally = made.folder / "evidence", Tally(f"audit verify of {which}")
        if (made.coordinator / "rondgang.sqlite").exists():
            made.export(out)
        else:
            _export(made, out)
        bundles = [str(path) for path in sorted(out.glob("*.bundle"))]
        key = str(made.consortium / "consortium.pub")
        command = [sys.executable, "-m", "rondgang", "audit", "verify", *bundles, "--consortium-key", key, "--json"]
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        tally.seconds, tally.count = time.monotonic() - began, 1
        if done.returncode:
            said = f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
            tally.violations.append(f"audit verify ended with {done.returncode}: {said}")
            return tally
        said = json.loads(done.stdout)
        tally.outcomes["bundles"] = len(bundles)
        for what in ("entries", "debits", "answers"):
            tally.outcomes[what] = sum(region[what] for region in said["regions"])
        tally.outcomes.update(f"findings: {finding['severity']}" for finding in said["findings"])
        return tally


def _export(made: Federation, out: Path) -> None:
    """What regions and witnesses would hand an auditor."""
    out.mkdir()
    for region in made.regions:
        run(node.cli.app, "node", "export-ledger", "--out", out / f"{region}.bundle", "--home", made.node(region))
    for name in made.witnesses:
        run(audit.cli.app, "audit", "export", "--out", out / f"{name}.bundle", "--home", made.witness(name))


def _wrong(tallies: Sequence[Tally]) -> bool:
    return any(tally.violations for tally in tallies)


def _mill(task: Task) -> subprocess.Popen[bytes]:
    paper = Path(task.result).with_suffix(".task.json")
    paper.write_text(task.to_text(), encoding="utf-8")
    command = [sys.executable, "-m", "compose.chaos.troubles", str(paper)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)


def _result(task: Task, code: int) -> list[Tally]:
    path = Path(task.result)
    if code or not path.exists():
        return [Tally("a mill", violations=[f"{task.region}: the mill itself ended with exit code {code}"])]
    return [Tally.from_json(one) for one in json.loads(path.read_text(encoding="utf-8"))]
