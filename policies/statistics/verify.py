"""Checking a signed programme against the public rules: shape, spelling, bounds, noise, price and range.

A node and the desk both do this before anything is charged. No float split is recomputed.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from policies.rules.refusals import Reason, Refused
from policies.statistics.blocks import Block
from policies.statistics.compile import BadStatistic, Compilation, compile_blocks
from policies.statistics.programme import PlannedBlock, Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.units.money import NanoRho

_TAIL = 2**40
"""Noise beyond 2^40 sigma has probability below exp(-2^79): it does not happen."""
_AGAIN = "Plan the programme again with this version and sign the result."


def verify_plan(programme: Programme, codebook: Codebook, calendar: Calendar) -> Compilation | Refused:
    """The programme's blocks, derived anew, when everything signed about them is right.

    Privacy: bounds are re-derived from the codebook and compared; sigma must be at least 8 grid units; the charge must
    be exactly the zCDP price, rounded up to nano-rho, under add/remove of one household.
    """
    if refused := _check_heading(programme, codebook, calendar):
        return refused
    try:
        compilation = compile_blocks(programme.statistics, codebook)
    except BadStatistic as error:
        reason = Reason.UNKNOWN_VARIABLE if error.unknown_name else Reason.MALFORMED
        return Refused(reason, f"{error}. Correct the programme and sign it again.")
    if tuple(c.statistic for c in compilation.statistics) != programme.statistics:
        return Refused(Reason.MALFORMED, f"The statistics are not in canonical spelling. {_AGAIN}")
    if [block.id for block in compilation.blocks] != [block.id for block in programme.blocks]:
        return Refused(Reason.MALFORMED, f"The blocks are not those of the statistics. {_AGAIN}")
    if refused := _check_secure(programme):
        return refused
    for block, planned in zip(compilation.blocks, programme.blocks, strict=True):
        if refused := _check_block(block, planned, programme, calendar.limits.households_per_region):
            return refused
    return _check_charge(programme) or compilation


def _check_heading(programme: Programme, codebook: Codebook, calendar: Calendar) -> Refused | None:
    cohort = programme.programme.cohort
    if programme.programme.codebook != codebook.label:
        return Refused(
            Reason.CODEBOOK_MISMATCH, f"The programme cites another codebook than {codebook.label}, its hash. {_AGAIN}"
        )
    if cohort not in calendar.cohorts:
        return Refused(Reason.WRONG_COHORT, f"The calendar has no cohort {cohort}. Check the programme's cohort.")
    if outside := set(programme.weights) - calendar.ever_members(cohort):
        return Refused(
            Reason.OFF_ROTATION, f"Region {min(outside)} is not asked in cohort {cohort}. Take it out of the weights."
        )
    return None


def charge_of(blocks: Iterable[PlannedBlock]) -> NanoRho:
    """The price of blocks together.

    Privacy: the exact sum of D^2/(2 sigma^2) (zCDP adds up), rounded up to nano-rho; add/remove one household.
    """
    return NanoRho.ceil(sum((block.rho for block in blocks), Fraction(0)))


def _check_charge(programme: Programme) -> Refused | None:
    """Privacy: the answer and each attempt at the national sums are charged apart, so each is rounded up by itself."""
    answer, attempt = (charge_of(programme.of_mode(mode)) for mode in ("regional", "national"))
    if (programme.charge.of_answer, programme.charge.of_attempt) != (answer, attempt):
        return Refused(Reason.WRONG_PRICE, f"The charge is not the price of the noise. {_AGAIN}")
    return None


def _check_secure(programme: Programme) -> Refused | None:
    if (programme.secure is None) != (not programme.of_mode("national")):
        return Refused(Reason.MALFORMED, f"`secure` goes with national statistics, and only with them. {_AGAIN}")
    try:
        if programme.secure is not None:
            programme.secure.group(len(programme.weights))
    except ValueError as error:
        return Refused(Reason.MALFORMED, f"{error}. {_AGAIN}")
    return None


def _check_block(block: Block, planned: PlannedBlock, programme: Programme, households: int) -> Refused | None:
    regions, heaviest = len(programme.weights), 1 if block.mode == "regional" else max(programme.steps.values())
    bound = block.bound * planned.multiplier * heaviest
    if (planned.mode, planned.cells, planned.bound_squared) != (block.mode, block.cells, bound**2):
        return Refused(
            Reason.WRONG_PRICE, f"Block {block.id} states another size or bound than the codebook gives. {_AGAIN}"
        )
    try:
        sigma = planned.scale
    except ValueError:
        return Refused(Reason.WRONG_PRICE, f"Block {block.id} states a sigma that cannot be drawn. {_AGAIN}")
    if not large_enough(planned, programme):
        return Refused(Reason.WRONG_PRICE, f"Block {block.id} has noise below 8 grid units. {_AGAIN}")
    largest = households * bound + _TAIL * sigma.fraction
    if largest >= Fraction(2**63, max(1, regions)):
        return Refused(
            Reason.TOO_LARGE,
            f"Block {block.id} could leave 64 bits. Use a coarser grid, narrower bounds or another price.",
        )
    return None


def large_enough(planned: PlannedBlock, programme: Programme) -> bool:
    """Whether every draw has a scale of at least 8 grid units: of a national block each part of each node's noise."""
    if planned.mode == "regional" or programme.secure is None:
        return planned.scale.large_enough
    return planned.scale.fraction**2 >= programme.secure.group(len(programme.weights)).smallest()
