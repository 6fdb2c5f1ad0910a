"""The noise: OpenDP's discrete Gaussian over exact integers. No other module draws noise."""

from __future__ import annotations

from collections.abc import Sequence

from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_gaussian
from opendp.metrics import l2_distance
from opendp.mod import enable_features

from policies.statistics.programme import PlannedBlock
from policies.units.noise import Sigma

# OpenDP asks for consent to code without a published proof file; make_gaussian's is in its repository.
enable_features("contrib")


def noisy(values: Sequence[int], planned: PlannedBlock) -> list[int]:
    """multiplier * values + N_Z(0, sigma^2) in every coordinate, with fresh entropy of the operating system.

    `values` are exact sums, one per cell of the block; the result has as many and lies within signed 64 bits, because
    the programme was refused otherwise (see policies/statistics/verify.py).

    Privacy: rho = D^2 / (2 sigma^2) zCDP for a block whose household vectors have L2 norm at most D after the
    multiplier (Canonne, Kamath and Steinke 2020, Theorem 4; OpenDP `make_gaussian`, T="i64"). Adjacency: add or remove
    one household. sigma is an exact float64 and was rounded up when planned; nothing is rounded or clamped here.
    """
    return _drawn([planned.multiplier * value for value in values], planned.scale)


class DiscreteGaussian:
    """Noise by itself, for a sum that is masked with it. The only source of it in the product."""

    def draw(self, cells: int, sigma: Sigma) -> list[int]:
        """N_Z(0, sigma^2) for so many coordinates, with fresh entropy of the operating system.

        Privacy: the same sampler as `noisy`, at zero; what such a draw is worth stands with whoever asks for its scale
        (policies/secure/group.py). Nothing is rounded or clamped here.
        """
        return _drawn([0] * cells, sigma)


def _drawn(centre: list[int], sigma: Sigma) -> list[int]:
    # 0 < sigma: a Sigma cannot be built otherwise; OpenDP itself would accept 0 and add no noise.
    measurement = make_gaussian(vector_domain(atom_domain(T="i64")), l2_distance(T="f64"), scale=sigma.value)
    drawn: list[int] = measurement(centre)
    return drawn
