"""Estimators beside the direct one: they add rows to a result and never change one.

Each is a function of what came in (`Found`) that yields further rows; the raw figures stay where they are. The rows of
all of them follow the direct ones, in the order of OTHERS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


Estimator = Callable[[Found], Iterator[Row]]
OTHERS: tuple[Estimator, ...] = ()


def beside(found: Found) -> tuple[Row, ...]:
    """The rows of every other estimator that has something to say. Pure."""
    return tuple(row for estimator in OTHERS for row in estimator(found))
