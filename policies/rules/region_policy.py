"""The region's own policy, signed by its steward: what may be asked here and how much may be spent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import Field, TypeAdapter, ValidationInfo, ValidatorFunctionWrapHandler, field_validator

from policies.documents import Document
from policies.statistics.statistic import Kind
from policies.study.text import CohortId, Name, RegionCode, Text
from policies.units.exact import Exact
from policies.units.money import NanoRho, allowance


class PolicyName(Document):
    version: int = Field(ge=1)
    labels: Text | None = None


class Cap(Document):
    """A cap in rho (zCDP), written as a decimal in quotes. Zero spends nothing; there is no infinity."""

    MOST_RHO: ClassVar[int] = 1000

    rho: Exact

    @field_validator("rho")
    @classmethod
    def _range(cls, value: Decimal) -> Decimal:
        if not 0 <= value <= cls.MOST_RHO:
            raise ValueError(f'expected a cap between "0" and "{cls.MOST_RHO}" rho')
        return value

    @property
    def amount(self) -> NanoRho:
        return allowance(self.rho)


class WideCap(Cap):
    """The cap of a policy for tests alone: so much that an answer's noise is less than its grid."""

    MOST_RHO = 1_000_000_000


class VariableRule(Document):
    deny: tuple[Name, ...] = ()


class WitnessRule(Document):
    """How many of the m witnesses on the roster must cosign before anything is answered; `faulty` of them may lie.

    The coordinator is one of the m: it has a certificate too. See `sound`.
    """

    need: int = Field(default=2, ge=1, le=32)
    faulty: int = Field(default=1, ge=0, le=32)

    def sound(self, witnesses: int) -> bool:
        """Whether two different histories can never both get `need` of so many names: 2 * need > m + faulty.

        Two groups of `need` share at least 2 * need - m witnesses; one of those must be honest, and an honest witness
        cosigns one history only. With need >= 2 at least one of them is not the coordinator, which has one name.
        """
        return 2 <= self.need <= witnesses and 2 * self.need > witnesses + self.faulty


class SecureRule(Document):
    """What a region wants of programmes that ask it for national sums (secure aggregation).

    `own_noise`: the most that the price of one attempt may come to for a household whose region all the others tell on
    (`Group.own_factor` times the price); `attempts`: the most that a run may make; `colluders`: the least that must be
    assumed to collude.
    """

    own_noise: Cap
    attempts: int = Field(default=3, ge=1, le=5)
    colluders: int = Field(default=1, ge=1, le=100)


class WideSecureRule(SecureRule):
    """That of a policy for tests alone."""

    own_noise: WideCap


class HouseholdRule(Document):
    """`most_cohorts`: in how many cohorts one household may ever be. Import leaves a household out of any beyond.

    It needs an id in the delivery by which a household is known again in another cohort. People who move between
    regions, or who live in two households, are outside this bound.
    """

    most_cohorts: int = Field(ge=1, le=1000)


_WIDE: Mapping[str, TypeAdapter[Any]] = {
    "cohorts": TypeAdapter(dict[CohortId, WideCap]),
    "lifetime": TypeAdapter(WideCap),
    "programme": TypeAdapter(WideCap),
    "secure": TypeAdapter(WideSecureRule | None),
}


class RegionPolicy(Document):
    """What one region allows. A cohort that is not listed has no budget."""

    policy: PolicyName
    region: RegionCode | None = None
    test_only: bool = False
    """For tests alone, with data that are nobody's: caps may be so wide that they protect nothing. Shown everywhere."""
    cohorts: dict[CohortId, Cap]
    lifetime: Cap
    programme: Cap
    statistics: tuple[Kind, ...] = ("count", "proportion", "mean", "transition")
    variables: VariableRule = VariableRule()
    forbidden_crossings: tuple[tuple[Name, Name], ...] = ()
    approval: Literal["automatic", "steward"] = "automatic"
    """`steward`: every programme waits for the steward's yes, once, before it is charged."""
    witnesses: WitnessRule = WitnessRule()
    secure: SecureRule | None = None
    """Without it national statistics are refused."""
    households: HouseholdRule | None = None
    """Without it a household may be in every cohort, and all of them together count against `lifetime`."""
    tick_ms: int = Field(default=25, ge=5, le=60_000)

    @property
    def most_cohorts(self) -> int | None:
        """In how many cohorts one household may ever be; None: in all."""
        return None if self.households is None else self.households.most_cohorts

    @field_validator("cohorts", "lifetime", "programme", "secure", mode="wrap")
    @classmethod
    def _caps(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """Caps beyond the ordinary range are read in a policy for tests alone."""
        wide = info.data.get("test_only") is True and info.field_name is not None
        return _WIDE[info.field_name or ""].validate_python(value) if wide else handler(value)
