"""From statistics to blocks: names resolved against the codebook, denominators shared, shapes fixed.

Pure and cheap: a node does it again for every programme and compares.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.statistics import count, mean, proportion, transition
from policies.statistics.blocks import Axis, Block, Ones, Selection, Value, block_bound
from policies.statistics.shapes import Shape, StatisticScope
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from policies.study.expressions.parse import BadExpression, Scope, UnknownVariable, parse, parse_ref, spell

MAX_CELLS = 100_000
_SHAPES = {
    "count": count.shape,
    "proportion": proportion.shape,
    "mean": mean.shape,
    "transition": transition.shape,
}


class BadStatistic(ValueError):
    """A statistic that cannot be compiled; says which one and what was expected."""

    def __init__(self, statistic: str, reason: str, unknown_name: bool = False) -> None:
        self.statistic = statistic
        self.unknown_name = unknown_name
        super().__init__(f"statistic {statistic}: {reason}")


@dataclass(frozen=True, slots=True)
class Compiled:
    """One statistic in canonical spelling, with the ids of its numerator and denominator blocks."""

    statistic: Statistic
    numerator: str | None
    denominator: str | None
    axes: tuple[Axis, ...]


@dataclass(frozen=True, slots=True)
class Compilation:
    statistics: tuple[Compiled, ...]
    blocks: tuple[Block, ...]

    def users(self, block: str) -> tuple[Statistic, ...]:
        """The statistics that use a block; a denominator may serve several."""
        return tuple(c.statistic for c in self.statistics if block in (c.numerator, c.denominator))


def compile_blocks(statistics: tuple[Statistic, ...], codebook: Codebook) -> Compilation:
    """The blocks of a programme: one numerator per statistic, one denominator per selection and axes.

    Statistics that share unit, waves, filter, missing rule and cells share one denominator. Raises BadStatistic.
    """
    blocks: dict[str, Block] = {}
    shared: dict[tuple[Selection, tuple[Axis, ...]], str] = {}
    compiled: list[Compiled] = []
    for statistic in statistics:
        if any(statistic.id == other.statistic.id for other in compiled):
            raise BadStatistic(statistic.id, "this id stands twice; ids must differ")
        shape, canonical = _shape(statistic, codebook)
        cap = codebook.cap(statistic.unit)
        numerator = denominator = None
        if shape.summand is not None:
            numerator = statistic.id
            bound = block_bound(cap, shape.summand)
            blocks[numerator] = Block(numerator, shape.selection, shape.axes, shape.summand, bound)
        if shape.has_denominator:
            key = (shape.selection, shape.axes)
            denominator = shared.setdefault(key, f"n{len(shared) + 1}")
            blocks.setdefault(denominator, Block(denominator, *key, Ones(), block_bound(cap, Ones())))
        if sum(block.cells for block in blocks.values()) > MAX_CELLS:
            raise BadStatistic(statistic.id, f"the programme has more than {MAX_CELLS} cells")
        compiled.append(Compiled(canonical, numerator, denominator, shape.axes))
    if clash := {c.statistic.id for c in compiled} & set(shared.values()):
        raise BadStatistic(min(clash), "ids n1, n2, ... are kept for denominators; choose another")
    return Compilation(tuple(compiled), tuple(blocks.values()))


def _shape(statistic: Statistic, codebook: Codebook) -> tuple[Shape, Statistic]:
    try:
        if unknown := [wave for wave in statistic.waves if wave not in codebook.waves]:
            raise ValueError(f"wave {unknown[0]} is not in the codebook")
        scope = Scope(codebook.columns, statistic.unit, statistic.waves[-1])
        where = None if statistic.where is None else parse(statistic.where, scope)
        by = tuple(parse_ref(key, scope) for key in statistic.by)
        for ref in by:
            if not codebook.columns[ref.name].categorical:
                raise ValueError(f"`by: {ref.name}` must be a category; numbers have no public cells")
        axes = tuple(Axis(ref, codebook.columns[ref.name].size) for ref in by)
        spelled = None if where is None else spell(where, scope)
        if statistic.within is not None and statistic.kind != "mean":
            raise ValueError("`within` belongs to a mean; give a condition in `where` instead")
        shape, of = _SHAPES[statistic.kind](statistic, StatisticScope(scope, where, axes))
    except BadExpression as error:
        raise BadStatistic(statistic.id, str(error), isinstance(error, UnknownVariable)) from error
    except ValueError as error:
        raise BadStatistic(statistic.id, str(error)) from error
    update = {
        "of": of,
        "where": spelled,
        "within": None if _whole(shape, codebook) else statistic.within,
        "by": tuple(ref.text for ref in by),
    }
    return shape, statistic.model_copy(update=update)


def _whole(shape: Shape, codebook: Codebook) -> bool:
    """Whether a mean counts its variable's whole range, so that `within` says nothing."""
    value = shape.summand
    return isinstance(value, Value) and (value.low, value.top) == (0, codebook.columns[value.of.name].size - 1)
