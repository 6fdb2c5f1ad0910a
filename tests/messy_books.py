"""Messy workbooks, SPSS files and Parquet: what other programs put in them, and what is not what its name says."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
from openpyxl.worksheet.worksheet import Worksheet

from tests.deliveries import COLUMNS, long_excel, long_parquet, long_sav, wide_sav
from tests.messy import CANARY, Case, Mess, Refused, Right, lost

CASES: dict[str, Case] = {}


def case(one: Case) -> Case:
    CASES[one.__name__] = one
    return one


def _cells(mess: Mess) -> list[list[Any]]:
    """The households as a spreadsheet has them: numbers are numbers."""
    return [[_number(cell) for cell in row] for row in mess.rows["household"]]


def _number(cell: str) -> float | str | None:
    return float(cell) if cell.replace(".", "").lstrip("-").isdigit() else cell or None


def _book(mess: Mess, change: Callable[[Worksheet, list[list[Any]]], None], name: str = "household.xlsx") -> None:
    book = openpyxl.Workbook()
    change(book.active, _cells(mess))
    book.save(mess.folder / name)


def _fill(sheet: Worksheet, rows: Sequence[Sequence[Any]]) -> None:
    for row in (COLUMNS["household"], *rows):
        sheet.append(list(row))


# ---- Excel
@case
def a_workbook(mess: Mess) -> Right:
    long_excel(mess.folder, mess.rows)
    return Right(mess.rows)


@case
def a_workbook_with_macros_by_name(mess: Mess) -> Right:
    _book(mess, _fill, "household.xlsm")
    return Right(mess.only("household"))


@case
def a_workbook_that_begins_below_and_beside(mess: Mess) -> Right:
    def change(sheet: Worksheet, rows: list[list[Any]]) -> None:
        for down, row in enumerate((COLUMNS["household"], *rows)):
            for right, cell in enumerate(row):
                sheet.cell(4 + down, 3 + right, cell)

    _book(mess, change)
    return Right(mess.only("household"))


@case
def a_workbook_with_empty_rows(mess: Mess) -> Right:
    _book(mess, lambda sheet, rows: _fill(sheet, [one for row in rows for one in (row, [], [""] * 7)]))
    return Right(mess.only("household"))


@case
def a_workbook_with_texts_for_numbers(mess: Mess) -> Right:
    _book(mess, lambda sheet, _rows: _fill(sheet, mess.rows["household"]))
    return Right(mess.only("household"))


@case
def a_workbook_with_both_in_one_column(mess: Mess) -> Right:
    def change(sheet: Worksheet, rows: list[list[Any]]) -> None:
        _fill(sheet, [[str(cell) if cell and place % 2 else cell for cell in row] for place, row in enumerate(rows)])

    _book(mess, change)
    return Right(mess.only("household"))


@case
def a_workbook_with_dates_and_truths_beside(mess: Mess) -> Right:
    def change(sheet: Worksheet, rows: list[list[Any]]) -> None:
        sheet.append([*COLUMNS["household"], "dag", "ja", "toelichting"])
        for row in rows:
            sheet.append([*row, date(2021, 2, 3), True, CANARY])

    _book(mess, change)
    return Right(mess.only("household"))


@case
def a_workbook_whose_first_sheet_is_hidden(mess: Mess) -> Right:
    def change(sheet: Worksheet, rows: list[list[Any]]) -> None:
        sheet.title, sheet.sheet_state = "oud", "hidden"
        _fill(sheet, [[f"{CANARY}-old", "T0", 1, "no", 1, None, 0]])
        _fill(sheet.parent.create_sheet("nieuw"), rows)

    _book(mess, change)
    return Right(mess.only("household"))


@case
def a_workbook_with_formulas_never_worked_out(mess: Mess) -> Right:
    def change(sheet: Worksheet, rows: list[list[Any]]) -> None:
        _fill(sheet, [[*row[:2], "=1+1", *row[3:]] for row in rows])

    _book(mess, change)
    return Right(lost(mess.only("household"), "incidents"))


@case
def a_workbook_with_faults_in_cells(mess: Mess) -> Right:
    def change(sheet: Worksheet, rows: list[list[Any]]) -> None:
        _fill(sheet, [[*row[:2], "#N/A", *row[3:]] for row in rows])

    _book(mess, change)
    return Right(lost(mess.only("household"), "incidents"))


@case
def a_workbook_with_merged_ids(mess: Mess) -> Right:
    """A merged cell holds its value in its first row alone: the others have no household."""

    def change(sheet: Worksheet, rows: list[list[Any]]) -> None:
        _fill(sheet, rows)
        sheet.append([f"{CANARY}-99", "T0", 7, "no", 1, None, 0.5])
        sheet.append([f"{CANARY}-99", "T0", 7, "no", 1, None, 0.5])
        last = len(rows) + 3
        sheet.merge_cells(f"A{last - 1}:A{last}")

    _book(mess, change)
    return Right(mess.only("household"), told=("no_household_id", "duplicate_row"))


@case
def a_workbook_with_a_title_above(mess: Mess) -> Refused:
    def change(sheet: Worksheet, rows: list[list[Any]]) -> None:
        sheet.append([f"Levering {CANARY}"])
        _fill(sheet, rows)

    _book(mess, change)
    return Refused("no_column")


@case
def a_workbook_without_cells(mess: Mess) -> Refused:
    _book(mess, lambda _sheet, _rows: None)
    return Refused("empty")


@case
def a_workbook_broken_off(mess: Mess) -> Refused:
    _book(mess, _fill)
    path = mess.folder / "household.xlsx"
    path.write_bytes(path.read_bytes()[: -mess.rng.randrange(30, 2000)])
    return Refused("unreadable")


@case
def a_workbook_behind_a_password(mess: Mess) -> Refused:
    """Such a file is another container, whose first bytes these are."""
    mess.write(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096), "household.xlsx")
    return Refused("unreadable")


def _bomb(inside: bytes, times: int, name: str) -> bytes:
    found = io.BytesIO()
    with (
        zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w") as entry,
    ):
        for _ in range(times):
            entry.write(inside)
    return found.getvalue()


@case
def a_zip_bomb(mess: Mess) -> Refused:
    mess.write(_bomb(bytes(1 << 20), 300, "xl/worksheets/sheet1.xml"), "household.xlsx")
    return Refused("too_large")


@case
def a_zip_bomb_that_lies(mess: Mess) -> Refused:
    """It says that it unpacks to ten bytes."""
    data = bytearray(_bomb(bytes(1 << 20), 30, "xl/sharedStrings.xml"))
    central = data.rindex(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 10)
    mess.write(bytes(data), "household.xlsx")
    return Refused("unreadable")


@case
def a_sheet_whose_last_cell_is_far_away(mess: Mess) -> Refused:
    """Whoever makes room for all cells before it has none left."""

    def change(sheet: Worksheet, rows: list[list[Any]]) -> None:
        _fill(sheet, rows)
        sheet.cell(1_048_576, 16_384, CANARY)

    _book(mess, change)
    return Refused("too_large")


@case
def a_sheet_that_a_mapping_names_and_is_not_there(mess: Mess) -> Refused:
    _book(mess, _fill)
    mess.write(
        "mapping: {codebook: small@1}\nparts:\n  - {table: household, file: household.xlsx, sheet: gezin, "
        "household: hh_id, wave: {column: wave}, others: <name>}\n",
        "mapping.yaml",
    )
    return Refused("no_sheet")


# ---- SPSS
@case
def spss(mess: Mess) -> Right:
    long_sav(mess.folder, mess.rows)
    return Right(mess.rows)


@case
def spss_wide_with_suffixes_and_missing_codes(mess: Mess) -> Right:
    full = mess.changed("change", str)
    wide_sav(mess.folder, full)
    return Right(full)


def _sav(mess: Mess, name: str = "household.sav", **options: Any) -> Path:
    rows = _cells(mess)
    columns = {column: [row[at] for row in rows] for at, column in enumerate(COLUMNS["household"])}
    frame = pd.DataFrame({
        name: [float("nan") if cell is None else cell for cell in cells]
        if any(isinstance(cell, float) for cell in cells)
        else ["" if cell is None else cell for cell in cells]
        for name, cells in columns.items()
    })  # fmt: skip
    path = mess.folder / name
    pyreadstat.write_sav(frame, path, **options)
    return path


@case
def spss_squeezed(mess: Mess) -> Right:
    _sav(mess, "household.zsav", compress=True)
    return Right(mess.only("household"))


@case
def spss_with_declared_missing(mess: Mess) -> Right:
    _sav(mess, missing_ranges={"incidents": [{"lo": 20.0, "hi": 1000.0}]})
    left = mess.changed("incidents", lambda cell: "" if int(cell) >= 20 else cell)
    return Right({"household": left["household"]})


@case
def spss_with_labels_that_have_odd_spaces(mess: Mess) -> Right:
    _sav(mess, variable_value_labels={"profile": {1.0: "  a  ", 2.0: "b "}}, column_labels={"profile": " x  y "})
    return Right(mess.only("household"))


@case
def spss_broken_off(mess: Mess) -> Refused:
    path = _sav(mess)
    path.write_bytes(path.read_bytes()[: mess.rng.randrange(200, 600)])
    return Refused("unreadable")


@case
def spss_that_says_it_has_a_billion_rows(mess: Mess) -> Refused:
    path = _sav(mess)
    data = bytearray(path.read_bytes())
    data[80:84] = struct.pack("<i", 1_000_000_000)
    path.write_bytes(bytes(data))
    return Refused("unreadable")


@case
def spss_without_bytes(mess: Mess) -> Refused:
    mess.write(b"", "household.sav")
    return Refused("empty")


# ---- Parquet
@case
def parquet(mess: Mess) -> Right:
    long_parquet(mess.folder, mess.rows)
    return Right(mess.rows)


@case
def parquet_with_lists_beside(mess: Mess) -> Right:
    _parquet(mess, beside=pa.array([[CANARY]] * len(mess.rows["household"])))
    return Right(mess.only("household"))


@case
def parquet_with_dates_for_numbers(mess: Mess) -> Refused:
    _parquet(mess, incidents=pa.array([date(2021, 1, 1)] * len(mess.rows["household"])))
    return Refused("type")


@case
def parquet_broken_off(mess: Mess) -> Refused:
    long_parquet(mess.folder, mess.only("household"))
    path = mess.folder / "household.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    return Refused("unreadable")


def _parquet(mess: Mess, **more: pa.Array) -> None:
    rows = mess.rows["household"]
    columns = {name: pa.array([row[at] for row in rows]) for at, name in enumerate(COLUMNS["household"])}
    pq.write_table(pa.table({**columns, **more}), mess.folder / "household.parquet")


# ---- not what its name says
def _renamed(name: str, make: Callable[[Mess], Path], ending: str, reason: str) -> None:
    def write(mess: Mess) -> Refused:
        path = make(mess)
        path.rename(path.with_suffix(ending))
        for other in mess.folder.iterdir():
            if other.stem != "household":
                other.unlink()
        return Refused(reason)

    CASES[name] = write


def _workbook(mess: Mess) -> Path:
    _book(mess, _fill)
    return mess.folder / "household.xlsx"


def _plain(mess: Mess) -> Path:
    return mess.write(mess.text())


_renamed("spss_called_csv", _sav, ".csv", "not_utf8")
_renamed("a_workbook_called_csv", _workbook, ".csv", "not_utf8")
_renamed("csv_called_spss", _plain, ".sav", "unreadable")
_renamed("csv_called_squeezed_spss", _plain, ".zsav", "unreadable")
_renamed("csv_called_a_workbook", _plain, ".xlsx", "unreadable")
_renamed("csv_called_an_old_workbook", _plain, ".xls", "unreadable")
_renamed("csv_called_parquet", _plain, ".parquet", "unreadable")
_renamed("a_workbook_called_spss", _workbook, ".sav", "unreadable")
_renamed("spss_called_a_workbook", _sav, ".xlsx", "unreadable")
_renamed("an_unknown_kind", _plain, ".dta", "no_household")
