"""The cheapest programme for a file of targets: modes and noise chosen, and what each statistic costs in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from coordinator.estimates.margins import expected_margins
from coordinator.estimates.shares import price_shares
from coordinator.planning.needs import Scope
from coordinator.planning.noise import Quiet, Unreached, quietest, written
from coordinator.planning.problem import Demand, Problem, Study
from coordinator.planning.targets import Targets
from policies.secure.group import LEAST_REGIONS
from policies.statistics.blocks import Mode
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import price_allowance
from policies.statistics.programme import Draft, Programme
from policies.units.money import NanoRho
from policies.units.privacy import epsilon_from_rho

Modes = Mapping[str, Mode]


@dataclass(frozen=True, slots=True)
class Reached:
    """One target that holds. `margin` as `price` shows it, `at_worst` whatever the figure turns out to be.

    `with_dropouts`: of a national sum, with as many regions lost as may be. `region`: the one with the fewest units.
    """

    scope: Scope
    target: float
    margin: float
    at_worst: float
    with_dropouts: float | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One statistic of the programme: its part of the price, and how much cheaper the rest is without it."""

    statistic: str
    mode: Mode
    reached: tuple[Reached, ...]
    rho: NanoRho
    saves: NanoRho


@dataclass(frozen=True, slots=True)
class Found:
    """The cheapest programme, ready to submit. `gap`: it costs at most this part more than the least there can be.

    `regionally`: the least price where whatever may be either is asked regionally; None where nothing is national.
    `limit`: the most it may cost, with every attempt.
    """

    draft: Draft
    programme: Programme
    lines: tuple[Line, ...]
    gap: float
    quiet: Quiet
    regionally: NanoRho | None
    limit: NanoRho | None

    @property
    def rho(self) -> NanoRho:
        return self.programme.charge.amount

    @property
    def epsilon(self) -> Decimal:
        return epsilon_from_rho(self.rho, self.programme.charge.delta)

    @property
    def most(self) -> NanoRho:
        """What it comes to if every attempt is needed."""
        return self.programme.most_charge

    @property
    def over_limit(self) -> bool:
        return self.limit is not None and self.most > self.limit


def cheapest_programme(targets: Targets, study: Study) -> Found | tuple[Unreached, ...]:
    """The cheapest programme that meets the targets, or those that no price meets. Raises BadPlan and BadStatistic.

    Privacy: asks nobody and spends nothing; the price is that of the programme as planned, D^2/(2 sigma^2) of each
    block, sigma rounded up.
    """
    chosen, regionally = _chosen(targets, study)
    if isinstance(chosen, tuple):
        return chosen
    draft, programme = written(chosen)
    limit = None if targets.limit is None else price_allowance(targets.limit)
    return Found(draft, programme, _lines(chosen, programme), chosen.solution.gap, chosen, regionally, limit)


def least_price(targets: Targets, study: Study) -> float | None:
    """What the cheapest programme costs, in rho; None where a target is out of reach."""
    chosen, _ = _chosen(targets, study)
    return None if isinstance(chosen, tuple) else chosen.price


def _chosen(targets: Targets, study: Study) -> tuple[Quiet | tuple[Unreached, ...], NanoRho | None]:
    """The best noise over the modes worth trying, and the price of asking regionally whatever may be.

    A national sum needs less noise, but a denominator is paid in each mode that uses it. So what may be national is
    national, but for those that share a denominator with something regional, where that is cheaper.
    """
    fixed: dict[str, Mode] = {one.id: one.chosen for one in targets.statistics if one.chosen is not None}
    free = [one.id for one in targets.statistics if one.id not in fixed]
    every_regional: dict[str, Mode] = fixed | dict.fromkeys(free, "regional")
    start = Problem.of(targets, every_regional, study)
    best = quietest(start)
    if not free or len(start.programme.regions) < LEAST_REGIONS:
        return best, None
    regionally = best
    best = quietest(Problem.of(targets, fixed | dict.fromkeys(free, "national"), study))
    if isinstance(best, tuple) or isinstance(regionally, tuple):
        return best, None
    for together in _beside(start, frozenset(fixed), free):
        modes = {one.id: one.mode for one in best.problem.statistics} | dict.fromkeys(together, "regional")
        other = quietest(Problem.of(targets, modes, study))
        best = best if isinstance(other, tuple) else min(best, other, key=lambda quiet: quiet.price)
    return min(best, regionally, key=lambda quiet: quiet.price), _nano(regionally.price)


def _beside(regional: Problem, fixed: frozenset[str], free: list[str]) -> list[tuple[str, ...]]:
    """Statistics of free mode by the denominator that they would share with those that must be regional."""
    found: dict[str, list[str]] = {}
    for one in regional.compilation.statistics:
        if one.denominator is None:
            continue
        users = {user.id for user in regional.compilation.users(one.denominator)}
        if users & fixed and one.statistic.id in free:
            found.setdefault(one.denominator, []).append(one.statistic.id)
    return [tuple(names) for names in found.values()]


def _lines(quiet: Quiet, programme: Programme) -> tuple[Line, ...]:
    problem = quiet.problem
    compilation = compile_blocks(programme.statistics, problem.study.codebook)
    shares = price_shares(programme, compilation)
    margins = expected_margins(programme, compilation, problem.study.codebook, problem.study.calendar)
    lines = []
    for one, margin in zip(programme.statistics, margins, strict=True):
        mine = [demand for demand in problem.demands if demand.statistic == one.id]
        dropouts = margin.reduced if one.mode == "national" else None
        reached = tuple(_reached(quiet, programme, demand, dropouts) for demand in mine)
        saves = _nano(max(0.0, quiet.price - quiet.price_without(one.id)))
        lines.append(Line(one.id, one.mode, reached, shares[one.id], saves))
    return tuple(lines)


def _reached(quiet: Quiet, programme: Programme, demand: Demand, dropouts: float | None) -> Reached:
    has = quiet.problem.needs(demand, programme.blocks)
    if demand.scope == "national":
        return Reached(demand.scope, demand.target, has.margin, has.widest, with_dropouts=dropouts)
    units = quiet.problem.expectation(demand.statistic, programme.blocks).units
    smallest = min(units, key=lambda region: units[region])
    return Reached(demand.scope, demand.target, has.margin, has.widest, region=smallest)


def _nano(rho: float) -> NanoRho:
    return NanoRho(round(rho * 10**9))
