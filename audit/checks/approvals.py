"""Was the question asked before it was charged, and approved where the policy of that moment wants a yes?"""

from __future__ import annotations

from collections.abc import Iterator

from audit.findings import Finding, error
from audit.state import Debit, State

NOT_ASKED = error(
    "debit.not_asked",
    "Privacy was spent on a question that, by the log, nobody had asked in this run.",
    "Ask the region's steward who asked, and the coordinator for the order of this run.",
)
NOT_APPROVED = error(
    "approval.missing",
    "The steward's rules say that every question waits for a signed yes; this one was answered without.",
    "Ask the region's steward whether this was approved, and by whom.",
)
DECLINED = error(
    "approval.declined",
    "The steward had said no, and it was answered all the same.",
    "Ask the region's steward what was decided.",
)


def check(state: State, debit: Debit) -> Iterator[Finding]:
    """One debit against what came before it."""
    where, programme, run = state.at(debit.entry), debit.entry.text("programme"), debit.entry.text("run")
    if (programme, run) not in state.asked:
        yield NOT_ASKED.broken(where, f"No `asked` entry for this programme and {run[:40]} stands above the debit.")
    if debit.policy is None or not debit.policy.steward_approves:
        return
    last = debit.decision
    if last is None:
        what = "The policy in force says `approval: steward`; no decision stands above the debit."
        yield NOT_APPROVED.broken(where, what)
    elif not last.approved:
        yield DECLINED.broken(where, f"The steward's last word on it, at {last.entry.place}, is no.")
    elif not last.valid:
        what = f"The approval at {last.entry.place} is not one that the steward signed for this programme."
        yield NOT_APPROVED.broken(where, what)
