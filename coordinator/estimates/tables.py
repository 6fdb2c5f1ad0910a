"""Rows as files: `estimates.csv` and `estimates.json`, columns in the contract's order."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal

from coordinator.estimates.rows import Row
from policies.units.exact import decimal_text

COLUMNS = tuple(field.name for field in fields(Row))
Cell = tuple[tuple[str, str], ...]


def cell_text(cell: Cell) -> str:
    """`key=code;key=code`; empty for a statistic without cells. Keys and codes have neither sign in them."""
    return ";".join(f"{key}={code}" for key, code in cell)


def to_csv(rows: Iterable[Row]) -> str:
    """A header and one line a row, comma and decimal point; floats to their last digit, NaN as an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_text(getattr(row, name)) for name in COLUMNS] for row in rows)
    return out.getvalue()


def to_json(rows: Iterable[Row]) -> str:
    """A list with one object a row and a line each: NaN as null, the cell as an object, prices as numbers."""
    lines = [
        json.dumps({name: _json(getattr(row, name)) for name in COLUMNS}, ensure_ascii=False, allow_nan=False)
        for row in rows
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _text(value: str | float | Decimal | Cell) -> str:
    match value:
        case Decimal():
            return decimal_text(value)
        case float():
            return "" if math.isnan(value) else repr(value)
        case tuple():
            return cell_text(value)
        case _:
            return str(value)


def _json(value: str | float | Decimal | Cell) -> str | float | dict[str, str] | None:
    match value:
        case Decimal():
            return float(value)
        case float():
            return None if math.isnan(value) else value
        case tuple():
            return dict(value)
        case _:
            return value
