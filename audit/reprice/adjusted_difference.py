"""adjusted_difference: each unit adds what it adds to a proportion or a mean, in the cell of its stratum and its group.

Privacy: a unit adds at most 1 (a condition) or M (a number of M steps) in absolute value to one cell, and 1 to the
count, at the one wave. Add or remove one household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import CannotDerive, Statistic
from audit.reprice.mean import values
from audit.reprice.names import Names, only
from audit.reprice.parts import Adds, Cells, Takes
from policies.study.columns import Ref
from policies.study.expressions.nodes import required


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    if not asked.compare or not asked.strata or asked.pooled:
        raise CannotDerive("an adjusted difference has groups, strata and one wave")
    keys = (*asked.strata, asked.compare)
    cells = (*by, *(names.categories(key) for key in keys))
    needs, adds = _outcome(asked, names, cells)
    return Takes((*needs, *(names.ref(key) for key in keys)), (adds,), cells)


def _outcome(asked: Statistic, names: Names, cells: tuple[Cells, ...]) -> tuple[tuple[Ref, ...], Adds]:
    of = only(asked)
    if names.known(of):
        number = names.number(of, asked)
        return (number.ref,), values(number, cells)
    condition = names.condition(of)
    return tuple(required(condition)), Adds(1, f"+1 where {names.spelled(condition)}, -1 where not", cells)
