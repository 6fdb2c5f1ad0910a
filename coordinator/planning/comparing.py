"""Two programmes side by side, each from its price: what they cost, how sharp they are, and who could still pay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from policies.documents import BadDocument

_FILE = "expected a price.json, as `price --out` writes it, or a draft in YAML"


@dataclass(frozen=True, slots=True)
class Asked:
    """One statistic: its mode, its part of the price, and its margins. A national sum has none of a region."""

    mode: str
    rho: float
    national: float | None
    regional: float | None


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two programmes. `most`: its price with every attempt. `left`: by region, None where not known."""

    programme: str
    hash: str
    rho: Decimal
    most: Decimal
    epsilon: float
    statistics: Mapping[str, Asked]
    left: Mapping[str, Decimal | None]

    @classmethod
    def of(cls, price: Mapping[str, Any], source: str) -> Self:
        """From the document of `price.json`. Raises BadDocument where it is none."""
        try:
            rho = _exact(price["rho"])
            return cls(
                str(price["programme"]),
                str(price["hash"]),
                rho,
                _exact(price.get("rho_most", price["rho"])),
                float(price["epsilon"]),
                {str(one["statistic"]): _asked(one) for one in price["statistics"]},
                {str(one["region"]): _left(one) for one in price["regions"]},
            )
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise BadDocument(source, (f"{source}: {_FILE}",)) from error


@dataclass(frozen=True, slots=True)
class Payer:
    """Whether a region has enough left for the first, the second, and both; None where not known, or not asked."""

    region: str
    left: Decimal | None
    first: bool | None
    second: bool | None
    both: bool | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two programmes, `statistics` by id with what each has of them, and the regions of both."""

    first: Side
    second: Side
    statistics: Mapping[str, tuple[Asked | None, Asked | None]]
    regions: tuple[Payer, ...]


def compare(first: Side, second: Side) -> Comparison:
    """Matches statistics by id, the first's order first. A programme that is asked twice is charged once."""
    ids = dict.fromkeys((*first.statistics, *second.statistics))
    found = {name: (first.statistics.get(name), second.statistics.get(name)) for name in ids}
    together = first.most if first.hash == second.hash else first.most + second.most
    payers = tuple(_payer(region, first, second, together) for region in sorted({*first.left, *second.left}))
    return Comparison(first, second, found, payers)


def _payer(region: str, first: Side, second: Side, together: Decimal) -> Payer:
    # Two prices of different days may differ; what is left only shrinks, so the smaller is the later one.
    known = [left for left in (first.left.get(region), second.left.get(region)) if left is not None]
    if not known:
        return Payer(region, None, None, None, None)
    left, one, other = min(known), region in first.left, region in second.left
    return Payer(
        region,
        left,
        left >= first.most if one else None,
        left >= second.most if other else None,
        left >= together if one and other else None,
    )


def read_price(path: Path) -> Side:
    """The side of a price file. Raises BadDocument."""
    try:
        price = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadDocument(str(path), (f"{path}: cannot be read: {type(error).__name__}",)) from error
    except json.JSONDecodeError as error:
        raise BadDocument(str(path), (f"{path}:{error.lineno}: {_FILE}",)) from error
    if not isinstance(price, dict):
        raise BadDocument(str(path), (f"{path}:1: {_FILE}",))
    return Side.of(price, str(path))


def _asked(one: Mapping[str, Any]) -> Asked:
    national = one.get("margin_national_weighted", one["margin_national"])
    regional = None if one["mode"] == "national" else one["margin_regional"]
    return Asked(
        str(one["mode"]),
        float(one["rho"]),
        None if national is None else float(national),
        None if regional is None else float(regional),
    )


def _left(one: Mapping[str, Any]) -> Decimal | None:
    amounts = [one["left_cohort"], one["left_lifetime"]]
    return None if None in amounts else min(_exact(amount) for amount in amounts)


def _exact(amount: float) -> Decimal:
    """An amount in rho as it is written; it has at most nine decimals."""
    return round(Decimal(repr(float(amount))), 9)
