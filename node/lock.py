"""One writer: whoever holds the lock of a home may write its ledger.

The operating system drops the lock when the process ends, however it ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import HomeBusy
from node.files import PRIVATE_FILE

if sys.platform == "win32":
    import msvcrt

    def _seize(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _seize(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds the lock file at `path` while the block runs. Raises HomeBusy at once when another process holds it.

    The file stays: removing it could give two processes a lock on two files of one name.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        try:
            _seize(handle)
        except OSError as error:
            raise HomeBusy(f"{path.parent} is in use by another process") from error
        yield
    finally:
        os.close(handle)
