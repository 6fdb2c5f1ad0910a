"""Which delivered file holds which table: told by a mapping, or by the name before the point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from node.importing.problems import BadImport, shown
from policies.study.codebook import TABLES, Table, Units
from policies.study.mapping import NAME, Mapping, Part, WaveOf

TEXT, PARQUET, SPSS = (".csv", ".txt", ".tsv"), (".parquet", ".pq"), (".sav", ".zsav")
EXCEL, QUERY = (".xlsx", ".xlsm", ".xls", ".ods"), (".sql",)
MAPPING = ("mapping.yaml", "mapping.yml")
"""A file of this name beside the data is the mapping."""
READABLE = (*TEXT, *PARQUET, *SPSS, *EXCEL, *QUERY)
_DATA = (*READABLE, ".sas7bdat", ".dta", ".por", ".rds", ".rda", ".json", ".zip")
"""Names that look like data: one that is not used is reported. A .txt may be anything."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Each part and its file, and the names of files that look like data and are not used."""

    parts: tuple[tuple[Part, Path], ...]
    ignored: tuple[str, ...]

    def files(self, table: Table) -> str:
        """The names of a table's files."""
        return ", ".join(dict.fromkeys(shown(path.name) for part, path in self.parts if part.table == table))

    def ids(self, table: Table) -> str:
        """The names of the columns that identify a table's rows."""
        own = [part for part, _ in self.parts if part.table == table]
        names = [name for part in own for name in (part.household, part.person, part.wave.column) if name is not None]
        return ", ".join(dict.fromkeys(map(shown, names)))


def plain_parts(units: Units) -> tuple[Part, ...]:
    """The parts of a delivery without a mapping: a file per table, by the codebook's own names."""
    return tuple(
        Part(
            table=table,
            household=units.household,
            person=None if table == "household" else units.person,
            wave=WaveOf(column=units.wave),
            others=NAME,
        )
        for table in TABLES
    )


def listed(sources: Iterable[Path]) -> tuple[Path, ...]:
    """The files among these files and folders (folders are not searched below). Raises BadImport for an absent one."""
    return tuple(dict.fromkeys(_expanded(sources)))


def mapping_in(files: Sequence[Path]) -> Path | None:
    """The mapping that lies beside the data, if there is one. Raises BadImport where there are two."""
    found = [path for path in files if path.name.casefold() in MAPPING]
    if len(found) > 1:
        raise BadImport("two_mappings")
    return found[0] if found else None


def find_files(files: Sequence[Path], mapping: Mapping | None, units: Units) -> Delivery:
    """The parts' files among these.

    Raises BadImport where two files claim one part, a file that the mapping names is absent, or there is no household
    file.
    """
    data = [path for path in files if path.suffix.casefold() in READABLE]
    found = []
    for part in mapping.parts if mapping else plain_parts(units):
        path = _file(part, data)
        if path is not None:
            found.append((part, path))
        elif part.table == "household" and part.file is None:
            raise BadImport("no_household")
        elif mapping:
            raise BadImport("no_file", file=shown(part.file or f"{part.table}.*"))
    used = {path for _, path in found}
    ignored = [path for path in files if path not in used and _looks_like_data(path)]
    return Delivery(tuple(found), tuple(shown(path.name) for path in ignored))


def _file(part: Part, data: Sequence[Path]) -> Path | None:
    if part.file is not None:
        own = [path for path in data if path.name.casefold() == part.file.casefold()]
    else:
        own = [path for path in data if path.stem.casefold() == part.table]
    if len(own) > 1:
        raise BadImport("two_files", table=part.table)
    return own[0] if own else None


def _looks_like_data(path: Path) -> bool:
    ending = path.suffix.casefold()
    return (ending in _DATA and ending != ".txt") or path.stem.casefold() in TABLES


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
