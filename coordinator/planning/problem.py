"""From targets to the convex problem, by looking at the margins of a programme: see needs, and solver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import ceil, log2, sqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rondgang.canonical import digest

from coordinator.estimates.margins import Expectation, expectations
from coordinator.estimates.sets import Floats
from coordinator.planning.needs import PLAIN, Between, Needs, Scope, needs, spread
from coordinator.planning.targets import Targets
from policies.documents import to_canonical
from policies.statistics.blocks import Mode
from policies.statistics.compile import Compilation, Compiled, compile_blocks
from policies.statistics.plan import BadPlan, plan
from policies.statistics.programme import Draft, DraftPrice, PlannedBlock, Programme
from policies.statistics.statistic import Statistic
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.units.noise import round_up

_STARTS = (Decimal(100), Decimal(1), Decimal("0.01"))
"""Prices where looking begins: with noise so small that every kind has a figure, unless its sums then leave 64 bits."""
_FELT = 0.01
"""The part of a target's square that noise as large as the units' own spread must take to be felt."""
_NEAR = 1e-3
"""How far from given variances a slope is looked for, as a part of them."""
_FINE = 40


@dataclass(frozen=True, slots=True)
class Study:
    """The documents to plan by. `at` (unix seconds): those regions answer that do so then; None: as recruited."""

    codebook: Codebook
    calendar: Calendar
    at: int | None = None

    def plan(self, draft: Draft) -> Programme:
        """The draft planned by these documents. Raises BadPlan and BadStatistic."""
        hashes = digest(to_canonical(self.codebook)), digest(to_canonical(self.calendar))
        return plan(draft, self.codebook, self.calendar, hashes, self.at)


@dataclass(frozen=True, slots=True)
class Demand:
    """One target of one statistic, in its own unit."""

    statistic: str
    scope: Scope
    target: float
    between: Between


@dataclass(frozen=True, slots=True)
class Rows:
    """Every demand at some noise: `slopes` (rows x blocks) times the variances, plus `constants`, up to `limits`.

    `demands`: the place of each row's demand. `margins`: which rows are squares of margins, limited by a target.
    """

    slopes: Floats
    constants: Floats
    limits: Floats
    demands: tuple[int, ...]
    margins: NDArray[np.bool_]

    @property
    def room(self) -> Floats:
        """What sampling leaves for noise."""
        return np.asarray(self.limits - self.constants)


@dataclass(frozen=True)
class Problem:
    """A programme whose noise is to be found, in given modes; prices in rho, variances in each block's base units."""

    study: Study
    question: Targets
    statistics: tuple[Statistic, ...]
    programme: Programme
    compilation: Compilation
    demands: tuple[Demand, ...]

    @classmethod
    def of(cls, targets: Targets, modes: Mapping[str, Mode], study: Study) -> Self:
        """Raises BadPlan and BadStatistic."""
        statistics = targets.plain(modes)
        programme = _first_plan(targets, statistics, study)
        compilation = compile_blocks(programme.statistics, study.codebook)
        return cls(study, targets, statistics, programme, compilation, demands(targets))

    @cached_property
    def costs(self) -> Floats:
        """D^2 / 2 of each block: its price is this over its variance.

        Privacy: zCDP of discrete Gaussian noise, as in PlannedBlock.rho; a float here, exact again in the plan.
        """
        return np.array([block.bound_squared / (2 * block.multiplier**2) for block in self.programme.blocks])

    @cached_property
    def start(self) -> Floats:
        return np.array([float(b.scale.fraction / b.multiplier) ** 2 for b in self.programme.blocks])

    @cached_property
    def _places(self) -> dict[str, int]:
        return {block.id: place for place, block in enumerate(self.programme.blocks)}

    @cached_property
    def _compiled(self) -> dict[str, Compiled]:
        return {one.statistic.id: one for one in self.compilation.statistics}

    def blocks_of(self, statistic: str) -> list[int]:
        """The places of a statistic's blocks."""
        return [self._places[name] for name in self._compiled[statistic].blocks]

    def expectation(self, statistic: str, blocks: tuple[PlannedBlock, ...]) -> Expectation:
        """What the margins of one statistic are worked out from, at the noise of these blocks."""
        alone = Compilation((self._compiled[statistic],), self.compilation.blocks)
        programme = self.programme.model_copy(update={"blocks": blocks})
        (found,) = expectations(programme, alone, self.study.codebook, self.study.calendar)
        return found

    def needs(self, demand: Demand, blocks: tuple[PlannedBlock, ...]) -> Needs:
        """What one demand has of everything it asks for, at the noise of these blocks."""
        expectation = self.expectation(demand.statistic, blocks)
        return needs(expectation, demand.scope, demand.between, self._unfelt.get(demand, frozenset()))

    @cached_property
    def _unfelt(self) -> dict[Demand, frozenset[str]]:
        """Of each demand on a kind that is no plain ratio, the blocks whose noise its expected figure hardly feels."""
        found, blocks = {}, self.noisy(self.start)
        for demand in self.demands:
            if self._compiled[demand.statistic].statistic.kind in PLAIN:
                continue
            quiet = needs(self.expectation(demand.statistic, blocks), demand.scope, demand.between).squares[0]
            names = set()
            for place in self.blocks_of(demand.statistic):
                name = blocks[place].id
                (part,) = spread(self.expectation(demand.statistic, blocks), demand.scope, {name})
                loud = (*blocks[:place], with_variance(blocks[place], self.start[place] / part), *blocks[place + 1 :])
                rise = needs(self.expectation(demand.statistic, loud), demand.scope, demand.between).squares[0] - quiet
                # NaN, where there is no figure left, is felt too.
                if rise < _FELT * demand.target**2:
                    names.add(name)
            found[demand] = frozenset(names)
        return found

    def noisy(self, variances: Floats) -> tuple[PlannedBlock, ...]:
        """The blocks with other noise, to look at; nothing that could be signed."""
        return tuple(with_variance(block, float(v)) for block, v in zip(self.programme.blocks, variances, strict=True))

    def rows(self, variances: Floats) -> Rows:
        """Every demand as the straight line that touches it at these variances."""
        blocks = self.noisy(variances)
        slopes, constants, limits, owners, margins = [], [], [], [], []
        for place, demand in enumerate(self.demands):
            here, mine = self.needs(demand, blocks), self.blocks_of(demand.statistic)
            values = np.concatenate([here.squares, here.parts])
            each = np.zeros((len(values), len(blocks)))
            for block in mine:
                louder = (
                    *blocks[:block],
                    with_variance(blocks[block], (1 + _NEAR) * variances[block]),
                    *blocks[block + 1 :],
                )
                more = self.needs(demand, louder)
                rise = np.concatenate([more.squares, more.parts]) - values
                each[:, block] = np.maximum(rise, 0.0) / (_NEAR * variances[block])
            slopes.append(each)
            constants.append(values - each @ variances)
            limits.append(np.r_[np.full(len(here.squares), demand.target**2), np.ones(len(here.parts))])
            owners += [place] * len(values)
            margins += [True] * len(here.squares) + [False] * len(here.parts)
        return Rows(
            np.concatenate(slopes), np.concatenate(constants), np.concatenate(limits), tuple(owners), np.array(margins)
        )


def _first_plan(targets: Targets, statistics: tuple[Statistic, ...], study: Study) -> Programme:
    *others, last = _STARTS
    for rho in others:
        try:
            return study.plan(drafted(targets, statistics, DraftPrice(rho=rho)))
        except BadPlan:
            continue
    return study.plan(drafted(targets, statistics, DraftPrice(rho=last)))


def drafted(
    targets: Targets, statistics: tuple[Statistic, ...], price: DraftPrice, split: dict[str, Decimal] | None = None
) -> Draft:
    """A draft that asks these statistics as the targets say: the same heading, weights and group."""
    national = any(one.mode == "national" for one in statistics)
    return Draft(
        programme=targets.programme,
        price=price,
        split=split,
        weights=targets.weights,
        trim=targets.trim,
        secure=targets.secure if national else None,
        using=targets.using,
        statistics=statistics,
    )


def demands(targets: Targets) -> tuple[Demand, ...]:
    """Every margin that is asked for, national before regional, in the order of the file."""
    found = []
    for one in targets.statistics:
        ends = one.target.between
        between = Between() if ends is None else Between(float(ends[0]), float(ends[1]))
        asked: Iterable[tuple[Scope, Decimal | None]] = (
            ("national", one.target.national),
            ("regional", one.target.regional),
        )
        found += [Demand(one.id, scope, float(margin), between) for scope, margin in asked if margin is not None]
    return tuple(found)


def with_variance(block: PlannedBlock, variance: float) -> PlannedBlock:
    """The block at another variance, exact to the last bits of a float, whatever its multiplier was."""
    sigma, bound = sqrt(variance), Fraction(block.bound_squared, block.multiplier**2)
    multiplier = 2 ** max(0, ceil(_FINE - log2(sigma)))
    scale = round_up(sigma * multiplier)
    update = {
        "multiplier": multiplier,
        "bound_squared": int(bound * multiplier**2),
        "sigma": (scale.numerator, scale.shift),
    }
    return block.model_copy(update=update)
