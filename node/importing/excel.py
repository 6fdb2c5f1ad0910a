"""Workbooks: the first line that is not empty names the columns of a sheet."""

from __future__ import annotations

import datetime
import io
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import python_calamine as calamine
from numpy.typing import NDArray

from node.importing.cells import Cells, Numbering, encoded, number_text
from node.importing.problems import BadImport, shown
from node.importing.unzipping import check_room

Cell = Hashable
_DATES = (datetime.date, datetime.time)


@dataclass(frozen=True, slots=True)
class ExcelSource:
    """A sheet in memory."""

    file: str
    names: tuple[str, ...]
    _rows: list[list[Cell]] = field(repr=False)
    _numbers: NDArray[np.int32] = field(repr=False)

    def read(self, places: Sequence[int]) -> Cells:
        """The columns as text; formulas count with the value that Excel last saved."""
        rows = len(self._rows)
        columns = {place: encoded((_plain(row[place]) for row in self._rows), rows, _spelled) for place in places}
        return Cells(columns, rows, numbering=Numbering(numbers=self._numbers))


def open_excel(file: str, data: bytes, sheet: str | None) -> ExcelSource:
    """A sheet of a workbook, None: the first that is not hidden. Raises BadImport."""
    check_room(file, data)
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            sheets = {name.casefold(): name for name in book.sheet_names}
            if sheet is not None and sheet.casefold() not in sheets:
                raise BadImport("no_sheet", file=file, sheet=shown(sheet))
            found = book.get_sheet_by_name(_shown_first(book) if sheet is None else sheets[sheet.casefold()])
            # Rows above the first that is not empty are left out by the reader.
            numbers = count((found.start or (0, 0))[0] + 1)
            rows: list[tuple[int, list[Cell]]] = [
                (number, list(row))
                for number, row in zip(numbers, found.to_python(), strict=False)
                if any(cell != "" for cell in row)
            ]
    except (calamine.CalamineError, OSError):
        raise BadImport("unreadable", file=file, format="Excel") from None
    if not rows:
        raise BadImport("empty", file=file)
    names = tuple(_spelled(_plain(cell)) for cell in rows[0][1])
    at = np.array([number for number, _ in rows[1:]], np.int32)
    return ExcelSource(file, names, [row for _, row in rows[1:]], at)


def _shown_first(book: calamine.CalamineWorkbook) -> str:
    """The first sheet that a person sees."""
    seen = [one.name for one in book.sheets_metadata if one.visible == calamine.SheetVisibleEnum.Visible]
    return (seen or book.sheet_names)[0]


def _plain(cell: Cell) -> Cell:
    # Python holds True equal to 1; the two must not become one text.
    return str(cell).lower() if isinstance(cell, bool) else cell


def _spelled(value: object) -> str:
    if isinstance(value, float | int):
        return number_text(float(value))
    return value.isoformat() if isinstance(value, _DATES) else str(value).strip()
