"""Planning: how the price is split over the blocks, and the exact noise that follows. Done once, by the researcher.

The result is part of the signed programme. Nobody recomputes the split: nodes and auditors check that the signed
sigmas cost what the programme says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, gcd, sqrt
from typing import Self, get_args

from policies.rules.refusals import Reason, Refused
from policies.secure.group import LEAST_REGIONS, Group, default_group
from policies.statistics.blocks import Block, Mode
from policies.statistics.compile import Compilation, compile_blocks
from policies.statistics.programme import (
    WEIGHT_GRID,
    Charge,
    Draft,
    DraftPrice,
    PlannedBlock,
    Programme,
    Secure,
)
from policies.statistics.split import split_problem, split_rho
from policies.statistics.statistic import Statistic
from policies.statistics.verify import charge_of, verify_plan
from policies.study.calendar import Calendar, Expected
from policies.study.codebook import Codebook
from policies.units.money import NanoRho
from policies.units.noise import MIN_SIGMA, Sigma, round_up
from policies.units.privacy import rho_from_epsilon

_DENOMINATOR_SHARE = 1 / 2
"""How much a denominator's noise weighs against the numerator's of a statistic that uses it.

On average over p it weighs (2p-1)^2 = 1/3, at worst (p near 0 or 1) as much. Nearer the average, and above it because a
region whose denominator is lost in noise has no interval at all, while a numerator only widens one.
"""

MODES: tuple[Mode, ...] = get_args(Mode)
MOST_RHO = 10**6
"""The largest price that is planned, but for a programme that is marked for tests alone."""
_MANY_STEPS = 100
_FEWER_DECIMALS = " Weights with fewer decimals help too: a national sum counts in steps of their common measure."
_COUNTED = ("count", "sum", "histogram", "cross_table")
"""Kinds whose figure moves with the whole of their denominator's noise."""


class BadPlan(ValueError):
    """A draft that cannot be planned; the message says what to change."""


class NoPrivacy(BadPlan):
    """A price at which nothing is protected. Well written, and refused."""


def price_allowance(price: DraftPrice) -> NanoRho:
    """The nano-rho a written price allows.

    Privacy: rounded down from rho or from (epsilon, delta) by Canonne et al. 2020; add/remove one household.
    """
    if price.rho is not None:
        return NanoRho.floor(Fraction(price.rho))
    if price.epsilon is None:
        raise BadPlan("a price needs rho or epsilon")
    return rho_from_epsilon(price.epsilon, price.delta)


def plan(
    draft: Draft, codebook: Codebook, calendar: Calendar, hashes: tuple[str, str], at: int | None = None
) -> Programme:
    """The programme to sign: canonical statistics, weights as integers, and the exact noise of every block.

    `hashes` are those of the codebook and of the calendar. The regions are those that answer for the cohort `at` this
    second; without it those it was recruited in. Raises BadPlan and BadStatistic.

    Privacy: the charge is the exact sum of the blocks' prices, rounded up, and never above the written price.
    """
    heading = draft.programme
    if heading.codebook != codebook.label:
        raise BadPlan(f"programme.codebook is {heading.codebook}; the codebook given is {codebook.label}")
    if heading.cohort not in calendar.cohorts:
        known = ", ".join(sorted(calendar.cohorts))
        raise BadPlan(f"programme.cohort: the calendar has no cohort {heading.cohort}; it has {known}")
    members = calendar.members(heading.cohort, at)
    weights = _weights(draft, members)
    secure, statistics = _secure(draft, len(weights))
    compilation = compile_blocks(statistics, codebook, _using(draft, codebook))
    allowed = price_allowance(draft.price)
    if allowed.nano == 0:
        raise BadPlan("price: this is less than one nano-rho")
    if allowed.rho > MOST_RHO and not heading.test_only:
        raise NoPrivacy("price: more than a million rho gives no privacy at all")
    every = calendar.expected_of(heading.cohort)
    expected = {region: every[region] for region in members}
    pooled = Pooled.of(weights, secure)
    if draft.split is None:
        blocks = plan_blocks(compilation, expected, allowed, pooled)
    else:
        blocks = plan_split(compilation, draft.split, allowed, pooled)
    answer, national = (charge_of(block for block in blocks if block.mode == mode) for mode in MODES)
    programme = Programme(
        programme=heading,
        codebook_hash=hashes[0],
        calendar_hash=hashes[1],
        charge=Charge(rho=(answer + national).nano, delta=draft.price.delta, national=national.nano),
        secure=secure,
        weights=weights,
        statistics=tuple(compiled.statistic for compiled in compilation.statistics),
        blocks=blocks,
    )
    if isinstance(refused := verify_plan(programme, codebook, calendar), Refused):
        many = refused.reason is Reason.TOO_LARGE and secure is not None and max(programme.steps.values()) > _MANY_STEPS
        raise BadPlan(f"{refused.sentence}{_FEWER_DECIMALS if many else ''}")
    return programme


@dataclass(frozen=True, slots=True)
class Pooled:
    """What planning must know of the regions together: their weights in steps, and the group of the national sums."""

    steps: tuple[int, ...]
    group: Group | None

    @classmethod
    def of(cls, weights: Mapping[str, int], secure: Secure | None) -> Self:
        common = gcd(*weights.values())
        group = None if secure is None else secure.group(len(weights))
        return cls(tuple(weight // common for weight in weights.values()), group)

    def heaviest(self, mode: Mode) -> int:
        """By what a household's own sum is multiplied at most."""
        return max(self.steps) if mode == "national" else 1

    def reach(self, mode: Mode) -> float:
        """How much more than one region's units a sum of this mode holds, its own noise taken as one."""
        if self.group is None or mode == "regional":
            return 1.0
        return sum(self.steps) * sqrt(self.group.regions - self.group.colluders) / self.group.regions

    def least(self, mode: Mode) -> float:
        """The least scale in grid units."""
        return MIN_SIGMA if self.group is None or mode == "regional" else sqrt(self.group.smallest()) * (1 + 1e-9)


def _secure(draft: Draft, regions: int) -> tuple[Secure | None, tuple[Statistic, ...]]:
    """The group of the national sums, and the statistics: all regional where the regions are too few for such a sum."""
    statistics = draft.statistics
    if all(statistic.mode == "regional" for statistic in statistics):
        if draft.secure is not None:
            raise BadPlan("secure: no statistic has `mode: national`; leave it out, or ask one nationally")
        return None, statistics
    if regions < LEAST_REGIONS:
        return None, tuple(statistic.model_copy(update={"mode": "regional"}) for statistic in statistics)
    secure = draft.secure or _default_secure(regions)
    try:
        secure.group(regions)
    except ValueError as error:
        raise BadPlan(str(error)) from error
    return secure, statistics


def _default_secure(regions: int) -> Secure:
    group = default_group(regions)
    if group is None:
        raise BadPlan(f"secure: national sums take at least {LEAST_REGIONS} regions")
    return Secure(colluders=group.colluders, dropouts=group.dropouts)


def _weights(draft: Draft, members: tuple[str, ...]) -> dict[str, int]:
    written = written_weights(draft, members)
    if outside := set(written) - set(members):
        raise BadPlan(f"weights: {min(outside)} is not asked in cohort {draft.programme.cohort}")
    if draft.trim is None:
        return written
    if draft.weights == "equal":
        raise BadPlan("trim: the weights are equal, so there is nothing to cut; leave it out, or write the weights")
    return trimmed(written, draft.trim)


def written_weights(draft: Draft, members: Iterable[str]) -> dict[str, int]:
    """The weights as a draft has them, in thousandths, before any is trimmed. `members`: all regions of its cohort."""
    if draft.weights == "equal":
        return dict.fromkeys(members, WEIGHT_GRID)
    return {code: int(Fraction(weight) * WEIGHT_GRID) for code, weight in draft.weights.items()}


def trimmed(weights: Mapping[str, int], most: Decimal) -> dict[str, int]:
    """Weights cut at `most` (1 or more) times their median; rounded down to whole thousandths.

    A national sum has noise for its heaviest weight, so one heavy region makes all figures worse. What cutting it moves
    is public: see `price`.
    """
    ranked = sorted(weights.values())
    half = len(ranked) // 2
    median = Fraction(ranked[half] + ranked[-half - 1], 2)
    cut = int(Fraction(most) * median)
    return {region: min(weight, cut) for region, weight in weights.items()}


def _using(draft: Draft, codebook: Codebook) -> dict[str, str]:
    for name, chosen in draft.using.items():
        ways = codebook.derived[name].alternatives if name in codebook.derived else {}
        if chosen not in ways:
            known = f"expected one of {', '.join(ways)}" if ways else f"{name} has no alternatives"
            raise BadPlan(f"using.{name}: {known}")
    return draft.using


def plan_blocks(
    compilation: Compilation, expected: Mapping[str, Expected], allowed: NanoRho, pooled: Pooled
) -> tuple[PlannedBlock, ...]:
    """The split that minimises the weighted sum of relative variances (Lagrange multiplier on the price):

    s_k^2 = D_k T_k sum_j(D_j/T_j) / (2 rho), with T the total an error is relative to (divided by the root of its
    weight). D is the block's bound (times the heaviest weight in a national sum), T the public expected number of units
    per cell in the sum: of one region, or of all, by their weights.

    Privacy: sigma is rounded up, so the exact price of the result is at most `allowed`.
    """
    blocks, rho = compilation.blocks, float(allowed.rho)
    totals = [_relative_total(block, compilation, expected) * pooled.reach(block.mode) for block in blocks]
    bounds = [block.bound * pooled.heaviest(block.mode) for block in blocks]
    pull = sum(bound / total for bound, total in zip(bounds, totals, strict=True))
    sigmas = [sqrt(bound * total * pull / (2 * rho)) for bound, total in zip(bounds, totals, strict=True)]
    return _within(allowed, tuple(_planned(block, sigma, pooled) for block, sigma in zip(blocks, sigmas, strict=True)))


def plan_split(
    compilation: Compilation, split: Mapping[str, Decimal], allowed: NanoRho, pooled: Pooled
) -> tuple[PlannedBlock, ...]:
    """The noise of every block from its written part of the price: sigma^2 = D^2 / (2 rho). Raises BadPlan.

    Privacy: sigma is rounded up, so the exact price of the result is at most `allowed`.
    """
    if problem := split_problem(split, compilation):
        raise BadPlan(problem)
    rho = split_rho(split, allowed.rho)
    planned = []
    for block in compilation.blocks:
        square = Fraction(block.bound * pooled.heaviest(block.mode)) ** 2 / (2 * rho[block.id])
        if square >= 2**104:
            raise BadPlan(f"split.{block.id}: so little that its noise leaves 64 bits; raise its part, or the price")
        planned.append(_planned(block, sqrt(square), pooled))
    return _within(allowed, tuple(planned))


def _within(allowed: NanoRho, planned: tuple[PlannedBlock, ...]) -> tuple[PlannedBlock, ...]:
    """The blocks with every sigma stepped up until their price is at most what is allowed."""
    step, steps = 1, 0
    while sum(charge_of(b for b in planned if b.mode == mode).nano for mode in MODES) > allowed.nano:
        # Float rounding in the split, or two modes rounded up apart: a few units in the last place. Where a nano-rho is
        # much against the price, it takes more of them, so steps grow.
        planned = tuple(b.model_copy(update={"sigma": (b.sigma[0] + step, b.sigma[1])}) for b in planned)
        steps += 1
        step = 1 if steps < 16 else 2 * step
    return planned


def _relative_total(block: Block, compilation: Compilation, expected: Mapping[str, Expected]) -> float:
    """Expected units per cell times the unit's scale, over the root of the block's weight."""
    users = compilation.users(block.id)
    weight = sum(float(statistic.weight) for statistic in users)
    unit = block.selection.unit
    mean: float = sum(e.of(unit) for e in expected.values()) / len(expected)
    mean *= len(block.terms)
    if compilation.own(block.id):
        # What lies below a value is held against all units, whichever level of a quantile's tree has the count.
        cells = block.cells if users[0].kind != "quantile" else block.cells // block.axes[-1].size
        return mean * block.summand.top / cells / sqrt(weight)
    counted = sum(float(s.weight) for s in users if s.kind in _COUNTED)
    effective = counted + (weight - counted) * _DENOMINATOR_SHARE
    return mean / block.cells / sqrt(effective)


def _planned(block: Block, sigma: float, pooled: Pooled) -> PlannedBlock:
    if sigma >= 2**52:
        raise BadPlan(f"price: so little that the noise of block {block.id} leaves 64 bits; raise it")
    multiplier = max(1, ceil(pooled.least(block.mode) / sigma))
    scale: Sigma = round_up(sigma * multiplier)
    bound_squared = (block.bound * multiplier * pooled.heaviest(block.mode)) ** 2
    return PlannedBlock(
        id=block.id,
        cells=block.cells,
        multiplier=multiplier,
        bound_squared=bound_squared,
        sigma=(scale.numerator, scale.shift),
        mode=block.mode,
    )
