"""What an import leaves behind is removed once its snapshot is in force: superseded ones, and those never finished.

Names are unlinked and the folder is synced. That ends what this system can reach; it does not overwrite what a disk
still holds. A solid-state disk, a file system that keeps versions, and backups may each hold an older copy: only a disk
that is encrypted as a whole, and backups that expire, answer for those.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from node.files import sync_folder
from node.snapshots import FOLDER

_SNAPSHOT = re.compile(r"[0-9a-f]{32}")
_UNFINISHED = re.compile(r"\.[0-9a-f]{32}\.(?:part|gone)")


def purge(home: Path, in_force: Collection[str]) -> int:
    """Removes every snapshot that is not in force, and what broken-off imports and purges left; how many there were.

    To be called under the lock of imports (node/importing/lock.py), so that nobody is writing one. Durable on return.
    Raises OSError; what is left then goes with the next purge.
    """
    place = home / FOLDER
    gone = 0
    for path in sorted(place.iterdir()):
        if _SNAPSHOT.fullmatch(path.name) and path.name not in in_force:
            # Under this name nothing opens it, and the next purge knows what to do with it.
            path = path.rename(place / f".{path.name}.gone")
        elif not _UNFINISHED.fullmatch(path.name):
            continue
        _remove(path)
        gone += 1
    if gone:
        sync_folder(place)
    return gone


def _remove(folder: Path) -> None:
    """A folder of files; a link is no folder of ours, and only the link goes."""
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink()
        return
    for path in folder.iterdir():
        _remove(path)
    sync_folder(folder)
    folder.rmdir()
