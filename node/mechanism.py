"""The noise: OpenDP's discrete Gaussian over exact integers. No other module draws noise."""

from __future__ import annotations

from collections.abc import Sequence

from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_gaussian
from opendp.metrics import l2_distance
from opendp.mod import enable_features

from policies.statistics.programme import PlannedBlock

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
    sigma = planned.scale.value
    # 0 < sigma: a Sigma cannot be built otherwise; OpenDP itself would accept 0 and add no noise.
    measurement = make_gaussian(vector_domain(atom_domain(T="i64")), l2_distance(T="f64"), scale=sigma)
    drawn: list[int] = measurement([planned.multiplier * value for value in values])
    return drawn
