"""What is done to a region's nodes, one kind after another, so many times each, and what comes of it.

A process of its own for each region, `python -m compose.chaos.troubles FILE`: the file holds a `Task`, and the tallies
go into the file that the task names.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from compose.chaos import powercut
from compose.chaos.chance import Chance
from compose.chaos.child import Life
from compose.chaos.faults import Inject, can_mount, can_trace, disk
from compose.chaos.judge import Judge
from compose.chaos.mill import KILLED, Death, Mill, Moment, Tally
from compose.chaos.world import Orders
from node.home import Home
from node.spending import Step

_STEPS: tuple[str, ...] = ("opened", "compared", "asked", *get_args(Step), "sent")
_SYNCS, _WRITES = "fsync,fdatasync", "pwrite64"
_INJECTED: dict[str, tuple[str, str, int, bool]] = {
    "fsync gives EIO, once": (_SYNCS, "error=EIO", 8, False),
    "fsync gives EIO, from then on": (_SYNCS, "error=EIO", 8, True),
    "a write gives ENOSPC, once": (_WRITES, "error=ENOSPC", 40, False),
    "a write gives ENOSPC, from then on": (_WRITES, "error=ENOSPC", 40, True),
    "a write gives EIO, once": (_WRITES, "error=EIO", 40, False),
}
"""By name: the calls, what they give, among how many of them the first is drawn, and whether it lasts."""


@dataclass(frozen=True, slots=True)
class Task:
    """One region's share: its home, whose keys sign orders, which files its judge reads, and how often for each kind.

    `at_calls` are kills at a system call, `disks` the number of each kind of trouble with the disk. `part` is a name of
    this share, other than that of any before, so that programmes have new names.
    """

    region: str
    home: str
    researcher: str
    desk: str
    documents: str
    witnesses: tuple[str, ...]
    result: str
    part: str
    seed: int
    kills: int
    at_calls: int
    disks: int

    def to_text(self) -> str:
        return json.dumps(asdict(self))


def work(task: Task) -> list[Tally]:
    """All that is to be done to one region. Stops at the first kind that shows a violation."""
    home = Home(Path(task.home))
    judge = Judge(task.region, home.ledger_file, [Path(path) for path in task.witnesses])
    orders = Orders.of(Path(task.researcher), Path(task.desk), Path(task.documents))
    mill = Mill(
        home, orders, judge, Chance(task.seed, f"{task.part} {task.region}"), f"{task.part}_{task.region}".lower()
    )
    found: list[Tally] = []
    for kind, times, disturb in _todo(task):
        if times and not any(tally.violations for tally in found):
            found.append(_repeat(mill, kind, times, disturb))
    return found


_CUTS = 5
"""Power cuts in one life."""
Disturb = Callable[[Mill, Tally], None]


def _todo(task: Task) -> list[tuple[str, int, Disturb]]:
    """What this machine allows."""
    todo: list[tuple[str, int, Disturb]] = [("kill -9 of a node", task.kills, _kill)]
    if can_trace():
        todo.append(("kill -9 of a node at a system call", task.at_calls, _kill_at_a_call))
        todo.append(("the power is cut", task.disks * _CUTS, _power_cut))
        todo += [(kind, task.disks, _inject(*how)) for kind, how in _INJECTED.items()]
    todo.append(("no file can grow", task.disks, _no_growth))
    if can_mount():
        todo += [("the disk is full", task.disks, _full), ("the disk is read-only", task.disks, _read_only)]
    return todo


def _repeat(mill: Mill, kind: str, times: int, disturb: Disturb) -> Tally:
    tally, began = Tally(kind), time.monotonic()
    while tally.count < times and not tally.violations:
        disturb(mill, tally)
    tally.seconds = time.monotonic() - began
    return tally


def _kill(mill: Mill, tally: Tally) -> None:
    """A death while it opens, at any moment of its first three batches, or right after a step."""
    chance, way = mill.chance, mill.chance.fraction()
    life = Life(mill.home, mill.batches())
    if way < 0.15:
        death = mill.live(life, tally, Moment("born", 1.5 * mill.opening_s * chance.fraction()))
    elif way < 0.75:
        death = mill.live(life, tally, Moment("asked", 3 * mill.batch_s * chance.fraction()))
    else:
        death = mill.live(Life(mill.home, life.batches, (chance.below(3), chance.of(_STEPS))), tally)
    _count_kill(death, tally)


def _kill_at_a_call(mill: Mill, tally: Tally) -> None:
    """A death at the n-th write or sync: also within a commit of SQLite, and within a file of our own."""
    calls = mill.chance.of((_WRITES, _SYNCS, "renameat2,rename,ftruncate,unlink", "sendmsg"))
    fault = Inject(calls, "signal=KILL", str(1 + mill.chance.below(30)))
    _count_kill(mill.live(Life(mill.home, mill.batches(), waiting=True), tally, fault=fault), tally)


def _power_cut(mill: Mill, tally: Tally) -> None:
    """One node under a recording, and the power cut at several moments of its life."""
    files = powercut.files_of(mill.home.ledger_file)
    before, judge = powercut.contents(files), deepcopy(mill.judge)
    with tempfile.TemporaryDirectory() as name:
        recording = Path(name) / "recording"
        mill.live(Life(mill.home, mill.batches(3), waiting=True), tally, fault=powercut.Recording(recording))
        done = powercut.read(recording, files)
        for number in range(_CUTS):
            folder = Path(name) / str(number)
            folder.mkdir()
            lost, wrong = powercut.cut(before, done, judge, mill.chance, folder)
            tally.count += 1
            tally.outcomes["writes were lost, no promise" if lost else "nothing was lost"] += 1
            tally.violations += wrong


def _count_kill(death: Death, tally: Tally) -> None:
    tally.violations += [f"a node would not open: {told['sentence']}" for told in death.all("closed")]
    tally.outcomes["answers that left"] += len(death.all("sent"))
    tally.outcomes.update(f"refused: {told['reason']}" for told in death.all("refused"))
    if death.code == KILLED:
        tally.count += 1
        tally.outcomes[f"died after {death.last}"] += 1


def _inject(calls: str, how: str, among: int, lasting: bool) -> Disturb:
    def disturb(mill: Mill, tally: Tally) -> None:
        when = f"{1 + mill.chance.below(among)}{'+' if lasting else ''}"
        life = Life(mill.home, mill.batches(4), waiting=True)
        _disturbed(mill, tally, mill.live(life, tally, fault=Inject(calls, how, when)))

    return disturb


def _no_growth(mill: Mill, tally: Tally) -> None:
    """Files of no more than so many bytes: the ledger's log can grow a little, or not at all."""
    longest = mill.chance.below(200_000)
    _disturbed(mill, tally, mill.live(Life(mill.home, mill.batches(4), longest_file=longest), tally))


def _full(mill: Mill, tally: Tally) -> None:
    with disk(mill.home.root) as small:
        small.full_after(mill.chance.below(120_000))
        death = mill.live(Life(mill.home, mill.batches(4)), tally)
        small.roomy()
        _disturbed(mill, tally, death)


def _read_only(mill: Mill, tally: Tally) -> None:
    with disk(mill.home.root) as fixed:
        fixed.read_only()
        death = mill.live(Life(mill.home, mill.batches(1)), tally)
        fixed.roomy()
        _disturbed(mill, tally, death)


def _disturbed(mill: Mill, tally: Tally, death: Death) -> None:
    """What a disk fault came to; afterwards, with the disk mended, the next node must be as good as new."""
    tally.count += 1
    tally.outcomes[_came_to(death)] += 1
    if not tally.violations:
        mill.undisturbed(tally)


def _came_to(death: Death) -> str:
    closed = death.all("closed")
    if closed:
        return f"closed with a sentence ({closed[0]['fault']})"
    if any(told["reason"] == "fault" for told in death.all("refused")):
        return "refused, charged at most"
    return "not felt" if death.last == "ended" else f"ended after {death.last}"


def main() -> None:
    """Reads a task, does it, and says what happened."""
    task = Task(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    result = json.dumps([tally.to_json() for tally in work(task)])
    Path(task.result).write_text(result, encoding="utf-8")


if __name__ == "__main__":
    main()
