"""`make bench`: do intervals hold, and what do composites and shrinking gain?"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.bench.studies.measuring import batch
from tests.bench.studies.table import DUEL_HEADINGS, HEADINGS, coverage, duels, markdown, text
from tests.bench.studies.tally import Found

SIZES = (819, 3000)
AT_ONCE = 250
"""Studies that share weights, homes and missing regions."""
SEED = 20261122


def run(studies: int, processes: int) -> Found:
    """Everything, at both sizes; the same numbers whatever the number of processes."""
    jobs = [
        ((SEED, households, at), AT_ONCE, households, at % 3 + 1)
        for households in SIZES
        for at in range(-(-studies // AT_ONCE))
    ]
    found = Found()
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(batch, *zip(*jobs, strict=True), chunksize=2):
            found.merge(part)
    return found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.studies", description=__doc__)
    parser.add_argument("--studies", type=int, default=10_000, help="for each setting; default 10000")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--markdown", type=Path, help="also write the tables here")
    chosen = parser.parse_args(arguments)
    start = time.monotonic()
    found = run(chosen.studies, chosen.processes)
    tables = [(HEADINGS, list(coverage(found))), (DUEL_HEADINGS, list(duels(found)))]
    sys.stdout.write("\n\n".join(text(*table) for table in tables))
    missed = sum(line.missed for _, lines in tables for line in lines)
    sys.stdout.write(f"\n\n{missed} missed; {time.monotonic() - start:.0f} s\n")
    if chosen.markdown:
        chosen.markdown.write_text("\n\n".join(markdown(*table) for table in tables) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
