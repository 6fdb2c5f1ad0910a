"""Estimators beside the direct one: they add rows to a result and never change one.

Each is a function of what came in (`Found`) that yields further rows; the raw figures stay where they are. The rows of
all of them follow the direct ones, in the order of OTHERS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from coordinator.estimates import attrition, composite, consistent, shrunk
from coordinator.estimates.found import Earlier, Found
from coordinator.estimates.rows import Row

__all__ = ("OTHERS", "Earlier", "Estimator", "Found", "beside")

Estimator = Callable[[Found], Iterator[Row]]
OTHERS: tuple[Estimator, ...] = (attrition.rows, composite.rows, shrunk.rows, consistent.rows)


def beside(found: Found) -> tuple[Row, ...]:
    """The rows of every other estimator that has something to say. Pure."""
    return tuple(row for estimator in OTHERS for row in estimator(found))
