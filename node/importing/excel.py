"""Workbooks: the first line that is not empty names the columns of a sheet."""

from __future__ import annotations

import datetime
import io
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import python_calamine as calamine

from node.importing.cells import Cells, encoded, number_text
from node.importing.problems import BadImport, shown

Cell = Hashable
_DATES = (datetime.date, datetime.time)


@dataclass(frozen=True, slots=True)
class ExcelSource:
    """A sheet in memory."""

    file: str
    names: tuple[str, ...]
    _rows: list[list[Cell]] = field(repr=False)

    def read(self, places: Sequence[int]) -> Cells:
        """The columns as text; formulas count with the value that Excel last saved."""
        count = len(self._rows)
        columns = {place: encoded((_plain(row[place]) for row in self._rows), count, _spelled) for place in places}
        return Cells(columns, count)


def open_excel(file: str, data: bytes, sheet: str | None) -> ExcelSource:
    """A sheet of a workbook, None: the first. Raises BadImport."""
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            names = {name.casefold(): name for name in book.sheet_names}
            if sheet is not None and sheet.casefold() not in names:
                raise BadImport("no_sheet", file=file, sheet=shown(sheet))
            found = book.get_sheet_by_index(0) if sheet is None else book.get_sheet_by_name(names[sheet.casefold()])
            rows: list[list[Cell]] = [list(row) for row in found.to_python() if any(cell != "" for cell in row)]
    except (calamine.CalamineError, OSError):
        raise BadImport("unreadable", file=file, format="Excel") from None
    if not rows:
        raise BadImport("empty", file=file)
    return ExcelSource(file, tuple(_spelled(_plain(cell)) for cell in rows[0]), rows[1:])


def _plain(cell: Cell) -> Cell:
    # Python holds True equal to 1; the two must not become one text.
    return str(cell).lower() if isinstance(cell, bool) else cell


def _spelled(value: object) -> str:
    if isinstance(value, float | int):
        return number_text(float(value))
    return value.isoformat() if isinstance(value, _DATES) else str(value).strip()
