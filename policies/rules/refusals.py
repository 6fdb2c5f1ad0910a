"""Saying no: a value with a reason from a closed list and a sentence that says what to do next.

A refusal depends on public data only (policy, calendar, what was spent, the programme), never on rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    """Why a node or the desk refuses. The value is the name on the wire and in the ledger."""

    UNSIGNED = "unsigned"
    UNKNOWN_SIGNER = "unknown_signer"
    WRONG_ROLE = "wrong_role"
    REVOKED = "revoked"
    EXPIRED = "expired"
    VERSION = "version"
    MALFORMED = "malformed"
    UNKNOWN_VARIABLE = "unknown_variable"
    CODEBOOK_MISMATCH = "codebook_mismatch"
    FORBIDDEN_KIND = "forbidden_kind"
    FORBIDDEN_VARIABLE = "forbidden_variable"
    FORBIDDEN_CROSSING = "forbidden_crossing"
    WRONG_PRICE = "wrong_price"
    TOO_LARGE = "too_large"
    WRONG_COHORT = "wrong_cohort"
    OFF_ROTATION = "off_rotation"
    OUTSIDE_WINDOW = "outside_window"
    DEADLINE_PASSED = "deadline_passed"
    NO_SNAPSHOT = "no_snapshot"
    OVER_PROGRAMME_CAP = "over_programme_cap"
    OVER_COHORT_CAP = "over_cohort_cap"
    OVER_LIFETIME_CAP = "over_lifetime_cap"
    LATE = "late"
    FAULT = "fault"
    TEST_ONLY = "test_only"
    UNKNOWN_PROGRAMME = "unknown_programme"
    AWAITING_APPROVAL = "awaiting_approval"
    DECLINED = "declined"
    UNWITNESSED = "unwitnessed"
    BEHIND_WITNESSES = "behind_witnesses"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Refused:
    """`sentence` says what to do next, in English, and holds public facts only."""

    reason: Reason
    sentence: str
