"""The same households as files of every kind: long CSV, Parquet, Excel and .sav, and one wide .sav with a mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat

from policies.study.codebook import Table

Rows = Mapping[Table, Sequence[tuple[str, ...]]]
"""Rows by table, as text, in the order of COLUMNS."""

COLUMNS: Mapping[Table, tuple[str, ...]] = {
    "household": ("hh_id", "wave", "incidents", "severe", "profile", "help", "change"),
    "adult": ("hh_id", "person_id", "wave", "grade", "sex"),
    "child": ("hh_id", "person_id", "wave", "age"),
}
THEIRS: Mapping[str, Mapping[str, int | str]] = {
    "severe": {"no": 1, "yes": 2},
    "help": {"none": "Geen hulp", "some": "hulp, ééns"},
    "sex": {"woman": 1, "man": 2},
}
"""How the wide file spells categories: as numbers, or as words outside ASCII."""


def long_csv(folder: Path, rows: Rows, encoding: str = "utf-8", sign: str = ";") -> Path:
    """One CSV a table."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, found in rows.items():
        lines = [sign.join(line) + "\n" for line in (COLUMNS[table], *found)]
        (folder / f"{table}.csv").write_bytes("".join(lines).encode(encoding))
    return folder


def long_parquet(folder: Path, rows: Rows) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for table, found in rows.items():
        columns = {name: [row[place] for row in found] for place, name in enumerate(COLUMNS[table])}
        pq.write_table(pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()}),
                       folder / f"{table}.parquet")  # fmt: skip
    return folder


def long_excel(folder: Path, rows: Rows) -> Path:
    """One workbook a table; numbers are numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, found in rows.items():
        book = openpyxl.Workbook()
        for line in (COLUMNS[table], *(tuple(map(_cell, row)) for row in found)):
            book.active.append(line)
        book.save(folder / f"{table}.xlsx")
    return folder


def long_sav(folder: Path, rows: Rows) -> Path:
    """One .sav a table, upper-case names; a column is of numbers where all its cells are."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, found in rows.items():
        columns = {name.upper(): _column([row[i] for row in found]) for i, name in enumerate(COLUMNS[table])}
        pyreadstat.write_sav(pd.DataFrame(columns), folder / f"{table}.sav")
    return folder


WIDE = """
mapping: {codebook: small@1}
parts:
  - table: household
    file: gezin.sav
    household: NR
    wave: {suffixes: {T0: _1, T1: _2}}
    present: {column: DEEL<wave>, values: [1]}
    columns:
      incidents: INC<wave>
      severe: {column: ERNST<wave>, codes: {"1": "no", "2": "yes"}}
      profile: PROF
      help: {column: HULP, codes: {geen hulp: none, "hulp, ééns": some}}
      change: VERSCHIL
  - table: adult
    file: gezin.sav
    household: NR
    person: V<person>_ID
    persons: [1, 2, 3, 4]
    wave: {suffixes: {T0: _1, T1: _2}}
    present: {column: V<person>_DEEL<wave>, values: [1]}
    columns:
      grade: V<person>_CIJFER<wave>
      sex: V<person>_GESL
  - table: child
    file: gezin.sav
    household: NR
    person: K<person>_ID
    persons: [1, 2, 3, 4]
    wave: {suffixes: {T0: _1, T1: _2}}
    present: {column: K<person>_DEEL<wave>, values: [1]}
    columns: {age: "K<person>_LFT"}
"""
_SUFFIXES = {"T0": "_1", "T1": "_2"}
_WAVED = {"incidents": "INC", "severe": "ERNST", "grade": "CIJFER"}
_PLAIN = {"profile": "PROF", "help": "HULP", "change": "VERSCHIL", "sex": "GESL", "age": "LFT"}


def wide_sav(folder: Path, rows: Rows, order: Callable[[list[str]], list[str]] = list) -> Path:
    """One .sav with a row a household and its mapping beside it. Needs rows that agree within a unit.

    Missing codes are declared in the file; `sex` is told by value labels, `help` by words outside ASCII.
    """
    homes: dict[str, dict[str, object]] = {}
    persons: dict[tuple[Table, str], list[str]] = {}
    for table, found in rows.items():
        for row in found:
            cells = dict(zip(COLUMNS[table], row, strict=True))
            home = homes.setdefault(cells["hh_id"], {"NR": _cell(cells["hh_id"])})
            front = ""
            if table != "household":
                own = persons.setdefault((table, cells["hh_id"]), [])
                if cells["person_id"] not in own:
                    own.append(cells["person_id"])
                front = f"{'V' if table == 'adult' else 'K'}{own.index(cells['person_id']) + 1}_"
                home[f"{front}ID"] = cells["person_id"]
            home[f"{front}DEEL{_SUFFIXES[cells['wave']]}"] = 1.0
            for name, written in (_WAVED | _PLAIN).items():
                if cells.get(name):
                    suffix = _SUFFIXES[cells["wave"]] if name in _WAVED else ""
                    home[f"{front}{written}{suffix}"] = _cell(str(THEIRS.get(name, {}).get(cells[name], cells[name])))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mapping.yaml").write_text(WIDE, encoding="utf-8")
    frame = _framed([homes[name] for name in order(list(homes))])
    names = [str(name) for name in frame if frame[name].dtype == "float64"]
    missing: Any = {name: [{"lo": 999.0, "hi": 999.0}] for name in names if name.startswith("INC")}
    missing |= {name: [{"lo": 90.0, "hi": 99.0}] for name in names if "CIJFER" in name}
    labels: Any = {name: {1.0: " V ", 2.0: "man"} for name in names if name.endswith("GESL")}
    pyreadstat.write_sav(frame, folder / "gezin.sav", missing_ranges=missing, variable_value_labels=labels)
    return folder


def _framed(homes: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Every column that the mapping names, in the type that SPSS would give it."""
    names = ["NR", "PROF", "HULP", "VERSCHIL"]
    names += [f"{front}{suffix}" for front in ("INC", "ERNST", "DEEL") for suffix in ("_1", "_2")]
    for person in range(1, 5):
        for front, own in (("V", ["CIJFER_1", "CIJFER_2", "GESL"]), ("K", ["LFT"])):
            names += [f"{front}{person}_{name}" for name in ("ID", "DEEL_1", "DEEL_2", *own)]
    columns = {name: _numbers_or_words([home.get(name) for home in homes]) for name in names}
    words = {name: ["" for _ in homes] for name in names if name.endswith(("HULP", "_ID"))}
    blank = {name: words[name] for name in words if all(home.get(name) is None for home in homes)}
    return pd.DataFrame(columns | blank)


def _numbers_or_words(cells: Sequence[object]) -> list[object]:
    if all(cell is None or isinstance(cell, float) for cell in cells):
        return [float("nan") if cell is None else cell for cell in cells]
    return ["" if cell is None else str(cell) for cell in cells]


def _column(cells: Sequence[str]) -> list[object]:
    numbers = [_cell(cell) for cell in cells]
    return _numbers_or_words(numbers) if any(isinstance(number, float) for number in numbers) else list(cells)


def _cell(text: str) -> object:
    """As a spreadsheet takes it: a number where it is one, nothing where nothing is."""
    if not text:
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text
