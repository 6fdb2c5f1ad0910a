"""One import, from files to a snapshot on disk. Decides nothing about what is current: the ledger does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from node.importing.files import Delivery, find_files
from node.importing.problems import BadImport
from node.importing.read import Raw, read_table
from node.importing.report import Delivered, Finding, Report, ordered
from node.importing.request import ImportRequest
from node.importing.tables import Wide, joined, widen, with_derived
from node.importing.units import Kept, Units, households, keep_rows, number_households, persons
from node.importing.write import write_snapshot
from node.snapshots import CodebookOf, Manifest, Snapshot
from policies.study.codebook import TABLES, Codebook, Table
from policies.study.derive import rules

__all__ = ["ImportRequest", "ImportResult", "build", "import_files"]


@dataclass(frozen=True, slots=True)
class ImportResult:
    snapshot: Snapshot
    report: Report


def import_files(request: ImportRequest) -> ImportResult:
    """Reads, cleans and writes one snapshot. Durable on return, and current for nobody until the ledger says so.

    Raises BadImport where the files cannot be used at all; nothing is left behind then. Raises OSError from writing.
    """
    delivery = find_files(request.sources)
    raws = {table: _read(table, path, request) for table, path in delivery.files.items()}
    wides, findings = build(raws, request.codebook, request.most_households, delivery)
    tables = tuple(
        Delivered(
            table,
            delivery.files[table].name if table in raws else None,
            raws[table].rows + raws[table].ragged if table in raws else 0,
            len(wides[table].household),
        )
        for table in TABLES
    )
    report = Report(
        request.snapshot_id,
        request.cohort,
        request.codebook.label,
        tables,
        ordered([*_of_files(delivery, raws), *findings]),
    )
    name = request.codebook.codebook
    manifest = Manifest(
        format=1,
        id=request.snapshot_id,
        cohort=request.cohort,
        codebook=CodebookOf(id=name.id, version=name.version, hash=request.codebook_hash),
        columns={table: wide.stored() for table, wide in wides.items()},
    )
    return ImportResult(write_snapshot(request.home, manifest, wides, report.to_json()), report)


def build(
    raws: Mapping[Table, Raw], codebook: Codebook, most_households: int, delivery: Delivery
) -> tuple[dict[Table, Wide], list[Finding]]:
    """The three tables of a snapshot, and what was found on the way. Pure.

    Raises BadImport for too many households, and for a file of which no row can be used.
    """
    kept = {table: keep_rows(table, raw, codebook) for table, raw in raws.items()}
    for table, one in kept.items():
        if raws[table].rows + raws[table].ragged and not len(one.rows):
            raise BadImport("no_rows", file=delivery.files[table].name, columns=", ".join(_ids(table, codebook)))
    numbers = number_households(kept)
    if len(numbers) > most_households:
        raise BadImport("too_many", limit=most_households)
    findings = [finding for one in kept.values() for finding in one.findings]
    wides: dict[Table, Wide] = {}
    derivations = rules(codebook)
    for table in TABLES:
        units = _units(table, kept.get(table), numbers, codebook)
        wide, found = widen(table, raws.get(table), units, codebook)
        wide = wide if table == "household" else joined(wide, wides["household"])
        wides[table] = with_derived(wide, derivations, codebook.columns, table)
        findings += [*units.findings, *found]
    return wides, findings


def _units(table: Table, kept: Kept | None, numbers: Mapping[str, int], codebook: Codebook) -> Units:
    if kept is None:
        none = np.empty(0, np.int64)
        return Units(none, none, none, none, ())
    return households(kept, numbers) if table == "household" else persons(table, kept, numbers, codebook.cap(table))


def _ids(table: Table, codebook: Codebook) -> tuple[str, ...]:
    units = codebook.units
    return (units.household, units.wave) if table == "household" else (units.household, units.person, units.wave)


def _read(table: Table, path: Path, request: ImportRequest) -> Raw:
    needed = _ids(table, request.codebook)
    own = [name for name, variable in request.codebook.variables.items() if variable.table == table]
    return read_table(path, (*needed, *own), needed, request.delimiter)


def _of_files(delivery: Delivery, raws: Mapping[Table, Raw]) -> list[Finding]:
    findings = [Finding("ignored_file", None, name) for name in delivery.ignored]
    for table, raw in raws.items():
        findings += [Finding("unknown_column", table, name) for name in raw.unknown]
        findings.append(Finding("ragged_row", table, count=raw.ragged))
    return findings
