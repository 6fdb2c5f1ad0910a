"""The public facts on which this region's guarantees rest: the policy in force, what was spent, who watches."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from rondgang.roles import Role

from node.region import Region
from policies.documents import to_canonical
from policies.study.roster import witnesses
from policies.study.text import Text


class Told(BaseModel):
    """Part of what is told; JSON field names are fixed."""

    model_config = ConfigDict(frozen=True)


class Watcher(Told):
    """Who may cosign now; the coordinator is one of them."""

    name: str
    coordinator: bool


class Counted(Told):
    """The most persons of one household that a codebook counts."""

    codebook: str
    adults: int
    children: int


class Guaranteed(Told):
    """`policy` is canonical text, `hash` its hash; amounts spent are in nano-rho, by cohort and over the lifetime.

    `spent_lifetime` is what counts against the lifetime cap: see policies/rules/spent.py.
    """

    region: str
    region_name: Text
    policy: str
    hash: str
    spent: dict[str, int]
    spent_lifetime: int
    cohorts: dict[str, Text]
    witnesses: tuple[Watcher, ...]
    counted: tuple[Counted, ...]


def guaranteed(region: Region) -> Guaranteed:
    """The facts as they are now. Reads the ledger and the documents in force. Raises NotReady."""
    standing = region.standing(region.ledger.book)
    adopted = region.documents.policy
    assert adopted is not None, "a standing has a policy"
    calendar = standing.calendar
    known = calendar.regions.get(region.code)
    live = witnesses(region.roster, region.now()).values()
    return Guaranteed(
        region=region.code,
        region_name=Text(nl=region.code, en=region.code) if known is None else known.name,
        policy=to_canonical(adopted.document).decode("utf-8"),
        hash=adopted.digest,
        spent={cohort: standing.spent.cohort(cohort).nano for cohort in standing.spent.cohorts},
        spent_lifetime=standing.spent.counted(standing.policy.most_cohorts).nano,
        cohorts={name: cohort.labels for name, cohort in calendar.cohorts.items()},
        witnesses=tuple(
            Watcher(name=one.name, coordinator=one.role is Role.COORDINATOR)
            for one in sorted(live, key=lambda member: (member.role.value, member.name))
        ),
        counted=tuple(
            Counted(codebook=codebook.label, adults=codebook.caps.adults, children=codebook.caps.children)
            for codebook in sorted(standing.codebooks.values(), key=lambda codebook: codebook.label)
        ),
    )
