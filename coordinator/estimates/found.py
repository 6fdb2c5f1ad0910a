"""What an estimator beside the direct one may use."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.estimates.known import Known
from coordinator.estimates.rows import Row, Run
from policies.statistics.compile import Compilation
from policies.statistics.programme import Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Earlier:
    """A national figure of an earlier cohort: of a run of this desk, or published elsewhere (`source` says where).

    `std_error` holds noise and sampling, NaN where it was never published; `statistic` says in canonical bytes what
    was asked, so that figures with other names meet.
    """

    cohort: str
    statistic: bytes
    measure: str
    cell: tuple[tuple[str, str], ...]
    estimate: float
    std_error: float
    source: str


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
