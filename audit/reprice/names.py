"""Names in a statistic, looked up in the codebook: numbers with their steps, categories with their places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from audit.reprice.asked import CannotDerive, Statistic
from audit.reprice.parts import Cells
from policies.study.codebook import Codebook
from policies.study.columns import Ref
from policies.study.expressions.nodes import Expr, text
from policies.study.expressions.parse import BadExpression, Scope, parse, parse_ref


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the codebook as one statistic uses it: `steps` of its grid from `low` on; beyond them it is held."""

    ref: Ref
    low: int
    steps: int

    @property
    def text(self) -> str:
        return f"{self.ref.text} (steps {self.low}..{self.low + self.steps})"


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a statistic about `unit` at `wave` may use. What cannot be found raises CannotDerive."""

    codebook: Codebook
    unit: str
    wave: str

    def at(self, wave: str) -> Names:
        return replace(self, wave=wave)

    def ref(self, name: str) -> Ref:
        try:
            return parse_ref(name, self._scope)
        except BadExpression as error:
            raise CannotDerive(str(error)) from None

    def known(self, name: str) -> bool:
        """Whether the text is the name of one variable, rather than a condition."""
        try:
            parse_ref(name, self._scope)
        except BadExpression:
            return False
        return True

    def condition(self, source: str) -> Expr:
        try:
            return parse(source, self._scope)
        except BadExpression as error:
            raise CannotDerive(str(error)) from None

    def spelled(self, condition: Expr) -> str:
        return text(condition, self.codebook.columns)

    def categories(self, name: str) -> Cells:
        """The places of a category, one cell each."""
        ref = self.ref(name)
        column = self.codebook.columns[ref.name]
        if not column.codes:
            raise CannotDerive(f"`{ref.name}` is a number and has no cells of its own")
        return Cells(ref.text, len(column.codes))

    def number(self, name: str, asked: Statistic) -> Number:
        """A number within the codebook's bounds, or the narrower ones of `within`."""
        ref = self.ref(name)
        first, last, grid = self.range_of(ref)
        low, high = asked.within or (first, last)
        start, end = (low - first) / grid, (high - first) / grid
        if start.denominator != 1 or end.denominator != 1 or not first <= low < high <= last:
            raise CannotDerive(f"`within` of `{ref.name}` is not two values of its grid within the codebook's bounds")
        return Number(ref, int(start), int(end - start))

    def bins(self, name: str, starts: tuple[Fraction, ...]) -> Cells:
        """The ranges of a number that begin at its lowest value and at each of `starts`."""
        ref = self.ref(name)
        first, last, grid = self.range_of(ref)
        ascending = all(before < after for before, after in zip((first, *starts), starts, strict=False))
        if not ascending or starts[-1] > last or any(((start - first) / grid).denominator != 1 for start in starts):
            raise CannotDerive(f"the bins of `{ref.name}` are not ascending values of its grid")
        return Cells(f"{ref.text} from {', '.join(map(str, starts))}", len(starts) + 1)

    def range_of(self, ref: Ref) -> tuple[Fraction, Fraction, Fraction]:
        """Lowest value, highest value and grid of a number."""
        variable = self.codebook.variables.get(ref.name)
        if variable is None or variable.bounds is None:
            raise CannotDerive(f"`{ref.name}` is a category, not a number")
        low, high = variable.bounds
        return Fraction(low), Fraction(high), Fraction(variable.grid)

    def persons(self) -> int:
        """Most units of the kind that one household has.

        Privacy: the codebook's public caps, which the node keeps at import; 1 for the household itself.
        """
        caps = self.codebook.caps
        return {"household": 1, "adult": caps.adults, "child": caps.children}[self.unit]

    @property
    def _scope(self) -> Scope:
        return Scope(self.codebook.columns, self.unit, self.wave)


def only(asked: Statistic) -> str:
    """The one thing in `of`, of a statistic at one wave."""
    if len(asked.of) != 1 or len(asked.waves) != 1:
        raise CannotDerive(f"a {asked.kind} has one wave and one thing in `of`")
    return asked.of[0]


def both_ends(asked: Statistic, names: Names) -> tuple[Ref, Ref]:
    """The variable in `of` at the first and the last wave of a change."""
    if len(asked.of) != 1 or len(asked.waves) != 2 or asked.waves[0] == asked.waves[1]:
        raise CannotDerive(f"a {asked.kind} has one variable in `of` and two different waves")
    first, last = (names.at(wave).ref(asked.of[0]) for wave in asked.waves)
    if (first.wave, last.wave) != asked.waves:
        raise CannotDerive(f"`{first.name}` is not asked at both waves")
    return first, last
