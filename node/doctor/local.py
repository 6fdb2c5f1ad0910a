"""This machine and this folder: rights, room on the disk, versions."""

from __future__ import annotations

import os
import platform
import shutil
import stat
from collections.abc import Iterator

from rondgang.versions import SPOKEN

from node.doctor.lines import Line, broken, ok, warning
from node.home import Home

_LEAST_MB, _ENOUGH_MB = 100, 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PRIVATE = (
    "config.yaml",
    "keys",
    "snapshots",
    "ledger.sqlite",
    "openings",
    "notes",
    "console.json",
    "pause.json",
    "forgotten.json",
    "registry.sqlite",
)


def local(home: Home) -> Iterator[Line]:
    """Lines about the folder, its disk and this program."""
    yield _rights(home)
    yield _disk(home)
    yield ok("version", "version", contract=max(SPOKEN), python=platform.python_version(), system=platform.system())


def _rights(home: Home) -> Line:
    if os.name != "posix":
        return warning("home", "rights_unseen", home=str(home.root))
    if not os.access(home.root, os.W_OK | os.X_OK):
        return broken("home", "not_ours", home=str(home.root))
    found = [home.root, *(home.root / name for name in _PRIVATE), *sorted(home.keys.glob("*.pem"))]
    open_ = [path for path in found if path.exists() and stat.S_IMODE(path.stat().st_mode) & _OTHERS]
    if open_:
        return broken("home", "open_to_others", path=str(open_[0]), count=len(open_))
    return ok("home", "private", home=str(home.root))


def _disk(home: Home) -> Line:
    free = shutil.disk_usage(home.root).free // 2**20
    if free < _LEAST_MB:
        return broken("disk", "disk_full", free=free)
    return warning("disk", "disk_low", free=free) if free < _ENOUGH_MB else ok("disk", "disk_room", free=free // 1024)
