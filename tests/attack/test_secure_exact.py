"""National sums are exact to the last bit under their masks, for any size, any sign, and whoever drops out.

Through the desk's own side of an attempt, with a source of zeros in the place of the noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordinator.secure.aggregation import Finished
from policies.secure.group import Group
from policies.statistics.programme import Secure
from tests.national_study import codes
from tests.secure_play import Desk
from tests.secure_world import Played, Sums, national

EXTREME = 2**63 - 1


def _desk(group: Group, sums: Mapping[str, Sums]) -> Desk:
    secure = Secure(colluders=group.colluders, dropouts=group.dropouts)
    cells = [len(values) for values in sums["AA"].values()]
    return Desk(Played(national(group.regions, secure, cells)), sums)


def _check(group: Group, sums: Mapping[str, Sums], *lost: Sequence[str]) -> None:
    found = _desk(group, sums).whole(*lost)
    assert isinstance(found, Finished), found
    gone = {name for one in lost[:3] for name in one}
    survivors = [name for name in codes(group.regions) if name not in gone]
    assert list(found.sum.regions) == survivors
    for block in found.sum.blocks:
        expected = [sum(column) for column in zip(*(sums[name][block.id] for name in survivors), strict=True)]
        assert list(block.numbers()) == expected


def _mixed(regions: int, cells: int) -> dict[str, Sums]:
    """Numbers of every size up to the most that so many regions can add up to, half of them negative."""
    most = EXTREME // regions
    return {
        name: {"block_0": [(-1) ** (at + place) * (most >> (at % 60)) - at for at in range(cells)]}
        for place, name in enumerate(codes(regions))
    }


SMALL = [
    Group(n, t, d) for n in range(3, 7) for t in range(1, n) for d in range(n) if n > t + 2 * d
]  # every group of up to six


@pytest.mark.parametrize("group", SMALL, ids=str)
def test_every_pattern_of_dropouts_of_up_to_six(group: Group) -> None:
    """Whoever is gone, and by which round; after the vectors all patterns that leave enough to unmask."""
    names, sums, count = codes(group.regions), _mixed(group.regions, 5), 0
    for gone in range(group.dropouts + 1):
        for who in combinations(names, gone):
            for when in product(range(3), repeat=gone):
                lost = [[one for one, at in zip(who, when, strict=True) if at == stage] for stage in range(3)]
                _check(group, sums, *lost)
                count += 1
    print(f"\n{group}: {count} patterns")


@st.composite
def _attempts(draw: st.DrawFn) -> tuple[Group, int, list[list[str]], int]:
    regions = draw(st.integers(3, 26))
    dropouts = draw(st.integers(0, (regions - 2) // 2))
    group = Group(regions, draw(st.integers(1, regions - 2 * dropouts - 1)), dropouts)
    who = draw(st.lists(st.sampled_from(codes(regions)), max_size=dropouts, unique=True))
    when = [draw(st.integers(0, 4)) for _ in who]
    # After the list the threshold counts: those above it may go.
    late = [one for one, at in zip(who, when, strict=True) if at > 2][: regions - len(who) - group.threshold]
    lost = [[one for one, at in zip(who, when, strict=True) if at == stage] for stage in range(5)]
    lost[3:] = [[one for one in stage if one in late] for stage in lost[3:]]
    return group, draw(st.sampled_from([1, 2, 3, 7, 30, 31, 300])), lost, draw(st.integers(0, 2**32))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_attempts())
def test_random_dropouts_of_three_to_twenty_six(drawn: tuple[Group, int, list[list[str]], int]) -> None:
    group, cells, lost, seed = drawn
    most = EXTREME // group.regions
    sums = {
        name: {"block_0": [(seed * (at + 3) ** (place + 2)) % (2 * most) - most for at in range(cells)]}
        for place, name in enumerate(codes(group.regions))
    }
    _check(group, sums, *lost)


@pytest.mark.parametrize(
    ("regions", "cells"),
    [
        (3, 1),
        (13, 3000),
        (4, 100_000),
        pytest.param(13, 100_000, marks=pytest.mark.slow),
        pytest.param(26, 100_000, marks=pytest.mark.slow),
    ],
)
def test_vectors_of_one_to_a_hundred_thousand_coordinates(regions: int, cells: int) -> None:
    group = Group(regions, max(1, regions // 4), 0 if regions < 4 else 1 if regions < 13 else 2)
    names = codes(regions)
    _check(group, _mixed(regions, cells), names[: group.dropouts][:1], (), names[1 : group.dropouts])


def test_the_ends_of_the_range_come_back() -> None:
    """One region at each end of signed 64 bits, the others so that the sum fits; steps in between may overflow."""
    group = Group(4, 1, 1)
    sums: dict[str, Sums] = {
        "AA": {"block_0": [EXTREME, -EXTREME - 1, EXTREME]},
        "BB": {"block_0": [0, 0, EXTREME]},
        "CC": {"block_0": [0, 0, -EXTREME]},
        "DD": {"block_0": [-1, 1, -EXTREME]},
    }
    _check(group, sums)
