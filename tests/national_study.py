"""The small study with as many regions as a national sum needs, and a programme that asks some of it nationally."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from rondgang.canonical import digest

from policies.documents import to_canonical
from policies.rules.region_policy import RegionPolicy
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, DraftPrice, Programme, Secure
from policies.study.calendar import Calendar, Expected
from policies.study.text import Text
from tests import small_study

NATIONAL = ("helped", "adults_safe", "hurt")
"""The statistics of the small programme that are asked nationally."""
SECURE = Secure(colluders=1, dropouts=1, attempts=2)
RULE = {"own_noise": {"rho": "1"}, "attempts": 3, "colluders": 1}
"""What a region's policy says of national sums; enough for these programmes."""


def codes(count: int = 4) -> tuple[str, ...]:
    """AA, BB, CC ... for so many regions, up to 26."""
    return tuple(chr(65 + place) * 2 for place in range(count))


@cache
def calendar(regions: int = 4) -> Calendar:
    """The small calendar with so many regions in its first cohort, and none in its second."""
    plain = small_study.calendar()
    named = {code: plain.regions["BB"].model_copy(update={"name": Text(nl=code, en=code)}) for code in codes(regions)}
    first = plain.cohorts["c1"].model_copy(
        update={"expected": dict.fromkeys(named, Expected(household=50, adult=60, child=70))}
    )
    second = plain.cohorts["c2"].model_copy(update={"expected": {}})
    return plain.model_copy(update={"regions": named, "cohorts": {"c1": first, "c2": second}})


def draft(
    national: Sequence[str] = NATIONAL, secure: Secure | None = SECURE, weights: Mapping[str, str] | None = None
) -> Draft:
    """The small draft; `national` are the statistics that are asked so, with "*" all of them."""
    plain = small_study.draft()
    statistics = tuple(
        one.model_copy(update={"mode": "national"}) if one.id in national or "*" in national else one
        for one in plain.statistics
    )
    made = plain.model_copy(update={"statistics": statistics, "secure": secure})
    return made if weights is None else Draft.model_validate({**made.model_dump(), "weights": weights})


@cache
def planned(
    regions: int = 4, rho: str = "0.2", national: tuple[str, ...] = NATIONAL, secure: Secure = SECURE
) -> Programme:
    """The small programme, some of it national, at this price."""
    asked = draft(national, secure).model_copy(update={"price": DraftPrice.model_validate({"rho": rho})})
    hashes = small_study.hashes()[0], digest(to_canonical(calendar(regions)))
    return plan(asked, small_study.codebook(), calendar(regions), hashes)


@cache
def _planned_at(weights: tuple[tuple[str, str], ...]) -> Programme:
    hashes = small_study.hashes()[0], digest(to_canonical(calendar()))
    return plan(draft(weights=dict(weights)), small_study.codebook(), calendar(), hashes)


def planned_at(weights: Mapping[str, str]) -> Programme:
    """The programme of four regions at these weights."""
    return _planned_at(tuple(weights.items()))


def region_policy(**changes: object) -> RegionPolicy:
    """The small policy, which allows national sums; other fields at will."""
    return small_study.region_policy(**{"secure": RULE, **changes})
