"""What an estimator beside the direct one may use."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from coordinator.estimates.known import Known
from coordinator.estimates.rows import UNBOUNDED, WEAK, Row, Run
from policies.statistics.compile import Compilation
from policies.statistics.programme import Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Earlier:
    """A national figure of an earlier cohort: of a run of this desk, or published elsewhere (`source` says where).

    `statistic` says in canonical bytes what was asked (see same), so that figures with other names meet. `std_error`
    holds noise and sampling; it, `low` and `high` are NaN where they were never published. `included` of `expected`
    regions are in it.
    """

    cohort: str
    statistic: bytes
    measure: str
    cell: tuple[tuple[str, str], ...]
    estimate: float
    std_error: float
    source: str
    low: float = math.nan
    high: float = math.nan
    noise_sd: float = math.nan
    included: int = 0
    expected: int = 0
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What an estimator may use: the documents, the noisy blocks, the direct rows, and figures of earlier cohorts."""

    run: Run
    programme: Programme
    codebook: Codebook
    calendar: Calendar
    compilation: Compilation
    known: Known
    rows: tuple[Row, ...]
    earlier: tuple[Earlier, ...] = ()


def direct_rows(rows: Iterable[Row]) -> dict[tuple[str, str, str], tuple[Row, ...]]:
    """The direct rows of each statistic, measure and scope, in the order of their cells."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if row.estimator == "direct":
            found.setdefault((row.statistic, row.measure, row.scope), []).append(row)
    return {place: tuple(cells) for place, cells in found.items()}


def remarks_kept(row: Row) -> list[str]:
    """What the note of a direct row says that holds for another estimator's too: not how its interval came out."""
    return [remark for remark in row.note.split("; ") if remark not in (UNBOUNDED, WEAK)]
