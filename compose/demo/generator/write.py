"""The tables as files, one labelled folder per region: CSV as Dutch offices write it, Parquet, or wide SPSS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from compose.demo.generator.spss import write_spss
from compose.demo.generator.tables import ANSWERED, CODED, Answers, Table, Tables, Texts

Format = Literal["csv", "parquet", "spss"]
LABEL = "synthetic, calibrated to published totals, not study data"
LABEL_FILE = "SYNTHETIC.txt"
LABEL_TEXT = f"""SYNTHETIC DATA - {LABEL}.
No row describes a real person or household. Figures marked "assumed" in the calibration are not findings.

SYNTHETISCHE GEGEVENS - afgestemd op gepubliceerde totalen, geen onderzoeksgegevens.
Geen enkele rij beschrijft een bestaande persoon of een bestaand huishouden.
"""
_BLOCK = 50_000


def folder_name(region: str) -> str:
    """The name of a region's folder; it says that the data is synthetic."""
    return f"synthetic-{region}"


def write_all(out: Path, data: Mapping[str, Tables]) -> dict[str, Path]:
    """Every region's folder below `out`; every fourth region delivers Parquet, every fifth SPSS, the others CSV."""
    folders = {region: out / folder_name(region) for region in data}
    for place, (region, tables) in enumerate(data.items()):
        number = place + 1
        write_region(folders[region], tables, "spss" if number % 5 == 0 else "parquet" if number % 4 == 0 else "csv")
    return folders


def write_region(folder: Path, tables: Tables, form: Format = "csv") -> None:
    """household, adult and child in `folder` (made if absent), beside the label SYNTHETIC.txt; SPSS has one file.

    CSV: semicolons, decimal comma, UTF-8, one header line. Parquet: decimals as doubles, the label in its metadata.
    The same tables give the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LABEL_FILE).write_text(LABEL_TEXT, encoding="utf-8", newline="\n")
    if form == "spss":
        write_spss(folder, tables, LABEL)
        return
    for name, table in tables.by_name():
        if form == "csv":
            _write_csv(folder / f"{name}.csv", table)
        else:
            _write_parquet(folder / f"{name}.parquet", table)


def cells(answers: Answers) -> Texts:
    """The answers as the text of CSV cells."""
    if answers.codes:
        texts = np.array(answers.codes, np.object_)[answers.values]
    elif answers.decimals:
        scale, places = 10**answers.decimals, answers.decimals
        most = int(answers.values.max(initial=0))
        spelled = [f"{value // scale},{value % scale:0{places}d}" for value in range(most + 1)]
        texts = np.array(spelled, np.object_)[answers.values]
    else:
        texts = answers.values.astype(str).astype(np.object_)
    return np.where(answers.gaps == ANSWERED, texts, np.where(answers.gaps == CODED, answers.missing_code, ""))


def _write_csv(path: Path, table: Table) -> None:
    columns = [*table.ids.values(), *(cells(answers) for answers in table.variables.values())]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(";".join([*table.ids, *table.variables]) + "\n")
        for start in range(0, len(columns[0]), _BLOCK):
            block = (column[start : start + _BLOCK].tolist() for column in columns)
            file.writelines(";".join(row) + "\n" for row in zip(*block, strict=True))


def _write_parquet(path: Path, table: Table) -> None:
    columns: dict[str, pa.Array] = {name: pa.array(texts, pa.string()) for name, texts in table.ids.items()}
    columns |= {name: _array(answers) for name, answers in table.variables.items()}
    pq.write_table(pa.table(columns).replace_schema_metadata({"rondgang.label": LABEL}), path, compression="zstd")


def _array(answers: Answers) -> pa.Array:
    empty = (answers.gaps != ANSWERED) & (answers.gaps != CODED)
    if answers.codes:
        spelled = np.array(answers.codes, np.object_)[answers.values]
        return pa.array(np.where(answers.gaps == CODED, answers.missing_code, spelled), pa.string(), mask=empty)
    values = np.where(answers.gaps == CODED, int(answers.missing_code or 0) * 10**answers.decimals, answers.values)
    if answers.decimals:
        return pa.array(values / 10**answers.decimals, pa.float64(), mask=empty)
    return pa.array(values, pa.int64(), mask=empty)
