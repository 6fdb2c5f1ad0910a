"""What a policy would mean at this node, told before it is adopted. Reads public documents and the ledger only."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from node.region import Region
from policies.documents import BadDocument, from_canonical, to_canonical
from policies.rules.policy_check import Change, Finding, changes, findings, for_region
from policies.rules.region_policy import RegionPolicy
from policies.study.text import Text


class Told(BaseModel):
    """Part of what is told; JSON field names are fixed."""

    model_config = ConfigDict(frozen=True)


class Remark(Told):
    """One finding by its code. `objection`: it keeps the policy from being adopted."""

    code: str
    objection: bool
    fields: dict[str, str]


class Changed(Told):
    """One field that differs from the policy in force; empty where there is nothing."""

    field: str
    old: str
    new: str
    direction: Literal["loosens", "tightens", "neutral"]


class Reviewed(Told):
    """A policy at its place. `policy` is its canonical form for this region.

    `changes` is None where no policy is in force, and `in_force` then 0: else that is its version. `labels` are the
    codebooks' names of the variables it mentions, None where they have none; `witnesses` is how many the roster lists.
    """

    policy: str
    region: str
    in_force: int
    witnesses: int | None
    remarks: tuple[Remark, ...]
    changes: tuple[Changed, ...] | None
    labels: dict[str, Text | None]

    @property
    def adoptable(self) -> bool:
        return not any(one.objection for one in self.remarks)


class Unreadable(Told):
    """The text is no policy in its canonical form."""

    detail: str


def review(region: Region, text: str) -> Reviewed | Unreadable:
    """What there is to say about a policy (canonical text), were it adopted now. Changes nothing."""
    try:
        policy = for_region(from_canonical(RegionPolicy, text.encode("utf-8")), region.code)
    except BadDocument as error:
        return Unreadable(detail=str(error))
    place = region.place()
    found = None if place.held is None else changes(place.held, policy)
    return Reviewed(
        policy=to_canonical(policy).decode("utf-8"),
        region=region.code,
        in_force=0 if place.held is None else place.held.policy.version,
        witnesses=place.witnesses,
        remarks=tuple(_remark(one) for one in findings(policy, place)),
        changes=None if found is None else tuple(_changed(one) for one in found),
        labels=_labels(region, policy),
    )


def _remark(one: Finding) -> Remark:
    return Remark(code=one.code, objection=one.objection, fields=dict(one.fields))


def _changed(one: Change) -> Changed:
    return Changed(field=one.field, old=one.old, new=one.new, direction=one.direction)


def _labels(region: Region, policy: RegionPolicy) -> dict[str, Text | None]:
    names = {*policy.variables.deny, *(name for pair in policy.forbidden_crossings for name in pair)}
    known: dict[str, Text | None] = {}
    for codebook in region.documents.codebooks.values():
        known |= {name: found.labels for name, found in codebook.variables.items()}
        known |= {name: found.labels for name, found in codebook.derived.items()}
    return {name: known.get(name) for name in sorted(names)}
