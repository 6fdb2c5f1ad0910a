"""Regions over time: who exists when, who came of whom, and which group a merged region is in. Pure.

A merged region takes the group of the predecessor that was asked longest ago: so nobody waits more than four years, and
nobody is asked twice in a row. A region that was split leaves its group to each of its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Group = Literal["A", "B"]


class Known(Protocol):
    """What is read of a region here; see policies/study/calendar.py."""

    @property
    def group(self) -> Group | None: ...
    @property
    def since(self) -> int | None: ...
    @property
    def until(self) -> int | None: ...
    @property
    def formed_of(self) -> tuple[str, ...]: ...
    @property
    def spent(self) -> Mapping[str, object]: ...


class BadRegions(ValueError):
    """Regions that cannot be; `path` is the key below the region, `expected` what was expected there."""

    def __init__(self, region: str, path: tuple[str, ...], expected: str) -> None:
        self.region, self.path, self.expected = region, path, expected
        super().__init__(f"{region}: {expected}")


@dataclass(frozen=True, slots=True)
class Regions:
    """Every region with its group, predecessors and successors. `ordered`: predecessors before successors."""

    groups: Mapping[str, Group]
    formed_of: Mapping[str, tuple[str, ...]]
    successors: Mapping[str, tuple[str, ...]]
    lives: Mapping[str, tuple[int | None, int | None]]
    ordered: tuple[str, ...]

    @classmethod
    def of(cls, regions: Mapping[str, Known], asked: Sequence[tuple[Group, int]]) -> Regions:
        """`asked`: each cohort's group, and when it was recruited (unix seconds). Raises BadRegions."""
        for code, region in regions.items():
            _check(code, region, regions)
        ordered = _ordered(regions)
        groups: dict[str, Group] = {}
        for code in ordered:
            own = regions[code].group
            groups[code] = own or _inherited(regions[code], groups, asked)
        successors = {code: tuple(sorted(c for c, r in regions.items() if code in r.formed_of)) for code in regions}
        lives = {code: (region.since, region.until) for code, region in regions.items()}
        return cls(groups, {code: r.formed_of for code, r in regions.items()}, successors, lives, ordered)

    def valid(self, region: str, at: int) -> bool:
        """Whether it exists at `at` (unix seconds)."""
        since, until = self.lives[region]
        return (since is None or since <= at) and (until is None or at <= until)

    def existing(self, at: int) -> tuple[str, ...]:
        """Every region that exists at `at` (unix seconds), predecessors before successors."""
        return tuple(code for code in self.ordered if self.valid(code, at))

    def line(self, region: str) -> frozenset[str]:
        """The region and all that it came of."""
        found = {region}
        for one in reversed(self.ordered):
            if one in found:
                found.update(self.formed_of[one])
        return frozenset(found)

    def recruited(self, group: Group, begin: int) -> tuple[str, ...]:
        """The regions of a group that exist when a cohort begins, by code."""
        return tuple(sorted(code for code, own in self.groups.items() if own == group and self.valid(code, begin)))

    def heirs(self, regions: Iterable[str], at: int) -> tuple[str, ...]:
        """Who stands for these regions at `at` (unix seconds): they themselves, or those that came of them; by code.

        Nobody stands for a region that does not exist yet, nor for one that ended without a successor.
        """
        return tuple(sorted(region for region in self.ever(regions) if self.valid(region, at)))

    def ever(self, regions: Iterable[str]) -> frozenset[str]:
        """These regions and all that ever come of them."""
        found = set(regions)
        for region in self.ordered:
            if found & set(self.formed_of[region]):
                found.add(region)
        return frozenset(found)


def _check(code: str, region: Known, regions: Mapping[str, Known]) -> None:
    if region.since is not None and region.until is not None and region.since > region.until:
        raise BadRegions(code, ("until",), "this region ends before it begins")
    if not region.formed_of:
        if region.group is None:
            raise BadRegions(code, (), "this region is in no group; expected `group: A` or `group: B`")
        if region.spent:
            raise BadRegions(code, ("spent",), "`spent` belongs to a region that was formed of others")
        return
    if region.group is not None:
        raise BadRegions(code, ("group",), "a region formed of others takes the group of one of them; leave it out")
    if region.since is None:
        raise BadRegions(code, ("since",), "expected the first day of a region that was formed of others")
    for place, one in enumerate(region.formed_of):
        if one not in regions:
            raise BadRegions(code, ("formed_of", str(place)), f"{one} is not a region of this calendar")
        if one in region.formed_of[:place]:
            raise BadRegions(code, ("formed_of", str(place)), f"{one} stands here twice")
    if outside := set(region.spent) - set(region.formed_of):
        raise BadRegions(code, ("spent", min(outside)), "this region is not one of those it was formed of")


def _ordered(regions: Mapping[str, Known]) -> tuple[str, ...]:
    """Predecessors first. Raises BadRegions for a region that came of itself, or before its predecessors ended."""
    done: dict[str, None] = {}

    def add(code: str, above: tuple[str, ...]) -> None:
        if code in above:
            round_trip = " of ".join((*above[above.index(code) :], code))
            raise BadRegions(above[-1], ("formed_of",), f"this goes round in a circle: {round_trip}")
        if code in done:
            return
        for one in regions[code].formed_of:
            add(one, (*above, code))
        done[code] = None

    for code in sorted(regions):
        add(code, ())
    for code, region in regions.items():
        for one in region.formed_of:
            until = regions[one].until
            if until is None:
                raise BadRegions(one, (), f"{code} was formed of it; expected `until`, the last day of this region")
            # A gap would leave its households to nobody, an overlap to two.
            if until + 1 != region.since:
                raise BadRegions(code, ("since",), f"expected the day after the last one of {one}")
    return tuple(done)


def spelling_problem(spellings: Mapping[str, Mapping[str, tuple[str, ...]]]) -> tuple[tuple[str, ...], str] | None:
    """The first code, name or alias that two regions share, with the key of the later one; see `Region.spellings`.

    Codes come first: no name may be another region's code. Neither is ever used again, also after a region has ended.
    """
    owner = {code.casefold(): code for code in spellings}
    for code, ways in spellings.items():
        for text, where in ways.items():
            if owner.setdefault(text, code) != code:
                return ("regions", code, *where), f"{owner[text]} is called so; no two regions share a code or a name"
    return None


def _inherited(region: Known, groups: Mapping[str, Group], asked: Sequence[tuple[Group, int]]) -> Group:
    """The group of the predecessor that was asked longest ago; one never asked has waited longest of all."""
    before = region.since or 0

    def last_asked(one: str) -> int:
        return max((begin for group, begin in asked if group == groups[one] and begin < before), default=-(2**62))

    return groups[min(region.formed_of, key=lambda one: (last_asked(one), one))]
