"""What comes back: results of runs that this region answered, checked, stored once, and noted in the ledger.

The desk sends a result until it hears that it is stored. Nothing here reads a row or costs anything.
"""

from __future__ import annotations

from pathlib import Path

from rondgang.errors import ContractError
from rondgang.signed import Signed

from node.authenticate import Returned, authenticate_result, read_result
from node.errors import BadDelivery
from node.files import make_folder, write_private
from node.home import Home
from node.journal import Journal, place_of
from node.region import Region
from policies.documents import BadDocument, from_canonical
from policies.rules.entries import RefusedEntry, ResultEntry
from policies.rules.refusals import Reason, Refused
from policies.rules.result import Result

_NOT_STORED = Refused(Reason.FAULT, "The region could not store the result. Its steward can see why; send it later.")


def take_in(region: Region, run: str, data: bytes, journal: Journal) -> str | Refused:
    """Stores a result that the desk sends, and gives its hash; or says why not, which is logged. Durable on return.

    Never raises for a fault. The same result again changes nothing, and neither does one that is older than what is
    stored.
    """
    try:
        returned = read_result(run, data)
        if isinstance(returned, Refused):
            journal("refused", reason=returned.reason.value)
            return returned
        return _keep(region, returned, journal)
    except Exception as error:
        journal("fault", place=place_of(error))
        return _NOT_STORED


def stored(home: Home, entry: ResultEntry) -> Result:
    """The result that a ledger entry names. Raises BadDelivery where its file is absent or another one."""
    path = _file(home, entry.run)
    signed = _signed(path)
    if signed is None or signed.digest != entry.hash:
        raise BadDelivery(f"{path} is not the result that was received. Put that file back, or wait: it may come again")
    try:
        return from_canonical(Result, signed.document)
    except BadDocument as error:
        raise BadDelivery(f"{path} cannot be read by this version: {error}") from error


def _keep(region: Region, returned: Returned, journal: Journal) -> str | Refused:
    result, digest = returned.result, returned.signed.digest
    refused = authenticate_result(returned, region.code, region.roster, region.now())
    if refused is None and not region.ledger.book.has_answered(result.programme):
        refused = Refused(Reason.UNKNOWN_PROGRAMME, "This region never answered that programme. Send what it answered.")
    if refused is not None:
        reason = refused.reason.value
        journal("refused", run=result.run, programme=result.programme, reason=reason)
        entry = RefusedEntry(event="refused", programme=result.programme, run=result.run, reason=reason)
        region.ledger.log_refusal(entry)
        return refused
    held = region.ledger.book.results.get(result.run)
    if _older(region.home, result, held):
        return digest
    event = ResultEntry(event="result", run=result.run, programme=result.programme, hash=digest)
    # The file comes first: after a crash in between the desk sends the result again, and it is logged then.
    make_folder(region.home.results)
    write_private(_file(region.home, result.run), returned.signed.to_bytes())
    if held != event:
        region.ledger.log_result(event)
        journal("result_kept", run=result.run, programme=result.programme)
    return digest


def _older(home: Home, result: Result, held: ResultEntry | None) -> bool:
    """Whether what is stored and logged has more answers in it."""
    if held is None:
        return False
    try:
        return stored(home, held).revision > result.revision
    except BadDelivery:
        return False


def _file(home: Home, run: str) -> Path:
    return home.results / f"{run}.json"


def _signed(path: Path) -> Signed | None:
    try:
        return Signed.from_bytes(path.read_bytes())
    except (OSError, ContractError):
        return None
