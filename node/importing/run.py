"""One import, from files to a snapshot on disk. Decides nothing about what is current: the ledger does."""

from __future__ import annotations

import collections.abc as abc
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from node.importing.files import Delivery, find_files, listed, mapping_in
from node.importing.problems import BadImport, shown, shown_lines
from node.importing.read import Raw, read_tables
from node.importing.recode import Rules
from node.importing.report import Delivered, Finding, Report, ordered
from node.importing.request import ImportRequest
from node.importing.tables import Wide, joined, widen, with_derived
from node.importing.units import Kept, Numbers, Units, households, keep_rows, number_households, persons
from node.importing.write import write_snapshot
from node.snapshots import CodebookOf, Manifest, Snapshot
from policies.documents import BadDocument, load_yaml
from policies.study.codebook import TABLES, Codebook, Table
from policies.study.derive import rules
from policies.study.mapping import Mapping, TextFiles, problems

__all__ = ["ImportRequest", "ImportResult", "build", "import_files"]


@dataclass(frozen=True, slots=True)
class ImportResult:
    snapshot: Snapshot
    report: Report


def import_files(request: ImportRequest) -> ImportResult:
    """Reads, cleans and writes one snapshot. Durable on return, and current for nobody until the ledger says so.

    Raises BadImport where the files cannot be used at all; nothing is left behind then. Raises OSError from writing.
    """
    files, codebook = listed(request.sources), request.codebook
    written = request.mapping or mapping_in(files)
    mapping = None if written is None else load_mapping(written, codebook)
    delivery = find_files(files, mapping, codebook.units)
    raws = read_tables(delivery.parts, codebook, _rules(request, mapping))
    wides, findings = build(raws, codebook, request.most_households, delivery)
    tables = tuple(
        Delivered(
            table,
            delivery.files(table) if table in raws else None,
            raws[table].delivered if table in raws else 0,
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
        None if written is None else shown(written.name),
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
    raws: abc.Mapping[Table, Raw], codebook: Codebook, most_households: int, delivery: Delivery
) -> tuple[dict[Table, Wide], list[Finding]]:
    """The three tables of a snapshot, and what was found on the way. Pure.

    Raises BadImport for too many households, and for a file of which no row can be used.
    """
    kept = {table: keep_rows(table, raw, codebook) for table, raw in raws.items()}
    for table, one in kept.items():
        if raws[table].rows + raws[table].ragged + raws[table].silent and not len(one.rows):
            raise BadImport("no_rows", file=delivery.files(table), columns=delivery.ids(table))
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


def _units(table: Table, kept: Kept | None, numbers: Numbers, codebook: Codebook) -> Units:
    if kept is None:
        none = np.empty(0, np.int64)
        return Units(none, none, none, none, ())
    return households(kept, numbers) if table == "household" else persons(table, kept, numbers, codebook.cap(table))


def load_mapping(path: Path, codebook: Codebook) -> Mapping:
    """A mapping that fits the codebook. Raises BadImport with file, line, key and what was expected."""
    try:
        return load_yaml(Mapping, path, lambda mapping: problems(mapping, codebook))
    except BadDocument as error:
        raise BadImport("mapping", detail=shown_lines(str(error))) from None


def _rules(request: ImportRequest, mapping: Mapping | None) -> Rules:
    """What the command says goes before what the mapping says."""
    text = mapping.text if mapping else TextFiles()
    if request.encoding is not None:
        text = text.model_copy(update={"encoding": request.encoding})
    if request.delimiter != "auto":
        text = text.model_copy(update={"delimiter": request.delimiter})
    return Rules(text, mapping.missing if mapping else ())


def _of_files(delivery: Delivery, raws: abc.Mapping[Table, Raw]) -> list[Finding]:
    findings = [Finding("ignored_file", None, name) for name in delivery.ignored]
    for table, raw in raws.items():
        findings += [Finding("unknown_column", table, name) for name in raw.unknown]
        findings.append(Finding("ragged_row", table, count=raw.ragged))
        findings.append(Finding("no_answers", table, count=raw.silent))
    return findings
