"""The steward's word on one programme, signed with the steward's key. A human act: it rests on the screen, not on rows.

The reason for a no is one of a short list and goes to whoever asked; what else the steward thinks stays at the node.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from policies.documents import Document
from policies.study.text import Hash, RegionCode

Decision = Literal["approve", "decline"]
DeclineReason = Literal["purpose", "price", "detail", "timing", "other"]
"""The purpose does not fit; it costs too much; it asks in too fine a detail; not now; something else."""

DECLINED_SENTENCES: dict[DeclineReason, str] = {
    "purpose": "The region's steward declined: the purpose does not fit. Ask the steward what would.",
    "price": "The region's steward declined: it costs too much of the region's budget. Ask with a lower price.",
    "detail": "The region's steward declined: it asks in too fine a detail. Ask with fewer keys or variables.",
    "timing": "The region's steward declined for now. Ask the steward when to come back.",
    "other": "The region's steward declined. Ask the steward why.",
}

AWAITING_SENTENCE = (
    "The region's steward decides on this programme first. Nothing needs to be sent again: the region answers by "
    "itself once the steward has approved, until the deadline."
)


class Approval(Document):
    """`decided` is the unix second of the decision. A reason goes with a no, and only with a no."""

    region: RegionCode
    programme: Hash
    decision: Decision
    reason: DeclineReason | None = None
    decided: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _reason_with_no(self) -> Approval:
        if (self.decision == "decline") != (self.reason is not None):
            raise ValueError("a reason goes with `decline`, and only with it")
        return self
