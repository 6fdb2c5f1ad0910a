"""Which blocks a programme needs, and the most that one household can put into each: derived from the codebook.

Statistics that count the same units in the same cells share one block `n1`, `n2`, ...; a sum, a variance, a standard
deviation and what multiplies two factors share what another statistic adds too. Everything else is a block of its
statistic's own, under its name. What is answered by each region and what is summed over all of them never share a
block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from audit.reprice import (
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
from audit.reprice import sum as total
from audit.reprice.asked import Asked, CannotDerive, Statistic
from audit.reprice.names import Names
from audit.reprice.parts import Adds, Cells, Takes
from policies.study.codebook import Codebook
from policies.study.columns import Ref
from policies.study.expressions.nodes import All, Among, Expr, Missing

KINDS: Mapping[str, Callable[[Statistic, Names, tuple[Cells, ...]], Takes]] = {
    "count": count.takes,
    "proportion": proportion.takes,
    "mean": mean.takes,
    "transition": transition.takes,
    "sum": total.takes,
    "histogram": histogram.takes,
    "cross_table": cross_table.takes,
    "paired_change": paired_change.takes,
    "variance": variance.takes,
    "standard_deviation": standard_deviation.takes,
    "covariance": covariance.takes,
    "correlation": correlation.takes,
    "regression": regression.takes,
    "adjusted_difference": adjusted_difference.takes,
    "quantile": quantile.takes,
}


@dataclass(frozen=True, slots=True)
class Derived:
    """One block by the codebook: a household has at most `persons` units, each counts at most `waves` times and adds at
    most `most`, to one of `cells` cells. `what` says what a unit adds.
    """

    id: str
    unit: str
    persons: int
    waves: int
    most: int
    cells: int
    what: str
    mode: str

    @property
    def bound(self) -> int:
        """The most, in L2 norm, that one household adds to the block.

        Privacy: persons * waves * most: lengths of additions add up to no more than this (triangle inequality), and
        reach it when all fall in one cell. Add or remove one household with all its persons and waves; exact.
        """
        return self.persons * self.waves * self.most


@dataclass(frozen=True, slots=True)
class _Who:
    """The units that count: of this kind, seen at these waves, of whom these facts hold and these are known."""

    unit: str
    waves: tuple[str, ...]
    facts: frozenset[Expr]
    known: frozenset[Ref]


@dataclass(frozen=True, slots=True)
class _AtWave:
    who: _Who
    takes: Takes


_Content = tuple[str, tuple[tuple[_Who, str, tuple[Cells, ...]], ...]]
"""What a block holds: its mode, and wave by wave who counts, what each adds, in which cells. The same content is the
same block."""


def derive(asked: Asked, codebook: Codebook) -> tuple[Derived, ...]:
    """The blocks of a programme, in the order in which its statistics need them. Raises CannotDerive."""
    read = [(statistic, _read(statistic, codebook)) for statistic in asked.statistics]
    making = _Making(codebook, _owners(read))
    for statistic, waves in read:
        making.add(statistic, waves)
    return tuple(making.blocks.values())


def _read(statistic: Statistic, codebook: Codebook) -> tuple[_AtWave, ...]:
    """What the statistic takes at each pooled wave; once where none are pooled."""
    if statistic.kind not in KINDS:
        raise CannotDerive(f"{statistic.id}: this version does not know the kind `{statistic.kind[:40]}`")
    parts = [replace(statistic, waves=(wave,)) for wave in statistic.waves] if statistic.pooled else [statistic]
    try:
        return tuple(_at_wave(part, Names(codebook, part.unit, part.waves[-1])) for part in parts)
    except CannotDerive as fault:
        raise CannotDerive(f"{statistic.id}: {fault}") from None


def _at_wave(asked: Statistic, names: Names) -> _AtWave:
    by = tuple(names.categories(key) for key in asked.by)
    taken = KINDS[asked.kind](asked, names, by)
    needs = frozenset((*taken.needs, *(names.ref(key) for key in asked.by)))
    return _AtWave(_who(asked, names, needs), taken)


def _who(asked: Statistic, names: Names, needs: frozenset[Ref]) -> _Who:
    """Who counts, said in one way only, so that the same units are recognised as the same.

    A filter `not missing(x)` says that x is known. What is known anyway is left out: a variable that a fact is about,
    and what a derived variable was computed from.
    """
    condition = names.condition(asked.where) if asked.where else None
    terms = () if condition is None else condition.parts if isinstance(condition, All) else (condition,)
    present = {term.ref for term in terms if isinstance(term, Missing) and term.negated}
    facts = frozenset(term for term in terms if not (isinstance(term, Missing) and term.negated))
    told = {term.ref for term in facts if isinstance(term, Among)}
    columns = names.codebook.columns
    known = needs | (present - told)
    behind = {Ref(source, ref.wave) for ref in known | told for source in columns[ref.name].sources}
    return _Who(asked.unit, asked.waves, facts, frozenset(known - told - behind))


def _content(statistic: Statistic, waves: Sequence[_AtWave], place: int) -> _Content:
    adds = ((one.who, one.takes.adds[place]) for one in waves)
    return statistic.mode, tuple((who, added.what, added.cells) for who, added in adds)


def _name(statistic: Statistic, adds: Adds) -> str:
    return f"{statistic.id}_{adds.role}" if adds.role else statistic.id


def _owners(read: Sequence[tuple[Statistic, tuple[_AtWave, ...]]]) -> dict[_Content, str]:
    """Under whose name a shared content is summed: first those that never share, in the order of asking."""
    found: dict[_Content, str] = {}
    for shared in (False, True):
        for statistic, waves in read:
            for place, adds in enumerate(waves[0].takes.adds):
                if adds.shared is shared:
                    found.setdefault(_content(statistic, waves, place), _name(statistic, adds))
    return found


@dataclass(slots=True)
class _Making:
    codebook: Codebook
    owners: Mapping[_Content, str]
    blocks: dict[str, Derived] = field(default_factory=dict)
    counts: dict[_Content, str] = field(default_factory=dict)
    contents: dict[str, tuple[str, _Content]] = field(default_factory=dict)

    def add(self, statistic: Statistic, waves: tuple[_AtWave, ...]) -> None:
        for place, adds in enumerate(waves[0].takes.adds):
            own = _name(statistic, adds)
            content = _content(statistic, waves, place)
            name = self.owners[content] if adds.shared else own
            self._block(name, statistic, content, adds)
        counted = waves[0].takes.counted
        if counted is not None:
            content = statistic.mode, tuple((one.who, "1", one.takes.counted or ()) for one in waves)
            name = self.counts.setdefault(content, f"n{len(self.counts) + 1}")
            self._block(name, statistic, content, Adds(1, "1 for each unit", counted))

    def _block(self, name: str, statistic: Statistic, content: _Content, adds: Adds) -> None:
        # Two contents under one name would be summed twice and paid for once.
        if self.contents.setdefault(name, (statistic.unit, content)) != (statistic.unit, content):
            raise CannotDerive(f"{statistic.id}: two different blocks would be called {name}")
        persons = Names(self.codebook, statistic.unit, "").persons()
        cells = prod(one.number for one in adds.cells)
        mode, waves = content
        found = Derived(name, statistic.unit, persons, len(waves), adds.most, cells, adds.what, mode)
        self.blocks.setdefault(name, found)
