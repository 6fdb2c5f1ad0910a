"""Finished national sums: checked, stored once, and noted in the ledger. Nothing here reads a row or costs anything."""

from __future__ import annotations

from pathlib import Path

from node.authenticate import read_signed, signed_by_coordinator
from node.files import make_folder, write_private
from node.home import Home
from node.journal import Journal
from node.region import Region
from policies.documents import BadDocument, from_canonical
from policies.rules.entries import Summed
from policies.rules.refusals import Reason, Refused
from policies.secure.rounds import NationalSum
from policies.statistics.programme import Programme


def take_in_sum(region: Region, run: str, attempt: int, data: bytes, journal: Journal) -> str | Refused:
    """Stores a finished sum and gives its hash; or says why not. Durable on return; the same again changes nothing."""
    read = read_signed("national_sum", NationalSum, data)
    if isinstance(read, Refused):
        return read
    signed, found = read
    desk = signed_by_coordinator(signed, region.roster, region.now())
    if isinstance(desk, Refused):
        return desk
    refused = _mine(region, found) if (found.run, found.attempt) == (run, attempt) else _WRONG
    if refused is not None:
        return refused
    event = Summed(event="summed", programme=found.programme, run=run, attempt=attempt, hash=signed.digest)
    held = region.ledger.book.sums.get((found.programme, run))
    if held not in (None, event):
        return Refused(Reason.MALFORMED, "This run has another sum already. Ask its steward and the consortium.")
    # The file comes first: after a crash in between the desk sends the sum again, and it is logged then.
    make_folder(region.home.sums)
    write_private(sum_file(region.home, run), signed.to_bytes())
    if held is None:
        region.ledger.log_sum(event)
        journal("sum_kept", run=run, programme=found.programme, attempt=attempt)
    return signed.digest


def sum_file(home: Home, run: str) -> Path:
    return home.sums / f"{run}.json"


_WRONG = Refused(Reason.MALFORMED, "The sum is of another run or attempt. Send it anew.")


def _mine(region: Region, found: NationalSum) -> Refused | None:
    """Whether it can be the sum of what this region knows: its programme, and its own part in it."""
    book = region.ledger.book
    programme = _programme(region, found.programme)
    if programme is None or found.programme not in book.first_asked:
        return Refused(Reason.UNKNOWN_PROGRAMME, "This region was never asked for that programme. Ask it first.")
    if found.cohort != programme.programme.cohort or region.code not in programme.weights or not found.fits(programme):
        return Refused(Reason.MALFORMED, "The sum does not have the shape of its programme. Send it anew.")
    if region.code in found.regions and book.vectors.get((found.programme, found.run)) != found.attempt:
        return Refused(Reason.MALFORMED, f"Region {region.code} gave no vector to this sum. It is not of this attempt.")
    return None


def _programme(region: Region, hash_: str) -> Programme | None:
    kept = region.ledger.document("programme", hash_)
    try:
        return None if kept is None else from_canonical(Programme, kept.document)
    except BadDocument:
        # A programme of a version that this one cannot read: nothing can be said of its sum.
        return None
