"""One writer: whoever holds the lock of a home may write its ledger.

The operating system drops the lock when the process ends, however it ends.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import DiskFault, HomeBusy
from node.files import PRIVATE_FILE

_RETRY_S = 0.05

if sys.platform == "win32":
    import msvcrt

    def _seize(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _seize(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def exclusive(path: Path, patience_s: float = 0.0) -> Iterator[None]:
    """Holds the lock file at `path` while the block runs. Raises HomeBusy while another process holds it, and DiskFault
    where the file cannot be written: on a disk that may only be read, nobody is the writer.

    `patience_s` is for a service that starts while another verb is just finishing.

    The file stays: removing it could give two processes a lock on two files of one name.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise DiskFault(f"lock: {why}; see who owns the home and how its disk is mounted") from error
    try:
        give_up = time.monotonic() + patience_s
        while True:
            try:
                _seize(handle)
                break
            except OSError as error:
                if time.monotonic() >= give_up:
                    raise HomeBusy(f"{path.parent} is in use by another process") from error
                time.sleep(_RETRY_S)
        yield
    finally:
        os.close(handle)
