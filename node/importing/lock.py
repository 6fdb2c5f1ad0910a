"""One import at a time, and none while the list of forgotten households changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.lock import exclusive

FILE = "import.lock"
_PATIENCE_S = 5.0


@contextmanager
def importing(home: Path) -> Iterator[None]:
    """Holds HOME/import.lock while the block runs. Raises HomeBusy where another process does for long, and DiskFault.

    It is another lock than that of the ledger's one writer: a node serves on while files are read.
    """
    with exclusive(home / FILE, _PATIENCE_S):
        yield
