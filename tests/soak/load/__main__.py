"""Sixty-four programmes in flight over thirteen nodes for ten minutes, a bare baseline, and a flood beside someone.

`python -m tests.soak.load [--minutes M] [--at-once N] [--regions R]`. Real processes on this machine, made-up data.
Ends with 0 when every programme came to its end, memory stayed bounded, the flood was refused and starved nobody,
nothing was answered twice differently and the auditor found nothing; else with 1. How long anything took fails nothing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.load.run import Load, Scale


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.load", description=__doc__)
    usual = Scale()
    parser.add_argument("--minutes", type=float, default=usual.minutes, help="how long the load lasts")
    parser.add_argument("--at-once", type=int, default=usual.at_once, help="programmes in flight")
    parser.add_argument("--regions", type=int, default=usual.regions, choices=range(4, 14), help="nodes")
    parser.add_argument("--flood-s", type=float, default=usual.flood_s, help="seconds of each phase of the flood")
    parser.add_argument("--database", help="the coordinator's store as a SQLAlchemy URL; SQLite when left out")
    parser.add_argument("--json", action="store_true", help="print one JSON object for programs")
    given = parser.parse_args(words)
    folder, began = Path(tempfile.mkdtemp(prefix="rondgang-load-")), time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {line}", file=sys.stderr, flush=True)

    scale = Scale(given.minutes, given.at_once, given.regions, given.flood_s, given.database)
    report = Load(folder, scale, say).run()
    print(json.dumps(report.to_json()) if given.json else report.page())
    if report.violations:
        print(f"Look at {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
