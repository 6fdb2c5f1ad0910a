"""A result: what a region gets back once a run has closed, signed by the coordinator.

It holds the national rows and the region's own, with the columns of `estimates.csv`, and the programme that was asked,
so that it can be read years later by itself. Numbers are decimal text: a signed document has no floats.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Annotated, Literal

from pydantic import Field

from policies.documents import Document
from policies.statistics.programme import Programme
from policies.study.text import Hash, Name, RegionCode, RunId

COLUMNS = (
    "run", "revision", "programme", "cohort", "statistic", "measure", "estimator", "mode", "unit", "wave", "cell",
    "scope", "estimate", "std_error", "ci_low", "ci_high", "ci_level", "noise_sd", "sampling_sd", "numerator_noisy",
    "denominator_noisy", "households_noisy", "regions_included", "regions_expected", "rho", "epsilon", "delta",
    "status", "note",
)  # fmt: skip
"""The contract's columns of estimates, in its order."""
NATIONAL = "national"
MOST_BYTES = 32 * 2**20
"""A longer result is not sent; one of 10,000 cells takes about 8 MB."""

_NUMBERS = frozenset(COLUMNS[COLUMNS.index("estimate") : COLUMNS.index("regions_included")]) | {
    "rho",
    "epsilon",
    "delta",
}

Number = Annotated[str, Field(pattern=r"^(-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]{1,3})?)?$", max_length=60)]
"""A decimal number, empty where there is none."""
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]
Short = Annotated[str, Field(max_length=80)]


class ResultRow(Document):
    """One row of the estimates table, without the columns that are the same in all of them."""

    statistic: Name
    measure: Word
    estimator: Word
    mode: Word
    unit: Word
    wave: Short
    cell: tuple[tuple[Short, Short], ...] = ()
    scope: Literal["national"] | RegionCode
    estimate: Number = ""
    std_error: Number = ""
    ci_low: Number = ""
    ci_high: Number = ""
    ci_level: Number = ""
    noise_sd: Number = ""
    sampling_sd: Number = ""
    numerator_noisy: Number = ""
    denominator_noisy: Number = ""
    households_noisy: Number = ""
    regions_included: int = Field(ge=0)
    regions_expected: int = Field(ge=0)
    rho: Number = ""
    status: Literal["ok", "provisional", "withheld", "missing"]
    note: Annotated[str, Field(max_length=2000)] = ""


class Result(Document):
    """What one region gets back of one run. `revision` counts the answers in it; a later one has more.

    `programme` is the hash of `asked`; `regions` are those whose answers are in the national rows.
    """

    run: RunId
    revision: int = Field(ge=1)
    region: RegionCode
    programme: Hash
    asked: Programme
    regions: Annotated[tuple[RegionCode, ...], Field(min_length=1)]
    epsilon: Number
    delta: Number
    rows: tuple[ResultRow, ...]

    def whole(self) -> bool:
        """Whether every row is national or this region's own."""
        return all(row.scope in (NATIONAL, self.region) for row in self.rows)


Fields = dict[str, str | int | tuple[tuple[str, str], ...]]


def rows_of(result: Result) -> list[Fields]:
    """Every row with the contract's columns, in its order; numbers as text, empty ones as an empty text."""
    same: Fields = {
        "run": result.run,
        "revision": result.revision,
        "programme": result.asked.programme.id,
        "cohort": result.asked.programme.cohort,
        "epsilon": result.epsilon,
        "delta": result.delta,
    }
    return [{name: same[name] if name in same else getattr(row, name) for name in COLUMNS} for row in result.rows]


def csv_text(result: Result) -> str:
    """`estimates.csv`: byte for byte the researcher's lines of the same rows."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows_of(result):
        writer.writerow([_flat(row[name]) for name in COLUMNS])
    return out.getvalue()


def json_text(result: Result) -> str:
    """`estimates.json`: a list with one object a row, an empty number as null, the cell as an object."""
    lines = [
        json.dumps({name: _plain(name, row[name]) for name in COLUMNS}, ensure_ascii=False) for row in rows_of(result)
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _flat(value: str | int | tuple[tuple[str, str], ...]) -> str:
    return ";".join(f"{key}={code}" for key, code in value) if isinstance(value, tuple) else str(value)


def _plain(name: str, value: str | int | tuple[tuple[str, str], ...]) -> str | int | float | dict[str, str] | None:
    if isinstance(value, tuple):
        return dict(value)
    if name in _NUMBERS:
        return float(value) if value else None
    return value
