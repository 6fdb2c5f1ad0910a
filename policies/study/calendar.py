"""The rotation: which regions exist, in which group, and which cohort asks whom when. Signed by the consortium."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from policies.documents import Document
from policies.study.text import CohortId, Name, RegionCode, Text

DAY_S = 86_400
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def instant(text: str, end_of_day: bool = False) -> int:
    """Unix seconds of "2027-01-31" (its first or, at will, its last second, UTC) or "2027-01-31T12:00:00Z"."""
    try:
        if _DATE.fullmatch(text):
            day = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
            return int(day.timestamp()) + (DAY_S - 1 if end_of_day else 0)
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError('expected a date such as "2027-01-31" or "2027-01-31T12:00:00Z"') from error
    if moment.tzinfo is None:
        raise ValueError('expected a time zone, such as "2027-01-31T12:00:00Z"')
    return int(moment.timestamp())


def _window(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value):
        return [instant(value[0]), instant(value[1], end_of_day=True)]
    return value


InstantText = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}")]
"""How an instant is written; `instant` reads the rest of it."""

Window = Annotated[
    tuple[int, int],
    BeforeValidator(_window, json_schema_input_type=tuple[InstantText, InstantText] | tuple[int, int]),
]
"""First and last unix second of a phase; written as two dates."""

Phase = Literal["T0", "T1", "T2", "release"]
Group = Literal["A", "B"]


class Region(Document):
    name: Text
    group: Group
    aliases: tuple[str, ...] = ()


class Expected(Document):
    """Public planning figures: how many take part in all waves. They size margins, never budgets."""

    household: int = Field(ge=1)
    adult: int = Field(ge=1)
    child: int = Field(ge=1)

    def of(self, unit: Literal["household", "adult", "child"]) -> int:
        return {"household": self.household, "adult": self.adult, "child": self.child}[unit]


class Cohort(Document):
    group: Group
    labels: Text
    windows: dict[Phase, Window]
    expected: dict[RegionCode, Expected]

    @model_validator(mode="after")
    def _windows(self) -> Self:
        if "release" not in self.windows:
            raise ValueError("windows must name a release window")
        if any(first > last for first, last in self.windows.values()):
            raise ValueError("a window ends before it begins")
        return self

    def open(self, now: int) -> bool:
        """Whether questions about this cohort may be asked at `now` (unix seconds)."""
        first, last = self.windows["release"]
        return first <= now <= last


class CalendarName(Document):
    id: Name
    version: int = Field(ge=1)
    labels: Text
    purpose: Literal["study", "load-test"] = "study"


class Limits(Document):
    """Public ceilings that the overflow rule is decided with."""

    households_per_region: int = Field(ge=1, le=10**9)


class Calendar(Document):
    """The signed rotation."""

    calendar: CalendarName
    limits: Limits
    regions: dict[RegionCode, Region]
    cohorts: dict[CohortId, Cohort]

    @model_validator(mode="after")
    def _expected_regions(self) -> Self:
        for name, cohort in self.cohorts.items():
            members = {code for code, region in self.regions.items() if region.group == cohort.group}
            if set(cohort.expected) != members:
                raise ValueError(f"cohorts.{name}.expected must list exactly the regions of group {cohort.group}")
        return self

    def members(self, cohort: str) -> tuple[str, ...]:
        """The regions a cohort asks, by code. Raises KeyError for an unknown cohort."""
        group = self.cohorts[cohort].group
        return tuple(sorted(code for code, region in self.regions.items() if region.group == group))

    def find_region(self, name: str) -> str | None:
        """The code of a region by code, name or alias, upper or lower case; None when there is none."""
        wanted = name.strip().casefold()
        for code, region in self.regions.items():
            if wanted in {
                code.casefold(),
                region.name.nl.casefold(),
                region.name.en.casefold(),
                *(a.casefold() for a in region.aliases),
            }:
                return code
        return None
