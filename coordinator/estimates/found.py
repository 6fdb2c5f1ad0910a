"""What an estimator beside the direct one may use."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from coordinator.estimates.known import Known
from coordinator.estimates.ratio import Figures
from coordinator.estimates.rows import UNBOUNDED, WEAK, Row, Run, Status
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


Place = tuple[str, str, str]
"""A statistic, one of its measures, and a scope."""


def direct_rows(rows: Iterable[Row]) -> dict[Place, tuple[Row, ...]]:
    """The direct rows of each statistic, measure and scope, in the order of their cells."""
    found: dict[Place, list[Row]] = {}
    for row in rows:
        if row.estimator == "direct":
            found.setdefault((row.statistic, row.measure, row.scope), []).append(row)
    return {place: tuple(cells) for place, cells in found.items()}


def remarks_kept(row: Row) -> list[str]:
    """What the note of a direct row says that holds for another estimator's too: not how its interval came out."""
    return [remark for remark in row.note.split("; ") if remark not in (UNBOUNDED, WEAK)]


def refigured(row: Row, found: Figures, at: tuple[int, ...], *, readable: bool, final: bool) -> Row:
    """A direct row with other figures of the same cell and scope; its mark follows from whether they may be read.

    `final`: nothing comes in any more, so a row that regions are missing from is not provisional.
    """
    first: Status = "provisional" if row.regions_included < row.regions_expected and not final else "ok"
    status = first if row.status == "withheld" else row.status
    weak = [] if readable else [WEAK if not math.isnan(found.low[at]) else UNBOUNDED]
    counted = row.households_noisy == row.numerator_noisy
    households = found.numerator if counted else found.denominator
    return replace(
        row,
        estimate=float(found.estimate[at]),
        std_error=float(found.std_error[at]),
        ci_low=float(found.low[at]),
        ci_high=float(found.high[at]),
        noise_sd=float(found.noise_sd[at]),
        sampling_sd=float(found.sampling_sd[at]),
        numerator_noisy=float(found.numerator[at]),
        denominator_noisy=float(found.denominator[at]),
        households_noisy=math.nan if math.isnan(row.households_noisy) else float(households[at]),
        status=status if readable else "withheld",
        note="; ".join(filter(None, (*weak, *remarks_kept(row)))),
    )
