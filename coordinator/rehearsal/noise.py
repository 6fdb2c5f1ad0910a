"""Noise for a rehearsal: the sampler that a node uses, on sums of made-up rows.

OpenDP is loaded when it is needed: the desk itself draws no noise and runs without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from policies.secure.group import Group
from policies.statistics.programme import PlannedBlock

Sampler: TypeAlias = Callable[[Sequence[int], PlannedBlock], list[int]]
"""multiplier * values + noise of the planned sigma, in every coordinate."""


def with_parts(values: Sequence[int], block: PlannedBlock, group: Group, noisy: Sampler) -> list[int]:
    """A national block's finished sum, from its exact sums (weighted and multiplied), with every region in it.

    Privacy: none is claimed, the rows are made up; each region leaves the first part of its noise, as where nobody
    drops out (policies/secure/group.py), so that intervals are as wide.
    """
    first = group.parts(block.scale)[0]
    part = block.model_copy(update={"multiplier": 1, "sigma": (first.numerator, first.shift)})
    found = list(values)
    for _ in range(group.regions):
        found = noisy(found, part)
    return found


class NoSampler(Exception):
    """OpenDP is not installed; the message says how to add it."""


def sampler() -> Sampler:
    """OpenDP's discrete Gaussian with the operating system's entropy. Raises `NoSampler` where it is not installed."""
    try:
        from opendp.domains import atom_domain, vector_domain
        from opendp.measurements import make_gaussian
        from opendp.metrics import l2_distance
        from opendp.mod import enable_features
    except ImportError as error:
        hint = "requirements/demo.lock has it; so has the extra `rehearse`"
        raise NoSampler(f"A rehearsal draws its noise with OpenDP, which is not installed here ({hint}).") from error
    # OpenDP asks for consent to code without a published proof file; make_gaussian's is in its repository.
    enable_features("contrib")

    def noisy(values: Sequence[int], planned: PlannedBlock) -> list[int]:
        """As a node does it.

        Privacy: none is claimed, the rows are made up; the noise is as large as a node's would be, so that intervals
        are as wide.
        """
        measurement = make_gaussian(
            vector_domain(atom_domain(T="i64")), l2_distance(T="f64"), scale=planned.scale.value
        )
        drawn: list[int] = measurement([planned.multiplier * value for value in values])
        return drawn

    return noisy
