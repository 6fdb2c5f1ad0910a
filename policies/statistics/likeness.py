"""The public design effect: persons of one household resemble each other, so n of them say less than n strangers.

The sampling variance of a share or mean of persons is that of independent persons times (Kish 1965, section 5.4)

    1 + (m - 1) * r,    m: mean number of persons in a person's own household, r: likeness within a household.

It must not be estimated from rows, so it is a planning figure of public numbers: m - 1 is at most the cap less one, and
about the expected persons per household where their number is Poisson; the smaller of the two is taken. r = 1 for a
variable of the household, which all its persons share, and for a count of persons, who come by households.

Where W waves are pooled, the same unit stands W times in the sum. How alike its waves are is not known; W times the
variance is the most it can make of it, and that is what is taken.
"""

from __future__ import annotations

from collections.abc import Iterable

from policies.statistics.blocks import Axis, Block, Difference, Indicator, Ones, Product, Square, Summand, Value
from policies.study.calendar import Expected
from policies.study.codebook import Codebook
from policies.study.columns import Ref
from policies.study.expressions.nodes import refs

LIKENESS = 0.15
"""ASSUMED: r for answers of persons themselves.

With negligible noise, intervals for children hold the truth 96.6% of the time where r is really 0, 94.7% where it is
0.15 and 92.7% where it is 0.3. The noise of a programme makes the difference smaller.
"""


def design_effect(block: Block, total: bool, codebook: Codebook, expected: Iterable[Expected]) -> float:
    """Sampling variance over that of independent units, >= 1; 1 for households at one wave.

    `block` holds the statistic's numerator (or its count); `total`: the figure is a count or a sum.
    """
    unit, waves = block.selection.unit, len(block.terms)
    if unit == "household":
        return float(waves)
    regions = list(expected)
    per_household = sum(e.of(unit) for e in regions) / max(1, sum(e.household for e in regions))
    others = min(codebook.cap(unit) - 1.0, per_household)
    measured = _measured(block.summand) or {a.ref if isinstance(a, Axis) else a.after for a in block.axes}
    shared = total or all(codebook.columns[ref.name].table == "household" for ref in measured)
    return waves * (1 + others * (1.0 if shared else LIKENESS))


def _measured(summand: Summand) -> frozenset[Ref]:
    match summand:
        case Indicator(of=condition):
            return refs(condition)
        case Value(of=ref) | Square(of=ref) | Difference(after=ref):
            return frozenset((ref,))
        case Product(one=one, other=other):
            return _measured(one) | _measured(other)
        case Ones():
            return frozenset()
