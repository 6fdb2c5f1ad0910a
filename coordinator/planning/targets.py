"""A file of targets: what is to be known and how sharply. Like a draft programme, with a margin for each statistic.

statistics:
  - {id: stopped, kind: proportion, of: "state == none", unit: household, wave: T1,
     target: {national: "0.04", regional: "0.10"}}
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from policies.documents import Document, misplaced
from policies.statistics.blocks import Mode
from policies.statistics.programme import DraftPrice, Question
from policies.statistics.statistic import Statistic
from policies.units.exact import Exact


class Target(Document):
    """Half the 95% interval that a figure may have, in its own unit: nationally, in every region, or both."""

    national: Exact | None = None
    """Of the figure for all regions together, with the programme's weights and nobody lost."""
    regional: Exact | None = None
    """Of the figure of every region, so of the one with the fewest units."""
    between: tuple[Exact, Exact] | None = None
    """Where the figure will lie, by what is known beforehand; the target then need not hold elsewhere. Costs less."""

    @field_validator("national", "regional")
    @classmethod
    def _margin(cls, value: Decimal | None) -> Decimal | None:
        if value is not None and value <= 0:
            raise ValueError('expected a margin of more than zero, such as "0.04"')
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.national is None and self.regional is None:
            raise ValueError('expected a margin: national: "0.04", regional: "0.10", or both')
        if self.between is not None and self.between[0] >= self.between[1]:
            raise misplaced(("between",), 'expected two different values, the lower one first, such as ["5", "9"]')
        return self


class Targeted(Statistic):
    """A statistic with its target. Without `mode`, planning chooses: national where that is cheaper and enough."""

    target: Target

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if "weight" in self.model_fields_set:
            raise misplaced(("weight",), "expected no weight here: the target says how sharp the figure must be")
        if "mode" in self.model_fields_set and self.mode == "national" and self.target.regional is not None:
            raise misplaced(("mode",), "a national sum has no figures of regions; leave `mode` or target.regional out")
        return self

    @property
    def chosen(self) -> Mode | None:
        """The mode that this statistic must have; None where both will do."""
        if self.target.regional is not None:
            return "regional"
        return self.mode if "mode" in self.model_fields_set else None

    def plain(self, mode: Mode) -> Statistic:
        """The statistic of a draft."""
        shown = {name: getattr(self, name) for name in self.model_fields_set - {"target"}}
        return Statistic.model_validate({**shown, "mode": mode})


class Targets(Question):
    """What to plan for: a draft without a price, each statistic with a target."""

    limit: DraftPrice | None = None
    """The most it may cost a household, with every attempt at the national sums; without it there is no limit."""
    statistics: Annotated[tuple[Targeted, ...], Field(min_length=1, max_length=400)]

    def plain(self, modes: Mapping[str, Mode]) -> tuple[Statistic, ...]:
        """The statistics of a draft, in these modes by id."""
        return tuple(one.plain(modes[one.id]) for one in self.statistics)

    def without(self, statistic: str) -> Targets:
        """The same without one statistic."""
        left = tuple(one for one in self.statistics if one.id != statistic)
        return self.model_copy(update={"statistics": left})
