"""The public documents of one question that was asked here: for whoever shows or explains it outside the service."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from node.approving import NotFound
from node.authenticate import read_programme
from node.region import Region
from policies.documents import to_canonical
from policies.rules.refusals import Refused


class Papers(BaseModel):
    """Canonical text; `codebook` is empty where the one that the programme cites is not adopted here."""

    model_config = ConfigDict(frozen=True)
    region: str
    programme: str
    codebook: str
    calendar: str


def papers(region: Region, programme: str) -> Papers | NotFound:
    """The documents of a programme by its whole hash. Raises NotReady."""
    kept = region.ledger.document("programme", programme)
    asked = None if kept is None else read_programme(kept.to_bytes())
    if asked is None or isinstance(asked, Refused):
        return NotFound()
    standing = region.standing(region.ledger.book)
    codebook = standing.codebooks.get(asked.programme.codebook_hash)
    return Papers(
        region=region.code,
        programme=to_canonical(asked.programme).decode("utf-8"),
        codebook="" if codebook is None else to_canonical(codebook).decode("utf-8"),
        calendar=to_canonical(standing.calendar).decode("utf-8"),
    )
