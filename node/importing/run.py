"""One import, from files to a snapshot on disk. Decides nothing about what is current: the ledger does."""

from __future__ import annotations

import collections.abc as abc
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from node.errors import BadRegistry
from node.forgetting import forgotten
from node.importing.build import Building, Built, build
from node.importing.files import Delivery, find_files, listed, mapping_in
from node.importing.kept import Held, held_waves, ids_parquet, read_held
from node.importing.places import placed
from node.importing.problems import BadImport, shown, shown_lines
from node.importing.read import Raw, read_tables
from node.importing.recode import Rules
from node.importing.report import Delivered, Finding, Report, ordered
from node.importing.request import ImportRequest
from node.importing.write import write_snapshot
from node.pseudonyms import Pseudonyms, on_trial, pseudonyms
from node.registry import Entering, Full, enter, rehearse
from node.snapshots import FOLDER, CodebookOf, Manifest, Snapshot
from policies.documents import BadDocument, load_yaml
from policies.study.codebook import TABLES, Codebook, Table
from policies.study.mapping import Mapping, TextFiles, problems

__all__ = ["ImportRequest", "ImportResult", "import_files"]


@dataclass(frozen=True, slots=True)
class ImportResult:
    snapshot: Snapshot
    report: Report


@dataclass(frozen=True, slots=True)
class _Made:
    """All that an import makes of its files, before anything is written."""

    manifest: Manifest
    built: Built
    report: Report
    ids: bytes


Enter = abc.Callable[[Path, Entering, abc.Sequence[bytes]], frozenset[bytes] | Full]
Step = Literal["entered", "written"]
Steps = abc.Callable[[Step], None]
"""Called when the households are in the registry, and when the snapshot is written; tests stop the world there."""


def _on(_step: Step) -> None:
    """The steps of an ordinary day."""


def try_files(request: ImportRequest) -> Report:
    """What an import of these files would find now. Nothing is written, and nobody is entered in the registry.

    Raises as `import_files`, but for faults of writing.
    """
    return _made(request, on_trial(request.home), rehearse).report


def import_files(request: ImportRequest, steps: Steps = _on) -> ImportResult:
    """Reads, cleans and writes one snapshot. Durable on return, and current for nobody until the ledger says so.

    Households that may be in it are entered in the registry first, durably: whatever breaks off later, none is entered
    too little. Raises BadImport where the files cannot be used at all; no snapshot is left behind then. Raises OSError
    from writing, and the faults of node/pseudonyms.py and node/registry.py.
    """

    def entered(home: Path, entering: Entering, households: abc.Sequence[bytes]) -> frozenset[bytes] | Full:
        found = enter(home, entering, households)
        steps("entered")
        return found

    made = _made(request, pseudonyms(request.home), entered)
    report = made.report.to_json()
    snapshot = write_snapshot(request.home, made.manifest, made.built.tables, report, made.ids)
    steps("written")
    return ImportResult(snapshot, made.report)


def _made(request: ImportRequest, names: Pseudonyms, enters: Enter) -> _Made:
    files, codebook = listed(request.sources), request.codebook
    written = request.mapping or mapping_in(files)
    mapping = None if written is None else load_mapping(written, codebook)
    delivery = find_files(files, mapping, codebook.units)
    raws = read_tables(delivery.parts, codebook, _rules(request, mapping))
    built = build(raws, _building(request, delivery, names, enters))
    findings = ordered([*_of_files(delivery, raws), *built.findings])
    tables = tuple(
        Delivered(
            table,
            delivery.files(table) if table in raws else None,
            raws[table].delivered if table in raws else 0,
            len(built.tables[table].household),
        )
        for table in TABLES
    )
    report = Report(
        request.snapshot_id,
        request.cohort,
        request.codebook.label,
        tables,
        placed(findings, raws, codebook),
        None if written is None else shown(written.name),
        built.added,
    )
    name = request.codebook.codebook
    manifest = Manifest(
        format=1,
        id=request.snapshot_id,
        cohort=request.cohort,
        codebook=CodebookOf(id=name.id, version=name.version, hash=request.codebook_hash),
        columns={table: wide.stored() for table, wide in built.tables.items()},
    )
    return _Made(manifest, built, report, ids_parquet(built.ids, built.tables, names.check))


def _building(request: ImportRequest, delivery: Delivery, names: Pseudonyms, enters: Enter) -> Building:
    """By what the snapshot is built. Raises BadImport where there is nothing that a wave could be added to."""
    terms = request.terms
    if terms.awaits and terms.most_cohorts is not None:
        raise BadImport("awaits_inheritance", most=terms.most_cohorts)
    entering = Entering(
        request.snapshot_id, request.cohort, names.check, terms.imported, terms.inherited, terms.most_cohorts
    )

    def register(households: abc.Sequence[bytes]) -> frozenset[bytes]:
        try:
            found = enters(request.home, entering, households)
        except BadRegistry as error:
            raise BadImport("registry", detail=str(error)) from None
        if isinstance(found, Full):
            raise BadImport("cohorts_open", most=terms.most_cohorts or 0, cohorts=", ".join(found.open))
        return found

    return Building(
        request.codebook,
        request.most_households,
        delivery,
        request.cohort,
        names,
        held=_held(request, names) if request.manner == "add" else None,
        keep=_must_stay(request),
        most_cohorts=terms.most_cohorts,
        register=register,
        forgotten=forgotten(request.home, request.cohort, names),
    )


def _held(request: ImportRequest, names: Pseudonyms) -> Held:
    """The snapshot in force, to add to."""
    terms = request.terms
    if not terms.snapshot:
        raise BadImport("nothing_held", cohort=request.cohort)
    found: Held | str = "other_codebook"
    if terms.codebook == request.codebook_hash:
        found = read_held(request.home / FOLDER / terms.snapshot, request.codebook, names.check)
    if isinstance(found, str):
        raise BadImport(f"held_{found}", cohort=request.cohort)
    return found


def _must_stay(request: ImportRequest) -> tuple[str, ...]:
    """The waves of the snapshot in force; none where it may be replaced whatever it has, or cannot be read."""
    if request.manner != "keep" or not request.terms.snapshot:
        return ()
    return held_waves(request.home / FOLDER / request.terms.snapshot)


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
    return Rules(text, mapping.missing if mapping else (), request.database)


def _of_files(delivery: Delivery, raws: abc.Mapping[Table, Raw]) -> list[Finding]:
    findings = [Finding("ignored_file", None, name) for name in delivery.ignored]
    for table, raw in raws.items():
        findings += [Finding("unknown_column", table, name) for name in raw.unknown]
        findings.append(Finding("ragged_row", table, count=raw.ragged))
        findings.append(Finding("no_answers", table, count=raw.silent))
    return findings
