"""count: each unit that satisfies the condition counts once.

Privacy: a unit adds 1 to one cell of the count, once a wave. Add or remove one household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import CannotDerive, Statistic
from audit.reprice.names import Names
from audit.reprice.parts import Cells, Takes


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Nothing but the count itself. Raises CannotDerive."""
    if asked.of or len(asked.waves) != 1:
        raise CannotDerive("a count has one wave and no `of`")
    return Takes((), (), by)
