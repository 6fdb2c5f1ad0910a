"""The estimates table on the researcher's side: from the desk's JSON to a frame and to `estimates.csv`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from coordinator.estimates.tables import COLUMNS, cell_text
from coordinator.estimates.trends import COLUMNS as TRENDS
from policies.units.exact import decimal_text, parse_decimal

if TYPE_CHECKING:
    import pandas as pd

Value: TypeAlias = "str | int | float | dict[str, str] | None"
_OTHER_COLUMNS = "the desk sent a table with other columns; install the version that the desk runs"
_EXACT = frozenset({"rho", "epsilon", "delta"})


def read_rows(rows_json: bytes) -> list[dict[str, Value]]:
    """The rows as the desk sent them. Raises ValueError where the columns are not exactly the contract's."""
    return _read(rows_json, float)


def read_texts(rows_json: bytes) -> list[dict[str, Value]]:
    """The rows with the digits that the desk sent, as text; prices in their exact decimal text. Raises ValueError."""
    rows = _read(rows_json, str)
    return [{name: _field(name, value) if name in _EXACT else value for name, value in row.items()} for row in rows]


def frame(rows_json: bytes) -> pd.DataFrame:
    """The rows as a frame: numbers as numbers, empty ones as NaN, `cell` as `key=value;...`."""
    # Half a second that no verb but a notebook needs.
    import pandas as pd

    rows = [{name: _flat(value) for name, value in row.items()} for row in read_rows(rows_json)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def read_trends(rows_json: bytes) -> list[dict[str, str]]:
    """The figures of `trends` as the desk sent them. Raises ValueError where the columns are not ours."""
    rows = _loaded(rows_json, float)
    if not isinstance(rows, list) or any(not isinstance(row, dict) or tuple(row) != TRENDS for row in rows):
        raise ValueError(_OTHER_COLUMNS)
    return rows


def trends_csv(rows: Iterable[Mapping[str, str]]) -> str:
    """`trends.csv`: a header, and one line a figure."""
    out = io.StringIO()
    writer = csv.DictWriter(out, TRENDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def csv_text(rows_json: bytes) -> str:
    """`estimates.csv`: the digits that the desk sent, an empty field where there is no number."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in _read(rows_json, str):
        writer.writerow([_field(name, row[name]) for name in COLUMNS])
    return out.getvalue()


def _read(rows_json: bytes, number: type[float] | type[str]) -> list[dict[str, Value]]:
    rows = _loaded(rows_json, number)
    if not isinstance(rows, list) or any(not isinstance(row, dict) or tuple(row) != COLUMNS for row in rows):
        raise ValueError(_OTHER_COLUMNS)
    return rows


def _loaded(rows_json: bytes, number: type[float] | type[str]) -> Any:
    try:
        return json.loads(rows_json, parse_float=number)
    except RecursionError:
        raise ValueError("the desk sent a table that is nested too deeply to be read") from None


def _flat(value: Value) -> str | int | float | None:
    return cell_text(tuple(value.items())) if isinstance(value, dict) else value


def _field(name: str, value: Value) -> str:
    if value is None:
        return ""
    if name in _EXACT:
        return decimal_text(parse_decimal(str(value)))
    return str(_flat(value))
