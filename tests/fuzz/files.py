"""Decoders of files that a steward is handed: deliveries in four formats, and backups."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from functools import cache
from pathlib import Path

from node.backup import MAGIC, BadBackup, _manifest, _opened
from node.importing.arrow import open_parquet
from node.importing.cells import Source
from node.importing.excel import open_excel
from node.importing.problems import BadImport
from node.importing.spss import open_spss, try_layouts
from node.importing.text import open_text
from tests.fuzz.decoder import Decoder
from tests.importing import take

_HEADER = len(MAGIC) + 32 + 12


@cache
def folder() -> Path:
    """A folder of this process's own, in memory where the machine has such a place; `tidy` removes it."""
    shm = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="rondgang-fuzz-", dir=shm if shm.is_dir() else None))


def tidy() -> None:
    if folder.cache_info().currsize:
        shutil.rmtree(folder(), ignore_errors=True)
        folder.cache_clear()


def _all(source: Source) -> object:
    return source.read(tuple(range(len(source.names)))) if source.names else None


def _spss(data: bytes) -> object:
    """A damaged file may end the process that reads it: as in an import, another one tries first."""
    path = folder() / "fuzz.sav"
    path.write_bytes(data)
    try_layouts([path])
    return _all(open_spss(path.name, path))


def _delivered(data: bytes) -> object:
    """A whole import, from a file of households to a snapshot."""
    home = folder() / "home"
    delivery = folder() / "in"
    shutil.rmtree(home, ignore_errors=True)
    delivery.mkdir(exist_ok=True)
    home.mkdir()
    (delivery / "household.csv").write_bytes(data)
    return take(home, delivery)


def _backup(data: bytes) -> object:
    return _opened(data, "a passphrase that is long")


def _archive(data: bytes) -> object:
    """What is inside a backup; only who knows its passphrase could have changed it."""
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        return _manifest(packed)


DECODERS = (
    Decoder("csv", lambda data: _all(open_text("fuzz.csv", data, "hh_id", "utf-8", "auto")), (BadImport,)),
    Decoder("csv_utf16", lambda data: _all(open_text("f.csv", data, "hh_id", "utf-16", "auto")), (BadImport,), 0.2),
    Decoder("excel", lambda data: _all(open_excel("fuzz.xlsx", data, None)), (BadImport,), 0.3),
    Decoder("parquet", lambda data: _all(open_parquet("fuzz.parquet", data)), (BadImport,), 0.3),
    Decoder("spss", _spss, (BadImport,), 0.002),
    Decoder("delivery", _delivered, (BadImport,), 0.01),
    Decoder("backup", _backup, (BadBackup,), 0.002),
    Decoder("backup_archive", _archive, (BadBackup, tarfile.TarError), 0.1),
)
