"""One statistic of a programme, as people write it and as it is signed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from policies.documents import Document
from policies.statistics.blocks import Mode, Unit
from policies.study.text import Name, Text
from policies.units.exact import Exact

Kind = Literal[
    "count",
    "proportion",
    "mean",
    "transition",
    "sum",
    "histogram",
    "cross_table",
    "paired_change",
    "variance",
    "standard_deviation",
    "covariance",
    "correlation",
    "regression",
    "adjusted_difference",
    "quantile",
]
MOST_KEYS = 3
MOST_TERMS = 9
"""Of a regression: the outcome and up to eight terms."""
MOST_STRATA = 2
MOST_LEVELS = 9
"""Of a quantile: how many are asked at once."""
_WAVE = re.compile(r"T\d(->T\d)?|T\d(\+T\d)+")


def _known_unit(value: Any) -> Any:
    if value in ("person_wave", "person-wave"):
        raise ValueError('person-waves are adults or children with pooled waves: `unit: adult`, `wave: "T0+T1"`')
    return value


def _listed(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        if not 2 <= len(value) <= MOST_TERMS or not all(isinstance(part, str) for part in value):
            raise ValueError(f"expected a variable or condition, or a list of two to {MOST_TERMS} of them")
    elif not isinstance(value, str | None):
        raise ValueError("expected a variable or condition as text, or a list of variables")
    return value


Of = Annotated[str | tuple[str, ...] | None, BeforeValidator(_listed)]


class Statistic(Document):
    """What is asked. `wave` is one wave ("T1"), the two of a change ("T0->T1"), or pooled waves ("T0+T1").

    With pooled waves a unit counts once for each of them at which it is selected, and names take their own wave.
    """

    id: Name
    kind: Kind
    of: Of = None
    """A condition, a variable, or the list of variables of a cross-table."""
    unit: Annotated[Unit, BeforeValidator(_known_unit)]
    wave: str
    where: str | None = None
    within: tuple[Exact, Exact] | None = None
    """A number's own, narrower bounds: values beyond them count as the nearest bound, and need less noise."""
    bins: tuple[Exact, ...] = ()
    """Of a histogram of a number: where the second bin begins, the third, and so on."""
    ranges: dict[Name, tuple[Exact, Exact]] = Field(default_factory=dict)
    """`within` for each number of a statistic that has several (covariance, correlation, regression)."""
    compare: str | None = None
    """Of an adjusted difference: the category whose groups are compared with its first one."""
    strata: tuple[str, ...] = ()
    """Of an adjusted difference: the categories that the groups are made alike in."""
    at: tuple[Exact, ...] = ()
    """Of a quantile: which ones, such as "0.5" for the median."""
    leaves: int = Field(default=64, ge=2, le=1024)
    """Of a quantile: into how many ranges the number's values are split; a power of two."""
    sd: Exact | None = None
    """Of a mean, the public planning deviation of its values; of a paired change, that of the change itself.

    In place of the codebook's, where that does not fit the bounds, the filter, or how much a value says of the later
    one. It makes intervals wider or narrower and costs nothing; it is known before the data, never computed from them.
    """
    ridge: Exact | None = None
    """Of a regression: how much it is pulled to zero (a share of the units); such a figure has no interval."""
    by: tuple[str, ...] = ()
    mode: Mode = "regional"
    """`national`: only the national sum is learned, with far less noise; there are no regional figures."""
    weight: Exact = Decimal(1)
    label: Text | None = None

    @field_validator("wave")
    @classmethod
    def _wave(cls, value: str) -> str:
        if not _WAVE.fullmatch(value):
            raise ValueError('expected a wave such as "T1", "T0->T1" for a change, or "T0+T1" for both together')
        waves = value.split("+")
        if waves != sorted(set(waves)):
            raise ValueError('expected pooled waves in order and each once, such as "T0+T1"')
        return value

    @field_validator("by")
    @classmethod
    def _by(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) > MOST_KEYS:
            raise ValueError(f"at most {MOST_KEYS} `by` keys")
        return value

    @field_validator("weight")
    @classmethod
    def _weight(cls, value: Decimal) -> Decimal:
        if not Decimal("0.001") <= value <= 1000:
            raise ValueError("expected a weight between 0.001 and 1000")
        return value

    @property
    def waves(self) -> tuple[str, ...]:
        """The waves at which a unit must be seen; for pooled waves those at which it may be."""
        return tuple(re.split(r"->|\+", self.wave))

    @property
    def pooled(self) -> bool:
        return "+" in self.wave


Statistics = Annotated[tuple[Statistic, ...], Field(min_length=1, max_length=400)]
