"""Did a region that was formed of others take over what those had spent, before it spent anything itself?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Literal

from audit.exact import nano_up, rho_text
from audit.findings import Finding, error
from audit.lifetime import amounts
from audit.model import LoggedEntry
from audit.state import Debit, State
from policies.study.calendar import Calendar

MISSING = error(
    "inherited.missing",
    "The region was formed of others and spent before it had taken over what those had spent: its households may have "
    "paid more than they were promised.",
    "Ask the region's steward why it spent, and the consortium for a calendar that says what the others had spent.",
)
AMOUNT = error(
    "inherited.amount",
    "What was taken over is not what the calendar in force says that the regions before this one had spent.",
    "Ask the region's steward how these amounts were made.",
)
LESS = error(
    "inherited.less",
    "The calendar says that a region had spent less when it was merged or split than its own log shows.",
    "Ask the consortium where its amounts come from, and for a calendar with the right ones.",
)
Stated = tuple[dict[str, int], int]
"""Nano-rho by cohort, and over the lifetime."""


def check(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """An entry that takes over, against the calendar in force."""
    where, named = state.at(entry), entry.text("calendar")
    if named != state.calendar_hash or state.calendar is None:
        yield AMOUNT.broken(where, f"It names calendar {named[:16]}; {state.calendar_hash[:16] or 'none'} is in force.")
        return
    found = stated(state.calendar, state.region)
    if found is None or found == "unknown":
        yield AMOUNT.broken(where, f"That calendar states nothing that {state.region} could take over.")
        return
    said, (cohorts, lifetime) = amounts(entry), found
    for name in sorted({*said, *cohorts}):
        if said.get(name, 0) != cohorts.get(name, 0):
            what = f"It takes over {rho_text(said.get(name, 0))} rho of cohort {name}"
            yield AMOUNT.broken(where, f"{what}; the calendar says {rho_text(cohorts.get(name, 0))}.")
    if entry.money("lifetime") != lifetime:
        what = f"It takes over {rho_text(entry.money('lifetime'))} rho for the lifetime"
        yield AMOUNT.broken(where, f"{what}; the calendar says {rho_text(lifetime)}.")


def debited(state: State, debit: Debit) -> Iterator[Finding]:
    """A debit of a region that was formed of others: all that they had spent must have been taken over."""
    found = None if state.calendar is None else stated(state.calendar, state.region)
    if found == "unknown":
        what = f"The calendar in force does not say what the regions that {state.region} was formed of had spent."
        yield MISSING.broken(state.at(debit.entry), what)
    elif found is not None and not state.taken.holds(*found):
        what = f"What the regions that {state.region} was formed of had spent was not taken over before this debit."
        yield MISSING.broken(state.at(debit.entry), what)


def compare(states: Mapping[str, State]) -> Iterator[Finding]:
    """What was taken over, against the logs of the regions before, where they are in the evidence."""
    for state in states.values():
        entry, calendar = state.taken.entry, state.evidence.library.calendar(state.taken.calendar)
        region = None if calendar is None else calendar.regions.get(state.region)
        if entry is None or region is None:
            continue
        for before in (states[code] for code in region.formed_of if code in states):
            for name, spent in sorted({**before.cohorts, "": before.lifetime}.items()):
                taken = state.taken.inherited.get(name, 0) if name else state.taken.inherited_lifetime
                if spent > taken:
                    of = f"cohort {name}" if name else "the lifetime"
                    what = f"{before.region} had spent {rho_text(spent)} rho of {of}"
                    yield LESS.broken(state.at(entry), f"{what}; {rho_text(taken)} was taken over.")


def stated(calendar: Calendar, region: str) -> Stated | Literal["unknown"] | None:
    """What a calendar hands over to a region; None for one that was not formed of others.

    Privacy: a household was with one of them, so per cohort, and in all, the largest of their amounts bounds what it
    paid. Each is rounded up to nano-rho. Adjacency: one household with all its cohorts.
    """
    known = calendar.regions.get(region)
    if known is None or not known.formed_of:
        return None
    if any(code not in known.spent for code in known.formed_of):
        return "unknown"
    cohorts: dict[str, int] = {}
    lifetime = 0
    for code in known.formed_of:
        final = known.spent[code]
        lifetime = max(lifetime, nano_up(Fraction(final.lifetime)))
        for name, rho in final.cohorts.items():
            cohorts[name] = max(cohorts.get(name, 0), nano_up(Fraction(rho)))
    return cohorts, lifetime
