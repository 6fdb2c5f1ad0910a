"""What one node does between its start and its death: it opens its home as `serve` does, and answers what is ordered.

All that it did is told through a pipe, line by line; what is in the pipe when the process dies has left it. A reply's
hash stands for the reply. A step is told after the ledger's function returned, so what it tells of is on disk.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rondgang.canonical import digest

from compose.chaos.world import Orders
from node.answering import Answering
from node.errors import NodeError
from node.home import Home
from node.journal import silent
from node.lock import exclusive
from node.region import Region
from node.rows import SnapshotRows
from node.witnessing.wire import GrpcLine
from node.witnessing.witnesses import Witnesses
from policies.rules.refusals import Refused

_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Life:
    """A home, batches of programme names to be ordered, and the step of which batch (from 0) at which to die, if any.

    `waiting` stops the process before it does anything, until somebody lets it go on. `longest_file` is the length in
    bytes beyond which no file grows, as on a disk that is full.
    """

    home: Home
    batches: Sequence[Sequence[str]]
    dies_at: tuple[int, str] | None = None
    waiting: bool = False
    longest_file: int | None = None


@dataclass(slots=True)
class _Teller:
    """Writes one line for each thing that happened, and dies where it is told to."""

    pipe: int
    dies_at: tuple[int, str] | None
    batch: int = 0
    region: Region | None = None

    def __call__(self, at: str, **facts: object) -> None:
        line = json.dumps({"at": at, **facts}) + "\n"
        os.write(self.pipe, line.encode("ascii"))
        if self.dies_at == (self.batch, at):
            os.kill(os.getpid(), signal.SIGKILL)

    def step(self, step: str) -> None:
        if self.region is not None:
            self(step, size=self.region.ledger.book.size, head=self.region.ledger.book.head)


def live(life: Life, orders: Orders, pipe: int) -> None:
    """Returns where nothing killed it. A home that cannot be opened is told, with the sentence that a steward sees."""
    if life.waiting:
        os.kill(os.getpid(), signal.SIGSTOP)
    if life.longest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (life.longest_file, life.longest_file))
    tell = _Teller(pipe, life.dies_at)
    try:
        with exclusive(life.home.lock_file, _PATIENCE_S):
            _serve(life, orders, tell)
    except NodeError as error:
        tell("closed", fault=type(error).__name__, sentence=str(error))


def _serve(life: Life, orders: Orders, tell: _Teller) -> None:
    region = Region(life.home, lambda: int(time.time()))
    tell.region = region
    tell.step("opened")
    rows, key, config = SnapshotRows(life.home), life.home.signing_key("checkpoint"), region.config
    lines = [GrpcLine(life.home, address, config.reconnect) for address in config.watchers]
    witnesses = Witnesses(region, key, lines, silent)
    answering = Answering(region, rows, key, witnesses, silent, tell.step)
    witnesses.compare()
    tell.step("compared")
    for tell.batch, names in enumerate(life.batches):
        _ask(answering, orders, names, tell)
    witnesses.close()
    rows.close()
    region.close()
    tell("ended")


def _ask(answering: Answering, orders: Orders, names: Iterable[str], tell: _Teller) -> None:
    batch = [orders.order(name) for name in names]
    tell("asked", names=list(names))
    for name, ordered, outcome in zip(names, batch, answering.answer(batch), strict=True):
        if isinstance(outcome, Refused):
            tell("refused", name=name, reason=outcome.reason.value)
        else:
            tell("sent", name=name, programme=ordered.asked.digest, reply=digest(outcome))
