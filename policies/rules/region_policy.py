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


_WIDE: Mapping[str, TypeAdapter[Any]] = {
    "cohorts": TypeAdapter(dict[CohortId, WideCap]),
    "lifetime": TypeAdapter(WideCap),
    "programme": TypeAdapter(WideCap),
}


class VariableRule(Document):
    deny: tuple[Name, ...] = ()


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
    approval: Literal["automatic"] = "automatic"
    tick_ms: int = Field(default=25, ge=5, le=60_000)

    @field_validator("cohorts", "lifetime", "programme", mode="wrap")
    @classmethod
    def _caps(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """Caps beyond the ordinary range are read in a policy for tests alone."""
        wide = info.data.get("test_only") is True and info.field_name is not None
        return _WIDE[info.field_name or ""].validate_python(value) if wide else handler(value)

    @field_validator("approval", mode="before")
    @classmethod
    def _approval(cls, value: Any) -> Any:
        if value == "steward":
            raise ValueError("approval `steward` is not yet built; use `automatic`, or set the caps to what you allow")
        return value
