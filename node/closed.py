"""Ledgers that a reset closed, and how a new one takes the place of the old: in one step, with nothing lost.

HOME/closed/ledger-<epoch>.sqlite   an epoch that is closed; read only, kept for auditors
HOME/closed/unreadable.sqlite       a ledger that failed its checks when it was given up
HOME/ledger.sqlite.next             a new epoch that is being written
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
from itertools import count
from pathlib import Path

from node.errors import DiskFault
from node.files import make_folder, sync_folder
from node.home import Home

_READ_ONLY = 0o400
_JOURNALS = ("-wal", "-shm")
_NAME = re.compile(r"ledger-([0-9]+)(?:-[0-9]+)?\.sqlite")


def closed_files(home: Home) -> tuple[tuple[int, Path], ...]:
    """The closed ledgers that could be read, by epoch. An epoch may have several, one the beginning of another."""
    found = ((_NAME.fullmatch(path.name), path) for path in home.closed.glob("*.sqlite"))
    return tuple(sorted((int(name[1]), path) for name, path in found if name))


def next_file(home: Home) -> Path:
    """Where a new epoch is written."""
    return _beside(home.ledger_file, ".next")


def clear(home: Home) -> None:
    """Takes away what a reset that was cut off had begun to write."""
    for path in _with_journals(next_file(home)):
        path.unlink(missing_ok=True)


def keep(home: Home, epoch: int | None) -> None:
    """Copies the ledger in force, if there is one, to `closed/`; None for one that cannot be read. Durable on return.

    Takes away what would be mistaken for the journal of the file that comes in its place. Raises DiskFault.
    """
    journal = _beside(home.ledger_file, "-wal")
    if epoch is not None and journal.exists():
        raise DiskFault("recover: another process has the ledger open; stop that one and try again")
    try:
        make_folder(home.closed)
        if home.ledger_file.exists():
            _keep(home, "unreadable" if epoch is None else f"ledger-{epoch}", journal)
    except OSError as error:
        raise DiskFault(
            f"recover: the old ledger cannot be kept in {home.closed}: {error.strerror or type(error).__name__}; "
            "make room, or move it away yourself, and try again"
        ) from error
    for path in _with_journals(home.ledger_file)[1:]:
        path.unlink(missing_ok=True)
    sync_folder(home.root)


def put_in_force(home: Home) -> None:
    """The new epoch takes the place of the old one. Durable on return."""
    next_file(home).replace(home.ledger_file)
    sync_folder(home.root)


def _keep(home: Home, stem: str, journal: Path) -> None:
    kept = [path for path in home.closed.glob(f"{stem}*.sqlite") if _same(path, home.ledger_file)]
    if kept:
        # A reset that was cut off got as far as this.
        return
    names = (f"{stem}.sqlite" if number == 1 else f"{stem}-{number}.sqlite" for number in count(1))
    target = next(path for name in names if not (path := home.closed / name).exists())
    if journal.exists():
        _copy(journal, _beside(target, "-wal"))
    _copy(home.ledger_file, target)


def _same(one: Path, other: Path) -> bool:
    return filecmp.cmp(one, other, shallow=False)


def _copy(source: Path, target: Path) -> None:
    part = _beside(target, ".part")
    part.unlink(missing_ok=True)
    shutil.copyfile(source, part)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.chmod(_READ_ONLY)
    part.replace(target)
    sync_folder(target.parent)


def _with_journals(path: Path) -> tuple[Path, ...]:
    return path, *(_beside(path, ending) for ending in _JOURNALS)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
