"""Deciding on a programme by what the region's ledger and documents say now. Reads no row and writes nothing."""

from __future__ import annotations

from dataclasses import replace

from node.authenticate import Asked
from node.ledger.book import Book, Pair
from node.ledger.ledger import Debit
from node.pausing import resting
from node.region import Region
from policies.rules.decide import Granted, decide
from policies.rules.refusals import Refused
from policies.statistics.compile import Compilation
from policies.statistics.programme import Programme


def pair_of(region: Region, asked: Asked) -> Pair:
    """The programme and the snapshot it would be answered from; an empty name where there is none."""
    held = region.ledger.book.snapshots.get(asked.programme.programme.cohort)
    return asked.digest, "" if held is None else held.snapshot


def decided(region: Region, programme: Programme, pair: Pair) -> Granted | Refused:
    """Whether a programme may be answered now; one whose debit is in hand is not charged a second time."""
    if (rests := resting(region.home, region.config.quiet_hours, region.now())) is not None:
        return rests
    in_hand = region.ledger.in_hand(*pair)
    return again(region, programme, region.ledger.book) if in_hand is None else still(region, programme, in_hand)


def again(
    region: Region, programme: Programme, book: Book, verified: Compilation | None = None, *, attempt: int = 0
) -> Granted | Refused:
    """The same by another book, such as that of a transaction in the making, or for an attempt at national sums.

    `verified` as for `decide`. A node that rests decides on nothing. Raises NotReady.
    """
    if (rests := resting(region.home, region.config.quiet_hours, region.now())) is not None:
        return rests
    return decide(programme, region.standing(book), verified, attempt=attempt)


def still(region: Region, programme: Programme, debit: Debit) -> Granted | Refused:
    """Whether a debit in hand may still be used, by all that may have changed since; its own charge is not in it.

    Privacy: nothing is charged; the charge of the debit is on disk already.
    """
    standing = region.standing(region.ledger.book)
    spent, cohort, own = standing.spent, debit.claim.cohort, debit.granted.charge
    before = {**spent.cohorts, cohort: spent.cohort(cohort).left_after(own)}
    without = replace(standing, spent=replace(spent, cohorts=before, lifetime=spent.lifetime.left_after(own)))
    return decide(programme, without, debit.granted.compilation, attempt=debit.claim.attempt)
