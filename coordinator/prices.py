"""`price.json`: what a programme costs and how sharp its figures will be, known before anything is spent.

Margins are half an expected 95% interval, at the cohort's public expected numbers, p = .5 and equal weights. Of each
statistic:

    margin_regional                  the median region's own figure; of a national statistic, what it would have been at
                                     the same price, block for block, had it been asked regionally
    margin_national                  the national figure; of a national statistic with every region in the sum

and only where it is so:

    margin_national_if_regional      (national) the national figure, had it been asked regionally at the same price
    margin_national_with_dropouts    (national) with as many regions lost as may be, the largest ones
    margin_national_weighted         (unequal weights) the national figure with the programme's weights
    loss_by_weights                  (unequal weights) how many times as wide that is as with equal ones
    national_withheld                true: so much noise that the national figure is expected to be withheld

Of the programme, where a statistic is national: `attempts` may be made in a run; `rho` holds one, and with all of them
a household is charged `rho_most`. `own_noise_rho` is what one attempt would cost it if all other regions told on its
own: the price of the attempt times n - t (see policies/secure/group.py). Where weights were trimmed, `trim` says which,
and `bias_at_most` for each unit: a national share or mean moves by no more than that times the difference between its
highest and lowest region.

Where there are several statistics, `dropping` tells of the dearest five what leaving each out would buy: `saves` rho at
the others' margins, or at the same price `others` with their new margins. Where waves of the cohort are still to come,
`ahead` names them, what they would `need` (see coordinator/planning/ahead.py), and the regions that would have less.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isnan
from typing import TypeAlias

from rondgang.signed import Signed

from coordinator.client import Planned
from coordinator.desk.views import Prices, RegionPrice
from coordinator.estimates.margins import Margin, expected_margins
from coordinator.estimates.shares import price_shares
from coordinator.planning.ahead import NOTHING, Ahead, ahead
from coordinator.planning.dropping import Dropped, dropping
from policies.documents import to_canonical
from policies.secure.group import LEAST_REGIONS, Group
from policies.secure.rounds import group_of
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import written_weights
from policies.statistics.programme import WEIGHT_GRID, Draft, Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.units.exact import decimal_text
from policies.units.money import NanoRho
from policies.units.privacy import epsilon_from_rho

DEAREST = 5
"""Of so many statistics it is told what dropping them would buy."""
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
    """A denominator block: its id, what it costs, and the statistics that share it."""

    block: str
    rho: NanoRho
    statistics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NationalPrice:
    """What the national sums cost: each attempt, all of them with the regional part, and one with own noise alone."""

    group: Group
    attempts: int
    attempt: NanoRho
    most: NanoRho
    own_noise: NanoRho


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Weights that were cut, as written and as asked, in thousandths; `bias` by unit as in the file."""

    factor: Decimal
    weights: Mapping[str, tuple[int, int]]
    bias: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PriceList:
    """The price of a programme. `epsilon` is rounded up, at `delta`; it is what one household risks in all of it.

    `unequal`: weights differ. `too_few`: statistics were written as national, and are asked regionally.
    """

    programme: str
    hash: str
    rho: NanoRho
    epsilon: Decimal
    delta: Decimal
    statistics: tuple[StatisticPrice, ...]
    denominators: tuple[Denominator, ...]
    regions: tuple[RegionPrice, ...]
    ahead: Ahead = NOTHING
    dropping: tuple[Dropped, ...] = ()
    sums: tuple[tuple[str, NanoRho], ...] = ()
    """The blocks that statistics sum for themselves, by id, with what they cost."""
    national: NationalPrice | None = None
    unequal: bool = False
    trimmed: Trimmed | None = None
    too_few: bool = False


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
    denominators = tuple(Denominator(block, cost[block], named[block]) for block in cost if not compilation.own(block))
    charge, national = programme.charge, _national(planned)
    return PriceList(
        programme.programme.id,
        planned.hash,
        charge.amount,
        epsilon_from_rho(charge.amount, charge.delta),
        charge.delta,
        statistics,
        denominators,
        prices.regions,
        ahead(programme, planned.calendar, prices.regions),
        dropping(programme, compilation, planned.codebook, planned.calendar, margins),
        tuple((block, rho) for block, rho in cost.items() if compilation.own(block)),
        national,
        len(set(programme.weights.values())) > 1,
        _trimmed(planned),
        national is None and any(one.mode == "national" for one in planned.draft.statistics),
    )


def price_unasked(programme: Programme, codebook: Codebook, calendar: Calendar, draft: Draft) -> PriceList:
    """The price as far as the documents alone tell it: no region was asked what it would decide."""
    unsigned = Planned(Signed("programme", to_canonical(programme), ()), programme, codebook, calendar, draft)
    return price_list(unsigned, Prices(tuple(RegionPrice(region, "away") for region in programme.regions)))


def too_few_regions(prices: PriceList) -> str:
    """Why national statistics are asked regionally; empty where none are."""
    if not prices.too_few:
        return ""
    return (
        f"National sums take at least {LEAST_REGIONS} regions. With {len(prices.regions)}, the statistics of mode "
        "`national` are asked regionally: every region adds its whole noise."
    )


def _national(planned: Planned) -> NationalPrice | None:
    programme = planned.programme
    group = group_of(programme)
    if group is None or programme.secure is None:
        return None
    attempt = programme.charge.of_attempt
    own_noise = NanoRho(attempt.nano * group.own_factor())
    return NationalPrice(group, programme.secure.attempts, attempt, programme.most_charge, own_noise)


def _trimmed(planned: Planned) -> Trimmed | None:
    programme, draft = planned.programme, planned.draft
    if draft.trim is None:
        return None
    written = written_weights(draft, programme.regions)
    cut = {r: (written[r], asked) for r, asked in sorted(programme.weights.items()) if written[r] != asked}
    expected = planned.calendar.expected_of(programme.programme.cohort)
    units = sorted({one.unit for one in programme.statistics})
    bias: dict[str, float] = {
        unit: moved(written, programme.weights, {region: expected[region].of(unit) for region in written})
        for unit in units
    }
    return Trimmed(draft.trim, cut, bias)


def moved(before: Mapping[str, int], after: Mapping[str, int], units: Mapping[str, int]) -> float:
    """The part of a national figure's weight that goes from some regions to others, at the expected units.

    The figure is the mean of the regions' own by weight times units. Where a part m of the weight moves, it changes by
    at most m times the difference between the highest and the lowest (half the sum of absolute differences).
    """
    one, other = ({region: weights[region] * n for region, n in units.items()} for weights in (before, after))
    whole, left = sum(one.values()), sum(other.values())
    return sum(abs(one[region] / whole - other[region] / left) for region in units) / 2


def price_json(prices: PriceList) -> dict[str, Plain]:
    """The document of the contract; amounts in rho, as numbers."""
    return {
        "programme": prices.programme,
        "hash": prices.hash,
        "rho": _rho(prices.rho),
        "epsilon": float(prices.epsilon),
        "delta": float(prices.delta),
        "statistics": [_statistic(one, prices.unequal) for one in prices.statistics],
        "regions": [_region(one, prices.delta) for one in prices.regions],
        # Said only where it is so: the columns of other prices stay those of the contract.
        **_national_json(prices),
        **_trim_json(prices.trimmed),
        **_dropping_json(prices.dropping),
        **_ahead_json(prices.ahead),
    }


def price_file(prices: PriceList) -> bytes:
    """`price.json` as it stands on disk."""
    return (json.dumps(price_json(prices), ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _statistic(one: StatisticPrice, unequal: bool) -> dict[str, Plain]:
    margin = one.margin
    found: dict[str, Plain] = {
        "statistic": one.statistic,
        "mode": one.mode,
        "rho": _rho(one.rho),
        "margin_regional": _known(margin.regional),
        "margin_national": _known(margin.national),
        "by_region": {region: _known(each) for region, each in margin.by_region.items()},
    }
    if one.mode == "national":
        found |= {
            "margin_national_if_regional": _known(margin.if_regional),
            "margin_national_with_dropouts": _known(margin.reduced),
        }
    if unequal:
        found |= {
            "margin_national_weighted": _known(margin.weighted),
            "loss_by_weights": _known(margin.weighted / margin.national),
        }
    return found | ({"national_withheld": True} if margin.drowned else {})


def _national_json(prices: PriceList) -> dict[str, Plain]:
    national = prices.national
    if national is None:
        return {}
    return {
        "colluders": national.group.colluders,
        "dropouts": national.group.dropouts,
        "attempts": national.attempts,
        "rho_attempt": _rho(national.attempt),
        "rho_most": _rho(national.most),
        "epsilon_most": float(epsilon_from_rho(national.most, prices.delta)),
        "own_noise_rho": _rho(national.own_noise),
        "own_noise_epsilon": float(epsilon_from_rho(national.own_noise, prices.delta)),
    }


def _dropping_json(dropping: Sequence[Dropped]) -> dict[str, Plain]:
    told: list[Plain] = []
    for one in dropping[:DEAREST]:
        others: list[Plain] = [
            {"statistic": name, "margin_national": _known(bought.national), "margin_regional": _known(bought.regional)}
            for name, bought in one.others.items()
        ]
        told.append({"statistic": one.statistic, "saves": _rho(one.saves), "others": others})
    return {"dropping": told} if told else {}


def _ahead_json(ahead: Ahead) -> dict[str, Plain]:
    if not ahead.waves:
        return {}
    starved: list[Plain] = [{"region": one.region, "left": _rho(one.left)} for one in ahead.starved]
    return {"ahead": {"waves": list(ahead.waves), "need": _rho(ahead.need), "too_little": starved}}


def _known(number: float) -> float | None:
    """JSON has no NaN."""
    return None if isnan(number) else number


def _trim_json(trimmed: Trimmed | None) -> dict[str, Plain]:
    if trimmed is None:
        return {}
    weights: dict[str, Plain] = {
        region: {"written": written / WEIGHT_GRID, "asked": asked / WEIGHT_GRID}
        for region, (written, asked) in trimmed.weights.items()
    }
    bias: dict[str, Plain] = dict(trimmed.bias)
    return {"trim": {"factor": decimal_text(trimmed.factor), "weights": weights, "bias_at_most": bias}}


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
