"""What a steward may see of what came back: the list of runs, and one result with what its page says beside it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from node.errors import BadDelivery
from node.region import Region
from node.results import stored
from node.status import Amount, amount
from policies.documents import to_canonical
from policies.rules.decide import left
from policies.rules.entries import ResultEntry
from policies.study.text import Text


class Told(BaseModel):
    """Part of what is told; JSON field names are fixed."""

    model_config = ConfigDict(frozen=True)


class Returned(Told):
    """One run's result in short; `received` in unix seconds. Where the file cannot be used only the ledger speaks."""

    run: str
    programme: str
    hash: str
    received: int
    readable: bool
    title: Text | None = None
    cohort: str = ""
    revision: int = 0
    included: int = 0
    expected: int = 0


class AllReturned(Told):
    """Every run of which something came back, the oldest first."""

    returned: tuple[Returned, ...]


class OneReturned(Told):
    """A result (canonical bytes as text), and the facts of its page. `codebook` is empty where it is not adopted."""

    result: str
    hash: str
    received: int
    region_name: Text
    left_cohort: Amount
    left_lifetime: Amount
    test_only: bool
    codebook: str


def all_returned(region: Region) -> AllReturned:
    """What came back so far. Reads the ledger and the stored results."""
    book = region.ledger.book
    found = (_short(region, entry, book.received[run]) for run, entry in book.results.items())
    return AllReturned(returned=tuple(sorted(found, key=lambda one: (one.received, one.run))))


def one_returned(region: Region, run: str) -> OneReturned | None:
    """One run's result, checked against the ledger; None where there is none. Raises BadDelivery and NotReady."""
    book = region.ledger.book
    entry = book.results.get(run)
    if entry is None:
        return None
    result = stored(region.home, entry)
    standing = region.standing(book)
    codebook = standing.codebooks.get(result.asked.codebook_hash)
    known = standing.calendar.regions.get(region.code)
    of_cohort, of_lifetime = left(result.asked.programme.cohort, standing)
    return OneReturned(
        result=to_canonical(result).decode("utf-8"),
        hash=entry.hash,
        received=book.received[run],
        region_name=Text(nl=region.code, en=region.code) if known is None else known.name,
        left_cohort=amount(of_cohort),
        left_lifetime=amount(of_lifetime),
        test_only=standing.policy.test_only,
        codebook="" if codebook is None else to_canonical(codebook).decode("utf-8"),
    )


def _short(region: Region, entry: ResultEntry, received: int) -> Returned:
    told = Returned(run=entry.run, programme=entry.programme, hash=entry.hash, received=received, readable=False)
    try:
        result = stored(region.home, entry)
    except BadDelivery:
        return told
    heading = result.asked.programme
    facts = {"readable": True, "title": heading.title, "cohort": heading.cohort, "revision": result.revision}
    counts = {"included": len(result.regions), "expected": len(result.asked.regions)}
    return told.model_copy(update=facts | counts)
