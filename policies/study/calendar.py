"""The rotation: which regions exist, in which group, and which cohort asks whom when. Signed by the consortium.

From the fourth cohort on the study goes round in **cycles** of two years: a cycle recruits, measures T0 and, twelve
months later, T1 (a third wave at will), and then releases figures. Cycles take turns between the two groups, so every
region is asked exactly once in four years. Cohorts before that are marked `historical`, with the dates that they had.

Regions come and go: see policies/study/regions.py for who answers for whom after a merger or a split.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from policies.documents import Document, misplaced
from policies.study.cycles import Phase, Problem, Turn, cycle_problem, rotation_problem, turn
from policies.study.regions import BadRegions, Group, Regions, spelling_problem
from policies.study.text import CohortId, Name, RegionCode, Text
from policies.units.exact import Exact
from policies.units.money import NanoRho

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

Second = Annotated[int, Field(ge=-62_135_596_800, le=221_876_927_999)]
"""Unix seconds of the years 1 to 9000: those that have a date, and one four years later."""

Window = Annotated[
    tuple[Second, Second],
    BeforeValidator(_window, json_schema_input_type=tuple[InstantText, InstantText] | tuple[int, int]),
]
"""First and last unix second of a phase; written as two dates."""


def _first_second(value: Any) -> Any:
    return instant(value) if isinstance(value, str) else value


def _last_second(value: Any) -> Any:
    return instant(value, end_of_day=True) if isinstance(value, str) else value


Since = Annotated[Second, BeforeValidator(_first_second, json_schema_input_type=InstantText | int)]
Until = Annotated[Second, BeforeValidator(_last_second, json_schema_input_type=InstantText | int)]


Inheritance = tuple[dict[str, NanoRho], NanoRho] | Literal["unknown"] | None
"""What a merged or split region begins with: of each cohort and in all; see `Calendar.inheritance`."""


class FinalSpend(Document):
    """What a predecessor's ledger had spent when it was closed, in rho: of each cohort, and in all."""

    cohorts: dict[CohortId, Exact] = Field(default_factory=dict)
    lifetime: Exact

    @model_validator(mode="after")
    def _amounts(self) -> Self:
        for cohort, rho in self.cohorts.items():
            if not 0 <= rho <= self.lifetime:
                raise misplaced(("cohorts", cohort), "expected rho of zero or more, and no more than the lifetime's")
        if self.lifetime < 0:
            raise misplaced(("lifetime",), "expected rho of zero or more")
        return self


class Region(Document):
    """One region. `since` and `until` are the first and last second at which it exists; without them it always did.

    A region that was `formed_of` others has no group of its own: it takes that of the predecessor asked longest ago.
    `spent` is what each predecessor had spent: per cohort the successor begins with the largest. Until it is there
    for every predecessor, the successor spends nothing.
    """

    name: Text
    group: Group | None = None
    aliases: tuple[str, ...] = ()
    since: Since | None = None
    until: Until | None = None
    formed_of: tuple[RegionCode, ...] = ()
    spent: dict[RegionCode, FinalSpend] = Field(default_factory=dict)

    def spellings(self, code: str) -> dict[str, tuple[str, ...]]:
        """Every way to write it, in small letters, and the key where that stands; the code itself first."""
        named = {("name", "nl"): self.name.nl, ("name", "en"): self.name.en}
        named |= {("aliases", str(place)): alias for place, alias in enumerate(self.aliases)}
        found: dict[str, tuple[str, ...]] = {code.casefold(): ()}
        for where, text in named.items():
            found.setdefault(text.strip().casefold(), where)
        return found


class Expected(Document):
    """Public planning figures: how many take part in all waves. They size margins, never budgets."""

    household: int = Field(ge=1)
    adult: int = Field(ge=1)
    child: int = Field(ge=1)

    def of(self, unit: Literal["household", "adult", "child"]) -> int:
        return {"household": self.household, "adult": self.adult, "child": self.child}[unit]


class Cohort(Document):
    """One round of the study in one group. `cycle` is its two years; a `historical` one ran before there were cycles.

    `expected` lists the regions that it was recruited in.
    """

    group: Group
    labels: Text
    windows: dict[Phase, Window]
    expected: dict[RegionCode, Expected]
    historical: bool = False
    cycle: Window | None = None

    @model_validator(mode="after")
    def _windows(self) -> Self:
        if "release" not in self.windows:
            raise misplaced(("windows",), "expected a `release` window too: when programmes may be answered")
        for phase, (first, last) in self.windows.items():
            if first > last:
                raise misplaced(("windows", phase), "this window ends before it begins")
        if self.historical and self.cycle is not None:
            raise misplaced(("cycle",), "a historical cohort has no cycle; leave one of the two out")
        if problem := cycle_problem(self):
            raise misplaced(*problem)
        return self

    @property
    def begin(self) -> int:
        """When its first households were recruited; regions that exist then are in it. Unix seconds."""
        begins = [first for first, _last in self.windows.values()]
        return min(begins if self.cycle is None else (self.cycle[0], *begins))

    def open(self, now: int) -> bool:
        """Whether questions about this cohort may be asked at `now` (unix seconds)."""
        first, last = self.windows["release"]
        return first <= now <= last

    def turn(self, now: int) -> Turn:
        """Where it stands at `now` (unix seconds): the phase that began last of those that run, or between them."""
        return turn(self, now)


class CalendarName(Document):
    id: Name
    version: int = Field(ge=1)
    labels: Text
    purpose: Literal["study", "load-test"] = "study"


class Limits(Document):
    """Public ceilings that the overflow rule is decided with."""

    households_per_region: int = Field(ge=1, le=10**9)


class Planning(Document):
    """Public planning figures of what cannot be known before the study. They size margins, never budgets."""

    drift: Exact = Decimal("0.02")
    """Standard deviation by which the true share of a whole group of regions moves from one cycle to the next."""
    between: Exact | None = None
    """Standard deviation between the regions' true shares; without it none is assumed."""

    @model_validator(mode="after")
    def _shares(self) -> Self:
        for key, value in (("drift", self.drift), ("between", self.between)):
            if value is not None and not 0 <= value <= 1:
                raise misplaced((key,), "expected a standard deviation of a share, from 0 to 1")
        return self


class Calendar(Document):
    """The signed rotation."""

    calendar: CalendarName
    limits: Limits
    planning: Planning = Planning()
    regions: dict[RegionCode, Region]
    cohorts: dict[CohortId, Cohort]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        try:
            rotation = self.rotation
        except BadRegions as error:
            raise misplaced(("regions", error.region, *error.path), error.expected) from error
        for problem in (
            spelling_problem({code: region.spellings(code) for code, region in self.regions.items()}),
            spent_problem(self.regions, self.cohorts),
            rotation_problem(self.cohorts, rotation),
            *(expected_problem(name, cohort, rotation) for name, cohort in self.cohorts.items()),
        ):
            if problem:
                raise misplaced(*problem)
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other fields, not validated anew; it works its rotation out for itself."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("rotation", None)  # pydantic copies what was cached, too
        return copied

    @cached_property
    def rotation(self) -> Regions:
        """Who belongs to whom over time. Raises BadRegions, before the document is whole."""
        return Regions.of(self.regions, [(cohort.group, cohort.begin) for cohort in self.cohorts.values()])

    def group_of(self, region: str) -> Group:
        """Its group: as written, or that of the predecessor asked longest ago. Raises KeyError."""
        return self.rotation.groups[region]

    def members(self, cohort: str, at: int | None = None) -> tuple[str, ...]:
        """The regions a cohort asks at `at` (unix seconds), by code: those it was recruited in, or their successors.

        Without `at`: those it was recruited in. Raises KeyError for an unknown cohort.
        """
        known = self.cohorts[cohort]
        recruited = self.rotation.recruited(known.group, known.begin)
        return recruited if at is None else self.rotation.heirs(recruited, at)

    def ever_members(self, cohort: str) -> frozenset[str]:
        """Whoever is asked about a cohort at any time. Raises KeyError for an unknown cohort."""
        known = self.cohorts[cohort]
        return self.rotation.ever(self.rotation.recruited(known.group, known.begin))

    def expected_of(self, cohort: str) -> dict[str, Expected]:
        """Public planning figures of whoever is ever asked about a cohort.

        A merged region expects what its predecessors in the cohort did; a split one shares alike with the others,
        rounded up (an assumption: nobody has counted). Raises KeyError for an unknown cohort.
        """
        return expected_by_region(self.cohorts[cohort].expected, self.rotation, self.ever_members(cohort))

    def inheritance(self, region: str) -> Inheritance:
        """What a region that was formed of others begins with, or None for one that was not. Raises KeyError.

        Per cohort the largest spend of its predecessors, and the largest of what each had spent in all; "unknown"
        until the calendar states it for every predecessor: it may spend nothing before.

        Privacy: a household was with one predecessor at a time, and paid at most what that one spent; the largest over
        all of them bounds every household that did not move between them. Adjacency: one household with all its waves.
        Rounded up to nano-rho. Source: parallel composition over disjoint sets of households, per cohort and in all.
        """
        known = self.regions[region]
        if not known.formed_of:
            return None
        if set(known.spent) != set(known.formed_of):
            return "unknown"
        cohorts: dict[str, NanoRho] = {}
        for final in known.spent.values():
            for cohort, rho in final.cohorts.items():
                cohorts[cohort] = max(cohorts.get(cohort, NanoRho(0)), NanoRho.ceil(Fraction(rho)))
        return cohorts, max(NanoRho.ceil(Fraction(final.lifetime)) for final in known.spent.values())

    def find_region(self, name: str) -> str | None:
        """The code of a region by code, name or alias, upper or lower case; None when there is none."""
        wanted = name.strip().casefold()
        return next((code for code, region in self.regions.items() if wanted in region.spellings(code)), None)


_UNITS: tuple[Literal["household", "adult", "child"], ...] = ("household", "adult", "child")


def expected_by_region(
    recruited: Mapping[str, Expected], rotation: Regions, everyone: Iterable[str]
) -> dict[str, Expected]:
    """The planning figures of `everyone`, from those of the regions that a cohort was recruited in."""
    found = dict(recruited)
    for region in rotation.ordered:
        parts = [(found[one], len(rotation.successors[one])) for one in rotation.formed_of[region] if one in found]
        if region in found or not parts:
            continue
        household, adult, child = (sum(-(-part.of(unit) // shares) for part, shares in parts) for unit in _UNITS)
        found[region] = Expected(household=household, adult=adult, child=child)
    return {region: found[region] for region in everyone}


def expected_problem(name: str, cohort: Cohort, rotation: Regions) -> Problem | None:
    """The first region that a cohort expects wrongly, or does not expect: they are those that it was recruited in."""
    where, members = ("cohorts", name, "expected"), set(rotation.recruited(cohort.group, cohort.begin))
    said = f"expected exactly the regions of group {cohort.group} at that time"
    for code in sorted(set(cohort.expected) - members):
        unknown = code not in rotation.groups
        return (*where, code), f"{said}; {code} is {'no region of this calendar' if unknown else 'not one of them'}"
    for code in sorted(members - set(cohort.expected)):
        return where, f"{said}; {code} is missing"
    return None


def spent_problem(regions: Mapping[str, Region], cohorts: Mapping[str, Cohort]) -> Problem | None:
    """The first cohort, in what predecessors spent, that the calendar does not know."""
    for code, region in regions.items():
        for one, final in region.spent.items():
            for cohort in sorted(set(final.cohorts) - set(cohorts)):
                return ("regions", code, "spent", one, "cohorts", cohort), "this calendar has no such cohort"
    return None
