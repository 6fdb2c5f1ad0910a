"""proportion: each unit whose answer is known adds +1 for yes and -1 for no.

Privacy: a unit adds at most 1 in absolute value to one cell, once a wave, and 1 to the count. Add or remove one
household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import Statistic
from audit.reprice.names import Names, only
from audit.reprice.parts import Adds, Cells, Takes
from policies.study.expressions.nodes import required


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    condition = names.condition(only(asked))
    adds = Adds(1, f"+1 where {names.spelled(condition)}, -1 where not", by)
    return Takes(tuple(required(condition)), (adds,), by)
