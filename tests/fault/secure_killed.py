"""`rondgang node serve`, whose process comes to grief in one round of an attempt at national sums, once.

    python -m tests.fault.secure_killed PLAN --home HOME

PLAN is JSON: `round` the class of what the desk says (Begin, Share, Send, ShowList, Unmask, Done), `when` before the
node takes it or after, `does` what happens: kill (SIGKILL to itself), stop (SIGSTOP to itself), cut (every connection
to `port` is shut down), desk (SIGKILL to the process `desk`). `marker` is a file that says it has happened.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import sys
from pathlib import Path
from typing import Any

from rondgang.cli import main

import node.serving
from node.secure.attempts import Attempts, Told
from policies.secure.messages import Round

_PLAN: dict[str, Any] = {}


def _cut(port: int) -> None:
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            number = int(entry.name)
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as one:
                    if one.family in (socket.AF_INET, socket.AF_INET6) and one.getpeername()[1] == port:
                        one.shutdown(socket.SHUT_RDWR)


def _happens() -> None:
    Path(_PLAN["marker"]).touch()
    match _PLAN["does"]:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "cut":
            _cut(_PLAN["port"])
        case "desk":
            os.kill(_PLAN["desk"], signal.SIGKILL)


class Unlucky(Attempts):
    """The real one, whose process or desk ends around one round."""

    def take(self, run: str, attempt: int, said: Round) -> Told:
        now = type(said).__name__ == _PLAN["round"] and not Path(_PLAN["marker"]).exists()
        if now and _PLAN["when"] == "before":
            _happens()
        told = super().take(run, attempt, said)
        if now and _PLAN["when"] == "after":
            _happens()
        return told


if __name__ == "__main__":
    _PLAN.update(json.loads(sys.argv[1]))
    vars(node.serving)["Attempts"] = Unlucky
    sys.argv = ["rondgang", "node", "serve", *sys.argv[2:]]
    main()
