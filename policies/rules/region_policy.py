"""The region's own policy, signed by its steward: what may be asked here and how much may be spent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, field_validator

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

    rho: Exact

    @field_validator("rho")
    @classmethod
    def _range(cls, value: Decimal) -> Decimal:
        if not 0 <= value <= 1000:
            raise ValueError('expected a cap between "0" and "1000" rho')
        return value

    @property
    def amount(self) -> NanoRho:
        return allowance(self.rho)


class VariableRule(Document):
    deny: tuple[Name, ...] = ()


class RegionPolicy(Document):
    """What one region allows. A cohort that is not listed has no budget."""

    policy: PolicyName
    region: RegionCode | None = None
    cohorts: dict[CohortId, Cap]
    lifetime: Cap
    programme: Cap
    statistics: tuple[Kind, ...] = ("count", "proportion", "mean", "transition")
    variables: VariableRule = VariableRule()
    forbidden_crossings: tuple[tuple[Name, Name], ...] = ()
    approval: Literal["automatic"] = "automatic"
    tick_ms: int = Field(default=25, ge=5, le=60_000)

    @field_validator("approval", mode="before")
    @classmethod
    def _approval(cls, value: Any) -> Any:
        if value == "steward":
            raise ValueError("approval `steward` is not yet built; use `automatic`, or set the caps to what you allow")
        return value
