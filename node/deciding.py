"""What the rules say now: of a programme that is asked, and of a debit that is still in hand."""

from __future__ import annotations

from dataclasses import replace

from node.ledger.book import Book
from node.ledger.ledger import Debit
from node.region import Region
from policies.rules.decide import Granted, Spent, decide
from policies.rules.refusals import Refused
from policies.statistics.compile import Compilation
from policies.statistics.programme import Programme


def decided(
    region: Region, programme: Programme, book: Book, verified: Compilation | None = None, *, attempt: int = 0
) -> Granted | Refused:
    """The decision by a book, which may be on trial. Raises NotReady."""
    return decide(programme, region.standing(book), verified, attempt=attempt)


def still(region: Region, programme: Programme, debit: Debit) -> Granted | Refused:
    """Whether a debit in hand may still be used, by all that may have changed since; its own charge is not in it.

    Privacy: nothing is charged; the charge of the debit is on disk already.
    """
    standing = region.standing(region.ledger.book)
    spent, cohort, own = standing.spent, debit.claim.cohort, debit.granted.charge
    before = {**spent.cohorts, cohort: spent.cohort(cohort).left_after(own)}
    without = replace(standing, spent=Spent(before, spent.lifetime.left_after(own)))
    return decide(programme, without, debit.granted.compilation, attempt=debit.claim.attempt)
