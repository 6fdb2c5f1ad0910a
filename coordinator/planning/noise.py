"""The cheapest noise in given modes, and the draft that asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Context, Decimal

import numpy as np

from coordinator.estimates.sets import Floats
from coordinator.planning.problem import Demand, Problem, Rows, drafted
from coordinator.planning.solver import Solution, cheapest, tied
from coordinator.planning.targets import Targets
from policies.statistics.programme import Draft, DraftPrice, Programme

_LOOKS = 12
_ENOUGH = 1e-7
_DIGITS = Context(prec=5, rounding=ROUND_CEILING)
_NANO = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class Unreached:
    """A target that no noise is small enough for: with none at all the margin is `least`."""

    demand: Demand
    least: float


@dataclass(frozen=True, slots=True)
class Quiet:
    """The cheapest noise of a problem. `rows` are those it was found with; `price` in rho, before rounding up."""

    problem: Problem
    rows: Rows
    solution: Solution

    @property
    def price(self) -> float:
        return self.solution.price

    def price_without(self, statistic: str) -> float:
        """The least price of the rest, where one statistic is not asked."""
        problem, demands = self.problem, self.problem.demands
        mine = set(problem.blocks_of(statistic))
        together = np.concatenate([group for group in tied(self.rows.slopes) if mine & set(group.tolist())])
        left = {
            block
            for one in demands
            if one.statistic != statistic
            for block in problem.blocks_of(one.statistic)
            if block in together
        }
        now = float((problem.costs / self.solution.variances)[together].sum())
        if not left:
            return self.price - now
        columns = sorted(left)
        kept = [
            place
            for place, owner in enumerate(self.rows.demands)
            if demands[owner].statistic != statistic and (self.rows.slopes[place, columns] > 0).any()
        ]
        return self.price - now + _solved(problem.costs, self.rows, kept, columns).price

    def price_at(self, factor: float) -> float:
        """The least price where every target is this many times as wide (at least once), in the same modes."""
        wider = tuple(replace(one, target=one.target * factor) for one in self.problem.demands)
        found = quietest(replace(self.problem, demands=wider), self.solution.variances)
        # What can be met can be met with room to spare.
        assert isinstance(found, Quiet)
        return found.price


def quietest(problem: Problem, near: Floats | None = None) -> Quiet | tuple[Unreached, ...]:
    """The cheapest noise that keeps every demand, or those that none keeps.

    Where a square is not straight in the noise it is replaced by the line that touches it at the solution, and solved
    again until nothing moves. The squares of shares, means and changes are sums of products of powers of the variances
    with positive factors, so the problem is convex in their logarithms, and a point that satisfies the conditions of
    the linearised one is the best there is (Boyd and others 2007, geometric programming). What is still over after that
    is made up for by less noise in the blocks concerned. It begins with next to no noise, or with that `near` the
    solution.
    """
    variances = problem.start if near is None else near
    for look in range(_LOOKS):
        rows = problem.rows(variances)
        if near is None and look == 0 and (missed := _unreached(problem, rows)):
            return missed
        if not (rows.room > 0).all():
            break
        every = list(range(len(rows.demands)))
        solution = _solved(problem.costs, rows, every, list(range(len(problem.costs))))
        variances = solution.variances
        if max(over(problem, variances)) <= 1 + _ENOUGH:
            return Quiet(problem, rows, solution)
    return Quiet(problem, rows, _quieter(problem, solution))


def over(problem: Problem, variances: Floats) -> list[float]:
    """Of each demand, the largest part of a limit that is used; above one where it does not hold. By looking."""
    blocks, found = problem.noisy(variances), []
    for demand in problem.demands:
        here = problem.needs(demand, blocks)
        used = np.r_[here.squares / demand.target**2, here.parts, 0.0 if here.readable else 2.0]
        found.append(float(np.where(np.isnan(used), np.inf, used).max()))
    return found


def _solved(costs: Floats, rows: Rows, kept: list[int], columns: list[int]) -> Solution:
    return cheapest(costs[columns], (rows.slopes[kept] / rows.room[kept, np.newaxis])[:, columns])


def _unreached(problem: Problem, rows: Rows) -> tuple[Unreached, ...]:
    """The demands whose limit sampling alone reaches, or that have no figure at all."""
    least: dict[int, float] = {}
    for owner, constant, room in zip(rows.demands, rows.constants, rows.room, strict=True):
        if not room > 0:
            least[owner] = max(least.get(owner, 0.0), float(np.sqrt(constant)))
    return tuple(Unreached(problem.demands[owner], margin) for owner, margin in least.items())


def _quieter(problem: Problem, solution: Solution) -> Solution:
    """The same with less noise in the blocks of what is over, until nothing is."""
    variances = solution.variances.copy()
    for _ in range(400):
        used = over(problem, variances)
        if max(used) <= 1 + _ENOUGH:
            break
        loud = {b for one, part in zip(problem.demands, used, strict=True) if part > 1 for b in _blocks(problem, one)}
        variances[sorted(loud)] *= 0.97
    price = float((problem.costs / variances).sum())
    return Solution(variances, price, price / solution.price * (1 + solution.gap) - 1, solution.multipliers)


def _blocks(problem: Problem, demand: Demand) -> Iterable[int]:
    return problem.blocks_of(demand.statistic)


def written(quiet: Quiet) -> tuple[Draft, Programme]:
    """The draft with its price and its split, and the programme that it plans to: every target holds in that one.

    Privacy: each part of the price is rounded up to five digits and their sum to nano-rho, so no target is missed by
    rounding; what is charged is at most the written price, as ever.
    """
    problem = quiet.problem
    least = problem.costs / quiet.solution.variances
    names = [block.id for block in problem.programme.blocks]
    for extra in (0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2):
        split = {
            name: _DIGITS.create_decimal(Decimal(rho * (1 + extra))) for name, rho in zip(names, least, strict=True)
        }
        price = sum(split.values(), Decimal(0)).quantize(_NANO, rounding=ROUND_CEILING)
        draft = drafted(problem.question, problem.statistics, _price(problem.question, price), split)
        programme = problem.study.plan(draft)
        found = np.array([float(b.scale.fraction / b.multiplier) ** 2 for b in programme.blocks])
        if max(over(problem, found)) <= 1:
            return draft, programme
    raise ValueError("rounding up does not meet the targets")


def _price(targets: Targets, rho: Decimal) -> DraftPrice:
    """The price as a draft states it, its epsilon shown at the delta of the limit where there is one."""
    return DraftPrice(rho=rho) if targets.limit is None else DraftPrice(rho=rho, delta=targets.limit.delta)
