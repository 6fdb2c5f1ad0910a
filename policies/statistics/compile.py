"""From statistics to blocks: names resolved against the codebook, denominators shared, shapes fixed.

Pure and cheap: a node does it again for every programme and compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from policies.statistics import (
    adjusted_difference,
    correlation,
    count,
    covariance,
    cross_table,
    histogram,
    mean,
    paired_change,
    proportion,
    quantile,
    regression,
    standard_deviation,
    transition,
    variance,
)
from policies.statistics import sum as total
from policies.statistics.blocks import Axis, Block, Difference, Mode, Ones, RowAxis, Square, Term, Value, block_of
from policies.statistics.shapes import Shape, StatisticScope
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from policies.study.columns import Column
from policies.study.expressions.parse import BadExpression, Scope, UnknownVariable, parse, parse_ref, spell

MAX_CELLS = 100_000
_MOST_ID = 63
_SHAPES = {
    "count": count.shape,
    "proportion": proportion.shape,
    "mean": mean.shape,
    "transition": transition.shape,
    "sum": total.shape,
    "histogram": histogram.shape,
    "cross_table": cross_table.shape,
    "paired_change": paired_change.shape,
    "variance": variance.shape,
    "standard_deviation": standard_deviation.shape,
    "covariance": covariance.shape,
    "correlation": correlation.shape,
    "regression": regression.shape,
    "adjusted_difference": adjusted_difference.shape,
    "quantile": quantile.shape,
}
_NUMBERS = ("mean", "sum", "variance", "standard_deviation", "paired_change", "adjusted_difference", "quantile")
_FACTORED = ("covariance", "correlation", "regression")
_ONE_WAVE = ("adjusted_difference", "quantile", *_FACTORED)
_OWNED = {
    "bins": (("histogram",), "a histogram"),
    "ranges": (_FACTORED, "a covariance, correlation or regression; elsewhere it is `within`"),
    "ridge": (("regression",), "a regression"),
    "sd": (("mean", "paired_change"), "a mean or a paired change"),
    "compare": (("adjusted_difference",), "an adjusted difference"),
    "strata": (("adjusted_difference",), "an adjusted difference"),
    "at": (("quantile",), "a quantile"),
    "leaves": (("quantile",), "a quantile"),
}
"""What only some kinds have, and whose it is."""
_Terms = tuple[Term, ...]
_Summed = tuple[_Terms, Mode]
"""What is summed, and how: blocks of two modes are never shared."""


class BadStatistic(ValueError):
    """A statistic that cannot be compiled; says which one and what was expected."""

    def __init__(self, statistic: str, reason: str, unknown_name: bool = False) -> None:
        self.statistic = statistic
        self.unknown_name = unknown_name
        super().__init__(f"statistic {statistic}: {reason}")


@dataclass(frozen=True, slots=True)
class Compiled:
    """One statistic in canonical spelling, with the ids of its blocks: own sums, and a shared denominator.

    `axes` are those of its rows; a measure may leave out the last one (see coordinator/estimates/kinds.py).
    """

    statistic: Statistic
    sums: tuple[str, ...]
    denominator: str | None
    axes: tuple[RowAxis, ...]

    @property
    def numerator(self) -> str | None:
        return self.sums[0] if self.sums else None

    @property
    def blocks(self) -> tuple[str, ...]:
        return self.sums if self.denominator is None else (*self.sums, self.denominator)


@dataclass(frozen=True, slots=True)
class Compilation:
    statistics: tuple[Compiled, ...]
    blocks: tuple[Block, ...]

    def users(self, block: str) -> tuple[Statistic, ...]:
        """The statistics that use a block; a denominator may serve several."""
        return tuple(c.statistic for c in self.statistics if block in c.blocks)

    def own(self, block: str) -> bool:
        """Whether a statistic sums it for itself; otherwise it is a denominator."""
        return any(block in c.sums for c in self.statistics)


@dataclass(slots=True)
class _Blocks:
    """The blocks so far. `first` names the first statistic that sums given terms; `shared` the denominators."""

    first: Mapping[_Summed, str]
    blocks: dict[str, Block] = field(default_factory=dict)
    shared: dict[_Summed, str] = field(default_factory=dict)

    def sum_of(self, summed: _Summed, name: str, taken_over: bool, cap: int) -> str:
        owner = self.first[summed] if taken_over else name
        self.blocks.setdefault(owner, block_of(owner, summed[0], cap, summed[1]))
        return owner

    def denominator(self, summed: _Summed, cap: int) -> str:
        name = self.shared.setdefault(summed, f"n{len(self.shared) + 1}")
        self.blocks.setdefault(name, block_of(name, summed[0], cap, summed[1]))
        return name


def compile_blocks(
    statistics: tuple[Statistic, ...], codebook: Codebook, using: Mapping[str, str] | None = None
) -> Compilation:
    """The blocks of a programme: what each statistic sums, and one denominator per selection and axes.

    Statistics that share mode, unit, waves, filter, missing rule and cells share one denominator; a sum, a variance and
    a standard deviation also share what another statistic sums. `using` says which alternative of a derived variable
    its bare name means; the canonical spelling has full names. Raises BadStatistic.
    """
    shapes = [_shapes(statistic, codebook, using or {}) for statistic in statistics]
    made = _Blocks(_first(shapes))
    compiled: list[Compiled] = []
    for waves, canonical in shapes:
        if any(canonical.id == other.statistic.id for other in compiled):
            raise BadStatistic(canonical.id, "this id stands twice; ids must differ")
        shape, cap = waves[0], codebook.cap(canonical.unit)
        sums = tuple(
            made.sum_of((_terms(waves, place), canonical.mode), _name(canonical, part.role), part.shared, cap)
            for place, part in enumerate(shape.parts)
        )
        units = tuple(Term(wave.selection, wave.axes, Ones()) for wave in waves)
        denominator = made.denominator((units, canonical.mode), cap) if shape.has_denominator else None
        if sum(block.cells for block in made.blocks.values()) > MAX_CELLS:
            raise BadStatistic(canonical.id, f"the programme has more than {MAX_CELLS} cells")
        rows = shape.axes if shape.rows is None else shape.rows
        compiled.append(Compiled(canonical, sums, denominator, rows))
    _check_ids(shapes, made.shared.values())
    return Compilation(tuple(compiled), tuple(made.blocks.values()))


def _first(shapes: list[tuple[tuple[Shape, ...], Statistic]]) -> dict[_Summed, str]:
    """Who sums given terms first. Kinds that do not share come first, so that the order of asking does not matter."""
    found: dict[_Summed, str] = {}
    for shared in (False, True):
        for waves, statistic in shapes:
            for place, part in enumerate(waves[0].parts):
                if part.shared is shared:
                    found.setdefault((_terms(waves, place), statistic.mode), _name(statistic, part.role))
    return found


def _terms(waves: tuple[Shape, ...], place: int) -> _Terms:
    return tuple(Term(wave.selection, wave.parts[place].axes, wave.parts[place].summand) for wave in waves)


def _name(statistic: Statistic, role: str) -> str:
    name = f"{statistic.id}_{role}" if role else statistic.id
    if len(name) > _MOST_ID:
        raise BadStatistic(statistic.id, f"the id is too long; its block {name} has at most {_MOST_ID} characters")
    return name


def _check_ids(shapes: list[tuple[tuple[Shape, ...], Statistic]], denominators: Iterable[str]) -> None:
    ids = [statistic.id for _, statistic in shapes]
    if clash := set(ids) & set(denominators):
        raise BadStatistic(min(clash), "ids n1, n2, ... are kept for denominators; choose another")
    for waves, statistic in shapes:
        for part in waves[0].parts:
            if part.role and (name := _name(statistic, part.role)) in ids:
                raise BadStatistic(name, f"this id is kept for a block of {statistic.id}; choose another")


def _shapes(statistic: Statistic, codebook: Codebook, using: Mapping[str, str]) -> tuple[tuple[Shape, ...], Statistic]:
    """The statistic's shape at each pooled wave (one otherwise), and its canonical spelling."""
    try:
        if unknown := [wave for wave in statistic.waves if wave not in codebook.waves]:
            raise ValueError(f"wave {unknown[0]} is not in the codebook")
        if not statistic.pooled:
            shape, canonical = _shape(statistic, codebook, using)
            return (shape,), canonical
        if statistic.kind in _ONE_WAVE:
            raise ValueError(f"a statistic of kind {statistic.kind} has one wave; pool nothing")
        if any("@" in text for text in _texts(statistic)):
            raise ValueError("with pooled waves every name takes its own wave; leave out @")
        each = [_shape(statistic.model_copy(update={"wave": wave}), codebook, using) for wave in statistic.waves]
        return tuple(shape for shape, _ in each), _bare(each[0][1], statistic.wave)
    except BadExpression as error:
        raise BadStatistic(statistic.id, str(error), isinstance(error, UnknownVariable)) from error
    except ValueError as error:
        raise BadStatistic(statistic.id, str(error)) from error


def _shape(statistic: Statistic, codebook: Codebook, using: Mapping[str, str]) -> tuple[Shape, Statistic]:
    scope = Scope(codebook.columns, statistic.unit, statistic.waves[-1], using)
    where = None if statistic.where is None else parse(statistic.where, scope)
    by = tuple(parse_ref(key, scope) for key in statistic.by)
    for ref in by:
        if not codebook.columns[ref.name].categorical:
            raise ValueError(f"`by: {ref.name}` must be a category; numbers have no public cells")
    if len(set(by)) < len(by):
        raise ValueError("a `by` key stands twice; they must differ")
    axes = tuple(Axis(ref, codebook.columns[ref.name].size) for ref in by)
    spelled = None if where is None else spell(where, scope)
    if statistic.within is not None and statistic.kind not in _NUMBERS:
        raise ValueError("`within` belongs to a mean or other figure of a number; use a condition in `where` instead")
    _check_fields(statistic)
    if statistic.kind == "quantile" and codebook.cap(statistic.unit) > 1:
        raise ValueError(
            f"a quantile is one of households, of which each counts once; a household may have "
            f"{codebook.cap(statistic.unit)} units of the kind {statistic.unit} (ask a histogram of them)"
        )
    shape, of = _SHAPES[statistic.kind](statistic, StatisticScope(scope, where, axes))
    update = {
        "of": of,
        "where": spelled,
        "within": None if _whole(shape, statistic, codebook) else statistic.within,
        "ranges": {name: held for name, held in statistic.ranges.items() if not _all_of(held, codebook.columns[name])},
        "by": tuple(ref.text for ref in by),
        "compare": None if statistic.compare is None else parse_ref(statistic.compare, scope).text,
        "strata": tuple(parse_ref(key, scope).text for key in statistic.strata),
    }
    return shape, statistic.model_copy(update=update)


def _check_fields(statistic: Statistic) -> None:
    """Raises ValueError for what only other kinds have."""
    for name, (kinds, owner) in _OWNED.items():
        if statistic.kind not in kinds and getattr(statistic, name) != Statistic.model_fields[name].get_default(
            call_default_factory=True
        ):
            raise ValueError(f"`{name}` belongs to {owner}")


def _texts(statistic: Statistic) -> tuple[str, ...]:
    of = statistic.of if isinstance(statistic.of, tuple) else (statistic.of or "",)
    return (*of, statistic.where or "", *statistic.by)


def _bare(statistic: Statistic, wave: str) -> Statistic:
    """The spelling at one wave as that of pooled waves: the same names, each at its own wave."""
    mark = f"@{statistic.wave}"
    of = statistic.of
    bare = tuple(key.replace(mark, "") for key in of) if isinstance(of, tuple) else of and of.replace(mark, "")
    where = None if statistic.where is None else statistic.where.replace(mark, "")
    by = tuple(key.replace(mark, "") for key in statistic.by)
    return statistic.model_copy(update={"wave": wave, "of": bare, "where": where, "by": by})


def _whole(shape: Shape, statistic: Statistic, codebook: Codebook) -> bool:
    """Whether a number's whole range counts, so that `within` says nothing."""
    if statistic.kind == "quantile" and statistic.within is not None:
        tree = shape.parts[0].axes[-1]
        return isinstance(tree, Axis) and _all_of(statistic.within, codebook.columns[tree.ref.name])
    match shape.parts[0].summand if shape.parts else None:
        case Value(of=ref, low=low, top=span) | Square(of=ref, low=low, reach=span):
            return (low, span) == (0, codebook.columns[ref.name].size - 1)
        case Difference(after=ref, low=low, top=span):
            return (low, span) == (0, codebook.columns[ref.name].size - 1)
    return False


def _all_of(held: tuple[Decimal, Decimal], column: Column) -> bool:
    """Whether a number's whole range counts, so that `ranges` says nothing of it."""
    return tuple(map(Fraction, held)) == (column.lower, column.lower + column.grid * (column.size - 1))
