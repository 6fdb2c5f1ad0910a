"""A node process that kills itself: one line of JSON on its input, [HOME, OUT, MOMENT], for each child process.

The child opens the home as `serve` does, answers the small programme from real rows with real noise, and puts the reply
in OUT, which stands for the desk. At MOMENT it dies by SIGKILL. The exit code comes back on the output.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from node.answering import Answering, Step
from node.home import Home
from node.journal import silent
from node.lock import exclusive
from node.region import Region
from node.rows import SnapshotRows
from tests.node_world import Clock, ordered
from tests.small_study import planned


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _answer(home: Home, out: Path, dying: str) -> None:
    def after(step: Step) -> None:
        if step == dying:
            _die()

    with exclusive(home.lock_file):
        region, rows = Region(home, Clock()), SnapshotRows(home)
        if dying == "opened":
            _die()
        reply = Answering(region, rows, home.signing_key("checkpoint"), silent, after).answer(ordered(planned()))
        with out.open("ab") as sent:
            sent.write((reply if isinstance(reply, bytes) else reply.reason.value.encode("ascii")) + b"\n")
        if dying == "sent":
            _die()


def main() -> None:
    for line in sys.stdin:
        home, out, dying = json.loads(line)
        child = os.fork()
        if child == 0:
            _answer(Home(Path(home)), Path(out), dying)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
