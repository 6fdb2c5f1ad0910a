"""What t colluders and the coordinator face once they have subtracted all they know: the promised noise, measured.

Real parties, the product's own sampler, data of zeros, so that what is left of the finished sum is noise. False alarm:
each bound is passed by chance with probability 1e-6 (chi-square with as many degrees of freedom as coordinates; a
discrete Gaussian of scale 8 and more has the moments of the continuous one to within 1e-12, and lighter tails).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from scipy.stats import chi2

from node.mechanism import DiscreteGaussian
from policies.secure.group import Group
from policies.secure.lanes import unpack
from policies.secure.rounds import noise_variance, spare
from policies.statistics.programme import Secure
from policies.units.noise import Sigma
from tests.national_study import codes
from tests.secure_world import SCALE, Lost, Played, national

CELLS = 4000
ALARM = 1e-6
GROUP = Group(7, 2, 2)


@dataclass
class Kept:
    """The product's noise, which its owner remembers part by part."""

    parts: list[list[int]] = field(default_factory=list)

    def draw(self, cells: int, sigma: Sigma) -> list[int]:
        self.parts.append(DiscreteGaussian().draw(cells, sigma))
        return self.parts[-1]


def _left(group: Group, lost: Lost) -> tuple[float, float]:
    """The variance of the noise in the finished sum, and of what colluders cannot subtract, both over sigma^2.

    The last t regions collude; they give back what they should, and know what stayed.
    """
    names = codes(group.regions)
    sources = {region: Kept() for region in names}
    programme = national(group.regions, Secure(colluders=group.colluders, dropouts=group.dropouts), (CELLS,))
    played = Played(programme, noise=lambda region: sources[region])
    found = played.whole({region: {"block_0": [0] * CELLS} for region in names}, lost)
    survivors, left = sorted(played.server.vectors), list(found)
    for colluder in set(names[-group.colluders :]) & set(survivors):
        given = played.server.shares.get(colluder)
        kept = len(sources[colluder].parts) - (0 if given is None else len(given.taken_back))
        for part in sources[colluder].parts[:kept]:
            left = [a - b for a, b in zip(left, part, strict=True)]
        if given is not None:
            assert [unpack(part) for part in given.taken_back] == [tuple(one) for one in sources[colluder].parts[kept:]]
    taken = [len(played.server.shares[one].taken_back) if one in played.server.shares else 0 for one in survivors]
    assert max(taken) == spare(group, len(survivors))
    sigma = float(SCALE.fraction)
    whole = sum(value**2 for value in found) / CELLS / noise_variance(programme.blocks[0], group, taken)
    assert chi2.ppf(ALARM / 2, CELLS) < whole * CELLS < chi2.ppf(1 - ALARM / 2, CELLS), "not what noise_sd says"
    return whole, sum(value**2 for value in left) / CELLS / sigma**2


AA, BB, CC, DD, EE, FF, GG = codes(7)
CASES: tuple[tuple[str, Lost, float], ...] = (
    ("nobody", Lost(), 1),
    ("one honest", Lost(vectors=[AA]), 1),
    ("two honest", Lost(keys=[AA], sharing=[BB]), 1),
    ("one colluder", Lost(vectors=[GG]), 5 / 4),
    ("two colluders", Lost(vectors=[FF, GG]), 5 / 3),
    ("one of each", Lost(vectors=[AA, GG]), 4 / 3),
    ("a survivor takes nothing back", Lost(shares=[AA]), 1 + 2 / 15),
    ("and one dropped out", Lost(vectors=[AA], seen=[BB]), 1 + 1 / 12),
)
"""With k dropouts each survivor keeps 1/(5 - k) of sigma^2; who takes nothing back keeps 1/3."""


@pytest.mark.parametrize(("lost", "promised"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_colluders_face_the_noise_that_was_promised(lost: Lost, promised: float) -> None:
    whole, left = _left(GROUP, lost)
    print(f"\n{CELLS} coordinates: left {left:.3f} sigma^2 (promised {promised:.3f}); noise_sd^2 ratio {whole:.3f}")
    assert left * CELLS > chi2.ppf(ALARM, CELLS), "less than sigma^2"
    assert chi2.ppf(ALARM / 2, CELLS) < left / promised * CELLS < chi2.ppf(1 - ALARM / 2, CELLS)


@pytest.mark.parametrize("group", [Group(4, 1, 1), Group(13, 4, 2)], ids=str)
@pytest.mark.parametrize("gone", [0, 1])
def test_other_groups_face_it_too(group: Group, gone: int) -> None:
    _, left = _left(group, Lost(vectors=codes(group.regions)[:gone]))
    print(f"\n{group}, {gone} gone: left {left:.3f} sigma^2")
    assert chi2.ppf(ALARM / 2, CELLS) < left * CELLS < chi2.ppf(1 - ALARM / 2, CELLS)


def test_the_measure_can_tell_less_noise() -> None:
    """With a fifth less variance the bound is passed with probability 1e-6 at most."""
    assert chi2.cdf(chi2.ppf(ALARM, CELLS) / 0.8, CELLS) > 1 - 1e-6
