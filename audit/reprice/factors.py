"""What is multiplied with what: a number or a condition, what a unit adds of it by itself, squared, and with
another.

Privacy: a number of M steps adds z = 2x - M, between -M and M, and 2z^2 - M^2, between -M^2 and M^2; a condition adds
+1 or -1. A product of two lies between minus and plus the product of what each adds at most. Each goes to one cell.
Add or remove one household; exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from audit.reprice.asked import CannotDerive, Statistic
from audit.reprice.mean import values
from audit.reprice.names import Names, Number
from audit.reprice.parts import Adds, Cells
from policies.study.columns import Ref
from policies.study.expressions.nodes import required


@dataclass(frozen=True, slots=True)
class Factor:
    """A number, or a condition where there is none; `what` says what a unit adds by itself, at most `most`."""

    what: str
    most: int
    needs: tuple[Ref, ...]
    number: Number | None

    def alone(self, by: tuple[Cells, ...], role: str) -> Adds:
        if self.number is not None:
            return values(self.number, by, role, shared=True)
        return Adds(self.most, self.what, by, role, shared=True)


def factors(asked: Statistic, names: Names, most: int) -> tuple[Factor, ...]:
    """Two or more of them. Raises CannotDerive."""
    if not 2 <= len(asked.of) <= most or len(asked.waves) != 1 or asked.pooled:
        raise CannotDerive(f"a {asked.kind} has one wave, and from two to {most} numbers or conditions in `of`")
    found = tuple(_factor(text, asked, names) for text in asked.of)
    if len({factor.what for factor in found}) < len(found):
        raise CannotDerive(f"a {asked.kind} has the same in `of` twice")
    return found


def _factor(text: str, asked: Statistic, names: Names) -> Factor:
    if names.known(text):
        ranged = replace(asked, within=asked.ranges.get(names.ref(text).name))
        number = names.number(text, ranged)
        adds = values(number, ())
        return Factor(adds.what, adds.most, (number.ref,), number)
    condition = names.condition(text)
    return Factor(f"+1 where {names.spelled(condition)}, -1 where not", 1, tuple(required(condition)), None)


def squares(of: Sequence[Factor], by: tuple[Cells, ...]) -> Iterator[Adds]:
    """Of the numbers; the square of a condition is always 1."""
    for place, factor in enumerate(of):
        if factor.number is not None:
            largest, number = factor.most**2, factor.number
            what = f"2z^2 - {largest}, z = 2x - {number.steps} of {number.text}"
            yield Adds(largest, what, by, f"p{place}{place}", shared=True)


def product(one: Factor, other: Factor, by: tuple[Cells, ...], role: str) -> Adds:
    """The same whichever comes first."""
    first, second = sorted((one.what, other.what))
    return Adds(one.most * other.most, f"({first}) times ({second})", by, role, shared=True)


def needs(of: Sequence[Factor]) -> tuple[Ref, ...]:
    """What must be known of a unit: all that any of them needs."""
    return tuple(ref for factor in of for ref in factor.needs)
