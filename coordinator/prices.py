"""`price.json`: what a programme costs and how sharp its figures will be, known before anything is spent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from coordinator.client import Planned
from coordinator.desk.views import Prices, RegionPrice
from coordinator.estimates.margins import Margin, expected_margins
from coordinator.estimates.shares import price_shares
from policies.statistics.compile import compile_blocks
from policies.units.money import NanoRho
from policies.units.privacy import epsilon_from_rho

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
"""What a JSON file for programs holds. Nothing signed is made of it: here numbers may have a point."""


@dataclass(frozen=True, slots=True)
class StatisticPrice:
    """One statistic: its part of the price, and half its expected 95% interval in its own unit."""

    statistic: str
    mode: str
    rho: NanoRho
    margin: Margin


@dataclass(frozen=True, slots=True)
class Denominator:
    """A denominator block: what it costs, and the statistics that share it."""

    rho: NanoRho
    statistics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PriceList:
    """The price of a programme. `epsilon` is rounded up, at `delta`; it is what one household risks in all of it."""

    programme: str
    hash: str
    rho: NanoRho
    epsilon: Decimal
    delta: Decimal
    statistics: tuple[StatisticPrice, ...]
    denominators: tuple[Denominator, ...]
    regions: tuple[RegionPrice, ...]


def price_list(planned: Planned, prices: Prices) -> PriceList:
    """Puts together what the plan says and what the regions said."""
    programme = planned.programme
    compilation = compile_blocks(programme.statistics, planned.codebook)
    shares = price_shares(programme, compilation)
    margins = expected_margins(programme, compilation, planned.codebook, planned.calendar)
    statistics = tuple(
        StatisticPrice(one.id, one.mode, shares[one.id], margin)
        for one, margin in zip(programme.statistics, margins, strict=True)
    )
    cost = {block.id: NanoRho.ceil(block.rho) for block in programme.blocks}
    named = {block.id: tuple(one.id for one in compilation.users(block.id)) for block in compilation.blocks}
    denominators = tuple(Denominator(cost[block], named[block]) for block in cost if not compilation.own(block))
    charge = programme.charge
    return PriceList(
        programme.programme.id,
        planned.hash,
        charge.amount,
        epsilon_from_rho(charge.amount, charge.delta),
        charge.delta,
        statistics,
        denominators,
        prices.regions,
    )


def price_json(prices: PriceList) -> dict[str, Plain]:
    """The document of the contract; amounts in rho, as numbers."""
    return {
        "programme": prices.programme,
        "hash": prices.hash,
        "rho": _rho(prices.rho),
        "epsilon": float(prices.epsilon),
        "delta": float(prices.delta),
        "statistics": [_statistic(one) for one in prices.statistics],
        "regions": [_region(one, prices.delta) for one in prices.regions],
    }


def price_file(prices: PriceList) -> bytes:
    """`price.json` as it stands on disk."""
    return (json.dumps(price_json(prices), ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _statistic(one: StatisticPrice) -> dict[str, Plain]:
    return {
        "statistic": one.statistic,
        "mode": one.mode,
        "rho": _rho(one.rho),
        "margin_regional": one.margin.regional,
        "margin_national": one.margin.national,
        "by_region": dict(one.margin.by_region),
    }


def _region(one: RegionPrice, delta: Decimal) -> dict[str, Plain]:
    charge = one.charge
    # Said only where it is so: the columns of a study's price stay those of the contract.
    marked: dict[str, Plain] = {"test_only": True} if one.test_only else {}
    return {
        "region": one.region,
        "rho": None if charge is None else _rho(charge),
        "epsilon": None if charge is None else float(epsilon_from_rho(charge, delta)),
        "left_cohort": None if one.left_cohort is None else _rho(one.left_cohort),
        "left_lifetime": None if one.left_lifetime is None else _rho(one.left_lifetime),
        "decision": one.decision,
        "reason": None if one.refused is None else one.refused.reason.value,
        **marked,
    }


def _rho(amount: NanoRho) -> float:
    return float(amount.text())
