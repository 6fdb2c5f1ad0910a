"""However regions merge and split, cycles that take turns ask every one of them once in four years."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.turn import asked_in, exists
from policies.study.calendar import Cohort, Region, instant
from policies.study.cycles import Cycle, later, turns_problem
from policies.study.regions import Group, Regions
from policies.study.text import Text
from tests import small_study

START = instant("2027-01-01")
CYCLES = 5
NAME = Text(nl="x", en="x")


@dataclass
class Country:
    """Regions as they come about: two to six at first, then mergers and splits in the months that are drawn."""

    regions: dict[str, Region]

    def living(self) -> list[str]:
        return [code for code, region in self.regions.items() if region.until is None]

    def change(self, ending: list[str], parts: int, day: int) -> None:
        for code in ending:
            self.regions[code] = self.regions[code].model_copy(update={"until": day - 1})
        for _ in range(parts):
            code = f"N{chr(65 + len(self.regions) // 26)}{chr(65 + len(self.regions) % 26)}"
            self.regions[code] = Region(name=NAME, formed_of=tuple(ending), since=day)


@st.composite
def countries(draw: st.DrawFn) -> dict[str, Region]:
    groups: list[Group] = draw(st.lists(st.sampled_from(["A", "B"]), min_size=2, max_size=6))
    country = Country({f"R{chr(65 + place)}": Region(name=NAME, group=group) for place, group in enumerate(groups)})
    for month in sorted(draw(st.sets(st.integers(-30, 24 * CYCLES), max_size=5))):
        living = country.living()
        merging = draw(st.booleans()) and len(living) > 1
        ending = draw(st.permutations(living))[: draw(st.integers(2, min(3, len(living)))) if merging else 1]
        country.change(ending, 1 if merging else draw(st.integers(1, 3)), later(START, month))
    return country.regions


@settings(deadline=None, max_examples=150)
@given(countries())
def test_turns_ask_every_region_once_in_four_years_through_mergers_and_splits(regions: dict[str, Region]) -> None:
    starts = [later(START, 24 * place) for place in range(CYCLES + 1)]
    groups: list[Group] = ["A" if place % 2 == 0 else "B" for place in range(CYCLES)]
    earlier: list[tuple[Group, int]] = [("A", instant("2016-01-01")), ("B", instant("2021-01-01"))]
    rotation = Regions.of(regions, [*earlier, *zip(groups, starts, strict=False)])
    going = [Cycle(f"c{place}", group, starts[place], starts[place + 1] - 1) for place, group in enumerate(groups)]
    assert turns_problem(going, rotation) is None


@settings(deadline=None, max_examples=100)
@given(countries(), st.integers(-40, 24 * CYCLES + 5))
def test_the_heirs_of_all_first_regions_are_all_that_live(regions: dict[str, Region], month: int) -> None:
    rotation, moment = Regions.of(regions, []), later(START, month)
    first = [code for code, region in regions.items() if not region.formed_of]
    assert set(rotation.heirs(first, moment)) == set(rotation.existing(moment))
    for one in rotation.existing(moment):
        assert not (rotation.line(one) - {one}) & set(rotation.existing(moment))


@settings(deadline=None, max_examples=100)
@given(countries(), st.integers(-40, 24 * CYCLES + 5))
def test_the_auditor_finds_the_same_turns_by_itself(regions: dict[str, Region], month: int) -> None:
    moment, small = later(START, month), small_study.calendar()
    years = {"c2": (instant("2016-01-01"), "A"), "c3": (instant("2021-01-01"), "B")}
    years |= {f"c{place + 4}": (later(START, 24 * place), "A" if place % 2 == 0 else "B") for place in range(CYCLES)}
    cohorts = {
        name: Cohort.model_validate(
            {"group": group, "labels": NAME, "windows": {"release": (begin, begin + 100)}, "expected": {}}
        )
        for name, (begin, group) in years.items()
    }
    found = small.model_copy(update={"regions": regions, "cohorts": cohorts})
    for cohort in cohorts:
        asked = {region for region in regions if exists(found, region, moment) and asked_in(found, cohort, region)}
        assert asked == set(found.members(cohort, moment))
