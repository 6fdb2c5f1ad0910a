"""A node process that kills itself, or is copied: one line of JSON on its input for each child process.

[HOME, OUT, WITNESSES, MOMENT]: the child opens the home as `serve` does, compares itself with witnesses that remember
in the folder WITNESSES, answers the small programme from real rows with real noise, and puts the reply in OUT, which
stands for the desk. At MOMENT it dies by SIGKILL: after a step, or at `cosign N`, when the Nth cosignature was made and
nobody knows of it yet. The exit code comes back on the output.

[HOME, OUT, WITNESSES, MOMENT, COPIES]: at MOMENT the process is copied so often, each time with the disk, as the
snapshot of a machine would; all of them go on, at once. Their noise is their own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from rondgang.witnessing import Submission

from node.answering import Answering, Rows, Step
from node.home import Home
from node.journal import silent
from node.ledger.schema import connect
from node.lock import exclusive
from node.region import Region
from node.rows import SnapshotRows
from node.witnessing.said import Told
from node.witnessing.witnesses import Witnesses
from policies.statistics.blocks import Block
from policies.statistics.programme import PlannedBlock
from tests.node_world import REGION, Clock, ordered, witnesses
from tests.small_study import planned
from tests.witnesses import MemoryLine, Witness


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Cosignatures:
    """Counts what witnesses cosigned, over all lines, and dies at one of them."""

    def __init__(self, dying: str) -> None:
        self._dying = dying
        self._count = 0

    def made(self) -> None:
        self._count += 1
        if self._dying == f"cosign {self._count}":
            _die()


class _Line(MemoryLine):
    """A line on which the witness's word is lost when the node dies of it."""

    def __init__(self, witness: Witness, made: Callable[[], None]) -> None:
        super().__init__(witness, REGION)
        self._made = made

    def add_checkpoint(self, given: Submission, within_s: float) -> Future[Told]:
        told = super().add_checkpoint(given, within_s)
        self._made()
        return told


class _OwnNoise:
    """Rows whose noise is that of the process which draws it."""

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        return {block.id: [0] * block.cells for block in blocks}

    def noisy(self, values: Sequence[int], planned_block: PlannedBlock) -> list[int]:
        return [value + int.from_bytes(os.urandom(2)) for value in values]


def _answer(home: Home, out: Path, folder: Path, dying: str, copies: int) -> None:
    with exclusive(home.lock_file):
        region = Region(home, Clock())
        rows: Rows = _OwnNoise() if copies else SnapshotRows(home)
        children: list[int] = []

        def after(step: Step) -> None:
            if step == dying and not copies:
                _die()
            for number in range(copies if step == dying and not children else 0):
                children.append(_copied(region, number))
                if children[-1] == 0:
                    return

        if dying == "opened":
            _die()
        made = _Cosignatures(dying).made
        lines = [_Line(witness, made) for witness in witnesses(Clock(), folder)]
        key = home.signing_key("checkpoint")
        watched = Witnesses(region, key, lines, silent)
        watched.watch()
        (reply,) = Answering(region, rows, key, watched, silent, after).answer([ordered(planned())])
        with out.open("ab", buffering=0) as sent:
            sent.write((reply if isinstance(reply, bytes) else reply.reason.value.encode("ascii")) + b"\n")
        if dying == "sent":
            _die()
        if 0 in children:
            os._exit(0)
        for child in children:
            os.waitpid(child, 0)


def _copied(region: Region, number: int) -> int:
    """Forks; the child goes on with a copy of the disk in the place of the one it shared. 0 in the child."""
    ledger, file = region.ledger, region.home.ledger_file
    own = region.home.root / f"disk {number}"
    own.mkdir()
    for one in file.parent.glob(f"{file.name}*"):
        shutil.copy(one, own)
    child = os.fork()
    if child == 0:
        # Kept open: closing it here would touch the other process's file.
        _KEPT.append(ledger._log.connection)
        ledger._log.connection = ledger._checkpoints._connection = connect(own / file.name)
        region.home = Home(own)
    return child


_KEPT: list[object] = []


def main() -> None:
    for line in sys.stdin:
        home, out, folder, dying, *copies = json.loads(line)
        child = os.fork()
        if child == 0:
            _answer(Home(Path(home)), Path(out), Path(folder), dying, *(copies or [0]))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
