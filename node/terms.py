"""What an import must know of the ledger: what is in force, who may be in it, and which imports there ever were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from policies.rules.decide import awaits_inheritance

if TYPE_CHECKING:
    from node.region import Region


class Terms(BaseModel):
    """Public facts. `snapshot` in force for the cohort and the hash of its codebook, both empty where there is none.

    `most_cohorts` is in how many cohorts one household may be, None for all. `imported` are all imports of this epoch
    as (cohort, snapshot), `inherited` the cohorts of regions that this one was formed of. `awaits`: which those are is
    not known yet (policies/rules/decide.py).
    """

    model_config = ConfigDict(frozen=True)
    snapshot: str = ""
    codebook: str = ""
    most_cohorts: int | None = None
    imported: tuple[tuple[str, str], ...] = ()
    inherited: tuple[str, ...] = ()
    awaits: bool = False


def terms_of(region: Region, cohort: str) -> Terms:
    """The terms of an import of this cohort now. Reads the ledger and the policy in force."""
    book, policy = region.ledger.book, region.documents.policy
    ready = policy is not None and region.documents.calendar is not None
    held = book.snapshots.get(cohort)
    return Terms(
        snapshot="" if held is None else held.snapshot,
        codebook="" if held is None else held.codebook,
        most_cohorts=None if policy is None else policy.document.most_cohorts,
        imported=tuple(sorted(book.imported)),
        inherited=tuple(sorted(name for name, rho in book.inherited.cohorts.items() if rho.nano)),
        awaits=ready and awaits_inheritance(region.standing(book)),
    )
