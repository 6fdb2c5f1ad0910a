"""Do the totals add up, and does every debit stay below the caps that were in force at that moment?"""

from __future__ import annotations

from collections.abc import Iterator

from audit.exact import nano_down, rho_text
from audit.findings import Finding, error
from audit.lifetime import counted
from audit.state import Debit, State

TOTAL = error(
    "money.total",
    "A running total is not the one before plus this charge, so less or more seems to be spent than was.",
    "Ask the region's steward how this total was made.",
)
NOTHING = error(
    "money.nothing",
    "Something was answered for nothing: a debit without a charge protects no one.",
    "Ask the region's steward why nothing was charged.",
)
NO_POLICY = error(
    "money.no_policy",
    "Privacy was spent while no policy of the steward was in force.",
    "Ask the region's steward under which rules this was answered.",
)
COHORT_CAP = error(
    "money.cohort_cap",
    "More was spent on this cohort than the steward's policy of that moment allows: its households were promised less.",
    "Ask the region's steward; nothing more may be asked about this cohort.",
)
LIFETIME_CAP = error(
    "money.lifetime_cap",
    "More was spent over all cohorts together than the steward's policy of that moment allows.",
    "Ask the region's steward; nothing more may be asked of this region.",
)
PROGRAMME_CAP = error(
    "money.programme_cap",
    "This one programme cost more than the steward's policy of that moment allows.",
    "Ask the region's steward why it was answered.",
)
ROOM = error(
    "money.room",
    "A programme was begun whose national sums could not all be tried for: an attempt that fails must still be paid.",
    "Ask the region's steward why it was begun.",
)


def check(state: State, debit: Debit) -> Iterator[Finding]:
    """One debit against the totals before it and the caps in force."""
    entry = debit.entry
    where, cohort, charge = state.at(entry), entry.text("cohort"), entry.money("charge")
    if charge == 0:
        yield NOTHING.broken(where, "The debit's charge is 0.")
    totals = []
    for name, said, added, of in (
        (cohort, entry.money("cohort_total"), state.cohorts.get(cohort, 0), f"cohort {cohort}"),
        ("", entry.money("lifetime_total"), state.lifetime, "the lifetime"),
    ):
        before = state.said.get(name, 0)
        if before + charge != said:
            what = f"The total of {of} is given as {said} nano-rho; {before} before and this charge of {charge}"
            yield TOTAL.broken(where, f"{what} make {before + charge}.")
        # A total that was lowered somewhere does not make room; nor does a debit that was taken out.
        totals.append(max(said, added + charge))
    if state.policy is None:
        yield NO_POLICY.broken(where, "No validly signed policy was adopted before this debit.")
        return
    caps = state.policy
    cap = nano_down(caps.cohorts[cohort]) if cohort in caps.cohorts else 0
    if totals[0] > cap:
        what = f"Cohort {cohort} is at {rho_text(totals[0])} rho with this debit; the cap is {rho_text(cap)}."
        yield COHORT_CAP.broken(where, what)
    lifetime, counts = nano_down(caps.lifetime), _counts(state, cohort, *totals)
    if counts > lifetime:
        what = f"{_of_lifetime(caps.most_cohorts)} {rho_text(counts)} rho with this debit"
        yield LIFETIME_CAP.broken(where, f"{what}; the cap is {rho_text(lifetime)}.")
    most, whole = nano_down(caps.programme), max(charge, 0 if debit.asked is None else debit.asked.most)
    if whole > most:
        what = f"The programme may come to {rho_text(whole)} rho; the policy allows {rho_text(most)} a programme."
        yield PROGRAMME_CAP.broken(where, what)
    if totals[0] <= cap and counts <= lifetime:
        yield from _room(state, debit, (totals[0], totals[1]), (cap, lifetime))


def _of_lifetime(most: int | None) -> str:
    return "The lifetime total is" if most is None else f"The dearest {most} cohorts together come to"


def _counts(state: State, cohort: str, total: int, plain: int) -> int:
    """What counts against the lifetime cap once the cohort's total is `total`, and that of all charges is `plain`."""
    known = {name: max(nano, state.said.get(name, 0)) for name, nano in state.cohorts.items()}
    most = None if state.policy is None else state.policy.most_cohorts
    return counted({**known, cohort: total}, plain, most, state.taken)


def _room(state: State, debit: Debit, totals: tuple[int, int], caps: tuple[int, int]) -> Iterator[Finding]:
    """What a run begins with is paid only where every attempt could be; totals are those with this debit."""
    asked = debit.asked
    if asked is None or debit.attempt != (0 if asked.of("regional") else 1):
        return
    more = asked.most - debit.entry.money("charge")
    counts = _counts(state, debit.entry.text("cohort"), totals[0] + more, totals[1] + more)
    if more > 0 and (totals[0] + more > caps[0] or counts > caps[1]):
        left = min(caps[0] - totals[0], caps[1] - _counts(state, debit.entry.text("cohort"), *totals))
        what = f"Its attempts may cost {rho_text(more)} rho more than this debit; {rho_text(left)} is left."
        yield ROOM.broken(state.at(debit.entry), what)
