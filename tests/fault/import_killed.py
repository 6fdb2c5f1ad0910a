"""An import process that ends half-way: one line of JSON on its input for each child process.

[HOME, FOLDER, COHORT, MOMENT]: the child imports the folder into the home by the terms of now, and dies at MOMENT by
SIGKILL: when the households are in the registry, or when the snapshot is written. With a number for MOMENT no file of
the child can grow beyond so many bytes. The exit code comes back on the output: DISK where the disk was to blame.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

from node.errors import DiskFault
from node.home import Home
from node.importing.request import ImportRequest
from node.importing.run import Step, import_files
from node.operations import import_terms
from tests.small_study import codebook, hashes

DISK = 7


def asked(home: Home, folder: Path, cohort: str) -> ImportRequest:
    """An import of a folder by the terms of now."""
    found = ImportRequest(home.root, (folder,), cohort, codebook(), hashes()[0], 1000)
    return replace(found, terms=import_terms(home, cohort))


def _import(home: Home, folder: Path, cohort: str, moment: str | int) -> None:
    request = asked(home, folder, cohort)

    def at(step: Step) -> None:
        if step == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    if isinstance(moment, int):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (moment, moment))
    try:
        import_files(request, at)
    except (DiskFault, OSError):
        os._exit(DISK)


def main() -> None:
    for line in sys.stdin:
        home, folder, cohort, moment = json.loads(line)
        child = os.fork()
        if child == 0:
            _import(Home(Path(home)), Path(folder), cohort, moment)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
