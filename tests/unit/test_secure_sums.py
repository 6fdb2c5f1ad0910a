"""Attempts with real parties: exact sums whoever drops out, and the noise that is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

import pytest

from node.secure.noise import draw_parts
from policies.secure.group import Group
from policies.secure.lanes import unpack
from policies.statistics.programme import Secure
from policies.units.noise import Sigma
from tests.national_study import codes
from tests.secure_world import FOUR, SCALE, Drawn, Lost, Played, Sums, national, sums

AA, BB, CC, DD = codes(4)
ROUNDS = ("keys", "sharing", "vectors", "seen", "shares")


def added(of: dict[str, Sums], survivors: Sequence[str]) -> tuple[int, ...]:
    rows = [[*of[region]["block_0"], *of[region]["block_1"]] for region in survivors]
    return tuple(map(sum, zip(*rows, strict=True)))


def patterns(regions: Sequence[str], most: int, rounds: Sequence[str]) -> Iterator[Lost]:
    """Everyone who may drop out, and when."""
    for count in range(most + 1):
        for gone in combinations(regions, count):
            for when in product(rounds, repeat=count):
                yield Lost(**{name: [one for one, at in zip(gone, when, strict=True) if at == name] for name in rounds})


def check_exact(regions: int, secure: Secure, rounds: Sequence[str]) -> int:
    programme, names = national(regions, secure), codes(regions)
    numbers, count = sums(names), 0
    for lost in patterns(names, secure.dropouts, rounds):
        away = {*lost.keys, *lost.sharing, *lost.vectors}
        assert Played(programme).whole(numbers, lost) == added(numbers, [name for name in names if name not in away])
        count += 1
    return count


@pytest.mark.parametrize(
    ("regions", "dropouts", "rounds", "count"),
    [(3, 0, ROUNDS, 1), (4, 1, ROUNDS, 21), (5, 1, ROUNDS, 26), (6, 2, ("sharing", "vectors"), 73)],
)
def test_the_sum_is_exact_whoever_drops_out(regions: int, dropouts: int, rounds: Sequence[str], count: int) -> None:
    assert check_exact(regions, Secure(colluders=1, dropouts=dropouts), rounds) == count


@pytest.mark.thorough
def test_the_sum_is_exact_whoever_of_six_drops_out_in_any_round() -> None:
    assert check_exact(6, Secure(colluders=1, dropouts=2), ROUNDS) == 406


@pytest.mark.parametrize("away", [(), (DD,)], ids=["all there", "one dropped out"])
def test_what_stays_in_the_sum_is_the_noise_that_is_needed(away: Sequence[str]) -> None:
    """Parts 0..k of every survivor, where k dropped out; whoever dies before it takes back leaves all of its parts."""
    sources = {region: Drawn() for region in codes(4)}
    played = Played(FOUR, noise=lambda region: sources[region])
    nothing = {region: {"block_0": [0] * 3, "block_1": [0] * 2} for region in codes(4)}
    total = played.whole(nothing, Lost(vectors=away, shares=() if away else [AA]))
    first, second = (1, 2, 3, 4, 5), (6, 7, 8, 9, 10)
    kept = [first] * (4 - len(away)) + ([second] * 3 if away else [second])
    assert total == tuple(map(sum, zip(*kept, strict=True)))


def test_each_part_has_the_scale_of_its_group_and_is_drawn_anew() -> None:
    source, group = Drawn(), Group(4, 1, 1)
    one, other = draw_parts(source, group, FOUR.blocks)
    scales = group.parts(SCALE)
    assert source.asked == [(3, scales[0]), (2, scales[0]), (3, scales[1]), (2, scales[1])]
    assert (unpack(one), unpack(other)) == ((1, 2, 3, 4, 5), (6, 7, 8, 9, 10))


def test_a_source_that_draws_too_little_breaks_the_attempt() -> None:
    class Short:
        def draw(self, cells: int, sigma: Sigma) -> list[int]:
            return [0] * (cells - 1)

    played = Played(FOUR)
    played.keys()
    played.share()
    played.open()
    with pytest.raises(ArithmeticError):
        played.parties[AA].mask(sums(codes(4))[AA], Short())
    assert played.parties[AA].stage == "over"
