"""`rondgang demo` as a process: what tests of it share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")


def command(out: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "rondgang", "demo", "--out", str(out), *words]


def processes(out: Path) -> list[int]:
    """Every process that has this folder on its command line, by what the kernel says."""
    name, found = os.fsencode(out), []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if name in line:
            found.append(int(path.parent.name))
    return found
