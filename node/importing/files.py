"""Which delivered file holds which table: told by the name before the point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from node.importing.problems import BadImport, shown
from policies.study.codebook import TABLES, Table

TEXT, PARQUET = (".csv", ".txt"), (".parquet", ".pq")
_DATA = (*TEXT[:1], *PARQUET, ".sav", ".xls", ".xlsx", ".ods", ".tsv")
"""Names that look like data: one that is not used is reported."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The file of each table that has one, and the names of files that look like data and are not used."""

    files: dict[Table, Path]
    ignored: tuple[str, ...]


def find_files(sources: Iterable[Path]) -> Delivery:
    """The tables' files among these files and folders (folders are not searched below).

    Raises BadImport where a source does not exist, two files claim one table, or there is no household file.
    """
    files: dict[Table, Path] = {}
    ignored = []
    for path in _expanded(sources):
        table = next((table for table in TABLES if path.stem.casefold() == table), None)
        if table is None or path.suffix.casefold() not in (*TEXT, *PARQUET):
            if table is not None or path.suffix.casefold() in _DATA:
                ignored.append(shown(path.name))
        elif table in files and files[table] != path:
            raise BadImport("two_files", table=table)
        else:
            files[table] = path
    if "household" not in files:
        raise BadImport("no_household")
    return Delivery(files, tuple(ignored))


def _expanded(sources: Iterable[Path]) -> Iterator[Path]:
    for source in sources:
        try:
            if source.is_dir():
                yield from sorted(path for path in source.iterdir() if path.is_file())
            elif source.is_file():
                yield source
            else:
                raise BadImport("no_source", path=shown(str(source)))
        except OSError:
            raise BadImport("no_source", path=shown(str(source))) from None
