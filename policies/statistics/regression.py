"""regression: a linear regression of one number or condition on up to eight others, with an intercept, per cell.

Blocks: sum(z) of the outcome and of each term (see factors), sum(2z^2 - M^2*d) of each number among them, sum(z1 z2) of
every two, and sum(d): all second moments, each a block of its own, shared with whatever sums the same. The coordinator
solves the normal equations of these noisy sums. One row for the intercept and for each term.

Privacy: a selected unit adds between -M and M, -M^2 and M^2, -M1*M2 and M1*M2, and 1, each to one coordinate (M = 1 for
a condition); with at most C units the L2 norms are at most C times those. Add/remove one household; whole numbers,
nothing rounded. Solving costs nothing: it sees noisy sums only.
"""

from __future__ import annotations

from decimal import Decimal

from policies.statistics.blocks import Named, RowAxis
from policies.statistics.factors import factors, needs, products, squares, sums
from policies.statistics.shapes import Part, Shape, StatisticScope, select
from policies.statistics.statistic import MOST_TERMS, Statistic

INTERCEPT = "(intercept)"
_LEAST_RIDGE, _MOST_RIDGE = Decimal("0.000001"), Decimal(10)


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, tuple[str, ...]]:
    """`of` lists the outcome, then the terms. Raises ValueError otherwise."""
    expected = f"a regression has one wave, and in `of` the outcome and one to {MOST_TERMS - 1} terms"
    of = factors(statistic, scope, 2, MOST_TERMS, expected)
    if statistic.ridge is not None and not _LEAST_RIDGE <= statistic.ridge <= _MOST_RIDGE:
        raise ValueError(f"`ridge` is between {_LEAST_RIDGE} and {_MOST_RIDGE}; leave it out for none")
    outcome, *values = sums(of, scope.by)
    parts = (Part(outcome.summand, scope.by, shared=True), *values, *squares(of, scope.by), *products(of, scope.by))
    texts = tuple(factor.text for factor in of)
    rows: tuple[RowAxis, ...] = (*scope.by, Named("term", (INTERCEPT, *texts[1:])))
    selection = select(statistic, scope, needs(of))
    return Shape(selection, scope.by, parts, has_denominator=True, rows=rows), texts
