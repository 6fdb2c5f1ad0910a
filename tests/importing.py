"""A small codebook, delivered files, and a look into the snapshot: what tests of import share."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from node.importing.request import ImportRequest
from node.importing.run import ImportResult, import_files
from node.snapshots import Snapshot
from policies.documents import parse_yaml
from policies.study.codebook import Codebook
from policies.study.mapping import Delimiter, Encoding

HASH = "c" * 64
CODEBOOK = parse_yaml(
    Codebook,
    """
codebook: {id: small, version: 1}
units: {household: hh_id, person: person_id, wave: wave}
caps: {adults: 2, children: 3}
waves: {T0: {nl: voor, en: before}, T1: {nl: na, en: after}}
tables: {household: {}, adult: {}, child: {}}
variables:
  incidents: {table: household, type: integer, bounds: [0, 825], missing: [999], waves: [T0, T1]}
  severe: {table: household, type: category, waves: [T0, T1], categories: {"no": {nl: n, en: n}, "yes": {nl: j, en: y}}}
  profile: {table: household, type: category, missing: ["9"], categories: {"1": {nl: a, en: a}, "2": {nl: b, en: b}}}
  help: {table: household, type: category, waves: [T1], categories: {none: {nl: g, en: n}, some: {nl: e, en: s}}}
  change: {table: household, type: decimal, bounds: [-5, 5], grid: 0.5}
  grade: {table: adult, type: decimal, bounds: [0, 10], grid: 0.1, missing: [99], waves: [T0, T1]}
  sex: {table: adult, type: category, categories: {woman: {nl: v, en: w}, man: {nl: m, en: m}}}
  age: {table: child, type: integer, bounds: [3, 18]}
derived:
  state:
    cases:
      - {when: "incidents == 0", is: none}
      - {when: "incidents < 22 and severe == no", is: some}
      - {else: much}
  content:
    cases:
      - {when: "grade >= 7.5 and profile == 1", is: "yes"}
      - {else: "no"}
""",
    "small codebook",
)

Cell = str | int | float | bool | None
Row = Mapping[str, Cell]


def csv_text(rows: Sequence[Sequence[str]], sign: str = ";") -> str:
    """Rows of plain cells as CSV."""
    return "".join(sign.join(row) + "\n" for row in rows)


def deliver(folder: Path, **files: str | bytes) -> Path:
    """Files named after tables: text or bytes, as .csv."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def take(
    home: Path,
    *sources: Path,
    codebook: Codebook = CODEBOOK,
    delimiter: Delimiter = "auto",
    encoding: Encoding | None = None,
    mapping: Path | None = None,
    most: int = 1000,
) -> ImportResult:
    """An import under the small codebook."""
    return import_files(ImportRequest(home, sources, "c3", codebook, HASH, most, delimiter, encoding, mapping))


def rows(snapshot: Snapshot, unit: str, columns: Iterable[str]) -> list[tuple[Cell, ...]]:
    """These columns of a table of the snapshot, in file order."""
    path = snapshot.folder / f"{unit}.parquet"
    listed = ", ".join(f'"{column}"' for column in columns)
    return duckdb.connect().execute(f"SELECT {listed} FROM read_parquet('{path}')").fetchall()


def counts(result: ImportResult) -> dict[tuple[str, str, str], int]:
    """The report's findings by rule, table and name."""
    return {(one.rule, one.table or "", one.name): one.count for one in result.report.findings}
