"""What a region that was formed of others takes over of their spending, as the calendar that it adopts says it."""

from __future__ import annotations

from policies.documents import Document
from policies.rules.entries import Inherited
from policies.study.calendar import Calendar


def inherited(document: Document, region: str, digest: str) -> Inherited | None:
    """The entry that belongs behind the adoption of this document; None where there is nothing to take over, or where
    the calendar does not say yet how much. `digest` is the document's hash.

    Privacy: the totals are the calendar's, rounded up to nano-rho there; until this entry is in the log the region may
    charge nothing (policies/rules/decide.py).
    """
    if not isinstance(document, Calendar) or region not in document.regions:
        return None
    found = document.inheritance(region)
    if found is None or found == "unknown":
        return None
    cohorts, lifetime = found
    amounts = {cohort: rho.nano for cohort, rho in sorted(cohorts.items())}
    return Inherited(event="inherited", calendar=digest, cohorts=amounts, lifetime=lifetime.nano)
