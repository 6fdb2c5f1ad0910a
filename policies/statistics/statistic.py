"""One statistic of a programme, as people write it and as it is signed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from policies.documents import Document
from policies.statistics.blocks import Unit
from policies.study.text import Name, Text
from policies.units.exact import Exact

Kind = Literal["count", "proportion", "mean", "transition"]
_LATER_KINDS = frozenset(
    ("sum", "histogram", "cross_table", "paired_change", "variance", "standard_deviation", "quantile", "regression")
)
_WAVE = re.compile(r"T\d(->T\d)?")


def _known_kind(value: Any) -> Any:
    if isinstance(value, str) and value in _LATER_KINDS:
        raise ValueError(f"`{value}` is not yet built; use count, proportion, mean or transition")
    return value


def _known_unit(value: Any) -> Any:
    if value in ("person_wave", "person-wave"):
        raise ValueError("person-waves are not yet built; use household, adult or child")
    return value


class Statistic(Document):
    """What is asked. `wave` is one wave ("T1"), or two for a transition ("T0->T1")."""

    id: Name
    kind: Annotated[Kind, BeforeValidator(_known_kind)]
    of: str | None = None
    unit: Annotated[Unit, BeforeValidator(_known_unit)]
    wave: str
    where: str | None = None
    within: tuple[Exact, Exact] | None = None
    """A mean's own, narrower bounds: values beyond them count as the nearest bound, and need less noise."""
    by: tuple[str, ...] = ()
    mode: Literal["regional"] = "regional"
    weight: Exact = Decimal(1)
    label: Text | None = None

    @field_validator("mode", mode="before")
    @classmethod
    def _mode(cls, value: Any) -> Any:
        if value == "national":
            raise ValueError("mode `national` (secure aggregation) is not yet built; use `regional`")
        return value

    @field_validator("wave")
    @classmethod
    def _wave(cls, value: str) -> str:
        if not _WAVE.fullmatch(value):
            raise ValueError('expected a wave such as "T1", or "T0->T1" for a transition')
        return value

    @field_validator("by")
    @classmethod
    def _by(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) > 1:
            raise ValueError("more than one `by` key is not yet built; give one")
        return value

    @field_validator("weight")
    @classmethod
    def _weight(cls, value: Decimal) -> Decimal:
        if not Decimal("0.001") <= value <= 1000:
            raise ValueError("expected a weight between 0.001 and 1000")
        return value

    @property
    def waves(self) -> tuple[str, ...]:
        return tuple(self.wave.split("->"))


Statistics = Annotated[tuple[Statistic, ...], Field(min_length=1, max_length=400)]
