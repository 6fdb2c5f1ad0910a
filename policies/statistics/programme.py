"""The programme: a pre-registered list of statistics with a price. As written (draft), and as planned and signed.

The unit of asking, pricing, approving, charging, answering and citing.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import gcd
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from policies.documents import Document, misplaced
from policies.secure.group import Group
from policies.statistics.blocks import Mode
from policies.statistics.statistic import Statistics
from policies.study.calendar import InstantText, instant
from policies.study.text import CohortId, Hash, Name, RegionCode, Text
from policies.units.exact import BigInt, Exact
from policies.units.money import NanoRho
from policies.units.noise import Sigma

WEIGHT_GRID = 1000
MOST_WEIGHT = 1000 * WEIGHT_GRID
Weight = Annotated[int, Field(ge=1, le=MOST_WEIGHT)]
"""A region's design weight in thousandths."""


def _deadline(value: Any) -> Any:
    return instant(value, end_of_day=True) if isinstance(value, str) else value


class Heading(Document):
    """Who asks what for, of which cohort, by when (unix seconds; written as a date)."""

    id: Name
    title: Text
    purpose: str = Field(min_length=1, max_length=2000)
    requester: str = Field(min_length=1, max_length=200)
    cohort: CohortId
    codebook: str = Field(pattern=r"^[a-z][a-z0-9_]*@[1-9][0-9]*$")
    deadline: Annotated[int, BeforeValidator(_deadline, json_schema_input_type=InstantText | int)]
    data: Literal["study", "synthetic"] = "study"
    """`synthetic`: every page and file made from the answers says that these are not study results."""
    test_only: bool = False
    """Answered only by regions whose policy is for tests alone; such a programme may cost more than a million rho."""


def _delta(value: Decimal) -> Decimal:
    if not Decimal("1e-15") <= value <= Decimal("0.01"):
        raise ValueError('expected a delta between "1e-15" and "0.01"')
    return value


Delta = Annotated[Exact, AfterValidator(_delta)]


class Secure(Document):
    """What is assumed of the regions behind a national sum, and how often it may be tried.

    `colluders` may tell the coordinator all they know, `dropouts` may vanish; see policies/secure/group.py. An attempt
    that sent anything is charged, so `attempts` times the national price is what a household may come to risk.
    """

    colluders: int = Field(ge=1, le=100)
    dropouts: int = Field(ge=0, le=100)
    attempts: int = Field(default=1, ge=1, le=5)

    def group(self, regions: int) -> Group:
        """The group of so many regions. Raises ValueError unless n > t + 2d."""
        return Group(regions, self.colluders, self.dropouts)


class DraftPrice(Document):
    """Either rho, or epsilon at a delta (1e-6 unless said); all decimals in quotes."""

    rho: Exact | None = None
    epsilon: Exact | None = None
    delta: Delta = Decimal("0.000001")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.rho is None) == (self.epsilon is None):
            raise ValueError('expected rho: "0.185", or epsilon: "3" with delta: "1e-6", not both')
        if min(x for x in (self.rho, self.epsilon) if x is not None) <= 0:
            raise ValueError("a price is more than zero")
        return self


class Question(Document):
    """What a draft says apart from its price and its statistics."""

    programme: Heading
    weights: Literal["equal"] | dict[RegionCode, Exact] = "equal"
    trim: Exact | None = None
    """Cut weights at this many times their median, such as "1.3": one heavy region costs a national sum most of its
    gain. The signed programme holds the weights that are left; `price` says what trimming changed, and its bias."""
    secure: Secure | None = None
    """Only with national statistics; without it a third of the regions may collude, and one or two drop out."""
    using: dict[Name, Name] = Field(default_factory=dict)
    """Which alternative of a derived variable its bare name stands for; the signed programme has the full names."""

    @field_validator("trim")
    @classmethod
    def _trim(cls, value: Decimal | None) -> Decimal | None:
        if value is not None and not 1 <= value <= 1000:
            raise ValueError('expected how many times the median a weight may be, from "1" to "1000", such as "1.3"')
        return value

    @field_validator("weights")
    @classmethod
    def _weights(cls, value: Literal["equal"] | dict[str, Decimal]) -> Literal["equal"] | dict[str, Decimal]:
        if isinstance(value, dict):
            if not value:
                raise ValueError("expected `equal`, or a weight for each region that is asked")
            for code, weight in value.items():
                steps = Fraction(weight) * WEIGHT_GRID
                if steps.denominator != 1 or not 1 <= steps <= MOST_WEIGHT:
                    raise ValueError(f"{code}: expected a weight from 0.001 to 1000, in steps of 0.001")
        return value


class Draft(Question):
    """A programme as a researcher writes it."""

    price: DraftPrice
    split: dict[Name, Exact] | None = None
    """How the price is divided: a part for every block, by its id (`price` lists them). Parts are relative to each
    other. Without it, the price is divided by the statistics' weights."""
    statistics: Statistics

    @field_validator("split")
    @classmethod
    def _split(cls, value: dict[str, Decimal] | None) -> dict[str, Decimal] | None:
        for block, part in (value or {}).items():
            if part <= 0:
                raise misplaced((block,), 'expected a part that is more than zero, such as "0.04"')
        return value


class PlannedBlock(Document):
    """The public noise of one block, exactly. `bound_squared` and sigma are in multiplied grid units."""

    id: Name
    cells: int = Field(ge=1)
    multiplier: int = Field(ge=1)
    bound_squared: BigInt
    sigma: tuple[int, int]
    mode: Mode = "regional"
    """Of a national block, `sigma` is that of the finished sum, and the bound is the heaviest region's."""

    @property
    def scale(self) -> Sigma:
        return Sigma(*self.sigma)

    @property
    def rho(self) -> Fraction:
        """Privacy: zCDP of this block's discrete Gaussian, D^2/(2 sigma^2) (Canonne et al. 2020, Thm 4); exact."""
        return Fraction(self.bound_squared) / (2 * self.scale.fraction**2)


class Charge(Document):
    """What one region is charged, in nano-rho, and the delta at which epsilon is shown."""

    rho: Annotated[BigInt, Field(ge=1)]
    delta: Delta = Decimal("0.000001")
    national: Annotated[BigInt, Field(ge=0)] = 0
    """The part of `rho` that each attempt at the national sums costs."""

    @model_validator(mode="after")
    def _part(self) -> Self:
        if self.national > self.rho:
            raise ValueError("the national part is more than the whole charge")
        return self

    @property
    def amount(self) -> NanoRho:
        """The whole, with one attempt."""
        return NanoRho(self.rho)

    @property
    def of_attempt(self) -> NanoRho:
        return NanoRho(self.national)

    @property
    def of_answer(self) -> NanoRho:
        """What the region's own answer costs: all but the national sums."""
        return NanoRho(self.rho - self.national)

    def most(self, attempts: int) -> NanoRho:
        """What it comes to if every attempt is needed."""
        return NanoRho(self.rho + (attempts - 1) * self.national)


class Programme(Document):
    """The planned programme that is signed, priced, charged and answered. Statistics are in canonical spelling."""

    programme: Heading
    codebook_hash: Hash
    calendar_hash: Hash
    charge: Charge
    secure: Secure | None = None
    weights: Annotated[dict[RegionCode, Weight], Field(min_length=1)]
    statistics: Statistics
    blocks: Annotated[tuple[PlannedBlock, ...], Field(min_length=1)]

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that are asked, by code."""
        return tuple(sorted(self.weights))

    @property
    def steps(self) -> dict[str, int]:
        """The weights as the smallest whole numbers of the same proportions: what stands in a national sum."""
        common = gcd(*self.weights.values())
        return {region: weight // common for region, weight in self.weights.items()}

    @property
    def most_charge(self) -> NanoRho:
        """The charge if every attempt at the national sums is needed."""
        return self.charge.most(self.secure.attempts if self.secure else 1)

    def of_mode(self, mode: Mode) -> tuple[PlannedBlock, ...]:
        """The blocks that are answered in this way, in order."""
        return tuple(block for block in self.blocks if block.mode == mode)
